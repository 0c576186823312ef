//! The comparison of a case in sentences: its answers and its notes.

use judge::{Figure, Verdict};
use protocol::units::{self, Scale};
use workloads::{Class, Metric, observation};

use crate::case::{Basis, Numbers, Row};
use crate::comparison::{Comparison, generator_bound, is_of_the_generator};
use crate::shown::Shown;
use crate::text::{followers, interval, rounds, shown};

/// How far apart the ends of a process may be before a note says so.
const DRIFT: f64 = 1.02;

impl Comparison {
    /// One sentence that says what the numbers answer; `None` where no contestant has one.
    pub(crate) fn answer(&self) -> Option<String> {
        let shown = |row: &Row| {
            let per = match self.metric {
                Metric::CpuPerOperation => " CPU each",
                Metric::WallPerOperation => " each",
                Metric::LatencyP99 => " at p99",
                Metric::BytesPerTask => " a task",
                _ => "",
            };
            let value = row.numbers.as_ref().map(|n| shown(self.metric, n.value));
            format!("{} ({}{per})", row.entry, value.unwrap_or_default())
        };
        if self.metric == Metric::StillRunning {
            let counts: Vec<_> = self
                .rows
                .iter()
                .filter_map(|row| {
                    Some(format!("{} {}", row.entry, row.numbers.as_ref()?.value.estimate))
                })
                .collect();
            let counts = counts.join(", ");
            return (!self.rows.is_empty())
                .then(|| format!("Still running when looked at again: {counts}."));
        }
        let first = self.rows.iter().find(|row| row.is_contestant())?;
        let words = self.verdict_in_words(
            first,
            &shown(first),
            |n| (n.verdict, n.ratio, n.ratio_to.as_deref()),
            first_basis(first),
        );
        Some(match self.withheld {
            Some(why) => format!("Verdicts are withheld: {why}. {words}"),
            None => words,
        })
    }

    /// The same by CPU time per operation, where that is not the metric.
    pub(crate) fn cpu_answer(&self) -> Option<String> {
        if self.metric == Metric::CpuPerOperation || self.withheld.is_some() {
            return None;
        }
        let first = self.rows.iter().find(|row| Some(&row.entry) == self.cpu_leader.as_ref())?;
        let cpu = first.numbers.as_ref()?.cpu_ns_per_operation?;
        let shown = format!("{} ({})", first.entry, cpu.shown(Scale::Duration));
        Some(self.verdict_in_words(
            first,
            &shown,
            |n| (n.cpu_verdict, n.cpu_ratio, n.cpu_ratio_to.as_deref()),
            None,
        ))
    }

