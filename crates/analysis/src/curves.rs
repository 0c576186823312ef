//! Curves: what becomes of a workload when one parameter changes.

use crate::shown::Shown;
use protocol::units;
use protocol::units::Scale;
use record::models;
use serde::Serialize;

use crate::case::{CaseReport, Numbers, Row, SEQUENTIAL};
use crate::text::shown;
use judge::Figure;

/// The share of the limit that is as good as it matters.
const WORTHWHILE: f64 = 0.9;

/// One curve for each entry.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Curves {
    /// What the curves show.
    pub title: String,
    /// The workload of the cases.
    pub workload: String,
    /// What the values count.
    #[serde(skip)]
    pub scale: Scale,
    /// What the numbers are.
    pub explanation: String,
    /// The parameter that changes, and its values.
    pub parameter: String,
    /// The values of the parameter.
    pub at: Vec<String>,
    /// What is read off every curve.
    pub marks: Vec<String>,
    /// One for each entry.
    pub lines: Vec<Line>,
}

/// The curve of one entry.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Line {
    /// The entry's id.
    pub entry: String,
    /// Nothing where the entry has no number.
    pub points: Vec<Option<Point>>,
    /// What is read off its curve.
    pub marks: Vec<String>,
}

/// A value of a curve.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Point {
    /// The value, in the unit of the curves.
    pub value: f64,
    /// The value in words.
    pub text: String,
}

/// All curves that the cases make.
pub fn of(cases: &[CaseReport], workers: usize) -> Vec<Curves> {
    let of_workload = |name: &str| -> Vec<&CaseReport> {
        cases.iter().filter(|case| case.workload == name && case.workers == workers).collect()
    };
    let mut curves: Vec<_> = [
        grain(&of_workload("grain")),
        cutoff(&of_workload("join")),
        spawn(&of_workload("spawn")),
        idle(&of_workload("idle")),
    ]
    .into_iter()
    .flatten()
    .collect();
    curves.extend(speed_ups(cases));
    curves
}

/// Efficiency against the size of a task, and the smallest task worth handing over.
fn grain(cases: &[&CaseReport]) -> Option<Curves> {
    let sizes: Option<Vec<f64>> =
        cases.iter().map(|case| Some(numbers(case, SEQUENTIAL)?.value.estimate)).collect();
    let sizes = sizes?;
    // As fast as one thread is one worker's share of what all of them could do.
    let one_thread = 1.0 / cases.first()?.workers as f64;
    let mut curves = Curves {
        title: "How small a task may be".to_owned(),
        workload: "grain".to_owned(),
        scale: Scale::Share,
        explanation: "Share of the limit (sequential ÷ workers) by the time that a task takes one thread \
                      that hands nothing over; the overhead of handing over a task of the smallest size, which \
                      is its CPU time less that of the task itself; and from which size on a model is faster \
                      than that one thread, and reaches nine tenths of the limit, interpolated between the \
                      sizes measured."
            .to_owned(),
        parameter: "task".to_owned(),
        at: sizes.iter().map(|&size| units::duration(size)).collect(),
        marks: vec![
            "CPU overhead a task".to_owned(),
            "beats one thread from".to_owned(),
            format!("{} from", units::percent(WORTHWHILE)),
        ],
        lines: Vec::new(),
    };
    curves.draw(cases, |_, numbers| {
        let share = numbers.limit_share?;
        Some(Point { value: share.estimate, text: share.shown(Scale::Share) })
    })?;
    for line in &mut curves.lines {
        let shares: Vec<_> = sizes
            .iter()
            .zip(&line.points)
            .filter_map(|(&size, point)| Some((size, point.as_ref()?.value)))
            .collect();
        line.marks = vec![
            overhead(cases[0], &line.entry),
            worthwhile(&shares, one_thread),
            worthwhile(&shares, WORTHWHILE),
        ];
    }
    Some(curves)
}

