//! Sessions whose visits are made up: no process is started.

use std::fs;

use analysis::fixtures::process;
use analysis::{Round, Run};
use protocol::{FailureKind, How};
use record::fixtures::plan;
use record::journal::JOURNAL;
use record::{Host, SCHEMA};
use tempfile::TempDir;

use super::*;
use crate::noise::tests::Told;

/// What a visit takes in these sessions.
const VISIT: Duration = Duration::from_secs(1);

/// What a strategy measures in a workload, nanoseconds.
type Play<'a> = dyn FnMut(&str, &str) -> Result<u64, FailureKind> + 'a;

/// Makes up what comes of visits, in no time but by its own clock.
struct Actor<'a> {
    now: Instant,
    visits: usize,
    /// The visit during which Ctrl-C is pressed, counted from 0.
    interrupted_in: Option<usize>,
    plays: Box<Play<'a>>,
}

impl<'a> Actor<'a> {
    fn new(plays: impl FnMut(&str, &str) -> Result<u64, FailureKind> + 'a) -> Self {
        let plays = Box::new(plays);
        Actor { now: Instant::now(), visits: 0, interrupted_in: None, plays }
    }

    /// Every entry as fast as the other.
    fn even() -> Self {
        Actor::new(|_, _| Ok(100))
    }
}

impl Visitor for Actor<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<Measured, Failure> {
        self.visits += 1;
        self.now += VISIT;
        let strategy = visit.program.to_str().unwrap();
        (self.plays)(strategy, visit.workload)
            .map(|value| process(value, How::fair("form", "link")))
            .map_err(|kind| Failure::new(kind, "made up"))
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted_in.is_some_and(|visit| self.visits > visit)
    }

    fn now(&self) -> Instant {
        self.now
    }
}

/// Carries the plan out from its beginning, which was so long before the first visit.
fn carry_out(
    (plan, folder): (&Plan, &TempDir),
    actor: &mut Actor<'_>,
    gate: &mut Gate<Told>,
    spent: Duration,
) -> Option<PathBuf> {
    let host = Host { schema: SCHEMA, ..Host::default() };
    let journal = Journal::create(folder.path(), plan, &host, None).unwrap();
    go_on((plan, folder), actor, gate, spent, (journal, Rounds::of(plan)))
}

