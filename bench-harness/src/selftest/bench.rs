//! Real cells, measured round after round as a run does: processes of their own, random order, the gate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use launch::Visit;
use launch::scratch::Scratch;
use launch::selection;
use protocol::Placement;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::Value;
use workloads::observation;
use workloads::{Case, Digest, Entry, Profile, find};

use crate::noise::Gate;
use crate::programs::{Program, own_program};

/// The strategies that take part.
pub(crate) const STRATEGIES: [&str; 4] = ["threads", "rayon", "tokio", "smol"];

/// How often a disturbed round is tried again before its noise is accepted.
const TRIES: usize = 3;

/// Where cells are measured.
pub(super) struct Bench {
    programs: Vec<Program>,
    peer: PathBuf,
    scratch: Scratch,
    workers: usize,
    random: Xoshiro256PlusPlus,
    pub(super) gate: Gate,
}

/// A cell to be measured.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    strategy: &'static str,
    entry: Entry,
    case: Case,
    expected: Digest,
}

impl Cell {
    pub(super) fn params(&self) -> &Value {
        &self.case.params
    }

    pub(super) fn operations(&self) -> f64 {
        self.case.operations as f64
    }
}

/// A round's observations, in the order of the cells, and whether the gate rejected it.
#[derive(Debug, Clone)]
pub(super) struct Observations {
    pub(super) values: Vec<f64>,
    pub(super) rejected: bool,
}

impl Bench {
    pub(super) fn new(programs: Vec<Program>, seed: u64) -> anyhow::Result<Self> {
        Ok(Bench {
            programs,
            peer: own_program()?,
            scratch: Scratch::temporary().context("cannot make a temporary folder")?,
            workers: selection::workers(None)?,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            gate: Gate::new(),
        })
    }

    /// The case of the quick profile with that id, or one with these parameters.
    pub(super) fn cell(
        &self,
        strategy: &'static str,
        workload: &str,
        case: Result<&str, Value>,
    ) -> anyhow::Result<Cell> {
        let entry = find(workload).context("the self-test names workloads that exist")?;
        let case = match case {
            Ok(id) => entry.cases(Profile::Quick).into_iter().find(|case| case.id == id),
            Err(params) => Some(entry.case(&params)?),
        };
        let case = case.with_context(|| format!("{workload} has no such case"))?;
        let grant = selection::grant(self.workers, None);
        let case = selection::settled(&entry, &case, &grant)?;
        let scratch = self.scratch.path();
        let expected = launch::oracle(&self.peer, workload, &case.params, scratch, self.workers)
            .map_err(|failure| anyhow::anyhow!("{workload}: {}", failure.reason))?;
        Ok(Cell { strategy, entry, case, expected })
    }

    /// Measures all cells once, in random order, again if the gate rejects the round.
    pub(super) fn round(&mut self, cells: &[Cell]) -> anyhow::Result<Observations> {
        let mut order: Vec<_> = (0..cells.len()).collect();
        order.shuffle(&mut self.random);
        for _ in 1..TRIES {
            let round = self.round_in(cells, &order)?;
            if !round.rejected {
                return Ok(round);
            }
        }
        self.round_in(cells, &order)
    }

    /// Measures all cells once in this order, whatever the gate says.
    pub(super) fn round_in(
        &mut self,
        cells: &[Cell],
        order: &[usize],
    ) -> anyhow::Result<Observations> {
        self.gate.before();
        let mut values = vec![f64::NAN; cells.len()];
        for &index in order {
            values[index] = self.observe(&cells[index])?;
        }
        let (_, reason) = self.gate.after(0);
        Ok(Observations { values, rejected: reason.is_some() })
    }

    fn observe(&self, cell: &Cell) -> anyhow::Result<f64> {
        let Cell { strategy, entry, case, expected } = cell;
        let program = self.programs.iter().find(|program| program.strategy == *strategy);
        let program =
            program.with_context(|| format!("the self-test needs strategy {strategy}"))?;
        let variants = &program.description.variants;
        let visit = Visit {
            program: &program.path,
            peer: &self.peer,
            variant: variants.first().map_or("default", String::as_str),
            workload: entry.spec.name,
            kind: entry.kind,
            backend: entry.backend,
            params: &case.params,
            workers: self.workers,
            placement: Placement::Free,
            sampling: selection::sampling(Profile::Quick, case),
            scratch: self.scratch.path(),
            time_limit: Duration::from_secs(60),
            expected: *expected,
        };
        let measured = visit.run();
        anyhow::ensure!(!launch::stopped(), "interrupted");
        let measured = measured.map_err(|failure| {
            let (id, reason) = (&case.id, &failure.reason);
            anyhow::anyhow!("{id} on {strategy}: {}: {reason}", failure.failure)
        })?;
        observation::value(case.metric, case.operations, &measured)
            .with_context(|| format!("{} on {strategy} recorded no value", case.id))
    }

    /// The executable of a strategy.
    pub(super) fn program(&self, strategy: &str) -> anyhow::Result<&Path> {
        let program = self.programs.iter().find(|program| program.strategy == strategy);
        Ok(&program.with_context(|| format!("the self-test needs strategy {strategy}"))?.path)
    }
}
