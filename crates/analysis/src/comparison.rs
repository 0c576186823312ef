//! The entries of a case that have numbers, judged and ordered.

use protocol::Standing;
use record::models;
use workloads::{Class, Limit, Metric};

use crate::case::{Basis, Row};
use crate::misuses;
use crate::rows::row;
use crate::sessions::Sessions;
use judge::{Judgement, Verdict};
use record::{PlannedCase, PlannedEntry};

/// The entries of a case that have numbers, judged.
pub(crate) struct Comparison {
    pub(crate) class: Class,
    pub(crate) workers: usize,
    pub(crate) metric: Metric,
    /// Why verdicts are withheld, if they are.
    pub(crate) withheld: Option<&'static str>,
    /// Contestants that were better than the machine allows.
    pub(crate) beyond_limit: Vec<String>,
    pub rows: Vec<Row>,
    /// Whether others used the machine most of the time.
    pub(crate) noisy: bool,
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
}

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
pub(crate) fn is_of_the_generator(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Capacity | Metric::Wall | Metric::WallPerOperation | Metric::LatencyP99
    )
}

/// Fills in what the judgement says of rows that stand in its order.
fn judged(case: &PlannedCase, rows: &mut [Row], judgement: &Judgement, sessions: &Sessions<'_>) {
    let floors: Vec<_> = (0..rows.len()).filter(|&i| models::is_bound(&rows[i].strategy)).collect();
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

/// Whether a contestant was better than the machine allows: then something is wrong.
fn is_beyond_limit(row: &Row) -> bool {
    let share = row.numbers.as_ref().and_then(|numbers| numbers.limit_share);
    row.is_contestant() && share.is_some_and(|share| share.low.is_some_and(|low| low > 1.0))
}

/// Whether the load generator used a CPU up, so that it may have been the bottleneck.
pub(crate) fn generator_bound(row: &Row) -> bool {
    let share = row.numbers.as_ref().and_then(|numbers| numbers.generator_share);
    share.is_some_and(|share| share > 0.9)
}
