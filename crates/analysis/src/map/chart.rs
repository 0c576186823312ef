//! What a map shows: at each point who is among the best.

use serde::Serialize;

use crate::case::{CaseReport, Row};
use crate::map::refine::{self, Standing};
use judge::Figure;
use judge::Verdict;
use protocol::clean;
use record::axis::Axis;
use record::{Plan, PlannedEntry};

/// A map with what was measured.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Chart {
    /// What the service is called.
    pub service: String,
    /// What decides, in words.
    pub by: String,
    /// The axis from left to right.
    pub x: Axis,
    /// The axis upwards.
    pub y: Axis,
    /// Who takes part.
    pub entries: Vec<String>,
    /// Row by row, from the smallest values on.
    pub points: Vec<Mark>,
    /// Where one takes over from another.
    pub crossovers: Vec<String>,
    /// Time of all visits, milliseconds.
    pub measured_ms: u64,
}

/// A point of a map.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mark {
    /// Its place along the x axis.
    pub column: usize,
    /// Its place along the y axis.
    pub row: usize,
    /// Whether it was measured.
    pub known: Known,
    /// Those that are best or tie.
    pub best: Vec<String>,
    /// Those of which it is not known.
    pub open: Vec<String>,
    /// Those that were not measured here: what is said of them is expected from the measured points around.
    pub concluded: Vec<String>,
    /// Those that are slower, with the ratio to the leader where the point was measured, or that failed.
    pub slower: Vec<Slower>,
}

/// Who is slower.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Slower {
    /// The entry's id.
    pub entry: String,
    /// How many times as large its values are as the leader's, if that was measured.
    pub ratio: Option<Figure>,
}

/// How a point is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "how", content = "why")]
pub enum Known {
    /// It was measured.
    Measured,
    /// It is expected, because the measured points around it agree.
    Concluded,
    /// Neither; there was no time for it.
    Unknown,
    /// It cannot be measured here.
    Beyond(String),
}

impl Mark {
    /// Whether only those were measured here on which the points around disagree.
    pub fn is_partly_measured(&self) -> bool {
        self.known == Known::Measured && !self.concluded.is_empty()
    }

    /// Whether any of those that are said to be best was not measured here.
    pub fn is_expected(&self) -> bool {
        self.best.iter().any(|entry| self.concluded.contains(entry))
    }

    /// How an entry stands by what was measured here; `None` where it was not.
    pub fn measured(&self, entry: &str) -> Option<Standing> {
        let among = |names: &[String]| names.iter().any(|name| name == entry);
        match () {
            () if among(&self.concluded) => None,
            () if among(&self.best) => Some(Standing::In),
            () if among(&self.open) => Some(Standing::Open),
            () if self.slower.iter().any(|slower| slower.entry == entry) => Some(Standing::Out),
            () => None,
        }
    }
}

impl Chart {
    /// The map of a plan, from the reports of its cases; `None` if it has no map.
    pub fn of(plan: &Plan, cases: &[CaseReport], spent_ns: u64) -> Option<Self> {
        let (map, service) = (plan.map.as_ref()?, plan.service.as_ref()?);
        let takes_part = |entry: &&PlannedEntry| {
            plan.cases.first().is_some_and(|case| entry.takes_part_in(case))
        };
        let entries: Vec<_> =
            plan.entries.iter().filter(takes_part).map(|entry| entry.id.clone()).collect();
        let case_at = |place| {
            let id = map.case_id(place);
            cases.iter().find(|case| case.id == id)
        };
        let measured = |place| {
            let case = case_at(place)?;
            let standing = |entry: &String| row(case, entry).map(standing);
            Some(entries.iter().map(standing).collect::<Vec<_>>())
        };
        let conclusions = refine::grid(map).conclusions(&measured);
        let mark = |(column, row): (usize, usize)| {
            let mut mark = Mark {
                column,
                row,
                known: Known::Unknown,
                best: Vec::new(),
                open: Vec::new(),
                concluded: Vec::new(),
                slower: Vec::new(),
            };
            let beyond = map.beyond.iter().find(|b| (b.column, b.row) == (column, row));
            if let Some(beyond) = beyond {
                mark.known = Known::Beyond(beyond.reason.clone());
                return mark;
            }
            let case = case_at((column, row));
            let index = row * map.x.values.len() + column;
            let Some(standings) = conclusions[index].clone() else { return mark };
            mark.known = if case.is_some() { Known::Measured } else { Known::Concluded };
            for (entry, standing) in entries.iter().zip(standings) {
                if case.is_none_or(|case| self::row(case, entry).is_none()) {
                    mark.concluded.push(entry.clone());
                }
                match standing {
                    Standing::In => mark.best.push(entry.clone()),
                    Standing::Open => mark.open.push(entry.clone()),
                    Standing::Out => {
                        let row = case.and_then(|case| self::row(case, entry));
                        let ratio = row.and_then(|row| row.numbers.as_ref()?.ratio);
                        mark.slower.push(Slower { entry: entry.clone(), ratio });
                    }
                }
            }
            mark
        };
        let places =
            (0..map.y.values.len()).flat_map(|row| (0..map.x.values.len()).map(move |c| (c, row)));
        let chart = Chart {
            service: service.name.clone(),
            by: cases.first().map_or_else(String::new, |case| case.metric.to_string()),
            x: map.x.clone(),
            y: map.y.clone(),
            points: places.map(mark).collect(),
            entries,
            crossovers: Vec::new(),
            measured_ms: spent_ns / 1_000_000,
        };
        Some(chart)
    }

