//! From observations to verdicts: pure functions, no clock, no files.
//!
//! An observation is one process reduced to one number. Entries are compared inside rounds, so that a
//! slow minute of the machine weighs on all of them alike; B consecutive rounds make a superblock:
//!
//! ```text
//! y[r,i]   = ln(value of entry i in round r)
//! a[s,i]   = Hodges–Lehmann over the rounds r of superblock s of y[r,i] − median over m of y[r,m]
//! θ[i,j]   = Hodges–Lehmann over s of a[s,i], less that of a[s,j]
//! v[i,j]   = variance over s of a[s,i] − a[s,j], with d = S − 1 degrees of freedom
//! s²[i,j]  = (d₀·s₀² + d·v[i,j]) / (d₀ + d): each pair's own noise, moderated by that of all pairs
//! h[i,j]   = t(1 − α / (2·L·C(k,2)); d₀ + d) · sqrt(s²[i,j] / S)
//! slower   : some j with θ[i,j] − h[i,j] > δ; the j with the largest bound proves it
//! best set : θ[i,j] + h[i,j] < δ for all j; several members are tied
//! best     : θ[i,j] + h[i,j] < 0 for all j, or all others are slower
//! ```
//!
//! d₀ and s₀² are fitted to the v of all pairs: where all are equally noisy they are pooled, where a few
//! are far noisier than the rest each pair stands for itself. The ratio of i to j is exp(θ), its
//! interval exp(θ ± h). There are L looks at the data, after fixed numbers of superblocks; α is divided
//! among them, so that all intervals of a case at all looks hold together with probability 1 − α. Who is
//! slower at a look leaves, and its verdict stays; the others go on until nobody is undecided.
//!
//! Sources: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963), for the estimate; Smyth,
//! Statistical Applications in Genetics and Molecular Biology 3 (2004), for the moderated variance;
//! Bonferroni's inequality for holding together (Miller, Simultaneous Statistical Inference, 1981), and
//! for looking several times (Pocock, Biometrika 64 (1977), has the problem and sharper answers).

use serde::{Deserialize, Serialize};

mod estimate;
mod figure;
mod moderation;
mod shift;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub use estimate::median;
use estimate::{Estimate, Spread};
pub use figure::Figure;
pub use shift::Shift;

/// Probability that any interval of a case misses.
pub const ALPHA: f64 = 0.05;

/// Ratio up to which a difference does not matter, unless a design has another.
pub const MARGIN: f64 = 1.025;

/// Ratio up to which a difference decides nothing about the architecture of a service.
pub const ARCHITECTURE_MARGIN: f64 = 1.1;

/// What counts as slower by far on a noisy host.
const NOISY_MARGIN: f64 = 1.25;

/// What can be said of an entry among the contestants of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Faster than every other beyond doubt.
    Best,
    /// No more than the margin slower than any other, like at least one more.
    Tied,
    /// More than the margin slower than some other.
    Slower,
    /// Neither can be said with this many rounds.
    Undecided,
    /// There is nobody to compare it with.
    Alone,
}

impl Verdict {
    /// The verdict in a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Best => "best",
            Verdict::Tied => "tied",
            Verdict::Slower => "slower",
            Verdict::Undecided => "undecided",
            Verdict::Alone => "alone",
        }
    }
}

/// When a case is judged: fixed before the first measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Design {
    /// Consecutive rounds that make one superblock.
    pub block: usize,
    /// Numbers of superblocks after which is looked, going up.
    pub looks: Vec<usize>,
    /// Ratio up to which a difference does not matter.
    #[serde(default = "usual_margin")]
    pub margin: f64,
}

fn usual_margin() -> f64 {
    MARGIN
}

impl Design {
    /// The looks of a few minutes.
    pub fn quick() -> Self {
        Design::new(1, &[3, 5, 8])
    }

    /// The looks of a quarter of an hour.
    pub fn standard() -> Self {
        Design::new(1, &[4, 6, 9, 14, 20])
    }

    /// The looks of a night. Rounds that follow each other make one observation, because they remember each other.
    pub fn thorough() -> Self {
        Design::new(6, &[4, 6, 9, 14, 20])
    }

