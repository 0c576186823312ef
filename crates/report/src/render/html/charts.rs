//! Charts as SVG. Lengths along the axis are percentages, so that a chart is as wide as its page and its
//! text stays as large as it is; each says in words what it shows.

use record::models;
use std::fmt::Write;

use maud::{Markup, html};
use protocol::units::{self, Scale};

use crate::document::{Curve, Curves, Dot, Dots, Mark};
use crate::render::html::axis::Axis;
use judge::Figure;
use protocol::clean;

/// Height of a line of a chart of dots.
const ROW: usize = 24;
/// Height of a chart of curves, without the names below.
const CURVES: usize = 220;
/// Room for the axis.
const BELOW: usize = 28;
/// Characters of a name beside a chart; the table has it in full.
const NAME: usize = 20;

/// The strategy in whose colour and mark an entry is drawn.
fn strategy(entry: &str) -> &'static str {
    let strategy = entry.split('/').next().unwrap_or(entry);
    models::find(strategy).map_or("other", |model| model.name)
}

/// The class of what is drawn of an entry, hollow where it is not the strategy's fair form.
pub(super) fn class(mark: &Mark) -> String {
    // The floor has several variants.
    let variant = mark.entry.split_once('/').map(|(_, variant)| variant);
    let hollow = mark.hollow || matches!(variant, Some("misuse" | "sequential"));
    format!("s-{}{}", strategy(&mark.entry), if hollow { " hollow" } else { "" })
}

fn symbol(mark: &Mark) -> String {
    format!("#mark-{}", strategy(&mark.entry))
}

/// The marks that all charts of a page use.
pub(super) fn marks() -> Markup {
    let marks = models::MODELS.iter().map(|model| (model.name, model.mark));
    let marks = marks.chain([("other", "M0 5.5L5.5 -4.5H-5.5z")]);
    html! {
        svg.defs width="0" height="0" aria-hidden="true" {
            defs { @for (strategy, path) in marks { path id={ "mark-" (strategy) } d=(path) {} } }
        }
    }
}

/// Typical values with their intervals, observations, predictions, and the limit.
pub(super) fn dots(of: &Dots) -> Markup {
    let values = of.rows.iter().flat_map(extent).chain(of.limit.map(|(value, _)| value));
    let axis = if of.logarithmic { Axis::logarithmic(values) } else { Axis::around(values) };
    let Some(axis) = axis.filter(|_| !of.rows.is_empty()) else { return html! {} };
    let axis = axis.of(of.scale);
    let Dots { rows, limit, .. } = of;
    let (caption, shown) = (clean(&of.caption), |value| shown(of.scale, value));
    let plot = rows.len() * ROW;
    let in_words: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", clean(&row.name), in_words(row.value, &shown)))
        .collect();
    let limit_in_words = limit.map(|(value, name)| format!("{name} {}; ", shown(value)));
    html! {
        figure {
            figcaption { (caption) }
            svg.chart.dots role="img" height=(plot + BELOW) {
                title { (caption) }
                desc { (limit_in_words.unwrap_or_default()) (in_words.join("; ")) }
                (grid(axis, &shown, plot))
                @if let &Some((value, name)) = limit {
                    line.limit x1=(percent(axis.at(value))) x2=(percent(axis.at(value)))
                        y1="0" y2=(plot) { title { (name) " " (shown(value)) } }
                }
                @for (index, row) in rows.iter().enumerate() {
                    (dot(axis, &shown, row, index * ROW + ROW / 2))
                }
            }
        }
    }
}

/// What has to be on the axis: of an interval that stands for itself its ends, unless they say nothing.
fn extent(row: &Dot) -> Vec<f64> {
    let own = row.observations.iter().copied().chain(row.predicted);
    match row.value.interval() {
        Some((low, high))
            if row.observations.is_empty() && row.predicted.is_none() && high < 10.0 * low =>
        {
            vec![low, high]
        }
        _ => own.chain([row.value.estimate]).collect(),
    }
}

fn shown(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Count => format!("{value:.0}"),
        _ => scale.show(value, units::DIGITS),
    }
}

fn in_words(value: Figure, shown: &impl Fn(f64) -> String) -> String {
    match value.interval() {
        Some((low, high)) => {
            format!("{} ({} to {})", shown(value.estimate), shown(low), shown(high))
        }
        None => shown(value.estimate),
    }
}

fn dot(axis: Axis, shown: &impl Fn(f64) -> String, row: &Dot, y: usize) -> Markup {
    html! {
        g class=(class(&row.mark)) {
            title { (clean(&row.name)) ": " (in_words(row.value, shown)) }
            text.name x="-8" y=(y + 4) { (shortened(&row.name)) }
            @if !row.observations.is_empty() {
                svg.ticks y=(y - 7) width="100%" height="14" viewBox="0 0 1000 14"
                    preserveAspectRatio="none" { path d=(ticks(axis, &row.observations)) {} }
            }
            @if let Some((low, high)) = row.value.interval() {
                line.interval x1=(percent(axis.at(low))) x2=(percent(axis.at(high))) y1=(y) y2=(y) {}
            }
            use.mark href=(symbol(&row.mark)) x=(percent(axis.at(row.value.estimate))) y=(y) {}
            @if let Some(value) = row.predicted {
                circle.predicted cx=(percent(axis.at(value))) cy=(y) r="8" {
                    title { "predicted " (shown(value)) }
                }
            }
        }
    }
}