/// What handing over costs: the CPU time of an operation less that of the same without any model. A bound where it
/// is too small for its interval, and nothing where CPU time is not known.
fn overhead(case: &CaseReport, entry: &str) -> String {
    let cpu = |entry: &str| numbers(case, entry)?.cpu_ns_per_operation;
    let Some((all, own)) = cpu(entry).zip(cpu(SEQUENTIAL)) else { return "—".to_owned() };
    let overhead = all.estimate - own.estimate;
    let half = |figure: Figure| figure.interval().map(|(low, high)| (high - low) / 2.0);
    let half = half(all).zip(half(own)).map(|(all, own)| all.hypot(own));
    match half {
        Some(half) if overhead <= half => {
            format!("≤ {}", units::duration((overhead + half).max(0.0)))
        }
        Some(half) => {
            Figure { estimate: overhead, low: Some(overhead - half), high: Some(overhead + half) }
                .shown(Scale::Duration)
        }
        None => units::duration(overhead.max(0.0)),
    }
}

/// From which size on a share of the limit is reached and kept, interpolated on a logarithmic scale.
fn worthwhile(shares: &[(f64, f64)], level: f64) -> String {
    let below = shares.iter().rposition(|&(_, share)| share < level);
    let Some(below) = below else {
        return shares
            .first()
            .map_or_else(String::new, |(size, _)| format!("below {}", units::duration(*size)));
    };
    let (small, low) = shares[below];
    let Some(&(large, high)) = shares.get(below + 1) else {
        return format!("above {}", units::duration(small));
    };
    let way = (level - low) / (high - low);
    units::duration((small.ln() + way * (large.ln() - small.ln())).exp())
}

/// Efficiency against the depth down to which recursive work forks.
fn cutoff(cases: &[&CaseReport]) -> Option<Curves> {
    let at: Option<Vec<_>> = cases.iter().map(|case| case.params["cutoff"].as_u64()).collect();
    let mut curves = Curves {
        title: "How far recursive work should fork".to_owned(),
        workload: "join".to_owned(),
        scale: Scale::Share,
        explanation:
            "Share of the limit (sequential ÷ workers) of `join` by its cut-off: the rows placed \
                      by forking. The last is no cut-off at all."
                .to_owned(),
        parameter: "cut-off".to_owned(),
        at: at?.iter().map(u64::to_string).collect(),
        marks: Vec::new(),
        lines: Vec::new(),
    };
    curves.draw(cases, |_, numbers| {
        let share = numbers.limit_share?;
        Some(Point { value: share.estimate, text: share.shown(Scale::Share) })
    })?;
    Some(curves)
}

/// What a task costs against how many there are at once.
fn spawn(cases: &[&CaseReport]) -> Option<Curves> {
    let mut curves = Curves::by_number(
        cases,
        Scale::Duration,
        "What starting a task costs",
        "Time to start a task that does nothing and to wait for its end, by how many are started before \
         the first is waited for.",
    )?;
    curves.draw(cases, |case, numbers| {
        Some(Point { value: numbers.value.estimate, text: shown(case.metric, numbers.value) })
    })?;
    Some(curves)
}

/// Memory of a parked task against how many there are.
fn idle(cases: &[&CaseReport]) -> Option<Curves> {
    let mut curves = Curves::by_number(
        cases,
        Scale::Bytes,
        "What a parked task takes",
        "Bytes that one more task takes, of which 64 are its own state: in the process + in the kernel, \
         by how many are parked.",
    )?;
    curves.draw(cases, |_, numbers| {
        let (user, kernel) = numbers.bytes_per_task?;
        Some(Point { value: numbers.value.estimate, text: format!("{user} + {kernel}") })
    })?;
    Some(curves)
}

