//! `report.html`: one page that needs nothing else, neither network nor script, to say everything.

use analysis::shown::Shown;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use protocol::units;
use protocol::units::Scale;
use record::models::{self, Model};

mod axis;
mod charts;
mod map;
mod matrix;
mod workload;

use axis::Axis;
use charts::{Dot, Look, dots};
use matrix::matrix;

use crate::decision;
use crate::text;
use analysis::Report;
use analysis::case::CaseReport;
use analysis::text::By;
use analysis::{misuses, wakeups};
use protocol::clean;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Nothing is fetched, whatever a text that got here may say.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// The whole report.
pub(crate) fn render(report: &Report) -> String {
    let names: Vec<_> = report.runs.iter().map(|name| clean(name)).collect();
    let title = format!("Comparison {}", names.join(" + "));
    let sections = [
        ("decision", "The decision", decision_section(report)),
        ("map", "The map", report.map.as_ref().map(map::section).unwrap_or_default()),
        ("answer", "The answer", answer(report)),
        ("suits", "What suits what", suits(report)),
        ("by-cpu", "By CPU time", by_cpu(report)),
        ("wakeups", "What rests on waking up across CPUs", wakeups_section(report)),
        ("endpoints", "Four handlers and a hundred requests", endpoints(report)),
        ("mistakes", "What mistakes cost", mistakes(report)),
        ("workloads", "Workload by workload", workloads(report)),
        ("host", "How it was measured", host(report)),
    ];
    let sections: Vec<_> = sections.into_iter().filter(|(.., body)| !body.0.is_empty()).collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(colours())) }
            }
            body {
                a.skip href="#answer" { "Skip to the answer" }
                (charts::marks())
                header {
                    h1 { (title) }
                    p { (clean(&text::provenance(report))) "." }
                    @for banner in text::banners(report) { p.banner role="note" { (clean(&banner)) } }
                    nav aria-label="Sections" {
                        ul { @for (id, name, _) in &sections { li { a href={ "#" (id) } { (name) } } } }
                    }
                }
                main {
                    @for (id, name, body) in &sections {
                        section id=(id) { h2 { (name) } (body) }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// The colours of the strategies, on light paper and on dark.
fn colours() -> String {
    let variables = |paper: usize| -> String {
        let one = |model: &Model| format!("--{}:{};", model.name, model.colours[paper]);
        models::MODELS.iter().map(one).collect()
    };
    let class = |model: &Model| format!(".s-{0}{{color:var(--{0})}}\n", model.name);
    let classes: String = models::MODELS.iter().map(class).collect();
    let (light, dark) = (variables(0), variables(1));
    format!(":root{{{light}}}\n@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n{classes}")
}

fn answer(report: &Report) -> Markup {
    html! {
        p { "Each cell is the ratio to the leader of its row, by the metric of that workload." }
        (matrix(report, By::Metric, "Workload by strategy"))
        (matrix::legend(report))
        @for why in text::discontinued(report) { p.note { (why) } }
    }
}

fn decision_section(report: &Report) -> Markup {
    let Some(decision) = &report.decision else { return html! {} };
    let (header, rows) = decision::numbers(decision);
    html! {
        p.answer { (clean(&decision.summary)) }
        @if let Some(settles) = &decision.settles { p { "What would settle it: " (clean(settles)) "." } }
        h3 { "What is asked of " (clean(&decision.service)) }
        ul {
            @for sentence in decision::context(report) { li { (clean(&sentence)) } }
            @for driver in &decision.drivers { li { (clean(driver)) } }
        }
        h3 { "Options" }
        (workload::plain_table("Options", &header, rows.into_iter()))
        @if let Some(reason) = decision::no_capacity(decision) {
            p { "No capacity is known: " (clean(reason)) "." }
        }
        ul {
            @for option in &decision.options {
                @if let Some(reason) = &option.excluded {
                    li { strong { (clean(&option.entry)) } " is excluded: " (clean(reason)) }
                }
            }
        }
        h3 { "Consequences" }
        ul { @for consequence in decision::consequences(decision) { li { (consequence) } } }
        h3 { "What would reverse it" }
        ul {
            @for change in &decision.sensitivity { li { (clean(&change.sentence)) } }
            @for reservation in &decision.reservations { li { (clean(reservation)) } }
        }
    }
}

fn suits(report: &Report) -> Markup {
    html! {
        @for suits in &report.suits {
            h3 { (suits.title) " (" (suits.class) ")" }
            ul { @for sentence in &suits.sentences { li { (clean(sentence)) } } }
        }
    }
}

fn by_cpu(report: &Report) -> Markup {
    html! {
        p {
            "Ratio of the CPU time per operation to the smallest of each row, judged like the metric: what "
            "an answer costs, however long it takes."
        }
        (matrix(report, By::CpuTime, "Workload by strategy, by CPU time"))
    }
}

fn wakeups_section(report: &Report) -> Markup {
    html! {
        @if !report.wakeups.is_empty() {
            p { (wakeups::INTRODUCTION) }
            ul { @for finding in &report.wakeups { li { (clean(finding)) } } }
        }
    }
}

/// The experiment that the comparison grew out of: what was predicted beside what came out.
fn endpoints(report: &Report) -> Markup {
    let cases: Vec<_> = report.cases.iter().filter(|case| case.workload == "endpoints").collect();
    let rows = || {
        cases.iter().flat_map(|case| case.rows.iter().map(move |row| (*case, row))).filter_map(
            |(case, row)| {
                let numbers = row.numbers.as_ref()?;
                Some((case, row, numbers, numbers.predicted_ns? as f64))
            },
        )
    };
    let dots_of: Vec<_> = rows()
        .map(|(case, row, numbers, predicted)| Dot {
            name: format!("{} {}", handler(case), row.entry),
            look: Look::of_row(row),
            value: Some(numbers.wall_ns),
            observations: Vec::new(),
            predicted: Some(predicted),
        })
        .collect();
    let values = rows().flat_map(|(.., numbers, predicted)| [numbers.wall_ns.estimate, predicted]);
    let Some(axis) = Axis::logarithmic(values) else { return html! {} };
    let caption = "Time of a hundred requests at once: predicted (ring) and measured (mark)";
    let header = ["handler", "entry", "predicted", "measured", "measured ÷ predicted", "how"]
        .map(str::to_owned);
    let lines = rows().map(|(case, row, numbers, predicted)| {
        let measured = numbers.wall_ns;
        vec![
            handler(case),
            text::name(row),
            units::duration(predicted),
            measured.shown_with_interval(Scale::Duration),
            measured.times(1.0 / predicted).shown(Scale::Ratio),
            row.form.clone().unwrap_or_default(),
        ]
    });
    html! {
        p {
            "A hundred requests arrive at once, and each handler has to wait a fixed time d. Handler a waits "
            "with a blocking call in place, b hands that call to the pool for blocking calls, c awaits a timer, and "
            "d is a plain function in a pool of 40 threads. How many requests wait together decides how long the "
            "hundred take, and that can be predicted: 100·d where one handler blocks the only event loop "
            "(100·d ÷ W with W workers), d where all overlap, ⌈100/40⌉·d in the pool. With d = 1 s these are the "
            "100 s, 1 s, 1 s and 3 s of the well-known experiment."
        }
        (dots(caption, axis, units::duration, &dots_of, None))
        (workload::plain_table("Four handlers: predicted and measured", &header, lines))
    }
}

fn handler(case: &CaseReport) -> String {
    case.id.trim_start_matches("endpoints/").to_owned()
}

fn mistakes(report: &Report) -> Markup {
    let lines = misuses::lines(report);
    let priced: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line, line.ratio?)))
        .map(|(line, ratio)| Dot {
            name: format!("{} {}", line.entry.trim_end_matches("/misuse"), line.case),
            look: Look::of(&line.entry).hollow(),
            value: Some(ratio),
            observations: Vec::new(),
            predicted: None,
        })
        .collect();
    let values = priced.iter().filter_map(|dot| dot.value).map(|ratio| ratio.estimate).chain([1.0]);
    let axis = Axis::logarithmic(values).filter(|_| !priced.is_empty());
    let header = ["entry", "case", "price", "mistake"].map(str::to_owned);
    html! {
        @if !lines.is_empty() {
            p { (misuses::INTRODUCTION) }
            @if let Some(axis) = axis {
                (dots("How many times as much as the fair form", axis, units::ratio, &priced, Some((1.0, "fair form"))))
            }
            (workload::plain_table("What mistakes cost", &header, lines.into_iter().map(|line| {
                vec![line.entry, line.case, line.price, line.form]
            })))
        }
    }
}

