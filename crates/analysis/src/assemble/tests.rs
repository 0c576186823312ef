//! Reports of made-up runs.

use protocol::{Fact, How};
use protocol::{Failure, FailureKind};
use workloads::Metric;

use super::*;
use crate::fixtures::{process, run, walls};
use crate::process::Process;
use crate::rounds::Visited;
use judge::Verdict;

use record::journal::Outcome;

#[test]
fn contestants_come_first_then_misuses_then_the_floor_then_failures() {
    let failure = Failure::new(FailureKind::Timeout, "too slow");
    let report = Report::of(&run(
        "map",
        &[
            ("floor/sequential", walls(&[2_000, 2_010, 1_990], How::floor("f", "l"))),
            ("tokio", walls(&[1_500, 1_510, 1_490], How::fair("f", "l"))),
            ("smol", vec![Outcome::Failed(failure)]),
            ("rayon", walls(&[1_000, 1_010, 990], How::fair("f", "l"))),
            ("threads", walls(&[500, 510, 490], How::misuse("f", "l"))),
        ],
    ));
    let case = &report.cases[0];
    let order: Vec<_> = case.rows.iter().map(|row| row.entry.as_str()).collect();
    assert_eq!(order, ["rayon", "tokio", "threads", "floor/sequential", "smol"]);
    let numbers = |index: usize| case.rows[index].numbers.as_ref().unwrap();
    assert_eq!(numbers(0).verdict, Some(Verdict::Best));
    assert_eq!(numbers(1).verdict, Some(Verdict::Slower));
    assert_eq!(numbers(2).verdict, None, "a misuse never wins");
    // Sequential 2,000 ÷ 2 workers is what rayon took.
    assert!((numbers(0).limit_share.unwrap().estimate - 1.0).abs() < 0.01);
    assert!((numbers(1).ratio.unwrap().estimate - 1.5).abs() < 0.02);
    assert_eq!(numbers(0).latency_p50_ns.unwrap().estimate, 1_000.0);
    assert_eq!(numbers(0).latency_p99_ns.unwrap().estimate, 9_000.0);
    assert_eq!(report.broken_cells(), 1);
    assert!(
        case.answer.starts_with("rayon (1.00 µs) is best; tokio follows at 1.50×"),
        "{}",
        case.answer
    );
}

#[test]
fn a_round_that_was_interrupted_counts_for_nobody() {
    let fair = || How::fair("f", "l");
    let mut run = run(
        "map",
        &[("tokio", walls(&[10, 11, 500], fair())), ("rayon", walls(&[10, 11], fair()))],
    );
    run.cases[0][2].end = None;
    let report = Report::of(&run);
    assert_eq!((report.cases[0].rounds, report.cases[0].rejected_rounds), (2, 1));
    for row in &report.cases[0].rows {
        assert_eq!(row.numbers.as_ref().unwrap().rounds, 2);
    }
}

#[test]
fn what_is_beyond_its_limit_is_named() {
    let report = Report::of(&run(
        "map",
        &[
            ("floor/sequential", walls(&[2_000, 2_010, 1_990], How::floor("f", "l"))),
            ("tokio", walls(&[500, 510, 490], How::fair("f", "l"))),
        ],
    ));
    assert!(report.cases[0].notes.iter().any(|note| note.starts_with("tokio is beyond its limit")));
}

#[test]
fn a_process_that_did_not_record_its_cpu_time_is_not_judged_by_it() {
    let mut mute = process(1_000, How::fair("f", "l"));
    mute.samples.iter_mut().for_each(|sample| sample.usage = None);
    let tokio = walls(&[1_000, 1_010, 990], How::fair("f", "l"));
    let outcomes = [("tokio", tokio), ("mute", vec![Outcome::Measured(mute); 3])];
    for (case, judged) in [("echo/c=1", false), ("map", true)] {
        let report = Report::of(&run(case, &outcomes));
        let row = report.cases[0].rows.iter().find(|row| row.entry == "mute").unwrap();
        assert_eq!(row.numbers.is_some(), judged, "{case}");
    }
}