    /// With another margin.
    #[must_use]
    pub fn with_margin(self, margin: f64) -> Self {
        Design { margin, ..self }
    }

    /// Looks after so many superblocks of so many rounds, with the usual margin.
    pub fn new(block: usize, looks: &[usize]) -> Self {
        Design { block, looks: looks.to_vec(), margin: MARGIN }
    }

    /// A single look after so many rounds, at which everybody is still there.
    pub fn once(rounds: usize) -> Self {
        Design::new(1, &[rounds])
    }

    /// A single look after so many observations that several runs of this design made.
    pub fn pooled(&self, observations: usize) -> Self {
        Design { margin: self.margin, ..Design::once(observations) }
    }

    /// The margin as the logarithm that judging compares with.
    fn delta(&self) -> f64 {
        self.margin.ln()
    }

    /// Rounds after which there is no more look.
    pub fn most_rounds(&self) -> usize {
        self.block * self.looks.last().copied().unwrap_or(0)
    }

    /// Rounds of the first look.
    pub fn first_look(&self) -> usize {
        self.block * self.looks.first().copied().unwrap_or(0)
    }
}

/// The observations of one entry by round, all positive.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Whether it gets a verdict.
    pub contestant: bool,
    /// Its observations, one for each round; none where it was not measured.
    pub values: Vec<Option<f64>>,
    /// The number of rounds after which it was not measured any more.
    pub until: Option<usize>,
}

/// Where a contestant stands.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Standing {
    verdict: Verdict,
    /// Superblocks that would decide, if estimate and noise stay as they are.
    needs: Option<f64>,
    /// Superblocks that the verdict rests on, and the number of the look.
    blocks: usize,
    look: usize,
    until: Option<usize>,
    /// The rival that shows most clearly that it is slower.
    rival: Option<usize>,
}

/// What is known of a pair: θ, and how well.
type Pair = (f64, Option<Spread>);

/// The compared entries of one case.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// From the last look at both entries.
    pairs: Vec<Vec<Option<Pair>>>,
    standings: Vec<Option<Standing>>,
    /// The contestants that are still measured.
    active: Vec<usize>,
    looks: usize,
    settled: bool,
    /// Logarithm of the margin.
    delta: f64,
}

impl Judgement {
    /// Replays the looks of a design over all rounds that there will be. What is left over for the next look
    /// is looked at too, which takes that look's share of α.
    pub fn of(series: &[Series], design: &Design) -> Self {
        Judgement::replay(series, design, true)
    }

    /// The same while more rounds may come: only the looks that are due.
    pub fn so_far(series: &[Series], design: &Design) -> Self {
        Judgement::replay(series, design, false)
    }

    fn replay(series: &[Series], design: &Design, is_over: bool) -> Self {
        let mut judgement = Judgement::survey(series, design);
        judgement.active = (0..series.len())
            .filter(|&i| series[i].contestant && series[i].values.iter().any(Option::is_some))
            .collect();
        for &i in &judgement.active {
            judgement.standings[i] = Some(Standing {
                verdict: Verdict::Undecided,
                needs: None,
                blocks: 0,
                look: 0,
                until: None,
                rival: None,
            });
        }
        if let [only] = judgement.active[..] {
            let rounds = series[only].values.iter().flatten().count();
            judgement.set(only, Verdict::Alone, rounds / design.block);
            judgement.settled = true;
            return judgement;
        }
        let mut done = 0;
        for &look in &design.looks {
            let rounds = judgement.common_rounds(series, look * design.block);
            let due = rounds.len() >= look * design.block;
            let blocks = (rounds.len() / design.block).min(look);
            if blocks > done && (due || is_over) {
                judgement.look(series, design, &rounds[..blocks * design.block]);
                done = blocks;
            }
            if judgement.settled || !due {
                break;
            }
        }
        judgement
    }

