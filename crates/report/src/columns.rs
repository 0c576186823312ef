//! What a table says of an entry: names, units and digits of all formats that have such a table.

use analysis::shown::Shown;
use protocol::units;
use protocol::units::Scale;

use crate::text;
use analysis::case::{CaseReport, Row};
use analysis::text::By;

/// A cell, and what it is sorted by.
pub(crate) struct Cell {
    pub name: &'static str,
    pub text: String,
    pub number: Option<f64>,
}

/// The cells of an entry; `None` where it has no numbers.
pub(crate) fn cells(case: &CaseReport, row: &Row) -> Option<Vec<Cell>> {
    let numbers = row.numbers.as_ref()?;
    let mut cells = Vec::new();
    let mut cell =
        |name, number: Option<f64>, text: String| cells.push(Cell { name, text, number });
    let figure = |figure: Option<judge::Figure>| figure.map(|figure| figure.estimate);
    cell("entry", None, text::name(row));
    cell(
        "value",
        Some(numbers.value.estimate),
        text::shown_with_interval(case.metric, numbers.value),
    );
    cell("ratio", figure(numbers.ratio), text::ratio(case, row, By::Metric));
    cell("verdict", None, text::verdict(row));
    cell("of limit", figure(numbers.limit_share), text::share(numbers.limit_share));
    cell("wall", Some(numbers.wall_ns.estimate), numbers.wall_ns.shown(Scale::Duration));
    cell(
        "per second",
        Some(numbers.operations_per_second.estimate),
        numbers.operations_per_second.shown(Scale::PerSecond),
    );
    cell(
        "CPU/op",
        figure(numbers.cpu_ns_per_operation),
        text::or_dash(numbers.cpu_ns_per_operation, |ns| ns.shown(Scale::Duration)),
    );
    cell("by CPU", figure(numbers.cpu_ratio), text::ratio(case, row, By::CpuTime));
    cell("user", numbers.user_ns, text::or_dash(numbers.user_ns, units::duration));
    cell("system", numbers.system_ns, text::or_dash(numbers.system_ns, units::duration));
    cell(
        "switches/op",
        figure(numbers.switches_per_operation),
        text::or_dash(numbers.switches_per_operation, |count| count.shown(Scale::Count)),
    );
    let memory = numbers.peak_memory_bytes;
    cell("memory", figure(memory), text::or_dash(memory, |size| size.shown(Scale::Bytes)));
    for (name, threads) in [("threads", numbers.peak_threads), ("workers", numbers.worker_threads)]
    {
        cell(name, threads.map(|n| n as f64), text::or_dash(threads, |n: u64| n.to_string()));
    }
    Some(cells)
}
