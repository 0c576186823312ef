//! Which points of a map to measure: a coarse lattice first, then points between those that contradict each
//! other.
//!
//! From level to level the lattice gets twice as fine. A new point lies between two known ones on an edge, or
//! in the middle of four; where some of the four are out of reach, between two known ones on a diagonal. Where
//! all of these agree it is expected to agree too, and is not measured; where an entry is among the best at one of them and beaten at
//! another, a border passes, and that entry is measured there, beside two that are among the best all around.

use record::map::Map;

/// How an entry stands at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Among the best, beyond doubt.
    In,
    /// Slower or failed, beyond doubt.
    Out,
    /// Not known.
    Open,
}

/// The points of a map; places are (column, row).
#[derive(Debug)]
pub struct Grid {
    columns: usize,
    rows: usize,
    reachable: Vec<bool>,
}

/// What is known of a point by measuring: the standing of each entry that was measured there.
pub type Measured<'a> = dyn Fn((usize, usize)) -> Option<Vec<Option<Standing>>> + 'a;

/// A point to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Column and row.
    pub place: (usize, usize),
    /// Who is measured there; `None` for everybody.
    pub entries: Option<Vec<usize>>,
}

/// Points of the first lattice lie at most so far apart.
const WIDEST: usize = 4;
/// How many that are among the best all around are measured beside those of which it is not clear.
const ANCHORS: usize = 2;

/// How an entry stands at a point by those around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Agreed(Standing),
    /// It is among the best at one of them and beaten at another.
    Contested,
}

/// What is known of all points so far.
struct Survey<'a> {
    grid: &'a Grid,
    measured: &'a Measured<'a>,
    /// Measured or concluded, by place.
    known: Vec<Option<Vec<Standing>>>,
    wanted: Vec<Wanted>,
}

impl Grid {
    /// A grid of so many columns and rows, of which some can be reached.
    pub fn new(columns: usize, rows: usize, reachable: impl Fn((usize, usize)) -> bool) -> Self {
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        Grid { columns, rows, reachable: places.map(reachable).collect() }
    }

    fn index(&self, (column, row): (usize, usize)) -> usize {
        row * self.columns + column
    }

    fn is_reachable(&self, place: (usize, usize)) -> bool {
        self.reachable[self.index(place)]
    }

    /// The places that can be measured.
    pub fn reachable(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let places =
            (0..self.rows).flat_map(|row| (0..self.columns).map(move |column| (column, row)));
        places.filter(|place| self.is_reachable(*place))
    }

    /// The points to measure as far as is known now, those of the coarse lattice first.
    pub fn wanted(&self, measured: &Measured<'_>) -> Vec<Wanted> {
        self.survey(measured).wanted
    }

    /// What is known of every point, row by row: measured, or concluded from points around it.
    pub fn conclusions(&self, measured: &Measured<'_>) -> Vec<Option<Vec<Standing>>> {
        self.survey(measured).known
    }

    fn survey<'a>(&'a self, measured: &'a Measured<'a>) -> Survey<'a> {
        let known = vec![None; self.reachable.len()];
        let mut survey = Survey { grid: self, measured, known, wanted: Vec::new() };
        let (mut columns, mut rows) = (lattice(self.columns), lattice(self.rows));
        for &row in &rows {
            columns.iter().for_each(|&column| survey.measure((column, row)));
        }
        loop {
            let (finer_columns, finer_rows) = (halved(&columns), halved(&rows));
            if (finer_columns.len(), finer_rows.len()) == (columns.len(), rows.len()) {
                return survey;
            }
            for &row in &rows {
                for (left, middle, right) in &finer_columns.new {
                    survey.between((*middle, row), &[&[[(*left, row), (*right, row)]]]);
                }
            }
            for &column in &columns {
                for (low, middle, high) in &finer_rows.new {
                    survey.between((column, *middle), &[&[[(column, *low), (column, *high)]]]);
                }
            }
            for (left, column, right) in &finer_columns.new {
                for (low, row, high) in &finer_rows.new {
                    let cross =
                        [[(*left, *row), (*right, *row)], [(*column, *low), (*column, *high)]];
                    let diagonals =
                        [[(*left, *low), (*right, *high)], [(*left, *high), (*right, *low)]];
                    survey.between((*column, *row), &[&cross, &diagonals]);
                }
            }
            (columns, rows) = (finer_columns.all, finer_rows.all);
        }
    }
}

