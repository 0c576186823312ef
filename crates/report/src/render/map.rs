//! A map drawn with characters, and what its letters mean.

use analysis::map::chart::{self, Chart, Known, Mark};

/// Columns of a point where there is no room for the names below.
const NARROW: [usize; 2] = [3, 2];

/// The drawing with its axes, on lines of so many columns at most where that is possible.
pub(crate) fn drawing(chart: &Chart, columns: usize) -> Vec<String> {
    let regions = chart.regions();
    let (x, y) = (chart.x.shown(), chart.y.shown());
    let beside = y.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let widest = x.iter().map(|label| label.chars().count()).max().unwrap_or(0) + 2;
    let fits = |width: &usize| beside + 1 + width * x.len() <= columns;
    let named = fits(&widest);
    let width = match named {
        true => widest,
        false => NARROW.into_iter().find(fits).unwrap_or(NARROW[1]),
    };
    let mut lines = Vec::new();
    for (row, label) in y.iter().enumerate().rev() {
        let cells: String = (0..x.len())
            .map(|column| format!("{:>width$}", sign(chart.at(column, row), &regions)))
            .collect();
        lines.push(format!("{label:>beside$} {cells}").trim_end().to_owned());
    }
    if named {
        let labels: String = x.iter().map(|label| format!("{label:>width$}")).collect();
        lines.push(format!("{:beside$} {labels}", ""));
    }
    lines
}

/// The meaning of each letter, and of the other signs that occur.
pub(crate) fn legend(chart: &Chart) -> Vec<String> {
    let regions = chart.regions();
    let mut legend: Vec<_> = regions
        .iter()
        .enumerate()
        .map(|(index, region)| format!("{}: {}", letter(index), chart::region(region)))
        .collect();
    let any = |is: &dyn Fn(&Mark) -> bool| chart.points.iter().any(is);
    if any(&|mark| mark.is_expected()) {
        legend.push(
            "small letters: expected, because the points around agree; not measured".to_owned(),
        );
    }
    if any(&|mark| !mark.best.is_empty() && !mark.open.is_empty()) {
        legend.push("?: others may be as good".to_owned());
    }
    if any(&|mark| is_blank(mark)) {
        legend.push("blank: undecided".to_owned());
    }
    if any(&|mark| mark.known == Known::Unknown) {
        legend.push(". : not measured".to_owned());
    }
    if any(&|mark| matches!(mark.known, Known::Beyond(_))) {
        legend.push("- : cannot be measured here".to_owned());
    }
    legend
}

fn is_blank(mark: &Mark) -> bool {
    mark.best.is_empty() && matches!(mark.known, Known::Measured | Known::Concluded)
}

/// The letters of a set of best ones, and whether others may belong to it.
fn sign(mark: &Mark, regions: &[(Vec<String>, usize)]) -> String {
    let region = regions.iter().position(|(best, _)| *best == mark.best);
    let unsure = if mark.open.is_empty() { " " } else { "?" };
    match (&mark.known, region) {
        (Known::Beyond(_), _) => "- ".to_owned(),
        (Known::Unknown, _) => ". ".to_owned(),
        (_, Some(region)) if mark.is_expected() => {
            format!("{}{unsure}", letter(region).to_ascii_lowercase())
        }
        (_, Some(region)) => format!("{}{unsure}", letter(region)),
        (_, None) => "  ".to_owned(),
    }
}

fn letter(region: usize) -> char {
    char::from(b'A' + region.min(25) as u8)
}
