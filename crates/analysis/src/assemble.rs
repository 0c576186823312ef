//! From a run, or several of one machine, to its report.

use protocol::units;
use record::models;
use workloads::{Class, Limit, find};

use crate::answers::kinship;
use crate::case::{CaseReport, FailureReport, Row, SEQUENTIAL, Throughput};
use crate::comparison::Comparison;
use crate::contest;
use crate::decide;
use crate::findings::{Report, VERSION};
use crate::map;
use crate::rounds::Round;
use crate::run::Run;
use crate::sessions::Sessions;
use crate::{curves, misuses, noise, remarks, reproduce, suits, wakeups};
use judge::Design;
use record::{PlannedCase, PlannedEntry, Purpose};

impl Report {
    /// Computes the report of a run.
    pub fn of(run: &Run) -> Self {
        Report::of_sessions(std::slice::from_ref(run))
    }

    /// Computes the report of several runs of the same plan on the same machine, of which there is at least
    /// one.
    pub fn of_sessions(runs: &[Run]) -> Self {
        let Run { plan, host, sources, .. } = &runs[0];
        let of_entries = |entries: &[PlannedEntry]| -> Vec<CaseReport> {
            let case = |(index, case): (usize, &PlannedCase)| {
                let sessions: Vec<_> = runs.iter().map(|run| run.cases[index].as_slice()).collect();
                CaseReport::of(case, entries, &sessions, &plan.design)
            };
            plan.cases.iter().enumerate().map(case).collect()
        };
        let mut entries = plan.entries.clone();
        let mut cases = of_entries(&entries);
        // Who breaks a limit of the service must not decide who is best among the others.
        if plan.purpose() == Purpose::Decision
            && let Some(service) = &plan.service
            && decide::exclude(service, &cases, &mut entries)
        {
            cases = of_entries(&entries);
        }
        let decision = match plan.purpose() {
            Purpose::Decision => plan
                .service
                .as_ref()
                .and_then(|s| decide::decide(s, &cases, &entries, plan.left_out.as_deref())),
            Purpose::Comparison | Purpose::Map => None,
        };
        // Points of a map that nobody had to measure.
        if plan.purpose() == Purpose::Map {
            cases.retain(|case| case.rounds + case.rejected_rounds > 0);
        }
        misuses::price_across_cases(&mut cases);
        let contestants = contestants(&entries, &cases);
        let visits = || runs.iter().flat_map(Run::visits);
        let spent: u64 = visits().map(|visit| visit.visit_ns).sum();
        let measured: u64 =
            visits().filter_map(|visit| visit.outcome.as_ref().ok()).map(|p| p.measured_ns).sum();
        Report {
            schema: VERSION,
            runs: runs.iter().map(|run| run.name.clone()).collect(),
            profile: plan.profile,
            workers: plan.workers,
            design: plan.design.clone(),
            budget_ms: plan.budget_ms,
            seed: plan.seed,
            noise: noise::of(runs, &cases),
            measurements: visits().count(),
            measured_share: measured as f64 / spent.max(1) as f64,
            host: host.clone(),
            entries: plan.entries.iter().map(|entry| entry.id.clone()).collect(),
            suits: suits::of(&contestants, &cases),
            contestants,
            capacity: plan.capacity.clone(),
            curves: curves::of(&cases, plan.workers),
            wakeups: wakeups::findings(&cases),
            service: plan.service.clone(),
            decision,
            map: map::of(plan, &cases, spent),
            command: reproduce::command(plan, host),
            sources: sources.clone(),
            cases,
        }
    }
}

fn contestants(entries: &[PlannedEntry], cases: &[CaseReport]) -> Vec<String> {
    let takes_part = |entry: &PlannedEntry| {
        let mut measured = cases
            .iter()
            .flat_map(|case| &case.rows)
            .filter(|row| row.entry == entry.id && row.numbers.is_some())
            .peekable();
        match measured.peek() {
            Some(_) => measured.any(Row::is_contestant),
            None => {
                !models::is_bound(&entry.strategy)
                    && entry.variant != "misuse"
                    && entry.excluded.is_none()
            }
        }
    };
    entries.iter().filter(|entry| takes_part(entry)).map(|entry| entry.id.clone()).collect()
}

