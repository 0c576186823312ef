//! Where one model takes over from another, in sentences that rest on measured points only.

use crate::map::chart::{Chart, Mark};
use crate::map::refine::Standing;
use record::axis::Axis;

/// With fewer lines a border that crosses one of them is told.
const FEW_LINES: usize = 3;

/// Where an entry stops or begins to be among the best along one line of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Crossing {
    line: usize,
    /// The last point before, and the first after.
    from: usize,
    to: usize,
    /// Whether it is among the best before.
    falls: bool,
}

/// Crossings of neighbouring lines at about the same place.
#[derive(Debug, Clone, Copy)]
struct Border {
    lines: (usize, usize),
    from: usize,
    to: usize,
    falls: bool,
}

/// One direction of a map.
#[derive(Clone, Copy)]
struct Direction<'a> {
    chart: &'a Chart,
    along_x: bool,
}

/// Lines that have measured points lie at most so far apart.
const LINES_APART: usize = 4;

/// For each entry a sentence for each of its borders, or one for the whole map.
pub fn crossovers(chart: &Chart) -> Vec<String> {
    let mut sentences = Vec::new();
    for entry in &chart.entries {
        let counts = Counts::of(chart, entry);
        match (counts.best, counts.behind) {
            (0, 0) => {}
            (best, 0) => sentences.push(format!(
                "{entry} was never beaten: among the best at {best} of the {} points where it was measured.",
                counts.measured
            )),
            (0, behind) => sentences.push(format!(
                "{entry} is behind at {behind} of the {} points where it was measured{}.",
                counts.measured,
                by_at_least(&chart.points.iter().collect::<Vec<_>>(), entry)
            )),
            _ => sentences.extend(borders_of(chart, entry, counts)),
        }
    }
    sentences
}

/// At how many points an entry was measured, and how it came out.
#[derive(Debug, Clone, Copy)]
struct Counts {
    measured: usize,
    best: usize,
    behind: usize,
}

impl Counts {
    fn of(chart: &Chart, entry: &str) -> Self {
        let standings = || chart.points.iter().filter_map(|mark| mark.measured(entry));
        let with = |wanted| standings().filter(|standing| *standing == wanted).count();
        Counts {
            measured: standings().count(),
            best: with(Standing::In),
            behind: with(Standing::Out),
        }
    }
}

/// Along the axis that crosses the borders more often.
fn borders_of(chart: &Chart, entry: &str, counts: Counts) -> Vec<String> {
    let directions = [true, false].map(|along_x| Direction { chart, along_x });
    let [by_x, by_y] = directions.map(|direction| direction.crossings(entry));
    let (direction, crossings) = match by_y.len() > by_x.len() {
        true => (directions[1], by_y),
        false => (directions[0], by_x),
    };
    let lines = direction.axes().1.values.len();
    // What shows along one of many lines may be chance.
    let is_told = |border: &Border| border.lines.0 < border.lines.1 || lines < FEW_LINES;
    let told: Vec<_> = borders(crossings, |border| direction.holds(entry, border))
        .into_iter()
        .filter(is_told)
        .map(|border| direction.sentence(entry, border))
        .collect();
    if !told.is_empty() {
        return told;
    }
    let Counts { measured, best, behind } = counts;
    vec![format!(
        "{entry} is among the best at {best} and behind at {behind} of the {measured} points where it was measured, \
         without a border that lines share."
    )]
}

/// Crossings in the same sense that overlap with those of the last line that has one, as far as a border through all
/// of them holds.
fn borders(crossings: Vec<Crossing>, holds: impl Fn(&Border) -> bool) -> Vec<Border> {
    let mut borders: Vec<(Border, Crossing)> = Vec::new();
    for crossing in crossings {
        let Crossing { line, from, to, falls } = crossing;
        let joined = |(border, last): &(Border, Crossing)| {
            let follows = (last.line + 1..=last.line + LINES_APART).contains(&line);
            let overlaps = border.falls == falls && from <= last.to && last.from <= to;
            let border = Border {
                lines: (border.lines.0, line),
                from: border.from.min(from),
                to: border.to.max(to),
                falls,
            };
            (follows && overlaps && holds(&border)).then_some(border)
        };
        match borders.iter().enumerate().find_map(|(i, border)| Some((i, joined(border)?))) {
            Some((index, border)) => borders[index] = (border, crossing),
            None => borders.push((Border { lines: (line, line), from, to, falls }, crossing)),
        }
    }
    borders.into_iter().map(|(border, _)| border).collect()
}

