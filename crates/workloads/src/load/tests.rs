//! The shares of classes, their order, their times, and the digest over answers.

use super::*;

fn load() -> HttpLoad {
    let class = |per_mille, units| Share { per_mille, work: Work { units, ..Work::default() } };
    let pace = Pace::Closed { requests: 10_000 };
    HttpLoad { seed: 7, ..HttpLoad::new(3, pace, vec![class(950, 0), class(50, 1)]) }
}

/// Loads with up to eight classes of random shares.
fn random_loads() -> impl Iterator<Item = HttpLoad> {
    (0..200_u64).map(|number| {
        let random = |salt: u64| mix(mix(number) ^ salt);
        let classes = 1 + random(1) % 8;
        let mut left = 1_000;
        let mut shares: Vec<u32> = (1..classes)
            .map(|class| {
                // Rare ones as often as frequent ones.
                let most = (left - (classes - class) as u32).min(1 << (random(class) % 10));
                let share = 1 + (random(100 + class) % u64::from(most)) as u32;
                left -= share;
                share
            })
            .collect();
        shares.push(left);
        let share = |(class, per_mille): (u64, u32)| Share {
            per_mille,
            work: Work { units: (random(200 + class) % 200_000) as u32, ..Work::default() },
        };
        HttpLoad {
            mix: (0..).zip(shares).map(share).collect(),
            seed: number,
            unit_ns: 900,
            ..load()
        }
    })
}

#[test]
fn every_class_has_its_share_to_less_than_a_request_in_every_window() {
    for load in random_loads() {
        for requests in [1, 7, 60, 500, 999, 1_000, 3_217] {
            let sequence = load.sequence(requests, requests % 3);
            let mut counts = vec![0_u64; load.mix.len()];
            (0..requests).for_each(|index| counts[sequence.request(index).0] += 1);
            for (share, count) in load.mix.iter().zip(&counts) {
                let exact = f64::from(share.per_mille) * requests as f64 / 1_000.0;
                let off = (*count as f64 - exact).abs();
                assert!(off < 1.0, "{count} of {requests} where {exact} are described");
            }
            let cpu = |class| load.cpu_ns(class) as f64;
            let sent: f64 = (0..).zip(&counts).map(|(class, n)| cpu(class) * *n as f64).sum();
            let described = load.mean(cpu);
            let bound: f64 = (0..load.mix.len()).map(cpu).sum::<f64>() / requests as f64;
            assert!((sent / requests as f64 - described).abs() <= bound);
            if requests == 1_000 {
                assert!((sent / requests as f64 / described - 1.0).abs() < 1e-9 || sent == 0.0);
            }
        }
    }
}

#[test]
fn a_rare_class_comes_as_often_in_each_part_of_a_window() {
    // One request of a hundred: over a thousand seeds, a hundred times in each tenth of the window.
    let mut load = load();
    (load.mix[0].per_mille, load.mix[1].per_mille) = (990, 10);
    let mut tenths = [0; 10];
    for seed in 0..1_000 {
        load.seed = seed;
        let sequence = load.sequence(100, 0);
        let place = (0..100).find(|&index| sequence.request(index).0 == 1).unwrap();
        tenths[place as usize / 10] += 1;
    }
    assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
}

#[test]
fn the_number_of_requests_closest_to_the_shares_is_whole_where_that_is_near() {
    assert_eq!(closest_to_shares(&[999, 1], 500), 1_000);
    assert_eq!(closest_to_shares(&[950, 50], 487), 500);
    assert_eq!(closest_to_shares(&[1_000], 487), 487);
    assert_eq!(closest_to_shares(&[999, 1], 2_001), 3_000);
    assert_eq!(closest_to_shares(&[999, 1], 0), 1, "nothing near is whole");
}

#[test]
fn the_order_of_the_classes_follows_from_the_seed_and_the_turn() {
    let load = load();
    let order = |load: &HttpLoad, turn| -> Vec<_> {
        let sequence = load.sequence(1_000, turn);
        (0..1_000).map(|index| sequence.request(index)).collect()
    };
    assert_eq!(order(&load, 0), order(&load, 0));
    assert_ne!(order(&load, 0), order(&load, 1));
    assert_ne!(order(&load, 0), order(&HttpLoad { seed: 8, ..load.clone() }, 0));
    let sequence = load.sequence(1_000, 0);
    assert_eq!(sequence.request(1_003).0, sequence.request(3).0, "it begins anew");
}

#[test]
fn a_class_that_computes_for_long_has_few_seeds_and_any_other_all() {
    let mut load = load();
    load.mix[1].work.units = 1_000_000;
    assert_eq!((load.seeds(0), load.seeds(1)), (SEEDS, 1));
    let sequence = load.sequence(1_000, 0);
    let seeds = |class| (0..1_000).map(|i| sequence.request(i)).filter(move |r| r.0 == class);
    assert!(seeds(1).all(|(_, seed)| seed == 0) && seeds(0).any(|(_, seed)| seed == 7));
}

#[test]
fn arrivals_have_the_mean_and_the_spread_of_a_poisson_process() {
    let due = arrivals(3, 1_000.0, 20_000);
    let gaps: Vec<_> = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    assert!((0.97..1.03).contains(&mean), "{mean}");
    assert!((0.9..1.1).contains(&variance), "{variance}");
    assert_eq!(due, arrivals(3, 1_000.0, 20_000));
    assert_ne!(due, arrivals(4, 1_000.0, 20_000));
}

#[test]
fn a_missing_a_doubled_and_a_swapped_answer_spoil_the_digest() {
    let digest = |answers: &[(u64, u64)]| {
        let mut all = AnswerDigest::default();
        answers.iter().for_each(|&(index, answer)| all.add(index, answer));
        all.finish()
    };
    let right = digest(&[(0, 5), (1, 6)]);
    assert_eq!(digest(&[(1, 6), (0, 5)]), right);
    for wrong in [&[(0, 5)][..], &[(0, 5), (1, 6), (1, 6)], &[(0, 6), (1, 5)]] {
        assert_ne!(digest(wrong), right);
    }
}
