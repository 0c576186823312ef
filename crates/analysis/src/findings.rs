//! What a run says: every number exact, for what shows it to round.

use protocol::FailureKind;
use serde::Serialize;
use workloads::Profile;

use judge::Design;
use record::{Capacity, Host, ServiceProfile, Sources};

use crate::case::{CaseReport, Row};
use crate::curves::Curves;
use crate::decide::Decision;
use crate::map::chart::Chart;
use crate::noise::NoiseReport;
use crate::suits::Suits;

/// Version of `summary.json`, which changes apart from that of the files of a run.
pub const VERSION: u32 = 5;

/// The whole comparison. Every number is exact: what shows it rounds it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// Version of this document, [`VERSION`].
    pub schema: u32,
    /// Names of the runs; several are sessions of one machine.
    pub runs: Vec<String>,
    /// How much was measured.
    pub profile: Profile,
    /// The most worker threads that a case got.
    pub workers: usize,
    /// When cases were judged.
    pub design: Design,
    /// Milliseconds that measuring might take.
    pub budget_ms: Option<u64>,
    /// The seed of the order of visits.
    pub seed: u64,
    /// How quiet the machine was.
    pub noise: NoiseReport,
    /// Measurements in the journal.
    pub measurements: usize,
    /// Time inside measured windows and their warm-up, as a share of the time of all visits.
    pub measured_share: f64,
    /// The machine and the tools.
    pub host: Host,
    /// Every entry in the order of the plan.
    pub entries: Vec<String>,
    /// Those that take part in the comparison: without the floor and without misuses.
    pub contestants: Vec<String>,
    /// The capacity from which the rates of open loops follow.
    pub capacity: Option<Capacity>,
    /// What was measured.
    pub cases: Vec<CaseReport>,
    /// What becomes of a workload when one parameter changes.
    pub curves: Vec<Curves>,
    /// Which model suits which class of work.
    pub suits: Vec<Suits>,
    /// Findings that rest on the cost of a wake-up across CPUs.
    pub wakeups: Vec<String>,
    /// The service that was described.
    #[serde(skip)]
    pub service: Option<ServiceProfile>,
    /// What was decided about a described service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Where one model takes over from another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<Chart>,
    /// The command that does the (first) run again.
    pub command: String,
    /// The code that was measured, where it is known; it lies in `sources.json`.
    #[serde(skip)]
    pub sources: Option<Sources>,
}

impl Report {
    /// Cells that failed although the model has a form for them; a failed repetition of a cell is one.
    pub fn broken_cells(&self) -> usize {
        let twins: usize = self.cases.iter().map(|case| case.failed_twins).sum();
        let failures = self.rows().filter_map(|(_, row)| row.failure.as_ref());
        failures.filter(|failure| failure.kind != FailureKind::Unsupported).count() + twins
    }

    /// Whether anything was measured.
    pub fn has_numbers(&self) -> bool {
        self.rows().any(|(_, row)| row.numbers.is_some())
    }

    /// Every row with its case, in the order of the cases.
    pub fn rows(&self) -> impl Iterator<Item = (&CaseReport, &Row)> {
        self.cases.iter().flat_map(|case| case.rows.iter().map(move |row| (case, row)))
    }

    /// The entries that take part in the comparison, without the floor and without misuses.
    pub fn contestants(&self) -> impl Iterator<Item = &str> {
        self.contestants.iter().map(String::as_str)
    }
}