    /// All entries against each other, over the rounds that they have in common: for what is no contest,
    /// such as the distance from the floor.
    fn survey(series: &[Series], design: &Design) -> Self {
        let block = design.block;
        let k = series.len();
        let all: Vec<_> = (0..k).collect();
        let rounds = common(series, &all);
        let mut judgement = Judgement {
            pairs: vec![vec![None; k]; k],
            standings: vec![None; k],
            active: Vec::new(),
            looks: 0,
            settled: false,
            delta: design.delta(),
        };
        let whole = rounds.len() / block * block;
        // With less than a superblock there is a rough estimate, and no interval.
        let block = if whole == 0 { 1 } else { block };
        if !rounds.is_empty() {
            let rounds = if whole == 0 { &rounds[..] } else { &rounds[..whole] };
            judgement.take(series, &all, rounds, block, ALPHA, pairs_of(k));
        }
        judgement
    }

    fn take(
        &mut self,
        series: &[Series],
        entries: &[usize],
        rounds: &[usize],
        block: usize,
        alpha: f64,
        tests: usize,
    ) {
        let estimate = Estimate::of(&logs(series, entries, rounds), block, alpha, tests);
        for (a, &i) in entries.iter().enumerate() {
            for (b, &j) in entries.iter().enumerate() {
                self.pairs[i][j] = Some((estimate.theta(a, b), estimate.spread(a, b)));
            }
        }
    }

    /// The rounds that all active contestants have. Those who left before so many rounds are no longer
    /// active.
    fn common_rounds(&mut self, series: &[Series], wanted: usize) -> Vec<usize> {
        loop {
            let rounds = common(series, &self.active);
            if rounds.len() >= wanted {
                return rounds;
            }
            let first = self.active.iter().filter_map(|&i| series[i].until).min();
            let Some(first) = first else { return rounds };
            self.active.retain(|&i| series[i].until != Some(first));
        }
    }

    fn look(&mut self, series: &[Series], design: &Design, rounds: &[usize]) {
        self.looks += 1;
        let alpha = ALPHA / design.looks.len() as f64;
        let contestants = self.standings.iter().flatten().count();
        let active = self.active.clone();
        self.take(series, &active, rounds, design.block, alpha, pairs_of(contestants));
        let blocks = rounds.len() / design.block;
        let rivals = self.unbeaten();
        let beaten = |&i: &usize| Some((i, self.clearest_rival(&active, i)?));
        let beaten: Vec<_> = active.iter().filter_map(beaten).collect();
        for &(i, rival) in &beaten {
            self.set(i, Verdict::Slower, blocks);
            let standing = self.standings[i].as_mut().expect("it is a contestant");
            standing.until = Some(rounds.last().map_or(0, |round| round + 1));
            standing.rival = Some(rival);
        }
        let slower: Vec<_> = beaten.iter().map(|&(i, _)| i).collect();
        let rivals: Vec<_> = rivals.into_iter().filter(|i| !slower.contains(i)).collect();
        self.active.retain(|i| !slower.contains(i));
        let among_best = |i: &usize| self.others(&rivals, *i).all(|(_, high)| high < self.delta);
        let best: Vec<_> = rivals.iter().copied().filter(among_best).collect();
        let verdicts: Vec<_> = self
            .active
            .iter()
            .map(|&i| match () {
                () if rivals == [i] => Verdict::Best,
                () if self.others(&rivals, i).all(|(_, high)| high < 0.0) => Verdict::Best,
                () if best.contains(&i) && best.len() > 1 => Verdict::Tied,
                () => Verdict::Undecided,
            })
            .collect();
        let leader = self.leader(&rivals);
        for (i, verdict) in self.active.clone().into_iter().zip(verdicts) {
            self.set(i, verdict, blocks);
            if verdict == Verdict::Undecided {
                let needs = leader.and_then(|leader| self.needs(i, leader, &rivals));
                self.standings[i].as_mut().expect("it is a contestant").needs = needs;
            }
        }
        let undecided = self.with(Verdict::Undecided).next().is_some();
        self.settled = !undecided;
    }

    fn set(&mut self, entry: usize, verdict: Verdict, blocks: usize) {
        let look = self.looks;
        let standing = Standing { verdict, needs: None, blocks, look, until: None, rival: None };
        self.standings[entry] = Some(standing);
    }

    /// The rival that an entry is slower than by the largest bound, if by more than the margin.
    fn clearest_rival(&self, rivals: &[usize], entry: usize) -> Option<usize> {
        let bounds = rivals.iter().filter(|&&j| j != entry).filter_map(|&j| {
            let (theta, spread) = self.pairs[entry][j]?;
            Some((j, theta - spread?.half))
        });
        let (rival, low) = bounds.max_by(|a, b| a.1.total_cmp(&b.1))?;
        (low > self.delta).then_some(rival)
    }

