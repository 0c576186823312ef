//! `fairness`: how long does a regular tick have to wait while others compute?

use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::random::mix;
use crate::{
    Census, Class, Definition, Digest, Fact, Facts, Limit, Metric, Profile, Sampling, Site, Spec,
    Workload, params,
};

/// Numbers that a hog mixes between two looks at the clock: about 20 µs.
const BETWEEN_LOOKS: u64 = 5_000;

/// The workload `fairness`.
#[derive(Debug)]
pub struct Fairness;

params! {
    /// The parameters of `fairness`.
    pub struct FairnessParams {
        /// computing tasks: one less than there are workers, or as many
        pub hogs: String of ["w-1", "w"],
        /// tasks that tick
        pub tickers: u64 in 1..=10_000,
        /// ticks of each ticker
        pub ticks: u64 in 1..=100_000,
        /// time between two ticks, ms
        pub period_ms: u64 in 1..=1_000,
        /// time for which a hog computes before it lets others have their turn, µs
        pub slice_us: u64 in 1..=1_000_000,
    }
}

impl Definition for Fairness {
    const SPEC: Spec = Spec {
        name: "fairness",
        class: Class::Coordination,
        question: "How long does a regular tick have to wait while others compute?",
        operation: "tick",
        metric: Metric::WorstGap,
    };
    type Params = FairnessParams;

    fn cases(profile: Profile) -> Vec<FairnessParams> {
        let (tickers, ticks) = match profile {
            Profile::Smoke => (20, 5),
            Profile::Quick => (1_000, 10),
            Profile::Standard | Profile::Thorough => (1_000, 30),
        };
        ["w-1", "w"]
            .map(|hogs| FairnessParams {
                hogs: hogs.into(),
                tickers,
                ticks,
                period_ms: 1,
                slice_us: 5_000,
            })
            .into()
    }

    fn label(params: &FairnessParams) -> String {
        format!("hogs={}", params.hogs)
    }

    /// One run is long enough, and a bad gap makes it much longer.
    fn sampling(_: &FairnessParams) -> Sampling {
        Sampling::Once
    }

    fn operations(params: &FairnessParams) -> u64 {
        params.tickers * params.ticks
    }

    fn limit(params: &FairnessParams) -> Limit {
        Limit::time(Duration::from_millis(params.period_ms), "the period: every tick is on time")
    }
}

impl Workload for Fairness {
    type Input = Tickers;

    fn prepare(params: &FairnessParams, site: &Site<'_>) -> io::Result<Tickers> {
        let fewer = usize::from(params.hogs == "w-1");
        Ok(Tickers {
            hogs: site.workers - fewer,
            period: Duration::from_millis(params.period_ms),
            slice: Duration::from_micros(params.slice_us),
            params: params.clone(),
            noted: Noted::default(),
            census: Census::new(),
        })
    }

    fn expected(input: &Tickers) -> io::Result<Digest> {
        let complete = (0..input.tickers()).map(sign).fold(0, u64::wrapping_add);
        Ok(Digest::of_ordered([Fairness::operations(&input.params), complete]))
    }

    fn census(input: &Tickers) -> &Census {
        &input.census
    }

    /// What was noted in this run, which the next starts without.
    fn facts(input: &Tickers) -> Result<Facts, String> {
        let Noted { ticks, ticking_ns, worst_gap_ns, complete, finished, slices } = &input.noted;
        let ticks = ticks.swap(0, Relaxed);
        let facts = Facts::from([
            (Fact::WorstGapNs, worst_gap_ns.swap(0, Relaxed)),
            (Fact::TypicalGapNs, ticking_ns.swap(0, Relaxed) / ticks.max(1)),
            (Fact::HogSlices, slices.swap(0, Relaxed)),
        ]);
        complete.store(0, Relaxed);
        finished.store(0, Relaxed);
        if input.hogs > 0 && facts[&Fact::HogSlices] == 0 {
            return Err("no hog ran, so nothing was in the way of the tickers".into());
        }
        Ok(facts)
    }
}

/// The tickers, and the hogs that get in their way.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Tickers {
    params: FairnessParams,
    hogs: usize,
    period: Duration,
    slice: Duration,
    noted: Noted,
    census: Census,
}

/// What tickers and hogs noted in this run.
#[derive(Debug, Default)]
struct Noted {
    ticks: AtomicU64,
    ticking_ns: AtomicU64,
    worst_gap_ns: AtomicU64,
    /// Sum of the [`sign`]s of the tickers that ticked as often as they should.
    complete: AtomicU64,
    finished: AtomicU64,
    slices: AtomicU64,
}

/// A number for a ticker, such that sums tell which tickers are in them.
fn sign(ticker: u64) -> u64 {
    mix(ticker + 1)
}

impl Tickers {
    /// Number of tickers.
    pub fn tickers(&self) -> u64 {
        self.params.tickers
    }

    /// Number of hogs.
    pub fn hogs(&self) -> usize {
        self.hogs
    }

