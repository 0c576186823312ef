//! How many requests are due and unanswered, counted while a window runs: what Little's law is held against.

/// The count and its integral over time.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    count: u64,
    /// Until when the integral has been taken, nanoseconds.
    until: u64,
    area: f64,
}

impl InFlight {
    /// A request is due at this time, nanoseconds from the start of the window; times do not go back.
    pub(super) fn enter(&mut self, at: u64) {
        self.pass(at);
        self.count += 1;
    }

    /// A request is answered or lost.
    pub(super) fn leave(&mut self, at: u64) {
        self.pass(at);
        self.count = self.count.saturating_sub(1);
    }

    /// Requests times nanoseconds so far.
    pub(super) fn area(&self) -> f64 {
        self.area
    }

    fn pass(&mut self, at: u64) {
        self.area += self.count as f64 * at.saturating_sub(self.until) as f64;
        self.until = self.until.max(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_sum_of_what_each_request_stayed() {
        let mut in_flight = InFlight::default();
        in_flight.enter(10);
        in_flight.enter(20);
        in_flight.leave(50);
        in_flight.leave(90);
        // 10 to 90, or 10 to 50, and 20 to 50, or 20 to 90.
        assert_eq!(in_flight.area(), 110.0);
    }
}
