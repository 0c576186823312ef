//! One run, or several runs of one machine, brought to one judgement a case.

use workloads::Metric;

use crate::case::Twin;
use crate::contest::{Contest, Observed, is_judged};
use crate::process::Process;
use crate::rounds::Round;
use judge::Figure;
use judge::{Design, Judgement, Series};
use record::PlannedEntry;

/// Sessions from which on each is one observation: what differs between them is then seen as noise. With
/// fewer, their rounds are judged as if they were of one run.
const SESSIONS: usize = 3;

/// What all sessions have measured of a case.
pub(crate) struct Sessions<'a> {
    pub observed: Vec<Pooled<'a>>,
    /// `None` where the metric is not compared.
    pub judgement: Option<Judgement>,
    pub cpu: Option<Judgement>,
    /// Rounds that make one observation of the judgement; `None` where that is a whole session.
    pub block: Option<usize>,
    pub twins: Vec<Twin>,
}

/// What an entry has measured in all sessions.
pub(crate) struct Pooled<'a> {
    pub entry: usize,
    pub processes: Vec<&'a Process>,
    /// By the metric, from these processes alone.
    pub value: Figure,
}

impl<'a> Pooled<'a> {
    /// What the sessions have measured of an entry, one list each.
    fn of(entry: usize, sessions: &[Vec<&'a Process>]) -> Self {
        let values = |processes: &[&Process]| -> Vec<f64> {
            processes.iter().filter_map(|process| process.value).collect()
        };
        let processes = sessions.concat();
        let all = values(&processes);
        let value = if sessions.len() < SESSIONS {
            judge::own_value(&all)
        } else {
            // What differs between sessions is in the interval.
            let each = sessions.iter().map(|processes| judge::median(&mut values(processes)));
            let own = judge::median(&mut all.clone());
            judge::spread_around(own, &each.collect::<Vec<_>>())
        };
        Pooled { entry, processes, value }
    }
}

impl<'a> Sessions<'a> {
    pub(crate) fn of(
        sessions: &[&'a [Round]],
        entries: &[PlannedEntry],
        metric: Metric,
        design: &Design,
    ) -> Self {
        let mut contests: Vec<_> =
            sessions.iter().map(|rounds| Contest::of(rounds, entries)).collect();
        // Who failed once is not compared.
        let everywhere = |entry: usize, contests: &[Contest<'_>]| {
            contests.iter().all(|contest| contest.observed.iter().any(|o| o.entry == entry))
        };
        let kept: Vec<_> = contests[0].observed.iter().map(|o| o.entry).collect();
        let kept: Vec<_> = kept.into_iter().filter(|&e| everywhere(e, &contests)).collect();
        for contest in &mut contests {
            contest.keep(&kept);
        }
        let pooled = |index: usize| {
            let processes = |contest: &Contest<'a>| -> Vec<&'a Process> {
                contest.observed[index].processes.iter().flatten().copied().collect()
            };
            Pooled::of(kept[index], &contests.iter().map(processes).collect::<Vec<_>>())
        };
        let observed = (0..kept.len()).map(pooled).collect();
        // What is not compared is not held against itself either.
        if !is_judged(metric) || kept.is_empty() {
            let twins = Vec::new();
            return Sessions { observed, judgement: None, cpu: None, block: Some(1), twins };
        }
        let twins = contests.iter().filter_map(|contest| twin(contest, entries, design)).collect();
        let judged: Vec<_> = contests.iter().map(|contest| judge_one(contest, design)).collect();
        let (judgement, cpu, block) = match judged.len() {
            1 => {
                let (judgement, cpu) = judged.into_iter().next().expect("there is one");
                (judgement, cpu, Some(design.block))
            }
            count if count < SESSIONS => {
                // The looks of the plan, each over the rounds of all sessions.
                let looks: Vec<_> =
                    design.looks.iter().map(|look| look * design.block * count).collect();
                let pooled = Design { margin: design.margin, ..Design::new(1, &looks) };
                let left = |entry: usize| {
                    judged.iter().filter_map(|(judgement, _)| judgement.until(entry)).min()
                };
                let whole = |of: fn(&Contest<'_>) -> Vec<Series>| {
                    let series: Vec<_> = contests.iter().map(of).collect();
                    Judgement::of(&join(&series, left), &pooled)
                };
                (
                    whole(|contest| contest.series()),
                    whole(|contest| contest.cpu_series(|_| None)),
                    Some(1),
                )
            }
            count => {
                let each = |of: fn(&(Judgement, Judgement)) -> &Judgement| {
                    let judgements: Vec<_> = judged.iter().map(of).collect();
                    Judgement::of(
                        &relative(&contests[0].observed, &judgements),
                        &design.pooled(count),
                    )
                };
                (each(|(judgement, _)| judgement), each(|(_, cpu)| cpu), None)
            }
        };
        Sessions { observed, judgement: Some(judgement), cpu: Some(cpu), block, twins }
    }
}

/// By the metric, and by CPU time; who leaves is decided by the metric.
fn judge_one(contest: &Contest<'_>, design: &Design) -> (Judgement, Judgement) {
    let judgement = Judgement::of(&contest.series(), design);
    let cpu = Judgement::of(&contest.cpu_series(|entry| judgement.until(entry)), design);
    (judgement, cpu)
}

/// The ratios to the leader of each session as observations: judging takes out what they have in common.
fn relative(observed: &[Observed<'_>], judgements: &[&Judgement]) -> Vec<Series> {
    let all: Vec<_> = (0..observed.len()).collect();
    let ratio = |entry: usize, judgement: &Judgement| {
        let leader = judgement.champion().or_else(|| judgement.leader(&all))?;
        Some(judgement.ratio(entry, leader)?.estimate)
    };
    let series = |(index, observed): (usize, &Observed<'_>)| Series {
        contestant: observed.contestant,
        values: judgements.iter().map(|judgement| ratio(index, judgement)).collect(),
        until: None,
    };
    observed.iter().enumerate().map(series).collect()
}

/// The rounds of all sessions in turns, so that those before an entry left come before those after. `left` is the
/// number of rounds after which an entry was not measured any more in some session.
fn join(sessions: &[Vec<Series>], left: impl Fn(usize) -> Option<usize>) -> Vec<Series> {
    let rounds = |session: &[Series]| session.iter().map(|s| s.values.len()).max().unwrap_or(0);
    let most = sessions.iter().map(|session| rounds(session)).max().unwrap_or(0);
    // By round, then by session; a session that has ended has no further ones.
    let places: Vec<_> = (0..most)
        .flat_map(|round| (0..sessions.len()).map(move |session| (round, session)))
        .filter(|&(round, session)| round < rounds(&sessions[session]))
        .collect();
    let series = |entry: usize| Series {
        contestant: sessions[0][entry].contestant,
        values: places
            .iter()
            .map(|&(round, session)| *sessions[session][entry].values.get(round).unwrap_or(&None))
            .collect(),
        until: left(entry).map(|left| places.iter().filter(|(round, _)| *round < left).count()),
    };
    (0..sessions[0].len()).map(series).collect()
}

fn twin(contest: &Contest<'_>, entries: &[PlannedEntry], design: &Design) -> Option<Twin> {
    let (original, processes) = contest.twin.as_ref()?;
    let values = crate::contest::values(processes);
    // Where it was never measured, nothing is said of it.
    values.iter().flatten().next()?;
    let (ratio, verdict) = judge::twin(&contest.series(), *original, &values, design);
    Some(Twin {
        entry: entries[contest.observed[*original].entry].id.clone(),
        rounds: values.iter().flatten().count(),
        ratio: Some(ratio).filter(|ratio| ratio.estimate.is_finite()),
        verdict,
    })
}

#[cfg(test)]
mod tests {
    use protocol::How;

    use crate::findings::Report;
    use crate::fixtures::{run, walls};
    use judge::{Design, Verdict};

    #[test]
    fn two_sessions_judge_what_stays_on_all_of_its_rounds() {
        let session = |shift: u64| {
            let walls = |walls: &[u64]| {
                let shifted: Vec<_> = walls.iter().map(|wall| wall + shift).collect();
                super::tests::walls(&shifted, How::fair("f", "l"))
            };
            let mut run = run(
                "map",
                &[
                    ("rayon", walls(&[1_000, 1_200, 1_050, 1_020, 1_100])),
                    ("smol", walls(&[1_100, 1_010, 1_150, 1_090, 1_030])),
                    ("tokio", walls(&[9_000, 9_010, 8_990])),
                ],
            );
            run.plan.design = Design::new(1, &[3, 5]);
            run
        };
        let report = Report::of_sessions(&[session(0), session(3)]);
        let numbers = |entry: &str| {
            let row = report.cases[0].rows.iter().find(|row| row.entry == entry).unwrap();
            let numbers = row.numbers.as_ref().unwrap();
            (numbers.verdict.unwrap(), numbers.basis.unwrap().observations)
        };
        assert_eq!(numbers("tokio"), (Verdict::Slower, 6));
        assert_eq!((numbers("rayon").1, numbers("smol").1), (10, 10));
    }
}
