//! Which points of a map to measure: a coarse lattice first, then points between those that contradict each
//! other.
//!
//! From level to level the lattice gets twice as fine. A new point lies between two known ones on an edge, or
//! in the middle of four. Where these agree, so does it, and it is not measured; where an entry is among the
//! best at one of them and beaten at another, a border passes, and it is.

/// How an entry stands at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Among the best, beyond doubt.
    In,
    /// Slower or failed, beyond doubt.
    Out,
    /// Not known.
    Open,
}

/// The points of a map; places are (column, row).
#[derive(Debug)]
pub(crate) struct Grid {
    columns: usize,
    rows: usize,
    reachable: Vec<bool>,
}

/// What is known of a point: the standing of each entry.
pub(crate) type Known<'a> = dyn Fn((usize, usize)) -> Option<Vec<Standing>> + 'a;

/// Points of the first lattice lie at most so far apart.
const WIDEST: usize = 4;

/// What is known of all points so far.
struct Survey<'a> {
    grid: &'a Grid,
    measured: &'a Known<'a>,
    /// Measured or concluded, by place.
    known: Vec<Option<Vec<Standing>>>,
    wanted: Vec<(usize, usize)>,
}

impl Grid {
    pub(crate) fn new(
        columns: usize,
        rows: usize,
        reachable: impl Fn((usize, usize)) -> bool,
    ) -> Self {
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        Grid { columns, rows, reachable: places.map(reachable).collect() }
    }

    fn index(&self, (column, row): (usize, usize)) -> usize {
        row * self.columns + column
    }

    fn is_reachable(&self, place: (usize, usize)) -> bool {
        self.reachable[self.index(place)]
    }

    pub(crate) fn reachable(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let places =
            (0..self.rows).flat_map(|row| (0..self.columns).map(move |column| (column, row)));
        places.filter(|place| self.is_reachable(*place))
    }

    /// The points to measure as far as is known now, those of the coarse lattice first.
    pub(crate) fn wanted(&self, measured: &Known<'_>) -> Vec<(usize, usize)> {
        self.survey(measured).wanted
    }

    /// What is known of every point, row by row: measured, or concluded from points around it.
    pub(crate) fn conclusions(&self, measured: &Known<'_>) -> Vec<Option<Vec<Standing>>> {
        self.survey(measured).known
    }

    fn survey<'a>(&'a self, measured: &'a Known<'a>) -> Survey<'a> {
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
                    survey.between((*middle, row), &[(*left, row), (*right, row)]);
                }
            }
            for &column in &columns {
                for (low, middle, high) in &finer_rows.new {
                    survey.between((column, *middle), &[(column, *low), (column, *high)]);
                }
            }
            for (left, column, right) in &finer_columns.new {
                for (low, row, high) in &finer_rows.new {
                    let around = [(*left, *row), (*right, *row), (*column, *low), (*column, *high)];
                    survey.between((*column, *row), &around);
                }
            }
            (columns, rows) = (finer_columns.all, finer_rows.all);
        }
    }
}

impl Survey<'_> {
    /// Wants a point to be measured, and takes what was.
    fn measure(&mut self, place: (usize, usize)) {
        if self.grid.is_reachable(place) {
            self.wanted.push(place);
            self.known[self.grid.index(place)] = (self.measured)(place);
        }
    }

    /// Concludes a point from those around it if they agree. One that has been measured all the same stays as
    /// it was measured.
    fn between(&mut self, place: (usize, usize), around: &[(usize, usize)]) {
        if !self.grid.is_reachable(place) {
            return;
        }
        let reachable = around.iter().filter(|place| self.grid.is_reachable(**place));
        let neighbours: Vec<_> = reachable.map(|place| self.grid.index(*place)).collect();
        let known: Vec<_> = neighbours.iter().filter_map(|i| self.known[*i].as_ref()).collect();
        // Beside what is out of reach nothing can be concluded.
        let enclosed = 2 * neighbours.len() > around.len();
        if enclosed && known.len() < neighbours.len() {
            self.known[self.grid.index(place)] = (self.measured)(place);
            return;
        }
        match agreed(&known).filter(|_| enclosed) {
            Some(agreed) => {
                let own = (self.measured)(place);
                self.known[self.grid.index(place)] = Some(own.unwrap_or(agreed));
            }
            None => self.measure(place),
        }
    }
}

/// How entries stand between points; `None` where one is among the best at one of them and beaten at another.
fn agreed(points: &[&Vec<Standing>]) -> Option<Vec<Standing>> {
    let entries = points.iter().map(|point| point.len()).max().unwrap_or(0);
    let of_entry = |entry: usize| {
        let count = |standing| points.iter().filter(|point| point[entry] == standing).count();
        match (count(Standing::In), count(Standing::Out)) {
            (0, 0) => Some(Standing::Open),
            (inside, 0) if 2 * inside >= points.len() => Some(Standing::In),
            (0, out) if 2 * out >= points.len() => Some(Standing::Out),
            (0, _) | (_, 0) => Some(Standing::Open),
            _ => None,
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::Standing::{In, Open, Out};
    use super::*;

    type Points = HashMap<(usize, usize), Vec<Standing>>;

    /// Measures what is wanted until nothing more is.
    fn refine(grid: &Grid, truth: impl Fn((usize, usize)) -> Vec<Standing>) -> Points {
        let mut points = Points::new();
        loop {
            let wanted = grid.wanted(&|place| points.get(&place).cloned());
            let Some(next) = wanted.into_iter().find(|place| !points.contains_key(place)) else {
                return points;
            };
            points.insert(next, truth(next));
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
        println!("{} of {} points were measured", points.len(), 21 * 17);
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
    fn where_all_agree_only_the_coarse_lattice_is_measured() {
        let grid = Grid::new(9, 13, |_| true);
        let points = refine(&grid, |_| vec![In, Out]);
        assert_eq!(points.len(), 3 * 4);
        assert_eq!(conclusion(&grid, &points, (3, 5)), Some(vec![In, Out]));
    }

    #[test]
    fn what_is_open_makes_no_border_and_is_concluded_from_the_others() {
        let grid = Grid::new(5, 5, |_| true);
        let points = refine(&grid, |(column, _)| vec![In, if column == 0 { Open } else { Out }]);
        assert_eq!(points.len(), 4);
        assert_eq!(conclusion(&grid, &points, (2, 2)), Some(vec![In, Out]));
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
