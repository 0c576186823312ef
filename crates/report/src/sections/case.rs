//! A case: its answer, charts and numbers, and how each entry does it.

use std::collections::BTreeMap;

use analysis::case::{CaseReport, Numbers, Row};
use analysis::shown::Shown;
use analysis::text::By;
use judge::Figure;
use protocol::units::{self, Scale};

use crate::document::{
    self, Block, Cell, Curve, Curves, Dot, Dots, FILES, Group, Kind, Mark, PAGE, Span, TERMINAL,
    TEXT, Table, Text, Tone, list, paragraph,
};
use crate::text::{self, or_dash};

/// Shares of the operations that are named below the curves of latencies.
const NAMED: [f64; 6] = [0.01, 0.5, 0.9, 0.99, 0.999, 0.9999];

pub(super) fn block(case: &CaseReport) -> Block {
    let id = || Text::from(&case.id);
    let rate = case.single_thread.map_or_else(String::new, |rate| {
        format!("; one thread alone: {}", units::throughput(rate.per_second, rate.unit))
    });
    let CaseReport { metric, operations, operation, limit, .. } = case;
    let setting = format!(
        "By {metric}; {operations} operations ({operation}) a run; limit: {limit}{rate}; parameters "
    );
    let setting = Text::from(setting).code(case.params.to_string()).plain(".");
    let mut blocks = vec![
        Block::Only(TEXT, vec![Block::Heading(id(), Some((&case.question).into()))]),
        Block::Only(PAGE, vec![Block::Heading(id(), None)]),
        Block::Paragraph(Text::strong(&case.answer)),
    ];
    blocks.extend(case.cpu_answer.iter().map(|answer| paragraph(format!("By CPU time: {answer}"))));
    blocks.push(Block::Only(FILES, vec![Block::Meta(setting)]));
    let brief = Block::Meta(format!("by {metric}, limit: {limit}{rate}").into());
    blocks.push(Block::Only(TERMINAL, vec![brief]));
    let measured: Vec<_> =
        case.rows.iter().filter_map(|row| Some((row, row.numbers.as_ref()?))).collect();
    if !measured.is_empty() {
        blocks.push(Block::Only(TERMINAL, vec![brief_table(case, &measured)]));
        blocks.extend(limit_chart(case, &measured));
        blocks.push(observations_chart(case, &measured));
        blocks.extend(latency_chart(case, &measured));
        blocks.push(Block::Only(FILES, vec![numbers_table(case, &measured)]));
        let latencies = latency_table(case, &measured)
            .map(|table| Block::Details("Latencies as a table".to_owned(), vec![table]));
        let observations = vec![observations_table(case, &measured)];
        let observations = Block::Details("Observations as a table".to_owned(), observations);
        blocks.push(Block::Only(PAGE, latencies.into_iter().chain([observations]).collect()));
    }
    blocks.push(Block::Only(TERMINAL, vec![list(case.rows.iter().filter_map(remarkable))]));
    let forms = case.rows.iter().map(form);
    let twins = case.twins.iter().map(|twin| text::twin(twin).into());
    let rejected = match case.rejected_rounds {
        0 => String::new(),
        rejected => format!(", {rejected} more do not count (noise, or an interruption)"),
    };
    let rounds = format!("{}{rejected}", text::rounds(case.rounds));
    let forms = list(forms.chain(twins).chain([rounds.into()]));
    let title = "How each does it, and why some have no number".to_owned();
    blocks.push(Block::Only(FILES, vec![Block::Details(title, vec![forms])]));
    blocks.push(Block::Notes(case.notes.iter().map(Text::from).collect()));
    Block::Group(Group::Case(case.id.clone()), blocks)
}

/// An entry and its numbers.
type Measured<'a> = (&'a Row, &'a Numbers);

/// Why an entry has no numbers.
fn absence(row: &Row) -> Option<Text> {
    let name = text::name(row);
    if let Some(failure) = &row.failure {
        let what = format!("{name}: {}", failure.kind);
        return Some(
            Text::lead(Tone::of(row, By::Metric), what).plain(format!(": {}", failure.reason)),
        );
    }
    let why = row.missing.as_ref()?;
    Some(Text::strong(format!("{name}: not measured")).plain(format!(": {why}")))
}