/// How many times as fast as one thread, for every case that was measured with several numbers of workers.
fn speed_ups(cases: &[CaseReport]) -> Vec<Curves> {
    let mut swept: Vec<_> = cases.iter().filter_map(|case| case.swept.as_deref()).collect();
    swept.dedup();
    let speed_up = |id: &str| {
        let cases: Vec<_> = cases.iter().filter(|case| case.swept.as_deref() == Some(id)).collect();
        let mut curves = Curves {
            title: format!("Speed-up of {id}"),
            workload: cases.first()?.workload.clone(),
            scale: Scale::Ratio,
            explanation:
                "How many times as fast as the sequential floor, and what share of the workers' \
                          number that is."
                    .to_owned(),
            parameter: "workers".to_owned(),
            at: cases.iter().map(|case| case.workers.to_string()).collect(),
            marks: Vec::new(),
            lines: Vec::new(),
        };
        curves.draw(&cases, |case, row| {
            let speed_up = numbers(case, SEQUENTIAL)?.value.over(row.value);
            let efficiency = speed_up.times(1.0 / case.workers as f64).shown(Scale::Share);
            let text = format!("{} ({efficiency})", speed_up.shown(Scale::Ratio));
            Some(Point { value: speed_up.estimate, text })
        })?;
        Some(curves)
    };
    swept.into_iter().filter_map(speed_up).collect()
}

impl Curves {
    /// Curves over the parameter `n`; none where it does not change.
    fn by_number(
        cases: &[&CaseReport],
        scale: Scale,
        title: &str,
        explanation: &str,
    ) -> Option<Self> {
        let at: Option<Vec<_>> = cases.iter().map(|case| case.params["n"].as_u64()).collect();
        Some(Curves {
            title: title.to_owned(),
            workload: cases.first()?.workload.clone(),
            scale,
            explanation: explanation.to_owned(),
            parameter: "tasks".to_owned(),
            at: at?.iter().map(u64::to_string).collect(),
            marks: Vec::new(),
            lines: Vec::new(),
        })
    }

    /// Adds a line for each entry beside the floor that has a point; `None` where a curve needs more cases.
    fn draw(
        &mut self,
        cases: &[&CaseReport],
        point: impl Fn(&CaseReport, &Numbers) -> Option<Point>,
    ) -> Option<()> {
        if cases.len() < 2 {
            return None;
        }
        let mut entries: Vec<&Row> = Vec::new();
        for row in cases.iter().flat_map(|case| &case.rows) {
            if !models::is_bound(&row.strategy)
                && !entries.iter().any(|known| known.entry == row.entry)
            {
                entries.push(row);
            }
        }
        for Row { entry, .. } in entries {
            let points: Vec<_> =
                cases.iter().map(|case| point(case, numbers(case, entry)?)).collect();
            if points.iter().any(Option::is_some) {
                self.lines.push(Line { entry: entry.clone(), points, marks: Vec::new() });
            }
        }
        (!self.lines.is_empty()).then_some(())
    }

    /// Names of the columns: entry, every value of the parameter, every mark.
    pub fn header(&self) -> Vec<String> {
        let values = self.at.iter().enumerate().map(|(index, at)| match index {
            0 => format!("{} {at}", self.parameter),
            _ => at.clone(),
        });
        std::iter::once("entry".to_owned()).chain(values).chain(self.marks.clone()).collect()
    }
}

impl Line {
    /// The cells below [`Curves::header`].
    pub fn cells(&self) -> Vec<String> {
        let text = |point: &Option<Point>| {
            point.as_ref().map_or_else(|| "—".to_owned(), |point| point.text.clone())
        };
        std::iter::once(self.entry.clone())
            .chain(self.points.iter().map(text))
            .chain(self.marks.clone())
            .collect()
    }
}

fn numbers<'a>(case: &'a CaseReport, entry: &str) -> Option<&'a Numbers> {
    case.rows.iter().find(|row| row.entry == entry)?.numbers.as_ref()
}

#[cfg(test)]
mod tests;
