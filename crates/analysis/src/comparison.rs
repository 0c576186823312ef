//! The entries of a case that have numbers: judged, ordered, and put into words.

use crate::shown::Shown;
use protocol::Standing;
use protocol::units;
use protocol::units::Scale;
use workloads::observation;
use workloads::{Class, Limit, Metric};

use crate::case::{Basis, Numbers, Row};
use crate::misuses;
use crate::rows::row;
use crate::sessions::Sessions;
use crate::text::{followers, interval, rounds, shown};
use judge::Figure;
use judge::{Judgement, Verdict};
use record::{PlannedCase, PlannedEntry};

/// How far apart the ends of a process may be before a note says so.
const DRIFT: f64 = 1.02;

/// The entries of a case that have numbers, judged.
pub(crate) struct Comparison {
    class: Class,
    workers: usize,
    metric: Metric,
    /// Why verdicts are withheld, if they are.
    withheld: Option<&'static str>,
    /// Contestants that were better than the machine allows.
    beyond_limit: Vec<String>,
    pub rows: Vec<Row>,
    /// Whether others used the machine most of the time.
    noisy: bool,
    pub leader: Option<String>,
    pub cpu_leader: Option<String>,
}

impl Comparison {
    pub(crate) fn of(
        case: &PlannedCase,
        entries: &[PlannedEntry],
        (class, metric): (Class, Metric),
        sessions: &Sessions<'_>,
        noisy: bool,
    ) -> Self {
        let mut rows: Vec<Row> = sessions
            .observed
            .iter()
            .map(|pooled| row(case, &entries[pooled.entry], pooled))
            .collect();
        if let Some(judgement) = &sessions.judgement {
            judged(case, &mut rows, judgement, sessions);
        }
        price(&mut rows, sessions.judgement.as_ref());
        let beyond_limit: Vec<_> =
            rows.iter().filter(|row| is_beyond_limit(row)).map(|row| row.entry.clone()).collect();
        let bound = |row: &Row| row.is_contestant() && generator_bound(row);
        let withheld = if is_of_the_generator(metric) && rows.iter().any(bound) {
            Some("the load generator, not the server, was the bottleneck")
        } else if !beyond_limit.is_empty() {
            Some("an entry is beyond its limit, as the notes say")
        } else {
            None
        };
        let twins_differ = sessions.twins.iter().any(|twin| twin.verdict == Verdict::Slower);
        let withheld = withheld.or(twins_differ
            .then_some("the same entry, measured twice in each round, differed from itself"));
        for numbers in rows.iter_mut().filter_map(|row| row.numbers.as_mut()) {
            if withheld.is_some() && numbers.verdict.is_some() {
                numbers.verdict = Some(Verdict::Undecided);
            }
            if twins_differ && numbers.cpu_verdict.is_some() {
                numbers.cpu_verdict = Some(Verdict::Undecided);
            }
            if noisy {
                let soften = |verdict: Option<Verdict>, ratio| {
                    verdict.map(|verdict| judge::on_a_noisy_host(verdict, ratio))
                };
                numbers.verdict = soften(numbers.verdict, numbers.ratio);
                numbers.cpu_verdict = soften(numbers.cpu_verdict, numbers.cpu_ratio);
            }
        }
        to_leader(&mut rows, sessions);
        let name = |index: usize| rows[index].entry.clone();
        let leaders = [&sessions.judgement, &sessions.cpu]
            .map(|judgement| judgement.as_ref().and_then(Judgement::champion).map(name));
        let rank = |row: &Row| match (row.is_contestant(), row.standing) {
            (true, _) => 0,
            (_, Some(Standing::Misuse)) => 1,
            _ => 2,
        };
        // Ratios are to the leader, which therefore comes first; where there are none, values decide.
        let leader = sessions.judgement.as_ref().and_then(Judgement::champion);
        let mut ordered: Vec<_> = rows.into_iter().enumerate().collect();
        let place = |(index, row): &(usize, Row)| {
            let judgement = sessions.judgement.as_ref();
            let ratio = judgement.zip(leader).and_then(|(j, leader)| j.ratio(*index, leader));
            let value = row.numbers.as_ref().map_or(f64::INFINITY, |n| n.value.estimate);
            (rank(row), ratio.map_or(f64::INFINITY, |ratio| ratio.estimate), value)
        };
        ordered.sort_by(|a, b| {
            let (a, b) = (place(a), place(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        });
        let rows = ordered.into_iter().map(|(_, row)| row).collect();
        let workers = case.workers;
        let [leader, cpu_leader] = leaders;
        Comparison {
            class,
            workers,
            metric,
            withheld,
            beyond_limit,
            rows,
            noisy,
            leader,
            cpu_leader,
        }
    }

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

/// Holds against the leader again what is not called slower after all: where verdicts are withheld or softened, no
/// rival proves anything.
fn to_leader(rows: &mut [Row], sessions: &Sessions<'_>) {
    let names: Vec<_> = rows.iter().map(|row| row.entry.clone()).collect();
    let of = |judgement: &Option<Judgement>, index: usize| {
        let judgement = judgement.as_ref()?;
        let leader = judgement.champion()?;
        Some((judgement.ratio(index, leader)?, names[leader].clone()))
    };
    for (index, row) in rows.iter_mut().enumerate() {
        let Some(numbers) = &mut row.numbers else { continue };
        if numbers.verdict != Some(Verdict::Slower) {
            (numbers.ratio, numbers.ratio_to) = of(&sessions.judgement, index).unzip();
        }
        if numbers.cpu_verdict != Some(Verdict::Slower) {
            (numbers.cpu_ratio, numbers.cpu_ratio_to) = of(&sessions.cpu, index).unzip();
        }
    }
}

/// Whether a metric says how fast the load generator sent and received as much as how fast a server answered.
fn is_of_the_generator(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Capacity | Metric::Wall | Metric::WallPerOperation | Metric::LatencyP99
    )
}

/// Fills in what the judgement says of rows that stand in its order.
fn judged(case: &PlannedCase, rows: &mut [Row], judgement: &Judgement, sessions: &Sessions<'_>) {
    let floors: Vec<_> = (0..rows.len()).filter(|&i| rows[i].strategy == "floor").collect();
    let sequential = floors.iter().copied().find(|&i| rows[i].variant == "sequential");
    let cheapest = judgement.leader(&floors);
    let leader = judgement.champion();
    let cpu_leader = sessions.cpu.as_ref().and_then(Judgement::champion);
    let workers = case.workers as f64;
    let names: Vec<_> = rows.iter().map(|row| row.entry.clone()).collect();
    let name = |index: usize| names[index].clone();
    for (index, row) in rows.iter_mut().enumerate() {
        let below = |floor: Option<usize>, part: f64| {
            Some(judgement.ratio(index, floor?)?.inverse().times(part))
        };
        let share = match &case.limit {
            Limit::Time { ns, .. } => {
                Some(sessions.observed[index].value.inverse().times(*ns as f64))
            }
            Limit::SequentialOverWorkers => below(sequential, 1.0 / workers),
            Limit::SequentialOrLargest { largest, all } => {
                below(sequential, (1.0 / workers).max(*largest as f64 / *all as f64))
            }
            Limit::Floor => below(cheapest, 1.0),
            Limit::FloorOverWorkers => below(cheapest, 1.0 / workers),
        };
        let numbers = row.numbers.as_mut().expect("measured rows have numbers");
        numbers.limit_share = share;
        let rival = judgement.proven_by(index).or(leader);
        numbers.ratio = rival.and_then(|rival| judgement.ratio(index, rival));
        numbers.ratio_to = rival.map(name);
        numbers.verdict = judgement.verdict(index);
        numbers.basis = judgement.basis(index).map(|(observations, look)| Basis {
            observations: observations * sessions.block.unwrap_or(1),
            sessions: sessions.block.is_none(),
            look,
            needs: judgement
                .needed_blocks(index)
                .map(|blocks| blocks * sessions.block.unwrap_or(1) as f64),
        });
        if let Some(cpu) = &sessions.cpu {
            numbers.cpu_verdict = cpu.verdict(index);
            let rival = cpu.proven_by(index).or(cpu_leader);
            numbers.cpu_ratio = rival.and_then(|rival| cpu.ratio(index, rival));
            numbers.cpu_ratio_to = rival.map(name);
        }
    }
}

/// Prices each misuse by the same strategy's fair form.
fn price(rows: &mut [Row], judgement: Option<&Judgement>) {
    for index in 0..rows.len() {
        if rows[index].standing != Some(Standing::Misuse) {
            continue;
        }
        let fair = |row: &Row| row.is_contestant() && row.strategy == rows[index].strategy;
        if let Some(fair) = rows.iter().position(fair) {
            let ratio = judgement.and_then(|judgement| judgement.ratio(index, fair));
            let price = misuses::price(&rows[index], &rows[fair], ratio);
            rows[index].numbers.as_mut().expect("measured rows have numbers").price = price;
        }
    }
}

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

/// Whether a contestant was better than the machine allows: then something is wrong.
fn is_beyond_limit(row: &Row) -> bool {
    let share = row.numbers.as_ref().and_then(|numbers| numbers.limit_share);
    row.is_contestant() && share.is_some_and(|share| share.low.is_some_and(|low| low > 1.0))
}

/// Whether the load generator used a CPU up, so that it may have been the bottleneck.
fn generator_bound(row: &Row) -> bool {
    let share = row.numbers.as_ref().and_then(|numbers| numbers.generator_share);
    share.is_some_and(|share| share > 0.9)
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