#[test]
fn on_a_noisy_host_close_calls_are_left_undecided() {
    let fair = || How::fair("f", "l");
    let mut run = run(
        "map",
        &[
            ("tokio", walls(&[1_000, 1_010, 990], fair())),
            ("rayon", walls(&[1_100, 1_110, 1_090], fair())),
            ("smol", walls(&[2_000, 2_010, 1_990], fair())),
        ],
    );
    let verdicts = |run: &Run| -> Vec<_> {
        let report = Report::of(run);
        report.cases[0].rows.iter().map(|r| r.numbers.as_ref().unwrap().verdict).collect()
    };
    use Verdict::{Best, Slower, Undecided};
    assert_eq!(verdicts(&run), [Best, Slower, Slower].map(Some));
    for round in &mut run.cases[0] {
        round.end.as_mut().unwrap().noise.noisy_host = true;
    }
    assert_eq!(verdicts(&run), [Undecided, Undecided, Slower].map(Some));
    let report = Report::of(&run);
    let by_cpu = |row: &Row| row.numbers.as_ref().unwrap().cpu_verdict;
    assert_eq!(by_cpu(&report.cases[0].rows[0]), Some(Undecided));
    assert!(report.noise.banner().unwrap().starts_with("NOISY HOST"));
}

/// Three rounds of two entries that are equally fast, the first of which is visited twice.
fn with_twin(twin: [Result<u64, FailureKind>; 3]) -> Run {
    let fair = || How::fair("f", "l");
    let walls = |entry| (entry, walls(&[1_000, 1_010, 990], fair()));
    let mut run = run("map", &[walls("tokio"), walls("rayon")]);
    for (round, wall) in run.cases[0].iter_mut().zip(twin) {
        let outcome = wall
            .map(|wall| Process::of(Metric::Wall, 1, &process(wall, fair())))
            .map_err(|kind| Failure::new(kind, "no luck"));
        round.visits.push(Visited { entry: 0, twin: true, visit_ns: 1, outcome });
    }
    run
}

#[test]
fn a_twin_that_failed_is_a_failed_cell_that_a_note_names() {
    let report = Report::of(&with_twin([Ok(1_000), Err(FailureKind::Crashed), Ok(990)]));
    let case = &report.cases[0];
    assert!(case.rows.iter().all(|row| row.numbers.is_some()));
    let note = "tokio failed when it was visited a second time in a round (crashed: no luck)";
    assert!(case.notes.iter().any(|said| said.starts_with(note)), "{:?}", case.notes);
    assert_eq!(report.broken_cells(), 1);
    let void = Report::of(&with_twin([Ok(1_000), Err(FailureKind::Void), Ok(990)]));
    assert_eq!((void.broken_cells(), void.cases[0].notes.len()), (0, 0));
}

#[test]
fn a_repeated_entry_that_failed_is_named() {
    let mut run = with_twin([Ok(1_000), Ok(1_010), Ok(990)]);
    let crash = Failure::new(FailureKind::Crashed, "no luck");
    run.cases[0][2].visits.iter_mut().find(|v| v.entry == 0 && !v.twin).unwrap().outcome =
        Err(crash);
    let report = Report::of(&run);
    assert_eq!(report.broken_cells(), 1);
    assert!(report.cases[0].twins.is_empty());
    let note = "tokio, which was held against itself, failed: that check is missing.";
    assert_eq!(report.cases[0].notes, [note]);
}

#[test]
fn a_repeated_entry_that_is_excluded_still_has_to_tie_with_itself() {
    let mut run = with_twin([Ok(1_000), Ok(1_010), Ok(990)]);
    run.plan.entries[0].excluded = Some("it took too much memory".to_owned());
    let twins = &Report::of(&run).cases[0].twins;
    assert_eq!((twins[0].entry.as_str(), twins[0].rounds), ("tokio", 3));
    assert_eq!(twins[0].verdict, Verdict::Tied);
}