impl<'a> Direction<'a> {
    fn axes(self) -> (&'a Axis, &'a Axis) {
        let Chart { x, y, .. } = self.chart;
        if self.along_x { (x, y) } else { (y, x) }
    }

    fn mark(self, line: usize, index: usize) -> &'a Mark {
        if self.along_x { self.chart.at(index, line) } else { self.chart.at(line, index) }
    }

    /// Whether no measured point of the border's lines contradicts it.
    fn holds(self, entry: &str, border: &Border) -> bool {
        let (first, last) = border.lines;
        let (before, after) = match border.falls {
            true => (Standing::Out, Standing::In),
            false => (Standing::In, Standing::Out),
        };
        (first..=last).all(|line| {
            let is =
                |index: usize, standing| self.mark(line, index).measured(entry) == Some(standing);
            !(0..=border.from).any(|index| is(index, before))
                && !(border.to..self.axes().0.values.len()).any(|index| is(index, after))
        })
    }

    /// Line by line.
    fn crossings(self, entry: &str) -> Vec<Crossing> {
        let (along, across) = self.axes();
        let mut crossings = Vec::new();
        for line in 0..across.values.len() {
            let mut last: Option<(usize, Standing)> = None;
            for index in 0..along.values.len() {
                let standing = self.mark(line, index).measured(entry);
                let Some(now @ (Standing::In | Standing::Out)) = standing else { continue };
                if let Some((from, before)) = last
                    && before != now
                {
                    let falls = before == Standing::In;
                    crossings.push(Crossing { line, from, to: index, falls });
                }
                last = Some((index, now));
            }
        }
        crossings
    }

    fn sentence(self, entry: &str, border: Border) -> String {
        let (along, across) = self.axes();
        let Border { lines: (first, last), from, to, falls } = border;
        let where_ = across.in_words(first, last);
        let (before, after) = (along.in_words(from, from), along.in_words(to, to));
        let behind = |index: usize| if falls { index >= to } else { index <= from };
        let marks: Vec<_> = (first..=last)
            .flat_map(|line| (0..along.values.len()).map(move |index| (line, index)))
            .filter(|(_, index)| behind(*index))
            .map(|(line, index)| self.mark(line, index))
            .filter(|mark| mark.measured(entry) == Some(Standing::Out))
            .collect();
        let (margin, leaders) = (by_at_least(&marks, entry), leaders(self.chart, &marks));
        let leaders = if leaders.is_empty() { String::new() } else { format!("; {leaders} there") };
        let is_behind = if has_numbers(&marks, entry) { "is behind" } else { "has no result" };
        match falls {
            true => format!(
                "With {where_}, {entry} is among the best up to {before}; from {after} on it {is_behind}{margin}{leaders}."
            ),
            false => format!(
                "With {where_}, {entry} {is_behind} up to {before}{margin}{leaders}; from {after} on it is among the best."
            ),
        }
    }
}

/// Whether an entry was measured at one of these points or more, and did not fail at all of them.
fn has_numbers(marks: &[&Mark], entry: &str) -> bool {
    let slower = marks.iter().flat_map(|mark| &mark.slower);
    slower.filter(|slower| slower.entry == entry).any(|slower| slower.ratio.is_some())
}

/// By how much an entry is behind at the least, as far as intervals say.
fn by_at_least(marks: &[&Mark], entry: &str) -> String {
    let measured = marks.iter().filter(|mark| mark.measured(entry).is_some());
    let ratios = measured.flat_map(|mark| &mark.slower).filter(|slower| slower.entry == entry);
    let lows = ratios.filter_map(|slower| slower.ratio?.low);
    match lows.reduce(f64::min) {
        // Rounded down, so that it stays true.
        Some(low) => format!(", by {:.2}× or more", (low * 100.0).floor() / 100.0),
        None => String::new(),
    }
}