    /// What can be said of the leader and of those that are not behind it beyond doubt.
    fn verdict_in_words<'a>(
        &'a self,
        first: &Row,
        shown: &str,
        judged: impl Fn(&'a Numbers) -> (Option<Verdict>, Option<Figure>, Option<&'a str>),
        basis: Option<Basis>,
    ) -> String {
        let others = || {
            let others =
                self.rows.iter().filter(|row| row.is_contestant() && row.entry != first.entry);
            let mut others: Vec<_> = others
                .filter_map(|row| {
                    let (verdict, ratio, _) = judged(row.numbers.as_ref()?);
                    Some((row.entry.as_str(), verdict?, ratio?))
                })
                .collect();
            others.sort_by(|a, b| a.2.estimate.total_cmp(&b.2.estimate));
            others
        };
        let with = |wanted: Verdict| -> Vec<_> {
            others().into_iter().filter(|(_, verdict, _)| *verdict == wanted).collect()
        };
        let basis = basis.map_or_else(String::new, |basis| format!(" ({})", in_words(basis)));
        let own = self.rows.iter().find(|row| row.entry == first.entry);
        let own = own.and_then(|row| judged(row.numbers.as_ref()?).0);
        let nearest = others().first().map(|(entry, _, ratio)| (*entry, *ratio));
        match (own, nearest) {
            (Some(Verdict::Alone), _) | (_, None) => {
                return format!("{shown} is the only fair form with a number.");
            }
            (Some(Verdict::Best), Some((second, ratio))) => {
                let follows = interval(ratio);
                return format!("{shown} is best; {second} follows at {follows}{basis}.");
            }
            _ => {}
        }
        let (tied, undecided) = (with(Verdict::Tied), with(Verdict::Undecided));
        let mut text = if tied.is_empty() || own != Some(Verdict::Tied) {
            format!("{shown} leads")
        } else {
            let names: Vec<_> = tied.iter().map(|(entry, ..)| *entry).collect();
            let highs = tied.iter().filter_map(|(_, _, ratio)| ratio.rounded().high);
            let within = highs.fold(1.0, f64::max);
            format!("{shown} and {} are tied, no more than {within}× apart", names.join(", "))
        };
        text.push_str(&basis);
        text.push('.');
        let slower = with(Verdict::Slower);
        if undecided.is_empty() && slower.is_empty() && own == Some(Verdict::Undecided) {
            text.push_str(" No entry is clear of all others.");
        }
        if !undecided.is_empty() {
            let needs = undecided.iter().filter_map(|(entry, ..)| {
                let row = self.rows.iter().find(|row| row.entry == *entry)?;
                row.numbers.as_ref()?.basis?.needs
            });
            let takes = match needs.reduce(f64::max) {
                _ if self.noisy => "held back, because others used the machine".to_owned(),
                Some(rounds) if rounds < MANY_ROUNDS => {
                    format!("about {:.0} rounds would tell", rounds.ceil())
                }
                Some(_) => "more rounds than a thorough run has would tell".to_owned(),
                None => "more rounds would tell".to_owned(),
            };
            text.push_str(&format!(" Undecided: {}; {takes}.", followers(&undecided)));
        }
        if let Some((entry, ..)) = slower.first()
            && let Some(row) = self.rows.iter().find(|row| row.entry == *entry)
            && let Some((_, Some(ratio), Some(rival))) = row.numbers.as_ref().map(judged)
            && let Some(bound) = ratio.at_least()
        {
            text.push_str(&format!(" {entry} is slower than {rival}, by {bound} or more."));
        }
        text
    }

    /// Tripwires: what would show that a result is probably wrong, or that it needs explaining.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for row in &self.rows {
            let Some(numbers) = &row.numbers else { continue };
            let entry = &row.entry;
            if self.beyond_limit.contains(entry) {
                notes.push(format!(
                    "{entry} is beyond its limit, so either the limit or the measurement is wrong: do \
                     not rely on it."
                ));
            }
            if let Some(predicted) = numbers.predicted_ns {
                let ratio = numbers.wall_ns.estimate / predicted as f64;
                if !(0.9..=1.1).contains(&ratio) {
                    let in_flight = match numbers.in_flight {
                        Some((peak, bound)) if peak < bound => {
                            format!(", with {peak} in flight where {bound} were predicted")
                        }
                        Some((peak, _)) if numbers.peak_threads > Some(peak) && peak > 1 => {
                            " (starting the threads, or waking them, is part of it)".to_owned()
                        }
                        _ if ratio > 1.0 => {
                            " (sending and answering the requests is part of it, and so \
                                              are timers that round up to a millisecond)"
                                .to_owned()
                        }
                        _ => String::new(),
                    };
                    notes.push(format!(
                        "{entry} took {}, {} of the predicted {}{in_flight}.",
                        numbers.wall_ns.shown(Scale::Duration),
                        units::ratio(ratio),
                        units::duration(predicted as f64)
                    ));
                }
            }
            if let Some([low, high]) = numbers.groups {
                let group = |(count, value): (usize, f64)| {
                    format!("{count} at {}", observation::shown(self.metric, value))
                };
                notes.push(format!(
                    "The processes of {entry} fall into two groups, {} and {}: which it is depends on \
                     where the system places them.",
                    group(low),
                    group(high)
                ));
            }
            let drift = numbers.drift.filter(|drift| drift.max(1.0 / drift) > DRIFT);
            if let Some(drift) = drift.filter(|_| row.is_contestant()) {
                notes.push(format!(
                    "The last third of {entry}'s samples took {} as long as the first: it had not settled.",
                    units::ratio(drift)
                ));
            }
            let threads = numbers.worker_threads.unwrap_or(0);
            if self.class == Class::Cpu && row.is_contestant() && threads != self.workers as u64 {
                notes.push(format!(
                    "{entry} worked on {threads} threads where {} were granted.",
                    self.workers
                ));
            }
        }
        let busy: Vec<_> = self
            .rows
            .iter()
            .filter(|row| generator_bound(row))
            .map(|row| row.entry.as_str())
            .collect();
        if !busy.is_empty() {
            let withheld = match is_of_the_generator(self.metric) {
                true => {
                    "what it could not send or receive in time says nothing about the server, but"
                }
                false => "it may have been the bottleneck, but",
            };
            notes.push(format!(
                "The load generator was busy all the time under {}: {withheld} CPU time per operation \
                 stays valid.",
                busy.join(", ")
            ));
        }
        notes
    }
}

/// Rounds beyond which there is no hope: what the thorough profile has at most.
const MANY_ROUNDS: f64 = 120.0;

fn first_basis(row: &Row) -> Option<Basis> {
    row.numbers.as_ref()?.basis.filter(|basis| basis.look > 0)
}

fn in_words(basis: Basis) -> String {
    let Basis { observations, look, sessions, .. } = basis;
    if sessions {
        format!("{observations} sessions")
    } else {
        format!("{}, look {look}", rounds(observations))
    }
}

/// async-std and smol share reactor and executor crates: far apart, they suggest a wrong set-up.
pub(crate) fn kinship(class: Class, rows: &[Row]) -> Option<String> {
    let ratio = |strategy: &str| {
        let row = rows.iter().find(|row| row.strategy == strategy && row.is_contestant())?;
        row.numbers.as_ref().and_then(|numbers| numbers.ratio.zip(numbers.ratio_to.as_ref()))
    };
    let ((one, to), (other, same)) = (ratio("async-std")?, ratio("smol")?);
    if to != same {
        return None;
    }
    let apart = (one.estimate / other.estimate).max(other.estimate / one.estimate);
    let but = match class {
        Class::Coordination => " (but not the version of their channels)",
        _ => "",
    };
    (apart > 1.1).then(|| {
        format!(
            "async-std and smol, which share executor and reactor{but}, are {} apart.",
            units::ratio(apart)
        )
    })
}