impl Survey<'_> {
    /// Wants everybody to be measured at a point, and takes what was.
    fn measure(&mut self, place: (usize, usize)) {
        if self.grid.is_reachable(place) {
            self.wanted.push(Wanted { place, entries: None });
            self.take(place, &[]);
        }
    }

    /// Takes what was measured at a point, beside what was seen of it from around.
    fn take(&mut self, place: (usize, usize), views: &[View]) {
        let Some(own) = (self.measured)(place) else { return };
        // Where one that led all around is beaten, who else led there may be too.
        let leads = |entry: usize| views.get(entry) == Some(&View::Agreed(Standing::In));
        let is_beaten =
            |(entry, own): (usize, &Option<_>)| leads(entry) && *own == Some(Standing::Out);
        let beaten = own.iter().enumerate().any(is_beaten);
        let seen = |entry: usize| match views.get(entry) {
            Some(View::Agreed(Standing::In)) if beaten => Standing::Open,
            Some(View::Agreed(standing)) => *standing,
            Some(View::Contested) | None => Standing::Open,
        };
        let merged = own.iter().enumerate().map(|(entry, own)| own.unwrap_or(seen(entry)));
        self.known[self.grid.index(place)] = Some(merged.collect());
    }

    /// Concludes a point from those between which it lies if they agree. One that has been measured all the
    /// same stays as it was measured. Pairs opposite each other are given in the order of preference; one of
    /// which a point is out of reach does not count.
    fn between(&mut self, place: (usize, usize), pairs: &[&[[(usize, usize); 2]]]) {
        if !self.grid.is_reachable(place) {
            return;
        }
        let within_reach = |pairs: &&[[(usize, usize); 2]]| -> Vec<usize> {
            let whole = pairs.iter().filter(|pair| pair.iter().all(|p| self.grid.is_reachable(*p)));
            whole.flatten().map(|place| self.grid.index(*place)).collect()
        };
        let neighbours = pairs.iter().map(within_reach).find(|neighbours| !neighbours.is_empty());
        // Beside what is out of reach nothing can be concluded.
        let Some(neighbours) = neighbours else { return self.measure(place) };
        let known: Vec<_> = neighbours.iter().filter_map(|i| self.known[*i].as_ref()).collect();
        if known.len() < neighbours.len() {
            return self.take(place, &[]);
        }
        let views = views(&known);
        let agreed = |view: &View| match view {
            View::Agreed(standing) => Some(*standing),
            View::Contested => None,
        };
        match views.iter().map(agreed).collect::<Option<Vec<_>>>() {
            Some(agreed) => self.known[self.grid.index(place)] = Some(agreed),
            None => self.wanted.push(Wanted { place, entries: participants(&views) }),
        }
        // What has been measured all the same stays as it was measured.
        self.take(place, &views);
    }
}

/// Those of which it is not clear, and some that lead; everybody where nobody leads all around.
fn participants(views: &[View]) -> Option<Vec<usize>> {
    let with = |wanted: View| (0..views.len()).filter(move |&entry| views[entry] == wanted);
    let anchors: Vec<_> = with(View::Agreed(Standing::In)).take(ANCHORS).collect();
    let mut entries: Vec<_> = with(View::Contested).chain(anchors.iter().copied()).collect();
    entries.sort_unstable();
    (!anchors.is_empty()).then_some(entries)
}

/// How entries stand between points.
fn views(points: &[&Vec<Standing>]) -> Vec<View> {
    let entries = points.iter().map(|point| point.len()).max().unwrap_or(0);
    let of_entry = |entry: usize| {
        let count = |standing| points.iter().filter(|point| point[entry] == standing).count();
        match (count(Standing::In), count(Standing::Out)) {
            (inside, 0) if inside == points.len() => View::Agreed(Standing::In),
            (0, out) if out == points.len() => View::Agreed(Standing::Out),
            // Where one of them does not know, neither does what lies between.
            (0, _) | (_, 0) => View::Agreed(Standing::Open),
            _ => View::Contested,
        }
    };
    (0..entries).map(of_entry).collect()
}

