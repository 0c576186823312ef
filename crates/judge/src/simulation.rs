//! Error rates of the whole procedure, on simulated runs whose right answer is known. Seeds are fixed, so
//! that the numbers are the same everywhere; `docs/src/method.md` lists them.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;

/// How the logarithms of one entry scatter around its truth.
#[derive(Debug, Clone, Copy)]
enum Noise {
    /// Normal with this standard deviation.
    Normal(f64),
    /// Normal, and one value in ten far too high, as after a visit that was disturbed.
    Outliers(f64),
    /// Three values in ten are 1.5 times as large as the others, as by where threads were placed.
    TwoModes(f64),
    /// Each round remembers half of its predecessor's error.
    Drifting(f64),
}

fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

impl Noise {
    fn errors(self, rounds: usize, random: &mut Xoshiro256PlusPlus) -> Vec<f64> {
        let mut last = 0.0;
        (0..rounds)
            .map(|_| match self {
                Noise::Normal(sd) => sd * normal(random),
                Noise::Outliers(sd) => {
                    let scale = if random.random::<f64>() < 0.1 { 5.0 } else { 1.0 };
                    scale * sd * normal(random)
                }
                Noise::TwoModes(sd) => {
                    let slow = if random.random::<f64>() < 0.3 { 1.5_f64.ln() } else { 0.0 };
                    slow + sd * normal(random)
                }
                Noise::Drifting(sd) => {
                    last = 0.5 * last + sd * 0.75_f64.sqrt() * normal(random);
                    last
                }
            })
            .collect()
    }
}

/// Entries with these true values and noises, and noise that each round has in common.
fn simulate(truth: &[f64], noise: &[Noise], rounds: usize, seed: u64) -> Vec<Series> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let common: Vec<_> = (0..rounds).map(|_| 0.2 * normal(&mut random)).collect();
    truth
        .iter()
        .zip(noise)
        .map(|(truth, noise)| {
            let errors = noise.errors(rounds, &mut random);
            let values = common.iter().zip(errors);
            let values = values.map(|(round, own)| Some(truth * (round + own).exp())).collect();
            Series { contestant: true, values, until: None }
        })
        .collect()
}

fn judged(truth: &[f64], noise: &[Noise], design: &Design, seed: u64) -> Judgement {
    Judgement::of(&simulate(truth, noise, design.most_rounds(), seed), design)
}

/// The share of `trials` runs for which something holds.
fn share(trials: u64, holds: impl Fn(u64) -> bool) -> f64 {
    (0..trials).filter(|&seed| holds(seed)).count() as f64 / trials as f64
}

fn covers(judgement: &Judgement, truth: &[f64]) -> bool {
    (0..truth.len()).all(|i| {
        (0..i).all(|j| {
            let ratio = judgement.ratio(i, j).unwrap();
            let truth = truth[i] / truth[j];
            ratio.low.unwrap() <= truth && truth <= ratio.high.unwrap()
        })
    })
}