/// Who is among the best at most of these points.
fn leaders(chart: &Chart, marks: &[&Mark]) -> String {
    let is_leader = |entry: &&String| {
        let best = marks.iter().filter(|mark| mark.measured(entry) == Some(Standing::In)).count();
        2 * best > marks.len()
    };
    let leaders: Vec<_> = chart.entries.iter().filter(is_leader).map(String::as_str).collect();
    match leaders[..] {
        [] => String::new(),
        [one] => format!("{one} leads"),
        _ => format!("{} lead", leaders.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::chart::{Known, Slower};
    use judge::Figure;
    use record::axis::{Resolution, Span};

    /// A map whose points are told by letters: `t` threads, `k` tokio, `b` both, `.` nobody knows.
    fn chart(rows: &[&str]) -> Chart {
        let axis = |text: &str| {
            let span: Span = text.parse().unwrap();
            Axis::new(span, Resolution::One).unwrap()
        };
        let entries = ["threads", "tokio"].map(str::to_owned);
        let mark = |(column, row, letter): (usize, usize, char)| {
            let of = |standing: &str| -> Vec<String> {
                entries
                    .iter()
                    .zip(standing.chars())
                    .filter(|(_, c)| *c == 'b')
                    .map(|(e, _)| e.clone())
                    .collect()
            };
            let standings = match letter {
                't' => "b-",
                'k' => "-b",
                'b' => "bb",
                _ => "..",
            };
            let outside = entries.iter().zip(standings.chars()).filter(|(_, c)| *c == '-');
            let ratio = Figure { estimate: 2.0, low: Some(1.5), high: Some(2.5) };
            Mark {
                concluded: Vec::new(),
                column,
                row,
                known: Known::Measured,
                best: of(standings),
                open: if letter == '.' { entries.to_vec() } else { Vec::new() },
                slower: outside
                    .map(|(entry, _)| Slower { entry: entry.clone(), ratio: Some(ratio) })
                    .collect(),
            }
        };
        let points = rows.iter().enumerate().flat_map(|(row, letters)| {
            letters.chars().enumerate().map(move |(column, letter)| (column, row, letter))
        });
        Chart {
            service: "s".to_owned(),
            by: "b".to_owned(),
            x: axis("connections=1..10000"),
            y: axis("cpu=1us..1ms"),
            points: points.map(mark).collect(),
            entries: entries.to_vec(),
            crossovers: Vec::new(),
            measured_ms: 0,
        }
    }

    #[test]
    fn a_border_is_told_once_for_all_lines_that_it_crosses() {
        let sentences = crossovers(&chart(&["bbkkk", "bb.kk", "bbbkk", "bbbbb"]));
        assert_eq!(
            sentences,
            [
                "With 1 µs to 100 µs of computing, threads is among the best up to 10 connections; from 1,000 \
                 connections on it is behind, by 1.50× or more; tokio leads there.",
                "tokio was never beaten: among the best at 19 of the 20 points where it was measured.",
            ]
        );
    }

    #[test]
    fn what_begins_to_be_best_is_told_too_and_nobody_else_leads() {
        let sentences = crossovers(&chart(&["ttbbb", "ttbbb", "ttbbb", "ttbbb"]));
        assert_eq!(
            sentences[1],
            "With 1 µs to 1 ms of computing, tokio is behind up to 10 connections, by 1.50× or more; threads leads \
             there; from 100 connections on it is among the best."
        );
    }

    #[test]
    fn a_border_across_the_other_axis_is_told_along_that() {
        let sentences = crossovers(&chart(&["bbbbb", "bbbbb", "kkkkk", "kkkkk"]));
        assert!(
            sentences[0].starts_with(
                "With 1 to 10,000 connections, threads is among the best up to 10 µs of computing"
            ),
            "{sentences:?}"
        );
    }

    #[test]
    fn what_is_expected_makes_no_sentence() {
        let mut expected = chart(&["bbkkk", "bbkkk", "bbkkk", "bbkkk"]);
        for mark in expected.points.iter_mut().filter(|mark| mark.column >= 2) {
            mark.concluded = vec!["threads".to_owned()];
        }
        assert_eq!(
            crossovers(&expected)[0],
            "threads was never beaten: among the best at 8 of the 8 points where it was measured."
        );
    }

    #[test]
    fn a_border_ends_where_a_measured_point_contradicts_it() {
        let sentences = crossovers(&chart(&["bbbbk", "bbbbk", "bbbbb", "bbbbk"]));
        assert!(
            sentences[0].starts_with(
                "With 1 µs to 10 µs of computing, threads is among the best up to 1,000"
            ),
            "{sentences:?}"
        );
    }

    #[test]
    fn what_shows_on_a_single_line_is_no_border() {
        let sentences = crossovers(&chart(&["bbbbb", "bbkbb", "bbbbb", "bbbbb"]));
        assert_eq!(
            sentences[0],
            "threads is among the best at 19 and behind at 1 of the 20 points where it was measured, without a border \
             that lines share."
        );
    }

    #[test]
    fn who_is_behind_everywhere_is_told_in_one_sentence() {
        let sentences = crossovers(&chart(&["kkkkk", "k.kkk", "kkkkk", "kkkkk"]));
        assert_eq!(
            sentences[0],
            "threads is behind at 19 of the 20 points where it was measured, by 1.50× or more."
        );
    }
}