    /// Time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Ticker `id`, from 0 to `tickers` − 1: call it where the ticker runs, then wait for the
    /// period and [`tick`](Ticker::tick) until that says no, and drop it. Its first gap begins now.
    pub fn ticker(&self, id: u64) -> Ticker<'_> {
        self.census.mark();
        let start = Instant::now();
        Ticker { tickers: self, id, ticks: 0, start, last: start, worst: Duration::ZERO }
    }

    /// Computes for one slice without a pause, and says whether to go on: let others have their
    /// turn and call it again, until every ticker has finished. Every hog must have ended when
    /// the run returns.
    pub fn hog(&self) -> bool {
        self.census.mark();
        self.noted.slices.fetch_add(1, Relaxed);
        let start = Instant::now();
        while start.elapsed() < self.slice {
            black_box((0..BETWEEN_LOOKS).fold(0, |state, number| mix(state ^ number)));
        }
        self.noted.finished.load(Relaxed) < self.params.tickers
    }

    /// The answer, once all tickers have been dropped: that each of them ticked as often as it
    /// should have.
    pub fn digest(&self) -> Digest {
        let Noted { ticks, complete, .. } = &self.noted;
        Digest::of_ordered([ticks.load(Relaxed), complete.load(Relaxed)])
    }
}

/// A ticker under way. When it is dropped, it has finished.
#[derive(Debug)]
pub struct Ticker<'a> {
    tickers: &'a Tickers,
    id: u64,
    ticks: u64,
    start: Instant,
    last: Instant,
    worst: Duration,
}

impl Ticker<'_> {
    /// When the period that is under way began.
    pub fn since(&self) -> Instant {
        self.last
    }

    /// Notes a tick, and says whether there is another to come.
    pub fn tick(&mut self) -> bool {
        self.tick_at(Instant::now())
    }

    fn tick_at(&mut self, now: Instant) -> bool {
        self.worst = self.worst.max(now - self.last);
        self.last = now;
        self.ticks += 1;
        self.ticks < self.tickers.params.ticks
    }
}

impl Drop for Ticker<'_> {
    fn drop(&mut self) {
        let noted = &self.tickers.noted;
        noted.ticks.fetch_add(self.ticks, Relaxed);
        noted.ticking_ns.fetch_add((self.last - self.start).as_nanos() as u64, Relaxed);
        noted.worst_gap_ns.fetch_max(self.worst.as_nanos() as u64, Relaxed);
        if self.ticks == self.tickers.params.ticks {
            noted.complete.fetch_add(sign(self.id), Relaxed);
        }
        noted.finished.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn tickers(hogs: &str, workers: usize) -> Tickers {
        let params = FairnessParams {
            hogs: hogs.into(),
            tickers: 2,
            ticks: 3,
            period_ms: 1,
            slice_us: 2_000,
        };
        Fairness::prepare(&params, &Site { workers, ..Site::alone(Path::new("")) }).unwrap()
    }

    /// Ticks so often as ticker `id`; the last answer of `tick`.
    fn tick(input: &Tickers, id: u64, ticks: u64) -> bool {
        let mut ticker = input.ticker(id);
        (0..ticks).map(|_| ticker.tick()).last().unwrap()
    }

    #[test]
    fn the_hogs_follow_from_the_workers() {
        assert_eq!(tickers("w-1", 1).hogs(), 0);
        assert_eq!(tickers("w-1", 4).hogs(), 3);
        assert_eq!(tickers("w", 4).hogs(), 4);
    }

    #[test]
    fn a_ticker_ticks_as_often_as_it_should_in_every_run() {
        let input = tickers("w-1", 1);
        let expected = Fairness::expected(&input).unwrap();
        for _ in 0..2 {
            assert!(tick(&input, 1, 2), "there is a tick to come");
            assert_ne!(input.digest(), expected);
            Fairness::facts(&input).unwrap();
            assert!(!tick(&input, 1, 3) && !tick(&input, 0, 3), "that was the last");
            assert_eq!(input.digest(), expected);
            Fairness::facts(&input).unwrap();
        }
    }

    #[test]
    fn a_ticker_left_out_or_ticking_for_another_spoils_the_answer() {
        let input = tickers("w-1", 1);
        let expected = Fairness::expected(&input).unwrap();
        for ticked in [&[(0, 3)][..], &[(0, 3), (0, 3)], &[(0, 4), (1, 2)]] {
            ticked.iter().for_each(|&(id, ticks)| _ = tick(&input, id, ticks));
            assert_ne!(input.digest(), expected, "{ticked:?}");
            Fairness::facts(&input).unwrap();
        }
    }

    #[test]
    fn the_worst_gap_is_that_of_the_ticker_that_waited_longest() {
        let input = tickers("w-1", 1);
        for (id, moments) in [(0, [1, 2, 3]), (1, [1, 22, 27])] {
            let mut ticker = input.ticker(id);
            let start = ticker.start;
            for ms in moments {
                ticker.tick_at(start + Duration::from_millis(ms));
            }
        }
        let facts = Fairness::facts(&input).unwrap();
        assert_eq!((facts[&Fact::WorstGapNs], facts[&Fact::TypicalGapNs]), (21_000_000, 5_000_000));
        assert_eq!(Fairness::facts(&input).unwrap()[&Fact::WorstGapNs], 0);
    }

    #[test]
    fn a_hog_computes_for_its_slice_and_ends_with_the_last_ticker() {
        let input = tickers("w", 1);
        let start = Instant::now();
        assert!(input.hog(), "the tickers have not begun");
        assert!(start.elapsed() >= Duration::from_millis(2));
        let running = input.ticker(0);
        tick(&input, 1, 3);
        assert!(input.hog(), "a ticker is still running");
        drop(running);
        assert!(!input.hog(), "the last ticker has finished");
        assert_eq!(Fairness::facts(&input).unwrap()[&Fact::HogSlices], 3);
        assert!(input.hog(), "the tickers of the next run have not begun");
    }

    #[test]
    fn leaving_out_the_hogs_is_a_broken_rule() {
        let input = tickers("w", 1);
        tick(&input, 0, 3);
        assert!(Fairness::facts(&input).unwrap_err().contains("no hog ran"));
    }
}