impl CaseReport {
    fn of(
        case: &PlannedCase,
        entries: &[PlannedEntry],
        sessions: &[&[Round]],
        design: &Design,
    ) -> Self {
        let spec = find(&case.workload).map(|workload| workload.spec);
        let metric = case.metric;
        let class = spec.map_or(Class::Mixed, |spec| spec.class);
        let pooled = Sessions::of(sessions, entries, metric, design);
        let takes_part = entries.iter().enumerate().filter(|(_, entry)| entry.takes_part_in(case));
        let unmeasured =
            takes_part.filter(|(index, _)| !pooled.observed.iter().any(|o| o.entry == *index));
        // At a point of a map.
        let is_left_out = |index: usize| {
            let mut ended =
                sessions.iter().copied().flatten().filter(|r| r.end.is_some()).peekable();
            let has_ended = ended.peek().is_some();
            case.contestants_only && has_ended && ended.all(|r| r.visit(index, false).is_none())
        };
        let (left_out, unmeasured): (Vec<_>, Vec<_>) =
            unmeasured.partition(|(index, _)| is_left_out(*index));
        let mut rows: Vec<_> = unmeasured
            .into_iter()
            .map(|(index, entry)| {
                let failure = sessions.iter().find_map(|rounds| contest::failure(rounds, index));
                let failure = failure.map(|failure| FailureReport {
                    kind: failure.failure,
                    reason: failure.reason.clone(),
                });
                let missing = failure.is_none().then(|| remarks::why_missing(sessions, index));
                Row { missing, ..Row::without_numbers(entry, failure) }
            })
            .collect();
        let all = || sessions.iter().copied().flatten();
        let admitted = || all().filter(|round| round.is_admitted());
        let disturbed =
            admitted().filter(|r| r.end.as_ref().is_some_and(|end| end.noise.noisy_host));
        let noisy = 2 * disturbed.count() > admitted().count();
        let measured = Comparison::of(case, entries, (class, metric), &pooled, noisy);
        let answer = measured.answer();
        let cpu_answer = measured.cpu_answer();
        let mut notes = measured.notes();
        if noisy {
            let throttled =
                |round: &&Round| round.end.as_ref().is_some_and(|end| end.noise.is_throttled());
            let cause = match 2 * admitted().filter(throttled).count() > admitted().count() {
                true => "The CPU quota stopped processes",
                false => "Others used the machine",
            };
            notes.push(format!(
                "{cause} while this was measured: only what is slower by far is said."
            ));
        }
        let (leader, cpu_leader) = (measured.leader.clone(), measured.cpu_leader.clone());
        let twin_failures: Vec<_> =
            sessions.iter().filter_map(|rounds| contest::twin_failure(rounds)).collect();
        notes.extend(twin_failures.iter().map(|lost| remarks::twin_failure_note(lost, entries)));
        let mut measured_rows = measured.rows;
        measured_rows.append(&mut rows);
        if !left_out.is_empty() {
            let names: Vec<_> = left_out.iter().map(|(_, entry)| entry.id.as_str()).collect();
            notes.push(format!("Not measured here: {}.", names.join(", ")));
        }
        if let Some(note) = kinship(class, &measured_rows) {
            notes.push(note);
        }
        if let Some(note) = remarks::one_thread(&case.limit, &measured_rows) {
            notes.push(note);
        }
        let answer = answer.unwrap_or_else(|| remarks::no_answer(&measured_rows));
        let sequential = measured_rows.iter().find(|row| row.entry == SEQUENTIAL);
        let single_thread = case.amount.zip(sequential.and_then(|row| row.numbers.as_ref()));
        CaseReport {
            id: case.id.clone(),
            workload: case.workload.clone(),
            class,
            question: spec.map_or_else(String::new, |spec| spec.question.to_owned()),
            answer,
            params: case.params.clone(),
            workers: case.workers,
            swept: case.swept.clone(),
            placement: case.placement,
            operation: spec
                .map_or_else(|| "operation".to_owned(), |spec| spec.operation.to_owned()),
            operations: case.operations,
            metric,
            limit: limit_text(&case.limit),
            single_thread: single_thread.map(|(amount, numbers)| Throughput {
                per_second: amount.count as f64 / numbers.wall_ns.estimate * 1e9,
                unit: amount.unit,
            }),
            cpu_answer,
            leader,
            cpu_leader,
            rounds: admitted().count(),
            rejected_rounds: all().filter(|round| !round.is_admitted()).count(),
            twins: pooled.twins,
            failed_twins: twin_failures.iter().filter(|lost| lost.only_twin).count(),
            rows: measured_rows,
            notes,
        }
    }
}

fn limit_text(limit: &Limit) -> String {
    match limit {
        Limit::Time { ns, reason } => format!("{} ({reason})", units::duration(*ns as f64)),
        other => other.reason().to_owned(),
    }
}

#[cfg(test)]
mod tests;
