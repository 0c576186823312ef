//! What known mistakes cost, each against what the same strategy does right.

use protocol::units;

use crate::case::{CaseReport, Numbers, Price, Row};
use crate::findings::Report;
use crate::text::{interval, shown};
use judge::Figure;

/// What the section says before its lines.
pub const INTRODUCTION: &str = "Known mistakes, measured for their price and never ranked. \
    A price is a ratio by the case's metric to the same strategy's fair form.";

/// A difference in memory that is worth a word.
const MEMORY: f64 = 1.5;

/// One mistake in words.
pub struct Line {
    /// What the mistake is.
    pub form: String,
    /// The case.
    pub case: String,
    /// The entry that makes it.
    pub entry: String,
    /// What it costs, in words.
    pub price: String,
    /// By the case's metric, where that is compared.
    pub ratio: Option<Figure>,
}

/// The price of a misuse in the same case.
pub fn price(misuse: &Row, fair: &Row, ratio: Option<Figure>) -> Option<Price> {
    let (bad, good) = (misuse.numbers.as_ref()?, fair.numbers.as_ref()?);
    Some(Price { against: fair.entry.clone(), ratio, besides: besides(bad, good) })
}

fn besides(bad: &Numbers, good: &Numbers) -> Vec<String> {
    let mut words = Vec::new();
    if let Some((bad, good)) = bad.still_running.zip(good.still_running) {
        words.push(format!("{bad} operations still running instead of {good}"));
    }
    if let Some((bad, good)) = bad.peak_depth.zip(good.peak_depth).filter(|(bad, good)| bad > good)
    {
        words.push(format!("{bad} items waiting between two stages instead of {good}"));
    }
    let memory = bad.peak_memory_bytes.zip(good.peak_memory_bytes);
    let ratio = memory.map(|(bad, good)| bad.estimate / good.estimate);
    words.extend(
        ratio
            .filter(|&ratio| ratio > MEMORY)
            .map(|ratio| format!("{} the memory", units::ratio(ratio))),
    );
    words
}

/// Prices misuses whose strategy has no fair form in the same case by its best fair form of the same
/// workload with as many workers, or else by the leader of the case.
pub fn price_across_cases(cases: &mut [CaseReport]) {
    let fair: Vec<_> = cases
        .iter()
        .flat_map(|case| case.rows.iter().map(move |row| (case, row)))
        .filter(|(_, row)| row.is_contestant())
        .filter_map(|(case, row)| {
            let value = row.numbers.as_ref()?.value;
            let workload = (case.workload.clone(), case.metric, case.workers);
            Some((workload, row.strategy.clone(), case.id.clone(), value))
        })
        .collect();
    for case in cases {
        let workload = (case.workload.clone(), case.metric, case.workers);
        for row in &mut case.rows {
            let strategy = row.strategy.clone();
            let Some(numbers) = row.numbers.as_mut() else { continue };
            if row.standing != Some(protocol::Standing::Misuse) || numbers.price.is_some() {
                continue;
            }
            let best = fair
                .iter()
                .filter(|f| f.0 == workload && f.1 == strategy)
                .min_by(|a, b| a.3.estimate.total_cmp(&b.3.estimate));
            numbers.price = match best {
                Some((_, strategy, other, value)) => Some(Price {
                    against: format!("{strategy} in {other}"),
                    ratio: Some(numbers.value.over(*value)),
                    besides: Vec::new(),
                }),
                None => numbers.ratio.map(|ratio| Price {
                    against: "the leader".to_owned(),
                    ratio: Some(ratio),
                    besides: Vec::new(),
                }),
            };
        }
    }
}

/// Every mistake that has a price, in the order of the cases.
pub fn lines(report: &Report) -> Vec<Line> {
    let line = |(case, row): (&CaseReport, &Row)| {
        let numbers = row.numbers.as_ref()?;
        let Price { against, ratio, besides } = numbers.price.as_ref()?;
        let by_metric = ratio.map(|ratio| {
            let value = shown(case.metric, numbers.value);
            format!("{} that of {against} by {} ({value})", interval(ratio), case.metric)
        });
        let parts: Vec<_> = by_metric.into_iter().chain(besides.iter().cloned()).collect();
        Some(Line {
            form: row.form.clone().unwrap_or_default(),
            case: case.id.clone(),
            entry: row.entry.clone(),
            price: parts.join("; "),
            ratio: *ratio,
        })
    };
    report.rows().filter_map(line).collect()
}