    /// Bounds of an entry's θ to each of the others among these.
    fn others<'a>(
        &'a self,
        among: &'a [usize],
        entry: usize,
    ) -> impl Iterator<Item = (f64, f64)> + 'a {
        among.iter().filter(move |&&j| j != entry).map(move |&j| {
            let (theta, spread) = self.pairs[entry][j].unwrap_or((0.0, None));
            let half = spread.map_or(f64::INFINITY, |spread| spread.half);
            (theta - half, theta + half)
        })
    }

    /// Superblocks after which the distance to the leader would be clear of the margin. The leader needs
    /// as many as it takes to tell it from the nearest other.
    fn needs(&self, entry: usize, leader: usize, rivals: &[usize]) -> Option<f64> {
        let of_pair = |i: usize, j: usize| {
            let (theta, spread) = self.pairs[i][j]?;
            let distance = (theta.abs() - self.delta).abs().max(1e-6);
            Some((spread?.half_of_one / distance).powi(2))
        };
        if entry != leader {
            return of_pair(entry, leader);
        }
        let others = rivals.iter().filter(|&&j| j != leader);
        others
            .map(|&j| of_pair(leader, j))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .reduce(f64::max)
    }

    fn unbeaten(&self) -> Vec<usize> {
        let beaten = |standing: &Standing| standing.verdict == Verdict::Slower;
        let standings = self.standings.iter().enumerate();
        standings.filter(|(_, s)| s.is_some_and(|s| !beaten(&s))).map(|(i, _)| i).collect()
    }

    fn with(&self, wanted: Verdict) -> impl Iterator<Item = usize> + '_ {
        let standings = self.standings.iter().enumerate();
        standings.filter(move |(_, s)| s.is_some_and(|s| s.verdict == wanted)).map(|(i, _)| i)
    }

    /// How many times as large as the values of `other` those of `entry` are, by the last look at both.
    pub fn ratio(&self, entry: usize, other: usize) -> Option<Figure> {
        let (theta, spread) = self.pairs[entry][other]?;
        Some(Figure::of_log(theta, spread.map(|spread| spread.half)))
    }

    /// The entry among these that is ahead of all others by θ. Where different looks disagree on that, the one
    /// that is least behind any other.
    pub fn leader(&self, entries: &[usize]) -> Option<usize> {
        let behind = |i: usize| {
            let others = entries.iter().filter(|&&j| j != i).filter_map(|&j| self.pairs[i][j]);
            others.map(|(theta, _)| theta).fold(f64::NEG_INFINITY, f64::max)
        };
        entries.iter().copied().min_by(|&a, &b| behind(a).total_cmp(&behind(b)))
    }

    /// The leader of the contestants that nobody has beaten.
    pub fn champion(&self) -> Option<usize> {
        self.leader(&self.unbeaten())
    }

    /// The entry that proves that a contestant is slower: the leader if it does, or else the rival that shows it
    /// most clearly; `None` where the contestant is not slower.
    pub fn proven_by(&self, entry: usize) -> Option<usize> {
        let rival = self.standings[entry]?.rival?;
        let low = |other| self.ratio(entry, other)?.low;
        let proves = |other: &usize| low(*other).is_some_and(|low| low.ln() > self.delta);
        self.champion().filter(proves).or(Some(rival))
    }

    /// The verdict on a contestant.
    pub fn verdict(&self, entry: usize) -> Option<Verdict> {
        self.standings[entry].map(|standing| standing.verdict)
    }

    /// Superblocks that would decide about an undecided contestant, if nothing else changes.
    pub fn needed_blocks(&self, entry: usize) -> Option<f64> {
        self.standings[entry]?.needs
    }

    /// Superblocks that a contestant's verdict rests on, and the number of the look that gave it.
    pub fn basis(&self, entry: usize) -> Option<(usize, usize)> {
        self.standings[entry].map(|standing| (standing.blocks, standing.look))
    }

    /// The number of rounds after which a contestant was not measured any more.
    pub fn until(&self, entry: usize) -> Option<usize> {
        self.standings[entry]?.until
    }

    /// Whether no contestant is undecided.
    pub fn settled(&self) -> bool {
        self.settled
    }

    /// The contestants that are still measured.
    pub fn active(&self) -> &[usize] {
        &self.active
    }
}