fn ticks(axis: Axis, observations: &[f64]) -> String {
    observations.iter().fold(String::new(), |mut path, value| {
        let _ = write!(path, "M{:.1} 0v14", axis.at(*value) * 1000.0);
        path
    })
}

fn grid(axis: Axis, shown: &impl Fn(f64) -> String, plot: usize) -> Markup {
    html! {
        g.axis {
            @for (index, tick) in axis.ticks().into_iter().enumerate() {
                line x1=(percent(axis.at(tick))) x2=(percent(axis.at(tick))) y1="0" y2=(plot + 4) {}
                text.second[index % 2 == 1] x=(percent(axis.at(tick))) y=(plot + 18) { (trimmed(&shown(tick))) }
            }
        }
    }
}

/// Curves over values whose names stand below.
pub(super) fn curves(of: &Curves) -> Markup {
    let values = || of.lines.iter().flat_map(|curve| curve.points.iter().map(|(_, value)| *value));
    let axis = match of.scale {
        Scale::Share => Some(Axis::of_shares()),
        Scale::Ratio => Axis::around(values().chain([0.0])),
        scale => Axis::logarithmic(values()).map(|axis| axis.of(scale)),
    };
    let Some(axis) = axis else { return html! {} };
    let Curves { across, names, lines: curves, .. } = of;
    let (caption, shown) = (clean(&of.caption), |value| shown(of.scale, value));
    let y = |value: f64| (1.0 - axis.at(value)) * CURVES as f64;
    let in_words = |curve: &Curve| {
        let values: Vec<_> = curve.points.iter().map(|(_, value)| shown(*value)).collect();
        format!("{}: {}", clean(&curve.mark.entry), values.join(", "))
    };
    html! {
        figure {
            figcaption { (caption) }
            svg.chart.curves role="img" height=(CURVES + BELOW + 18) {
                title { (caption) }
                desc { (curves.iter().map(in_words).collect::<Vec<_>>().join("; ")) }
                g.axis {
                    @for tick in axis.ticks() {
                        line x1="0" x2="100%" y1=(whole(y(tick))) y2=(whole(y(tick))) {}
                        text.level x="-8" y=(whole(y(tick) + 4.0)) { (trimmed(&shown(tick))) }
                    }
                    @for (index, (at, name)) in names.iter().enumerate() {
                        line x1=(percent(*at)) x2=(percent(*at)) y1="0" y2=(CURVES + 4) {}
                        text.second[index % 2 == 1] x=(percent(*at)) y=(CURVES + 18) { (name) }
                    }
                    text.across x="50%" y=(CURVES + 38) { (across) }
                }
                @for curve in curves {
                    g class=(class(&curve.mark)) {
                        title { (clean(&curve.mark.entry)) }
                        svg.line width="100%" height=(CURVES) viewBox={ "0 0 1000 " (CURVES) }
                            preserveAspectRatio="none" { path d=(path(&curve.points, &y)) {} }
                        @for (at, value) in &curve.points {
                            use.mark href=(symbol(&curve.mark)) x=(percent(*at)) y=(whole(y(*value))) {}
                        }
                    }
                }
            }
            ul.legend {
                @for curve in curves {
                    li class=(class(&curve.mark)) {
                        svg.swatch width="34" height="14" aria-hidden="true" {
                            svg.line width="34" height="14" viewBox="0 0 34 14" { path d="M0 7H34" {} }
                            use.mark href=(symbol(&curve.mark)) x="17" y="7" {}
                        }
                        span { (clean(&curve.mark.entry)) }
                    }
                }
            }
        }
    }
}

fn path(points: &[(f64, f64)], y: &impl Fn(f64) -> f64) -> String {
    points.iter().enumerate().fold(String::new(), |mut path, (index, (at, value))| {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", at * 1000.0, y(*value));
        path
    })
}

fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

fn whole(y: f64) -> String {
    format!("{y:.0}")
}

/// `1.00 ms` on an axis is 1 ms.
fn trimmed(shown: &str) -> String {
    let end = shown.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(shown.len());
    let (number, unit) = shown.split_at(end);
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    format!("{number}{unit}")
}

fn shortened(name: &str) -> String {
    let name = clean(name);
    if name.chars().count() <= NAME {
        return name;
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: f64, observations: Vec<f64>) -> Dot {
        let value = Figure::of_log(value.ln(), Some(0.1));
        Dot { observations, ..Dot::named(name, value) }
    }

    #[test]
    fn a_chart_of_dots_says_in_words_what_it_shows() {
        let chart = dots(&Dots {
            caption: "Caption".to_owned(),
            scale: Scale::Ratio,
            logarithmic: false,
            rows: vec![row("tokio", 2.0, vec![1.9, 2.1]), row("unheard-of/misuse", 1.0, vec![])],
            limit: Some((1.0, "limit")),
        });
        let chart = chart.into_string();
        assert!(chart.contains("<desc>limit 1.00×; tokio 2.00× (1.81× to 2.21×); "), "{chart}");
        assert!(chart.contains("#mark-tokio") && chart.contains("#mark-other"), "{chart}");
        assert!(chart.contains("s-other hollow"), "{chart}");
        assert_eq!(chart.matches("v14").count(), 2, "a tick for each observation");
    }

    #[test]
    fn names_on_an_axis_are_short() {
        assert_eq!(trimmed("1.00 ms"), "1 ms");
        assert_eq!(trimmed("2.50×"), "2.5×");
        assert_eq!(trimmed("100 %"), "100 %");
        assert_eq!(trimmed("0"), "0");
        assert_eq!(shortened("async-std/with-a-very-long-variant"), "async-std/with-a-ve…");
    }
}