    /// A point by its place.
    pub fn at(&self, column: usize, row: usize) -> &Mark {
        &self.points[row * self.x.values.len() + column]
    }

    /// Points that are known in this way.
    pub fn count(&self, is: impl Fn(&Known) -> bool) -> usize {
        self.points.iter().filter(|mark| is(&mark.known)).count()
    }

    /// The sets of those that are best somewhere, the most frequent first, with the number of points.
    pub fn regions(&self) -> Vec<(Vec<String>, usize)> {
        let mut regions: Vec<(Vec<String>, usize)> = Vec::new();
        for mark in self.points.iter().filter(|mark| !mark.best.is_empty()) {
            match regions.iter_mut().find(|(best, _)| *best == mark.best) {
                Some((_, count)) => *count += 1,
                None => regions.push((mark.best.clone(), 1)),
            }
        }
        regions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        regions
    }

    /// What the axes are, and the columns where the drawing has no room to name them.
    pub fn axes(&self) -> String {
        let (x, y) = (self.x.quantity.title(), self.y.quantity.title());
        format!("from left to right {x} ({}), upwards {y}", self.x.shown().join(", "))
    }

    /// How much of the map was measured.
    pub fn effort(&self) -> String {
        let (measured, concluded) =
            (self.count(|k| *k == Known::Measured), self.count(|k| *k == Known::Concluded));
        let beyond = self.count(|known| matches!(known, Known::Beyond(_)));
        let unknown = self.count(|known| *known == Known::Unknown);
        let partly = self.points.iter().filter(|mark| mark.is_partly_measured()).count();
        let partly = match partly {
            0 => String::new(),
            count => format!(" ({count} only for those on which the points around disagree)"),
        };
        let mut parts = vec![format!("{} measured{partly}", points(measured))];
        let others = [
            (concluded, "expected from those around"),
            (unknown, "not measured for want of time"),
            (beyond, "out of reach here"),
        ];
        parts.extend(
            others
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, how)| format!("{count} {how}")),
        );
        format!("Of {}: {}; by {}", points(self.points.len()), parts.join(", "), self.by)
    }

    /// Why points are missing, a sentence each.
    pub fn beyond_in_words(&self) -> Vec<String> {
        let reasons = self.beyond();
        let (shown, rest) = reasons.split_at(reasons.len().min(3));
        let mut sentences: Vec<_> = shown
            .iter()
            .map(|(reason, count)| format!("{} cannot be measured here: {reason}", points(*count)))
            .collect();
        if !rest.is_empty() {
            let count: usize = rest.iter().map(|(_, count)| count).sum();
            sentences.push(format!("{count} more for reasons of this kind"));
        }
        sentences
    }

    /// Why points cannot be measured here, with their number.
    fn beyond(&self) -> Vec<(&str, usize)> {
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        for mark in &self.points {
            let Known::Beyond(reason) = &mark.known else { continue };
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, count)) => *count += 1,
                None => reasons.push((reason, 1)),
            }
        }
        reasons
    }
}

/// A set of best ones, and how many points have it.
pub fn region((best, count): &(Vec<String>, usize)) -> String {
    format!("{}, {}", names(best), points(*count))
}

/// Those that are best.
pub fn names(best: &[String]) -> String {
    let names: Vec<_> = best.iter().map(|entry| clean(entry)).collect();
    format!("{}{}", names.join(", "), if names.len() > 1 { " tie" } else { "" })
}

fn points(count: usize) -> String {
    if count == 1 { "1 point".to_owned() } else { format!("{count} points") }
}

fn row<'a>(case: &'a CaseReport, entry: &str) -> Option<&'a Row> {
    case.rows.iter().find(|row| row.entry == entry)
}

fn standing(row: &Row) -> Standing {
    if row.failure.is_some() {
        return Standing::Out;
    }
    Standing::of_verdict(row.numbers.as_ref().and_then(|numbers| numbers.verdict))
}

impl Standing {
    /// The standing that a verdict means.
    pub fn of_verdict(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Best | Verdict::Tied | Verdict::Alone) => Standing::In,
            Some(Verdict::Slower) => Standing::Out,
            Some(Verdict::Undecided) | None => Standing::Open,
        }
    }
}