#[test]
fn a_busy_generator_withholds_what_it_decides_and_only_under_contestants() {
    let entry = |how: How, p99: u64, busy: bool| -> Vec<Outcome> {
        let one = |extra: u64| {
            let mut measured = process(1_000_000, how.clone());
            let generator = if busy { 950_000 } else { 300_000 };
            for sample in &mut measured.samples {
                sample.facts.insert(Fact::GeneratorCpuNs, generator);
            }
            measured.latency_ns = vec![(1_000, 980), (p99 + extra, 20)];
            Outcome::Measured(measured)
        };
        [0, 1, 2, 3].map(one).into()
    };
    let verdicts = |floor: bool, tokio: bool| -> Vec<_> {
        let fair = || How::fair("f", "l");
        let entries = [
            ("floor/event-loop", entry(How::floor("f", "l"), 5_000, floor)),
            ("tokio", entry(fair(), 9_000, tokio)),
            ("smol", entry(fair(), 50_000, false)),
        ];
        let case = Report::of(&run("mixed", &entries)).cases.remove(0);
        let contestants = case.rows.iter().filter(|row| row.is_contestant());
        contestants.map(|row| row.numbers.as_ref().unwrap().verdict).collect()
    };
    assert_eq!(verdicts(true, false), [Verdict::Best, Verdict::Slower].map(Some));
    assert_eq!(verdicts(false, true), [Verdict::Undecided; 2].map(Some));
}

#[test]
fn what_noise_leaves_undecided_is_held_against_the_leader() {
    let fair = || How::fair("f", "l");
    // The leader scatters so much that only the steady second proves that the third is slower.
    let mut run = run(
        "map",
        &[
            ("tokio", walls(&[500, 1_400, 600, 1_300, 700], fair())),
            ("smol", walls(&[1_000, 1_010, 990, 1_000, 1_000], fair())),
            ("rayon", walls(&[1_150, 1_160, 1_140, 1_150, 1_150], fair())),
        ],
    );
    let rayon = |run: &Run| {
        let rows = Report::of(run).cases.remove(0).rows;
        let row = rows.into_iter().find(|row| row.entry == "rayon").unwrap();
        let numbers = row.numbers.unwrap();
        (numbers.verdict.unwrap(), numbers.ratio_to.unwrap())
    };
    assert_eq!(rayon(&run), (Verdict::Slower, "smol".to_owned()));
    for round in &mut run.cases[0] {
        round.end.as_mut().unwrap().noise.noisy_host = true;
    }
    assert_eq!(rayon(&run), (Verdict::Undecided, "tokio".to_owned()));
}

#[test]
fn a_quantity_of_a_row_has_one_number() {
    let fair = || How::fair("f", "l");
    let walls = || walls(&[2_390, 2_200, 2_280, 2_310], fair());
    let other = || {
        let times = [9_000, 200, 9_100, 300];
        times.map(|wall| Outcome::Measured(process(wall, fair()))).to_vec()
    };
    let numbers = |case: &str| {
        let report = Report::of(&run(case, &[("smol", walls()), ("tokio", other())]));
        let rows = report.cases.into_iter().next().unwrap().rows;
        rows.into_iter().find(|row| row.entry == "smol").unwrap().numbers.unwrap()
    };
    let wall = numbers("map");
    assert_eq!(wall.value, wall.wall_ns);
    assert!((wall.value.estimate - 2_295.0).abs() < 1e-9, "the median of its own");
    let cpu = numbers("echo/c=1");
    assert_eq!(Some(cpu.value), cpu.cpu_ns_per_operation);
    let p99 = numbers("mixed");
    assert_eq!(Some(p99.value), p99.latency_p99_ns);
    let at_p99 = p99.latencies.iter().find(|point| point.share == 0.99).unwrap();
    assert_eq!(at_p99.ns, p99.value.estimate);
}

#[test]
fn an_empty_journal_makes_an_empty_report() {
    let report = Report::of(&run("map", &[("tokio", vec![])]));
    assert!(report.cases[0].rows[0].numbers.is_none());
    assert_eq!(report.broken_cells(), 0);
}