/// What a verdict is worth where others used the machine all the time: they take CPUs from some models more
/// than from others, so that only what is slower by far stays said. The ratio is to the entry that proves it.
pub fn on_a_noisy_host(verdict: Verdict, ratio: Option<Figure>) -> Verdict {
    let far = ratio.is_some_and(|ratio| ratio.low.is_some_and(|low| low > NOISY_MARGIN));
    match verdict {
        Verdict::Alone => Verdict::Alone,
        Verdict::Slower if far => Verdict::Slower,
        _ => Verdict::Undecided,
    }
}

/// The ratio of a twin to its original, judged with the noise of the contestants that were measured in all
/// of their rounds, and the verdict: tied, slower (the one or the other), or undecided.
pub fn twin(
    series: &[Series],
    original: usize,
    twin: &[Option<f64>],
    design: &Design,
) -> (Figure, Verdict) {
    let block = design.block;
    let mut series = series.to_vec();
    series.push(Series { contestant: true, values: twin.to_vec(), until: None });
    let last = series.len() - 1;
    let both = common(&series, &[original, last]);
    let present = |i: &usize| {
        let series = &series[*i];
        series.contestant
            && both.iter().all(|&round| series.values.get(round).is_some_and(Option::is_some))
    };
    let mut entries: Vec<_> = (0..last).filter(|i| *i == original || present(i)).collect();
    entries.push(last);
    let position = entries.iter().position(|&i| i == original).expect("the original is among them");
    let whole = &both[..both.len() / block * block];
    if whole.is_empty() {
        return (Figure::without_interval(f64::NAN), Verdict::Undecided);
    }
    let k = entries.len();
    let estimate = Estimate::of(&logs(&series, &entries, whole), block, ALPHA, pairs_of(k));
    let theta = estimate.theta(k - 1, position);
    let half = estimate.spread(k - 1, position).map(|spread| spread.half);
    let verdict = match half {
        Some(half) if theta.abs() - half > design.delta() => Verdict::Slower,
        Some(half) if theta.abs() + half < design.delta() => Verdict::Tied,
        _ => Verdict::Undecided,
    };
    (Figure::of_log(theta, half), verdict)
}

/// An entry's value by its own observations: their median, with the interval that their scatter gives it, for
/// which three are needed. NaN for none. A value of 0 has no logarithm and gives no interval.
pub fn own_value(observations: &[f64]) -> Figure {
    spread_around(median(&mut observations.to_vec()), observations)
}

/// An estimate with the interval that the scatter of some positive values gives it, for which three are needed.
pub fn spread_around(estimate: f64, values: &[f64]) -> Figure {
    if estimate.is_nan() || values.iter().any(|&value| value <= 0.0) {
        return Figure::without_interval(estimate);
    }
    let logs: Vec<_> = values.iter().map(|value| value.ln()).collect();
    let half = Spread::of_values(&logs, ALPHA).map(|spread| spread.half);
    let end = |sign: f64| half.map(|half| estimate * (sign * half).exp());
    Figure { estimate, low: end(-1.0), high: end(1.0) }
}

/// The rounds in which all of these entries have a value.
fn common(series: &[Series], entries: &[usize]) -> Vec<usize> {
    let rounds = entries.iter().map(|&i| series[i].values.len()).min().unwrap_or(0);
    (0..rounds)
        .filter(|&round| entries.iter().all(|&i| series[i].values[round].is_some()))
        .collect()
}

fn logs(series: &[Series], entries: &[usize], rounds: &[usize]) -> Vec<Vec<f64>> {
    let log = |entry: usize, round: usize| {
        series[entry].values[round].expect("the rounds are common to all entries").ln()
    };
    entries.iter().map(|&i| rounds.iter().map(|&round| log(i, round)).collect()).collect()
}

fn pairs_of(k: usize) -> usize {
    (k * k.saturating_sub(1) / 2).max(1)
}