/// The designs that are in use, by name.
fn designs() -> [(&'static str, Design); 3] {
    [("quick", Design::quick()), ("standard", Design::standard()), ("thorough", Design::thorough())]
}

#[test]
fn a_twin_is_hardly_ever_called_different() {
    for (name, design) in designs() {
        for noise in [Noise::Normal(0.05), Noise::Outliers(0.03), Noise::Normal(0.3)] {
            let wrong = share(1_000, |seed| {
                let judgement = judged(&[1.0; 6], &[noise; 6], &design, seed);
                // One pair of the six entries, as the twin and its original are.
                let ratio = judgement.ratio(1, 0).unwrap();
                ratio.low.unwrap() > MARGIN || ratio.high.unwrap() < 1.0 / MARGIN
            });
            println!("A/A called different, {name}, {noise:?}: {:.2} %", 100.0 * wrong);
            assert!(wrong < 0.005, "{wrong} with {noise:?} in {name}");
        }
    }
}

#[test]
fn wrong_verdicts_at_the_margin_are_no_more_than_alpha() {
    let wider = [
        ("decision", Design::quick().with_margin(ARCHITECTURE_MARGIN)),
        ("map", Design::new(1, &[3]).with_margin(ARCHITECTURE_MARGIN)),
    ];
    for (name, design) in designs().into_iter().chain(wider) {
        for noise in [Noise::Normal(0.01), Noise::Normal(0.05), Noise::Outliers(0.02)] {
            let verdict = |seed: u64| {
                let truth = [1.0, 1.0, 1.0, 1.0, 1.0, design.margin];
                judged(&truth, &[noise; 6], &design, seed).verdict(5).unwrap()
            };
            let trials = 1_000;
            let slower = share(trials, |seed| verdict(seed) == Verdict::Slower);
            let tied = share(trials, |seed| matches!(verdict(seed), Verdict::Tied | Verdict::Best));
            println!(
                "at the margin, {name}, {noise:?}: slower {:.1} %, tied {:.1} %",
                100.0 * slower,
                100.0 * tied
            );
            assert!(slower <= ALPHA, "{slower} called slower with {noise:?} in {name}");
            assert!(tied <= ALPHA, "{tied} called tied with {noise:?} in {name}");
        }
    }
}

#[test]
fn equal_entries_are_never_many_times_called_slower() {
    for (name, design) in designs() {
        for noise in [Noise::Normal(0.05), Noise::Normal(0.3), Noise::TwoModes(0.05)] {
            let wrong = share(1_000, |seed| {
                let judgement = judged(&[1.0; 6], &[noise; 6], &design, seed);
                judgement.with(Verdict::Slower).next().is_some()
            });
            println!("somebody of six equals slower, {name}, {noise:?}: {:.1} %", 100.0 * wrong);
            assert!(wrong <= ALPHA, "{wrong} with {noise:?} in {name}");
        }
    }
}

#[test]
fn a_tenth_at_five_percent_of_noise_is_decided_within_the_thorough_looks() {
    let right = share(500, |seed| {
        let truth = [1.0, 1.1, 1.1, 1.1, 1.1, 1.1];
        let judgement = judged(&truth, &[Noise::Normal(0.05); 6], &Design::thorough(), seed);
        judgement.verdict(0) == Some(Verdict::Best)
            && (1..6).all(|i| judgement.verdict(i) == Some(Verdict::Slower))
    });
    println!("1.1× at 5 % noise, thorough: {:.1} % decided rightly", 100.0 * right);
    assert!(right >= 0.95, "{right}");
}

#[test]
fn a_factor_of_one_and_a_half_is_decided_by_quick() {
    for sd in [0.05, 0.08] {
        let right = share(500, |seed| {
            let truth = [1.0, 1.5, 1.5, 1.6, 2.0, 3.0];
            let judgement = judged(&truth, &[Noise::Normal(sd); 6], &Design::quick(), seed);
            judgement.verdict(0) == Some(Verdict::Best)
                && (1..6).all(|i| judgement.verdict(i) == Some(Verdict::Slower))
        });
        println!(
            "1.5× at {:.0} % noise, quick: {:.1} % decided rightly",
            100.0 * sd,
            100.0 * right
        );
        assert!(right >= 0.95, "{right} at a noise of {sd}");
    }
}

#[test]
fn intervals_cover_the_truth_together() {
    let truth = [1.0, 1.02, 1.05, 1.1, 1.3, 2.0];
    let unequal = [0.003, 0.003, 0.02, 0.02, 0.1, 0.1].map(Noise::Normal);
    let modes = [Noise::TwoModes(0.03); 6];
    for (name, design) in designs() {
        let noises = [[Noise::Normal(0.03); 6], [Noise::Outliers(0.03); 6], unequal, modes];
        for noise in noises {
            // Where values fall into two groups, the typical value is that of the mixture for all alike.
            let covered =
                share(1_000, |seed| covers(&judged(&truth, &noise, &design, seed), &truth));
            println!("joint coverage, {name}, {noise:?}: {:.1} %", 100.0 * covered);
            assert!(covered >= 0.95, "{covered} with {noise:?} in {name}");
        }
    }
}

#[test]
fn superblocks_keep_the_coverage_where_rounds_remember_each_other() {
    let truth = [1.0, 1.02, 1.05, 1.1, 1.3, 2.0];
    let noise = [Noise::Drifting(0.03); 6];
    let coverage =
        |design: &Design| share(500, |seed| covers(&judged(&truth, &noise, design, seed), &truth));
    let thorough = Design::thorough();
    let looks: Vec<_> = thorough.looks.iter().map(|look| look * thorough.block).collect();
    let single = Design::new(1, &looks);
    let (blocks, single) = (coverage(&thorough), coverage(&single));
    println!(
        "joint coverage, drifting: {:.1} % with superblocks, {:.1} % without",
        100.0 * blocks,
        100.0 * single
    );
    assert!(blocks >= 0.95, "{blocks}");
    assert!(single < blocks, "superblocks would not be needed");
}

#[test]
fn noisy_entries_do_not_blur_the_quiet_ones() {
    let noise = [0.003, 0.003, 0.003, 0.1, 0.1].map(Noise::Normal);
    let judgement = judged(&[1.0, 1.03, 1.0, 2.0, 4.0], &noise, &Design::once(5), 1);
    let ratio = judgement.ratio(1, 0).unwrap();
    assert!(ratio.low.unwrap() > 1.0, "{ratio:?}");
}
