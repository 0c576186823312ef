//! A service along two axes: where one model takes over from another.
//!
//! Every point is a case of its own: so many clients, each of which sends its next request when the last has
//! been answered. The plan holds all points; which of them are measured follows from what has been measured.

use crate::planning::point;
use record::axis::{Axis, Resolution, Span};
use record::map::{Beyond, Map};
use workloads::Profile;
use workloads::UsageError;

use crate::planning::SizedCase;
use record::service::ServiceProfile;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: ServiceProfile,
    pub(crate) x: Span,
    pub(crate) y: Span,
    pub(crate) resolution: Resolution,
    /// Whether every point is measured, not only those along borders.
    pub(crate) full: bool,
}

impl Request {
    /// The map, and a case for each point that can be measured here.
    ///
    /// # Errors
    /// If the axes do not go together, or no point can be measured here.
    pub(crate) fn chart(
        &self,
        profile: Profile,
        workers: usize,
    ) -> Result<(Map, Vec<SizedCase>), UsageError> {
        let axis = |name: &str, span: Span| {
            Axis::new(span, self.resolution)
                .map_err(|reason| UsageError(format!("map: --{name}: {reason}")))
        };
        let (x, y) = (axis("x", self.x)?, axis("y", self.y)?);
        if x.quantity == y.quantity {
            let name = x.quantity.name();
            let reason =
                format!("map: both axes are {name}: give another quantity for one of them");
            return Err(UsageError(reason));
        }
        let Request { resolution, full, .. } = *self;
        let mut map = Map { x, y, resolution, full, beyond: Vec::new() };
        let mut cases = Vec::new();
        for row in 0..map.y.values.len() {
            for column in 0..map.x.values.len() {
                let id = map.case_id((column, row));
                match point::case(&self.service, &map, (column, row), profile, workers) {
                    Ok(case) => cases.push(SizedCase { id, ..case }),
                    Err(reason) => map.beyond.push(Beyond { column, row, reason }),
                }
            }
        }
        match (cases.is_empty(), map.beyond.first()) {
            (true, Some(Beyond { reason, .. })) => Err(UsageError(format!(
                "map: no point can be measured here, the first because {reason}: give other ranges"
            ))),
            _ => Ok((map, cases)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use record::map::plain;
    use workloads::traffic::TrafficParams;

    use super::*;

    pub(crate) fn request(x: &str, y: &str) -> Request {
        let [x, y] = [x, y].map(|text| text.parse().unwrap());
        Request { service: plain(), x, y, resolution: Resolution::Two, full: false }
    }

    #[test]
    fn every_point_is_a_case_or_says_why_not() {
        let (map, cases) =
            request("connections=1..100000", "cpu=1us..1s").chart(Profile::Quick, 2).unwrap();
        assert_eq!(map.x.values.len() * map.y.values.len(), cases.len() + map.beyond.len());
        let reason = |column: u64, row: u64| {
            let at = |axis: &Axis, value| axis.values.iter().position(|v| *v == value).unwrap();
            let place = (at(&map.x, column), at(&map.y, row));
            let beyond = map.beyond.iter().find(|b| (b.column, b.row) == place);
            beyond.map_or("none", |beyond| beyond.reason.as_str())
        };
        assert_eq!(reason(1, 1_000_000), "none");
        assert_eq!(
            reason(10_000, 1_000),
            "computing once for all clients takes longer than the 1.25 s that its p99 may"
        );
        if machine::connections_that_fit().is_some_and(|fit| fit < 100_000) {
            assert!(reason(100_000, 1).contains("open files"), "{}", reason(100_000, 1));
        }
        let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
        assert!(ids.contains(&"traffic/connections=300,cpu=100us"), "{ids:?}");
    }

    #[test]
    fn axes_of_the_same_quantity_and_maps_without_a_point_are_refused() {
        let refusal =
            |x: &str, y: &str| request(x, y).chart(Profile::Quick, 2).unwrap_err().to_string();
        assert_eq!(
            refusal("cpu", "cpu=1us..1ms"),
            "map: both axes are cpu: give another quantity for one of them"
        );
        let nothing = refusal("wait=10s..60s", "cpu=1us..1ms");
        assert!(
            nothing.starts_with("map: no point can be measured here, the first because"),
            "{nothing}"
        );
    }

    /// The parameters of a point of that map.
    fn at(x: &str, y: &str, place: (usize, usize)) -> TrafficParams {
        let (map, cases) = request(x, y).chart(Profile::Quick, 2).unwrap();
        let id = map.case_id(place);
        let case = cases.into_iter().find(|case| case.id == id).expect("it is measured");
        serde_json::from_value(case.case.params).unwrap()
    }

    #[test]
    fn a_window_is_as_long_as_one_turn_of_all_clients_or_longer() {
        let few = at("connections=10..1000", "cpu=100us..1ms", (0, 0));
        // Ten clients of 20.12 ms each for 200 ms.
        assert_eq!((few.connections, few.requests), (10, 99));
        let many = at("connections=10..1000", "cpu=100us..1ms", (4, 2));
        assert_eq!((many.connections, many.requests), (1_000, 1_000));
    }

    #[test]
    fn a_share_of_blocking_calls_splits_every_class() {
        let classes = |place| at("blocking=0..1", "connections=1..3", place).classes.to_string();
        assert_eq!(classes((0, 0)), "1000/20000/100/256/async");
        assert_eq!(classes((2, 0)), "750/20000/100/256/async 250/20000/100/256/blocking");
        assert_eq!(classes((8, 0)), "1000/20000/100/256/blocking");
    }
}
