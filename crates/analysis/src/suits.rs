//! What suits what: the verdicts of all cases of a class, in plain sentences.

use record::models;
use serde::Serialize;
use workloads::Class;

use crate::case::CaseReport;
use crate::text::{By, ratio};
use judge::Verdict;
use protocol::clean;

/// The order of the classes, with what they are in words.
pub const CLASSES: [(Class, &str); 5] = [
    (Class::Io, "Mostly waiting"),
    (Class::Cpu, "Mostly computing"),
    (Class::Mixed, "Waiting and computing in one request"),
    (Class::Coordination, "Handing over, waiting for each other, being interrupted"),
    (Class::Scale, "Very many tasks"),
];

/// What can be said beyond doubt of one class of work.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Suits {
    /// The class.
    pub class: Class,
    /// The class in words.
    pub title: String,
    /// What can be said, one sentence each.
    pub sentences: Vec<String>,
}

/// How a contestant fared in the cases of a class.
struct Record<'a> {
    entry: &'a str,
    judged: usize,
    /// Cases in which it is best or tied.
    best: usize,
    undecided: usize,
    slower: usize,
    /// Of those in which it is slower, the one with the largest bound: the ratio in words, the bound, the case.
    worst: Option<(String, f64, &'a str)>,
}

/// What can be said of each class.
pub fn of(contestants: &[String], cases: &[CaseReport]) -> Vec<Suits> {
    let suits = |(class, title): (Class, &str)| {
        let cases: Vec<_> = cases.iter().filter(|case| case.class == class).collect();
        let records: Vec<_> = contestants
            .iter()
            .map(|entry| Record::of(entry, &cases))
            .filter(|record| record.judged > 0)
            .collect();
        let sentences = sentences(&records);
        (!sentences.is_empty()).then(|| Suits { class, title: title.to_owned(), sentences })
    };
    CLASSES.into_iter().filter_map(suits).collect()
}

impl<'a> Record<'a> {
    fn of(entry: &'a str, cases: &[&'a CaseReport]) -> Self {
        let mut record = Record { entry, judged: 0, best: 0, undecided: 0, slower: 0, worst: None };
        for case in cases {
            let row = case.rows.iter().find(|row| row.entry == entry && row.is_contestant());
            let Some(numbers) = row.and_then(|row| row.numbers.as_ref()) else { continue };
            match numbers.verdict {
                // One strategy alone says nothing about the others.
                None | Some(Verdict::Alone) => continue,
                Some(Verdict::Best | Verdict::Tied) => record.best += 1,
                Some(Verdict::Undecided) => record.undecided += 1,
                Some(Verdict::Slower) => {
                    record.slower += 1;
                    let bound = numbers.ratio.and_then(|ratio| ratio.low).unwrap_or(1.0);
                    if record.worst.as_ref().is_none_or(|(_, worst, _)| bound > *worst) {
                        let ratio =
                            row.map_or_else(String::new, |row| ratio(case, row, By::Metric));
                        record.worst = Some((ratio, bound, &case.id));
                    }
                }
            }
            record.judged += 1;
        }
        record
    }
}

fn sentences(records: &[Record<'_>]) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut of_best: Vec<_> = records.iter().filter(|record| record.best > 0).collect();
    of_best.sort_by_key(|record| std::cmp::Reverse(record.best));
    let best: Vec<_> = of_best
        .iter()
        .map(|record| format!("{} in {} of {}", name(record), record.best, record.judged))
        .collect();
    if !best.is_empty() {
        sentences.push(format!("Best or tied: {}.", best.join(", ")));
    }
    let never: Vec<_> = records
        .iter()
        .filter(|record| record.slower == 0)
        .map(|record| match record.undecided {
            0 => name(record),
            undecided => format!("{} ({undecided} of {} undecided)", name(record), record.judged),
        })
        .collect();
    if !never.is_empty() {
        sentences.push(format!("Never slower beyond doubt: {}.", never.join(", ")));
    }
    let mut slower: Vec<_> =
        records.iter().filter_map(|record| Some((record, record.worst.as_ref()?))).collect();
    slower.sort_by(|(_, (_, a, _)), (_, (_, b, _))| a.total_cmp(b));
    sentences.extend(slower.iter().map(|(record, (worst, _, case))| {
        let Record { slower, judged, .. } = record;
        let name = name(record);
        format!(
            "{name} is slower beyond doubt in {slower} of {judged}, at worst {worst} in {}.",
            clean(case)
        )
    }));
    sentences
}

/// The name with a word on its maintenance, so that nobody takes it from this list for new work.
fn name(record: &Record<'_>) -> String {
    let discontinued = models::find(record.entry).and_then(|model| model.discontinued);
    let discontinued = if discontinued.is_some() { " (discontinued)" } else { "" };
    format!("{}{discontinued}", clean(record.entry))
}

#[cfg(test)]
mod tests {
    use protocol::How;

    use crate::findings::Report;
    use crate::fixtures::{run, walls};

    #[test]
    fn verdicts_become_sentences_and_misuses_are_not_among_them() {
        let fair = || How::fair("f", "l");
        let report = Report::of(&run(
            "map",
            &[
                ("rayon", walls(&[1_000, 1_010, 990], fair())),
                ("threads", walls(&[1_001, 1_009, 991], fair())),
                ("async-std", walls(&[2_000, 2_010, 1_990], fair())),
                ("tokio", walls(&[500, 510, 490], How::misuse("f", "l"))),
            ],
        ));
        let [suits] = &report.suits[..] else { panic!("{:?}", report.suits) };
        assert_eq!(suits.title, "Mostly computing");
        let [best, never, slower] = &suits.sentences[..] else { panic!("{suits:?}") };
        assert_eq!(best, "Best or tied: rayon in 1 of 1, threads in 1 of 1.");
        assert_eq!(never, "Never slower beyond doubt: rayon, threads.");
        let worst = "async-std (discontinued) is slower beyond doubt in 1 of 1, at worst 2.0";
        assert!(slower.starts_with(worst), "{slower}");
    }

    #[test]
    fn one_strategy_alone_suits_nothing() {
        let alone =
            Report::of(&run("map", &[("tokio", walls(&[10, 11, 10], How::fair("f", "l")))]));
        assert!(alone.suits.is_empty(), "{:?}", alone.suits);
    }
}