fn go_on(
    (plan, folder): (&Plan, &TempDir),
    actor: &mut Actor<'_>,
    gate: &mut Gate<Told>,
    spent: Duration,
    (journal, rounds): (Journal, Rounds<'_>),
) -> Option<PathBuf> {
    let program = |strategy: &str| Program {
        strategy: strategy.to_owned(),
        path: strategy.into(),
        description: Default::default(),
        hash: String::new(),
        executable: Default::default(),
    };
    let programs: Vec<_> = plan.entries.iter().map(|entry| program(&entry.strategy)).collect();
    let session = Session {
        folder: folder.path(),
        plan,
        programs: &programs,
        peer: Path::new(""),
        scratch: Path::new(""),
        begin: actor.now - spent,
        option: String::new(),
        teller: Teller::new(true),
    };
    session.carry_out(actor, gate, journal, rounds).unwrap()
}

/// The rounds of the first case, as they are written down.
fn rounds(folder: &TempDir) -> Vec<Round> {
    Run::read(folder.path()).unwrap().cases.remove(0)
}

fn quiet() -> Gate<Told> {
    Gate::with(Told::default())
}

/// Where foreign CPU time is as told, round after round.
fn disturbed(foreign: &[f64]) -> Gate<Told> {
    Gate::with(Told { foreign: foreign.iter().copied().collect(), waits: 0 })
}

#[test]
fn each_visit_is_written_down_before_the_next() {
    let (plan, folder) = (plan(&["map"], &["a", "b"], 2), tempfile::tempdir().unwrap());
    let journal = folder.path().join(JOURNAL);
    let mut made = 0;
    let mut actor = Actor::new(|_, _| {
        let lines = fs::read_to_string(&journal).unwrap();
        assert_eq!(lines.matches("\"measurement\"").count(), made, "{lines}");
        made += 1;
        Ok(100)
    });
    let ended = carry_out((&plan, &folder), &mut actor, &mut quiet(), Duration::ZERO);
    assert_eq!(ended.as_deref(), Some(folder.path()));
    drop(actor);
    // Two entries and a twin in each of two rounds.
    assert_eq!(made, 6);
}

#[test]
fn no_round_begins_that_does_not_fit_in_the_time_budget_and_one_that_has_begun_ends() {
    let mut plan = plan(&["map"], &["a", "b"], 2);
    let mut visits = |budget_s: u64, spent_s: u64| {
        plan.budget_ms = Some(budget_s * 1_000);
        let (folder, mut actor) = (tempfile::tempdir().unwrap(), Actor::even());
        let spent = Duration::from_secs(spent_s);
        carry_out((&plan, &folder), &mut actor, &mut quiet(), spent).unwrap();
        assert!(rounds(&folder).iter().all(|round| round.end.is_some()));
        actor.visits
    };
    // A round takes three seconds, which only the first one tells.
    assert_eq!(visits(1, 0), 3);
    assert_eq!(visits(5, 0), 3);
    assert_eq!(visits(6, 0), 6);
    // What was spent before an interruption counts.
    assert_eq!(visits(6, 1), 3);
    assert_eq!(visits(6, 6), 0);
}

#[test]
fn a_round_that_the_gate_rejects_is_written_down_with_the_reason_and_made_again() {
    let (plan, folder) = (plan(&["map"], &["a", "b"], 3), tempfile::tempdir().unwrap());
    let mut gate = disturbed(&[0.0, 0.5]);
    carry_out((&plan, &folder), &mut Actor::even(), &mut gate, Duration::ZERO).unwrap();
    let rounds = rounds(&folder);
    let rejected = |round: &Round| round.end.as_ref().unwrap().rejected.clone();
    let rejected: Vec<_> = rounds.iter().map(rejected).collect();
    let reason = "foreign CPU time 50.0 % (limit 5.0 %)";
    assert_eq!(rejected, [None, Some(reason.to_owned()), None, None]);
    assert!(rounds.iter().all(|round| round.visits.len() == 3));
}

#[test]
fn on_a_machine_that_stays_busy_calm_is_waited_for_once_and_then_its_noise_is_accepted() {
    let (plan, folder) = (plan(&["map"], &["a", "b"], 3), tempfile::tempdir().unwrap());
    let mut gate = disturbed(&[0.5; 30]);
    carry_out((&plan, &folder), &mut Actor::even(), &mut gate, Duration::ZERO).unwrap();
    assert_eq!(gate.senses().waits, PATIENCE);
    let rounds = rounds(&folder);
    let noisy = |round: &&Round| round.end.as_ref().unwrap().noise.noisy_host;
    let admitted: Vec<_> = rounds.iter().filter(|round| round.is_admitted()).collect();
    assert_eq!(admitted.len(), 3);
    assert_eq!(admitted.iter().filter(|round| noisy(round)).count(), 3);
    assert!(!rounds.iter().filter(|round| !round.is_admitted()).any(|round| noisy(&round)));
}

#[test]
fn the_twin_ends_the_first_round_and_is_somewhere_in_the_others() {
    let (plan, folder) = (plan(&["map"], &["a", "b", "c"], 8), tempfile::tempdir().unwrap());
    let mut actor = Actor::new(|strategy, _| Ok(if strategy == "b" { 110 } else { 100 }));
    carry_out((&plan, &folder), &mut actor, &mut quiet(), Duration::ZERO).unwrap();
    let rounds = rounds(&folder);
    let twins = |round: &Round| -> Vec<(usize, usize)> {
        let twins = round.visits.iter().enumerate().filter(|(_, visit)| visit.twin);
        twins.map(|(place, visit)| (place, visit.entry)).collect()
    };
    let [(3, entry)] = twins(&rounds[0])[..] else { panic!("{:?}", twins(&rounds[0])) };
    assert!(rounds.iter().all(|round| twins(round).len() == 1 && twins(round)[0].1 == entry));
    assert!(rounds.iter().any(|round| twins(round)[0].0 != 3));
}

#[test]
fn a_visit_that_ctrl_c_ended_is_not_written_down_and_its_round_is_made_again() {
    let (plan, folder) = (plan(&["map"], &["a", "b"], 3), tempfile::tempdir().unwrap());
    // In the second visit of the second round.
    let mut actor = Actor { interrupted_in: Some(4), ..Actor::even() };
    assert_eq!(carry_out((&plan, &folder), &mut actor, &mut quiet(), Duration::ZERO), None);
    assert_eq!(actor.visits, 5);
    let run = Run::read(folder.path()).unwrap();
    let shape = |round: &Round| (round.number, round.visits.len(), round.end.is_some());
    assert_eq!(run.cases[0].iter().map(shape).collect::<Vec<_>>(), [(0, 3, true), (1, 1, false)]);
    let known = Rounds::resumed(&run.plan, run.cases.clone());
    let journal = Journal::reopen(folder.path()).unwrap();
    let mut actor = Actor::even();
    let again = (journal, known);
    let ended = go_on((&plan, &folder), &mut actor, &mut quiet(), Duration::ZERO, again);
    assert_eq!((ended.as_deref(), actor.visits), (Some(folder.path()), 6));
    let rounds = rounds(&folder);
    let shapes: Vec<_> = rounds.iter().map(shape).collect();
    assert_eq!(shapes, [(0, 3, true), (1, 1, false), (2, 3, true), (3, 3, true)]);
}

#[test]
fn a_void_cell_is_tried_again_and_one_that_crashed_is_not() {
    let (plan, folder) = (plan(&["map"], &["a", "b", "c"], 4), tempfile::tempdir().unwrap());
    let (mut void, mut crashed) = (0, 0);
    let mut actor = Actor::new(|strategy, _| match strategy {
        "b" if std::mem::replace(&mut void, 1) == 0 => Err(FailureKind::Void),
        "c" => {
            crashed += 1;
            Err(FailureKind::Crashed)
        }
        _ => Ok(100),
    });
    carry_out((&plan, &folder), &mut actor, &mut quiet(), Duration::ZERO).unwrap();
    drop(actor);
    assert_eq!(crashed, 1);
    let rounds = rounds(&folder);
    let of_b: Vec<_> = rounds.iter().filter_map(|round| round.visit(1, false)).collect();
    assert_eq!(
        of_b.iter().map(|v| v.outcome.is_ok()).collect::<Vec<_>>(),
        [false, true, true, true]
    );
}

#[test]
fn a_case_without_a_right_answer_fails_without_being_visited() {
    let (mut plan, folder) = (plan(&["map", "join"], &["a", "b"], 2), tempfile::tempdir().unwrap());
    plan.cases[0].unanswered = Some(Failure::new(FailureKind::Timeout, "no answer"));
    let mut actor = Actor::new(|_, workload| {
        assert_eq!(workload, "join");
        Ok(100)
    });
    carry_out((&plan, &folder), &mut actor, &mut quiet(), Duration::ZERO).unwrap();
    let rounds = rounds(&folder);
    assert_eq!(rounds.len(), 1, "what has failed is not tried again");
    let reasons = rounds[0].visits.iter().map(|visit| visit.outcome.as_ref().unwrap_err());
    assert!(reasons.map(|failure| failure.reason.as_str()).eq(["no answer"; 2]));
}