/// Indices of a coarse lattice over so many points, about equally far apart.
fn lattice(points: usize) -> Vec<usize> {
    let length = points - 1;
    let parts = length.div_ceil(WIDEST).max(1);
    let mut indices: Vec<_> = (0..=parts).map(|part| length * part / parts).collect();
    indices.dedup();
    indices
}

/// A lattice with a point more in each gap that has room for one.
struct Halved {
    all: Vec<usize>,
    /// The new ones, each between its neighbours.
    new: Vec<(usize, usize, usize)>,
}

impl Halved {
    fn len(&self) -> usize {
        self.all.len()
    }
}

fn halved(indices: &[usize]) -> Halved {
    let gaps = indices.windows(2).map(|pair| (pair[0], pair[1]));
    let new: Vec<_> = gaps
        .filter(|(low, high)| high - low > 1)
        .map(|(low, high)| (low, low + (high - low) / 2, high))
        .collect();
    let mut all: Vec<_> =
        indices.iter().copied().chain(new.iter().map(|(_, middle, _)| *middle)).collect();
    all.sort_unstable();
    Halved { all, new }
}

/// The points of a map that can be measured here.
pub fn grid(map: &Map) -> Grid {
    let is_beyond = |(column, row): (usize, usize)| {
        map.beyond.iter().any(|beyond| (beyond.column, beyond.row) == (column, row))
    };
    Grid::new(map.x.values.len(), map.y.values.len(), |place| !is_beyond(place))
}

