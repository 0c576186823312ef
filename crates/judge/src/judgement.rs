//! Where the entries of a case stand: the looks of a design, replayed over the rounds.

use crate::design::Design;
use crate::estimate::{Estimate, Spread};
use crate::figure::Figure;
use crate::series::{ALPHA, Series, common, logs, pairs_of};
use crate::verdict::Verdict;

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

    pub(crate) fn with(&self, wanted: Verdict) -> impl Iterator<Item = usize> + '_ {
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