fn workloads(report: &Report) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for case in &report.cases {
        if !names.contains(&case.workload.as_str()) {
            names.push(&case.workload);
        }
    }
    let of = |name: &str| -> Vec<_> {
        report.cases.iter().filter(|case| case.workload == name).collect()
    };
    html! {
        nav aria-label="Workloads" {
            ul { @for name in &names { li { a href={ "#" (anchor("workload", name)) } { (clean(name)) } } } }
        }
        @for name in &names { (workload::section(report, &of(name))) }
    }
}

fn host(report: &Report) -> Markup {
    html! {
        p { (report.noise.summary()) "." }
        @if let Some(calibration) = text::calibration(report) { p { (clean(&calibration)) } }
        p { "The same again, as far as the machine allows:" }
        pre tabindex="0" { code { (text::reproduction(report)) } }
        (scroll("Host", html! {
            table.host {
                caption.hidden { "Host" }
                tbody { @for (name, value) in text::host(report) { tr { th scope="row" { (name) } td { (clean(&value)) } } } }
            }
        }))
        @if let Some(sources) = &report.sources {
            h3 { "Code that the workloads of a strategy share" }
            @for (strategy, files) in &sources.strategies {
                details.code {
                    summary { (clean(strategy)) }
                    @for (file, text) in files.iter().filter(|(file, _)| !is_of_a_workload(file)) {
                        (code(&format!("{strategy}: {file}"), text))
                    }
                }
            }
        } @else {
            p { "The code of these programs was not known to the run: they were not built by it." }
        }
    }
}

fn is_of_a_workload(file: &str) -> bool {
    let module = file.trim_end_matches(".rs").replace('_', "-");
    ::workloads::find(&module).is_some()
}

/// A source file behind its name.
fn code(name: &str, text: &str) -> Markup {
    html! {
        details { summary { (clean(name)) } pre tabindex="0" { code { (text.trim_end()) } } }
    }
}

/// What may be wider than a narrow page scrolls by itself.
fn scroll(name: &str, content: Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(name) tabindex="0" { (content) } }
}

/// The id of an element that a link leads to.
fn anchor(kind: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("{kind}-{}", name.chars().map(plain).collect::<String>())
}