/// The ids of the cases to measure as far as is known now, and who is measured there: `None` for everybody.
pub fn wanted(
    map: &Map,
    measured: impl Fn(&str) -> Option<Vec<Option<Standing>>>,
) -> Vec<(String, Option<Vec<usize>>)> {
    let grid = grid(map);
    if map.full {
        return grid.reachable().map(|place| (map.case_id(place), None)).collect();
    }
    let wanted = grid.wanted(&|place| measured(&map.case_id(place)));
    wanted.into_iter().map(|wanted| (map.case_id(wanted.place), wanted.entries)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::map::refine::Standing::{In, Open, Out};

    type Points = HashMap<(usize, usize), Vec<Option<Standing>>>;

    /// Measures what is wanted until nothing more is.
    fn refine(grid: &Grid, truth: impl Fn((usize, usize)) -> Vec<Standing>) -> Points {
        let mut points = Points::new();
        loop {
            let wanted = grid.wanted(&|place| points.get(&place).cloned());
            let next = wanted.into_iter().find(|wanted| !points.contains_key(&wanted.place));
            let Some(Wanted { place, entries }) = next else { return points };
            let is_wanted = |entry| entries.as_ref().is_none_or(|e| e.contains(&entry));
            let own = truth(place).into_iter().enumerate();
            let own = own.map(|(entry, standing)| is_wanted(entry).then_some(standing));
            points.insert(place, own.collect());
        }
    }

    /// The first entry is best below a diagonal, the second above another, the third beyond a column.
    fn truth((column, row): (usize, usize)) -> Vec<Standing> {
        let is = |inside: bool| if inside { In } else { Out };
        vec![is(column + row < 11), is(column + 2 * row >= 18), is(column >= 14)]
    }

    fn conclusion(grid: &Grid, points: &Points, place: (usize, usize)) -> Option<Vec<Standing>> {
        let known = |place| points.get(&place).cloned();
        grid.conclusions(&known)[grid.index(place)].clone()
    }

    #[test]
    fn points_lie_along_borders_and_the_rest_is_concluded_rightly() {
        let grid = Grid::new(21, 17, |_| true);
        let points = refine(&grid, truth);
        assert!(points.len() <= 21 * 17 * 4 / 10, "{} points were measured", points.len());
        let (mut right, mut decided) = (0, 0);
        for place in grid.reachable().filter(|place| !points.contains_key(place)) {
            let concluded = conclusion(&grid, &points, place).unwrap();
            if !concluded.contains(&Open) {
                decided += 1;
                right += usize::from(concluded == truth(place));
            }
        }
        assert!(decided > 150 && right == decided, "{right} of {decided} are right");
    }

    #[test]
    fn at_a_border_those_in_question_are_measured_beside_two_that_lead_all_around() {
        let grid = Grid::new(5, 2, |_| true);
        let truth = |(column, _)| vec![In, Out, In, if column < 3 { In } else { Out }, In];
        let points = refine(&grid, truth);
        assert_eq!(points[&(2, 0)], [Some(In), None, Some(In), Some(In), None]);
        assert_eq!(points[&(4, 0)], [In, Out, In, Out, In].map(Some));
        assert_eq!(conclusion(&grid, &points, (2, 0)), Some(truth((2, 0))));
    }

    #[test]
    fn where_one_that_led_all_around_is_beaten_nothing_is_said_of_who_led_with_it() {
        let grid = Grid::new(3, 2, |_| true);
        let truth = |(column, _)| match column {
            0 => vec![In, In, In, Out],
            1 => vec![Out, Out, Out, In],
            _ => vec![In, In, In, In],
        };
        let points = refine(&grid, truth);
        assert_eq!(points[&(1, 0)], [Some(Out), Some(Out), None, Some(In)]);
        assert_eq!(conclusion(&grid, &points, (1, 0)), Some(vec![Out, Out, Open, In]));
    }

    #[test]
    fn where_all_agree_only_the_coarse_lattice_is_measured() {
        let grid = Grid::new(9, 13, |_| true);
        let points = refine(&grid, |_| vec![In, Out]);
        assert_eq!(points.len(), 3 * 4);
        assert_eq!(conclusion(&grid, &points, (3, 5)), Some(vec![In, Out]));
    }

    #[test]
    fn what_is_open_makes_no_border_and_stays_open_between() {
        let grid = Grid::new(5, 5, |_| true);
        let points = refine(&grid, |(column, _)| vec![In, if column == 0 { Open } else { Out }]);
        assert_eq!(points.len(), 4);
        assert_eq!(conclusion(&grid, &points, (2, 2)), Some(vec![In, Open]));
        assert_eq!(conclusion(&grid, &points, (4, 2)), Some(vec![In, Out]));
    }

    #[test]
    fn beside_what_is_out_of_reach_points_are_measured_until_all_are_known() {
        let reach = |(column, row): (usize, usize)| column + row <= 8;
        let grid = Grid::new(9, 9, reach);
        let points = refine(&grid, |_| vec![In]);
        assert!(points.keys().all(|place| reach(*place)));
        for place in grid.reachable().filter(|place| !points.contains_key(place)) {
            assert_eq!(conclusion(&grid, &points, place), Some(vec![In]), "{place:?}");
        }
    }

    #[test]
    fn along_the_edge_of_what_is_out_of_reach_points_follow_from_those_between_which_they_lie() {
        let reach = |(column, row): (usize, usize)| column + row <= 8;
        let grid = Grid::new(9, 9, reach);
        let truth = |(column, _)| vec![In, if column <= 4 { In } else { Out }];
        let points = refine(&grid, truth);
        // The coarse lattice, and where the border meets the edge.
        assert!(points.contains_key(&(6, 2)) && points.contains_key(&(5, 3)));
        assert!(!points.contains_key(&(7, 1)) && !points.contains_key(&(2, 6)));
        for place in [(7, 1), (2, 6), (1, 7), (3, 5)] {
            assert_eq!(conclusion(&grid, &points, place), Some(truth(place)), "{place:?}");
        }
    }

    #[test]
    fn an_axis_of_two_points_and_one_of_three_are_measured_too() {
        for (columns, rows) in [(2, 2), (3, 2), (2, 9)] {
            let grid = Grid::new(columns, rows, |_| true);
            let points = refine(&grid, |(column, _)| vec![if column == 0 { In } else { Out }]);
            for place in grid.reachable() {
                let expected = vec![if place.0 == 0 { In } else { Out }];
                assert_eq!(conclusion(&grid, &points, place), Some(expected), "{place:?}");
            }
        }
    }
}
