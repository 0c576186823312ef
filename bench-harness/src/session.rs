//! Carries out a plan: visit after visit, each written down before the next.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use analysis::Rounds;
use anyhow::Context;
use launch::Visit;
use protocol::{Failure, Measured};
use record::Plan;
use record::journal::{Journal, Measurement, Outcome, RoundEnd};
use workloads::find;

use crate::noise::{Gate, Senses};
use crate::programs::Program;
use crate::progress::{Left, Progress, Teller, span};
use crate::schedule::{Cell, Next, Schedule};

/// How long to wait for calm on a busy machine, before its noise is accepted.
const PATIENCE: u32 = 10;

/// What carries out the visits of a session: processes, or a double of them in tests.
pub(crate) trait Visitor {
    /// Measures a cell.
    ///
    /// # Errors
    /// The failure of the cell, also if its answer is wrong.
    fn visit(&mut self, visit: &Visit<'_>) -> Result<Measured, Failure>;

    /// Whether the session is to end, so that the outcome of the last visit says nothing.
    fn is_interrupted(&self) -> bool;

    /// The time by which visits and the time budget are measured.
    fn now(&self) -> Instant;
}

/// Each visit is a process of its own, or two for a service.
pub(crate) struct Processes;

impl Visitor for Processes {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<Measured, Failure> {
        visit.run()
    }

    fn is_interrupted(&self) -> bool {
        launch::stopped()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// A run being carried out.
pub(crate) struct Session<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) plan: &'a Plan,
    pub(crate) programs: &'a [Program],
    /// This program, of which the other processes of a visit are started.
    pub(crate) peer: &'a Path,
    /// Folder for input files.
    pub(crate) scratch: &'a Path,
    /// When measuring began; earlier by what it took before it was interrupted.
    pub(crate) begin: Instant,
    /// The option that names where the programs are, where they are not built.
    pub(crate) option: String,
    pub(crate) teller: Teller,
}

impl Session<'_> {
    /// Makes the rounds that are due, until none is or the time is over. Returns the run's folder, or `None` if it was
    /// interrupted.
    ///
    /// # Errors
    /// If the journal cannot be written, or the plan does not fit the programs.
    pub(crate) fn carry_out(
        &self,
        visitor: &mut impl Visitor,
        gate: &mut Gate<impl Senses>,
        mut journal: Journal,
        mut rounds: Rounds<'_>,
    ) -> anyhow::Result<Option<PathBuf>> {
        journal.count_from(self.begin)?;
        let mut schedule = Schedule::new(self.plan, &rounds.cases);
        let mut progress = Progress::new(self.plan, self.teller);
        let (mut visits, mut rejected, mut begun) = (0, 0, 0);
        while let Some(next) = schedule.next(self.left(visitor)) {
            begun += 1;
            let case = &self.plan.cases[next.case].id;
            gate.before();
            let mut cells = next.cells.clone();
            let mut position = 0;
            while let Some(cell) = cells.get(position).copied() {
                position += 1;
                let due = Duration::try_from_secs_f64(schedule.seconds_due());
                let left = Left { budget: self.left(visitor), due: due.unwrap_or(Duration::MAX) };
                progress.before(case, &self.plan.entries[cell.entry].id, &next, left);
                let measurement = self.visit(visitor, &next, cell)?;
                if visitor.is_interrupted() {
                    journal.count_from(self.begin)?;
                    progress.clear();
                    self.teller.insist(&format!(
                        "interrupted after {visits} visits; go on with --resume {}{}\n",
                        self.folder.display(),
                        self.option
                    ));
                    return Ok(None);
                }
                visits += 1;
                rounds.add_measurement(measurement.clone()).expect("it is in the plan");
                journal.measured(measurement)?;
                if position == next.cells.len() {
                    cells.extend(schedule.first_twin(next.case, &rounds.cases[next.case]));
                }
            }
            let (noise, reason) = gate.after(next.case);
            rejected += u32::from(reason.is_some());
            let end = RoundEnd { round: next.round, case: case.clone(), noise, rejected: reason };
            rounds.add_end(end.clone()).expect("it is in the plan");
            journal.ended(end)?;
            schedule.update(next.case, &rounds.cases[next.case]);
            if gate.is_overwhelmed() {
                progress.clear();
                self.wait_for_calm(visitor, gate);
            }
        }
        progress.clear();
        let wall = span(visitor.now().duration_since(self.begin));
        self.teller.tell(&match (begun, rejected) {
            (0, _) => "the run is complete: nothing is left to measure\n".to_owned(),
            (_, 0) => format!("measured for {wall}\n"),
            _ => format!(
                "measured for {wall}; {rejected} of {begun} rounds were rejected as noisy\n"
            ),
        });
        Ok(Some(self.folder.to_owned()))
    }

    /// Where most rounds are disturbed: waits until they need not be, or goes on with the noise that there is.
    fn wait_for_calm(&self, visitor: &impl Visitor, gate: &mut Gate<impl Senses>) {
        let throttled = gate.is_throttled();
        self.teller.tell(if throttled {
            "most rounds are throttled by the CPU quota: going on with that\n"
        } else {
            "most rounds are disturbed by others: waiting for calm\n"
        });
        let is_calm = |_| !visitor.is_interrupted() && gate.is_calm();
        let calm = !throttled && (0..PATIENCE).any(is_calm);
        if gate.go_on(calm) && !throttled {
            self.teller.tell("the machine stays busy: going on with the noise that it has\n");
        }
    }

    fn visit(
        &self,
        visitor: &mut impl Visitor,
        next: &Next,
        cell: Cell,
    ) -> anyhow::Result<Measurement> {
        let (case, entry) = (&self.plan.cases[next.case], &self.plan.entries[cell.entry]);
        let workload = find(&case.workload).context("reading the plan checked its workloads")?;
        let program = self.programs.iter().find(|program| program.strategy == entry.strategy);
        let visit = Visit {
            program: &program.context("entries are made from programs")?.path,
            peer: self.peer,
            variant: &entry.variant,
            workload: &case.workload,
            kind: workload.kind,
            backend: workload.backend,
            params: &case.params,
            workers: case.workers,
            placement: case.placement,
            sampling: case.sampling,
            scratch: self.scratch,
            time_limit: self.plan.time_limit(),
            expected: case.expected,
        };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = visitor.now();
        let outcome = match case.unanswered.clone().map_or_else(|| visitor.visit(&visit), Err) {
            Ok(measured) => Outcome::Measured(measured),
            Err(failure) => Outcome::Failed(failure),
        };
        Ok(Measurement {
            round: next.round,
            case: case.id.clone(),
            entry: entry.id.clone(),
            twin: cell.twin,
            started_ms: started.as_millis() as u64,
            visit_ns: visitor.now().duration_since(clock).as_nanos() as u64,
            outcome,
        })
    }

    /// Time that the plan leaves for measuring.
    fn left(&self, visitor: &impl Visitor) -> Option<Duration> {
        let spent = visitor.now().duration_since(self.begin);
        self.plan.budget().map(|budget| budget.saturating_sub(spent))
    }
}

#[cfg(test)]
mod tests;