/// What is said of an entry where there is little room.
fn remarkable(row: &Row) -> Option<Text> {
    let prediction = || text::prediction(row.numbers.as_ref()?);
    absence(row).or_else(|| Some(format!("{}: {}", row.entry, prediction()?).into()))
}

/// How an entry does it, with what was predicted and noticed.
fn form(row: &Row) -> Text {
    absence(row).unwrap_or_else(|| {
        let form = row.form.as_deref().unwrap_or("no number");
        let mut text = Text::strong(text::name(row)).plain(format!(": {form}"));
        let link = row.link.as_ref().filter(|link| text::is_web_address(link));
        if let Some(link) = link.filter(|_| row.form.is_some()) {
            text = text.plain(" (");
            text.0.push(Span::Link("documentation", link.clone()));
            text = text.plain(")");
        }
        let remarks = row.numbers.as_ref().map(text::remarks).unwrap_or_default();
        remarks.iter().fold(text, |text, remark| text.plain(format!("; {remark}")))
    })
}

/// How much of what the machine allows is reached.
fn limit_chart(case: &CaseReport, rows: &[Measured<'_>]) -> Option<Block> {
    let rows: Vec<_> =
        rows.iter().filter_map(|(row, numbers)| Some(Dot::of(row, numbers.limit_share?))).collect();
    let any = !rows.is_empty();
    let chart = Dots {
        caption: format!("{}: how much of the limit is reached, with its interval", case.id),
        scale: Scale::Share,
        logarithmic: false,
        rows,
        limit: Some((1.0, "limit")),
    };
    any.then_some(Block::Figure(document::Figure::Dots(chart)))
}

/// Every process's own value.
fn observations_chart(case: &CaseReport, rows: &[Measured<'_>]) -> Block {
    let scaled = |value: f64| text::scaled(case.metric, Figure::without_interval(value));
    let dot = |(row, numbers): &Measured<'_>| Dot {
        observations: numbers.observations.iter().map(|v| scaled(*v).1.estimate).collect(),
        ..Dot::of(row, text::scaled(case.metric, numbers.value).1)
    };
    let (id, metric) = (&case.id, case.metric);
    Block::Figure(document::Figure::Dots(Dots {
        caption: format!("{id}: {metric}, every process (ticks), their median and its interval"),
        scale: scaled(1.0).0,
        logarithmic: false,
        rows: rows.iter().map(dot).collect(),
        limit: None,
    }))
}

/// Where a share lies, so that 90 %, 99 % and 99.9 % are equally far apart.
fn nines(share: f64) -> f64 {
    -(1.0 - share).log10()
}

fn share_name(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

fn latency_chart(case: &CaseReport, rows: &[Measured<'_>]) -> Option<Block> {
    let rows: Vec<_> = rows.iter().filter(|(_, numbers)| !numbers.latencies.is_empty()).collect();
    let points = rows.iter().flat_map(|(_, numbers)| &numbers.latencies);
    let most = points.map(|point| nines(point.share)).fold(0.0, f64::max);
    let at = |share: f64| 0.02 + 0.96 * nines(share) / most.max(0.1);
    let curve = |(row, numbers): &&Measured<'_>| Curve {
        mark: Mark::of(row),
        points: numbers.latencies.iter().map(|point| (at(point.share), point.ns)).collect(),
    };
    let named = NAMED.into_iter().filter(|share| nines(*share) <= most);
    let chart = Curves {
        caption: format!("{}: latency of single operations", case.id),
        scale: Scale::Duration,
        across: "share of the operations that did not take longer".to_owned(),
        names: named.map(|share| (at(share), share_name(share))).collect(),
        lines: rows.iter().map(curve).collect(),
    };
    (!rows.is_empty()).then_some(Block::Figure(document::Figure::Curves(chart)))
}

fn latency_table(case: &CaseReport, rows: &[Measured<'_>]) -> Option<Block> {
    let points = rows.iter().flat_map(|(_, numbers)| &numbers.latencies);
    let shares: BTreeMap<u64, f64> =
        points.map(|point| (point.share.to_bits(), point.share)).collect();
    let columns = std::iter::once(("entry".to_owned(), Kind::Words))
        .chain(shares.values().map(|share| (share_name(*share), Kind::Number)));
    let rows = rows.iter().filter(|(_, numbers)| !numbers.latencies.is_empty());
    let rows = rows.map(|(row, numbers)| {
        let at = |share: &f64| {
            let point = numbers.latencies.iter().find(|point| point.share == *share);
            or_dash(point, |point| units::duration(point.ns))
        };
        std::iter::once(text::name(row)).chain(shares.values().map(at)).collect()
    });
    let table = Table::new(format!("Latencies of {}", case.id), columns, rows);
    (!shares.is_empty()).then_some(Block::Table(table))
}

fn observations_table(case: &CaseReport, rows: &[Measured<'_>]) -> Block {
    let columns = ["entry", "processes", "each, in the order of the rounds"];
    let columns = columns.into_iter().zip([Kind::Words, Kind::Number, Kind::Words]);
    let shown = |value: &f64| text::shown(case.metric, Figure::without_interval(*value));
    let rows = rows.iter().map(|(row, numbers)| {
        let observations = &numbers.observations;
        let each: Vec<_> = observations.iter().map(shown).collect();
        vec![text::name(row), observations.len().to_string(), each.join(", ")]
    });
    Block::Table(Table::new(format!("Observations of {}", case.id), columns, rows))
}

/// What is most important, in as little room as a narrow terminal has.
fn brief_table(case: &CaseReport, rows: &[Measured<'_>]) -> Block {
    let columns = ["", "value", "ratio", "verdict", "of limit", "CPU/op", "by CPU", "memory"];
    let rows = rows.iter().map(|(row, numbers)| -> Vec<Cell> {
        let toned = |text: String, by| Cell { tone: Tone::of(row, by), ..text.into() };
        vec![
            text::name(row).into(),
            text::shown(case.metric, numbers.value).into(),
            text::ratio(case, row, By::Metric).into(),
            toned(text::short_verdict(row), By::Metric),
            or_dash(numbers.limit_share, |share| share.shown(Scale::Share)).into(),
            or_dash(numbers.cpu_ns_per_operation, |ns| ns.shown(Scale::Duration)).into(),
            toned(text::matrix_cell(case, &row.entry, By::CpuTime), By::CpuTime),
            or_dash(numbers.peak_memory_bytes, |size| size.shown(Scale::Bytes)).into(),
        ]
    });
    Block::Table(Table::new(&case.id, columns.map(|name| (name, Kind::Verdict)), rows))
}

fn numbers_table(case: &CaseReport, rows: &[Measured<'_>]) -> Block {
    let columns = [
        "entry",
        "value",
        "ratio",
        "verdict",
        "of limit",
        "wall",
        "per second",
        "CPU/op",
        "by CPU",
        "user",
        "system",
        "switches/op",
        "memory",
        "threads",
        "workers",
    ];
    let rows = rows.iter().map(|(row, numbers)| {
        let figure = |figure: Option<Figure>, text: String| Cell {
            sort: figure.map(|figure| figure.estimate),
            ..text.into()
        };
        let scaled = |value: Option<Figure>, scale| {
            figure(value, or_dash(value, |value| value.shown(scale)))
        };
        let duration = |ns: Option<f64>| Cell { sort: ns, ..or_dash(ns, units::duration).into() };
        let count = |count: Option<u64>| Cell {
            sort: count.map(|count| count as f64),
            ..or_dash(count, |count| count.to_string()).into()
        };
        let value = text::shown_with_interval(case.metric, numbers.value);
        vec![
            text::name(row).into(),
            figure(Some(numbers.value), value),
            figure(numbers.ratio, text::ratio(case, row, By::Metric)),
            text::verdict(row).into(),
            figure(numbers.limit_share, text::share(numbers.limit_share)),
            scaled(Some(numbers.wall_ns), Scale::Duration),
            scaled(Some(numbers.operations_per_second), Scale::PerSecond),
            scaled(numbers.cpu_ns_per_operation, Scale::Duration),
            figure(numbers.cpu_ratio, text::ratio(case, row, By::CpuTime)),
            duration(numbers.user_ns),
            duration(numbers.system_ns),
            scaled(numbers.switches_per_operation, Scale::Count),
            scaled(numbers.peak_memory_bytes, Scale::Bytes),
            count(numbers.peak_threads),
            count(numbers.worker_threads),
        ]
    });
    let columns = columns.map(|name| (name, Kind::Number));
    Block::Table(Table::new(format!("Numbers of {}", case.id), columns, rows))
}
