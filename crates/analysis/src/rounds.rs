//! What was measured, by case and round, as it comes line by line.

use std::collections::HashMap;
use std::io::BufRead;
use std::rc::Rc;

use protocol::Failure;

use crate::process::Process;
use record::journal::{Line, Measurement, Outcome, RoundEnd};
use record::{Plan, SCHEMA};

/// What was measured in one round of a case.
#[derive(Debug, Clone)]
pub struct Round {
    /// Its number, from 0.
    pub number: u32,
    /// What was measured in it.
    pub visits: Vec<Visited>,
    /// How it ended; `None` if it was interrupted.
    pub end: Option<RoundEnd>,
}

/// One visit of a round.
#[derive(Debug, Clone)]
pub struct Visited {
    /// Place of the entry in the plan.
    pub entry: usize,
    /// Whether it repeats the entry inside the round.
    pub twin: bool,
    /// Nanoseconds from starting the process to having its answer and its end.
    pub visit_ns: u64,
    /// What was measured, or why nothing.
    pub outcome: Result<Process, Failure>,
}

impl Round {
    /// A round of which nothing is known yet.
    pub fn new(number: u32) -> Self {
        Round { number, visits: Vec::new(), end: None }
    }

    /// Whether it counts.
    pub fn is_admitted(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.rejected.is_none())
    }

    /// The visit of an entry, or of its twin.
    pub fn visit(&self, entry: usize, twin: bool) -> Option<&Visited> {
        self.visits.iter().find(|visit| visit.entry == entry && visit.twin == twin)
    }
}

/// Puts what comes line by line where it belongs.
pub struct Rounds<'a> {
    plan: &'a Plan,
    by_case: HashMap<&'a str, usize>,
    by_entry: HashMap<&'a str, usize>,
    /// The rounds of each case of the plan.
    pub cases: Vec<Vec<Round>>,
    /// Milliseconds of the time budget that were spent by the last line that says so.
    pub spent_ms: Option<u64>,
    /// The form of each entry in each case: its processes share it.
    forms: HashMap<(usize, usize), Rc<protocol::How>>,
}

impl<'a> Rounds<'a> {
    /// Empty rounds for the cases of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        let cases = plan.cases.iter().enumerate();
        let entries = plan.entries.iter().enumerate();
        Rounds {
            plan,
            by_case: cases.map(|(index, case)| (case.id.as_str(), index)).collect(),
            by_entry: entries.map(|(index, entry)| (entry.id.as_str(), index)).collect(),
            cases: vec![Vec::new(); plan.cases.len()],
            spent_ms: None,
            forms: HashMap::new(),
        }
    }

    /// The same with what was measured before.
    pub fn resumed(plan: &'a Plan, cases: Vec<Vec<Round>>) -> Self {
        Rounds { cases, ..Rounds::of(plan) }
    }

    /// Reads lines and returns the bytes that whole ones take.
    pub fn read(&mut self, mut journal: impl BufRead) -> Result<u64, String> {
        let mut whole = 0;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = journal.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
            if !line.ends_with(b"\n") {
                break;
            }
            self.add(&line).map_err(|reason| format!("line {number} {reason}"))?;
            whole += length as u64;
        }
        Ok(whole)
    }

    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            let error = error.to_string();
            // Its own line number is always 1.
            let error = error.split(" at line").next().unwrap_or_default();
            format!("is damaged ({error}): remove it to go on")
        })?;
        if line.schema != SCHEMA {
            return Err(format!("is of schema {}", line.schema));
        }
        self.spent_ms = line.spent_ms.or(self.spent_ms);
        if let Some(measurement) = line.measurement {
            self.add_measurement(measurement)?;
        }
        line.round.map_or(Ok(()), |end| self.add_end(end))
    }

    /// Puts a measurement into its round.
    ///
    /// # Errors
    /// If the plan has no such case or entry.
    pub fn add_measurement(&mut self, measurement: Measurement) -> Result<(), String> {
        let case = self.case(&measurement.case)?;
        let entry = *self.by_entry.get(measurement.entry.as_str()).ok_or_else(not_in_the_plan)?;
        let planned = &self.plan.cases[case];
        let outcome = match measurement.outcome {
            Outcome::Failed(failure) => Err(failure),
            Outcome::Measured(measured) => {
                let mut process = Process::of(planned.metric, planned.operations, &measured);
                self.share(case, entry, &mut process);
                Ok(process)
            }
        };
        let visit =
            Visited { entry, twin: measurement.twin, visit_ns: measurement.visit_ns, outcome };
        self.round(case, measurement.round).visits.push(visit);
        Ok(())
    }

    /// Ends a round.
    ///
    /// # Errors
    /// If the plan has no such case.
    pub fn add_end(&mut self, end: RoundEnd) -> Result<(), String> {
        let case = self.case(&end.case)?;
        let round = end.round;
        self.round(case, round).end = Some(end);
        Ok(())
    }

    fn case(&self, id: &str) -> Result<usize, String> {
        self.by_case.get(id).copied().ok_or_else(not_in_the_plan)
    }

    /// A case's round of that number, which is its last in most cases.
    fn round(&mut self, case: usize, number: u32) -> &mut Round {
        let rounds = &mut self.cases[case];
        let place = rounds.iter().rposition(|round| round.number == number).unwrap_or_else(|| {
            rounds.push(Round::new(number));
            rounds.len() - 1
        });
        &mut rounds[place]
    }

    /// Keeps one copy of what is the same in many processes.
    fn share(&mut self, case: usize, entry: usize, process: &mut Process) {
        if let Some(how) = &mut process.how {
            let known = self.forms.entry((case, entry)).or_insert_with(|| Rc::clone(how));
            if known == how {
                *how = Rc::clone(known);
            }
        }
    }
}

fn not_in_the_plan() -> String {
    "is not in the plan: remove it to go on".to_owned()
}
