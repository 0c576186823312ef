//! A map as SVG: a field a point, striped in the colours of those that tie.

use maud::{Markup, html};

use crate::document;
use crate::render::html::charts::class;
use analysis::map::chart::{self, Chart, Known, Mark};
use protocol::clean;

/// Height of a row of fields.
const ROW: usize = 26;
/// Room for the names of the columns.
const BELOW: usize = 40;
/// Width of a stripe.
const STRIPE: usize = 7;

/// The drawing, and what its fields mean.
pub(super) fn drawing(chart: &Chart) -> Markup {
    let regions = chart.regions();
    html! {
        (fields(chart, &regions))
        ul.key aria-label="What the fields mean" {
            @for (index, region) in regions.iter().enumerate() {
                li {
                    svg.swatch aria-hidden="true" { rect width="100%" height="100%" fill=(paint(index)) {} }
                    (chart::region(region))
                }
            }
            li { "dot: measured; without: expected, because the points around agree" }
            li { "faint: others may be as good; empty: undecided" }
            li { "—: cannot be measured here" }
        }
    }
}

fn paint(region: usize) -> String {
    format!("url(#region-{region})")
}

fn fields(chart: &Chart, regions: &[(Vec<String>, usize)]) -> Markup {
    let (columns, rows) = (chart.x.values.len(), chart.y.values.len());
    let caption = format!(
        "{}: {} from left to right, {} upwards",
        clean(&chart.service),
        chart.x.quantity.title(),
        chart.y.quantity.title()
    );
    let left = |column: usize| format!("{:.3}%", 100.0 * column as f64 / columns as f64);
    let middle = |column: usize| format!("{:.3}%", 100.0 * (column as f64 + 0.5) / columns as f64);
    let top = |row: usize| (rows - 1 - row) * ROW;
    let width = format!("{:.3}%", 100.0 / columns as f64);
    html! {
        figure.map {
            figcaption { (caption) }
            svg.chart.fields role="img" height=(rows * ROW + BELOW) {
                title { (caption) }
                desc { (chart.effort()) ". " (clean(&chart.crossovers.join(" "))) }
                defs { @for (index, (best, _)) in regions.iter().enumerate() { (pattern(index, best)) } }
                @for mark in &chart.points {
                    @let region = regions.iter().position(|(best, _)| *best == mark.best);
                    svg x=(left(mark.column)) y=(top(mark.row)) width=(width) height=(ROW) {
                        @match (&mark.known, region) {
                            (Known::Beyond(_), _) => { text.beyond x="50%" y="65%" { "—" } },
                            (_, Some(region)) => {
                                rect.field.open[!mark.open.is_empty()] width="100%" height="100%" fill=(paint(region)) {
                                    title { (in_words(chart, mark)) }
                                }
                            },
                            (_, None) => {},
                        }
                        @if mark.known == Known::Measured { circle.measured cx="50%" cy="50%" r="2.5" {} }
                    }
                }
                @for row in 0..rows {
                    text.level x="-6" y=(top(row) + ROW * 2 / 3) { (chart.y.shown()[row]) }
                }
                @for column in 0..columns {
                    text.column.every-other[column % 2 == 1] x=(middle(column)) y=(rows * ROW + 16) { (chart.x.shown()[column]) }
                }
            }
        }
    }
}

/// Stripes in the colours of all that tie.
fn pattern(region: usize, best: &[String]) -> Markup {
    let width = STRIPE * best.len();
    html! {
        pattern id={ "region-" (region) } width=(width) height=(width) patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
            @for (index, entry) in best.iter().enumerate() {
                rect class=(class(&document::Mark::named(entry))) x=(index * STRIPE) y="0" width=(STRIPE) height=(width) fill="currentColor" {}
            }
        }
    }
}

fn in_words(chart: &Chart, mark: &Mark) -> String {
    let (x, y) = (chart.x.in_words(mark.column, mark.column), chart.y.in_words(mark.row, mark.row));
    let best = if mark.best.is_empty() { "undecided".to_owned() } else { chart::names(&mark.best) };
    let expected = if mark.is_expected() { " (expected)" } else { "" };
    format!("{x}, {y}: {best}{expected}")
}
