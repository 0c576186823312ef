//! Verdicts on small cases whose answer is plain.

use super::*;

fn series(values: &[&[f64]]) -> Vec<Series> {
    let series = |values: &&[f64]| Series {
        contestant: true,
        values: values.iter().map(|&value| Some(value)).collect(),
        until: None,
    };
    values.iter().map(series).collect()
}

fn verdicts(series: &[Series], design: &Design) -> Vec<Verdict> {
    let judgement = Judgement::of(series, design);
    (0..series.len()).map(|i| judgement.verdict(i).unwrap()).collect()
}

#[test]
fn a_machine_that_slows_down_for_a_round_changes_nothing() {
    let calm = series(&[&[1.0, 1.0, 1.0, 1.0], &[2.0, 2.02, 1.98, 2.0]]);
    let rough = series(&[&[1.0, 3.0, 1.0, 1.5], &[2.0, 6.06, 1.98, 3.0]]);
    let design = Design::once(4);
    let ratio = |series: &[Series]| Judgement::of(series, &design).ratio(1, 0).unwrap();
    assert!((ratio(&calm).estimate - ratio(&rough).estimate).abs() < 1e-9);
    assert_eq!(verdicts(&rough, &design), [Verdict::Best, Verdict::Slower]);
}

#[test]
fn one_or_two_rounds_decide_nothing() {
    for rounds in 1..3 {
        let series = series(&[&[1.0, 1.0][..rounds], &[9.0, 9.0][..rounds]]);
        let judgement = Judgement::of(&series, &Design::once(5));
        assert_eq!(judgement.verdict(0), Some(Verdict::Undecided));
        assert_eq!(judgement.ratio(1, 0).unwrap().low, None);
        assert!((judgement.ratio(1, 0).unwrap().estimate - 9.0).abs() < 1e-9);
    }
}

#[test]
fn who_is_alone_is_not_best() {
    assert_eq!(verdicts(&series(&[&[1.0, 1.0]]), &Design::once(2)), [Verdict::Alone]);
}

#[test]
fn who_is_slower_leaves_at_a_look_and_keeps_its_verdict() {
    let design = Design::new(1, &[3, 5]);
    let mut series = series(&[
        &[1.0, 1.1, 1.0, 1.0, 1.0],
        &[1.05, 1.0, 1.1, 1.2, 1.2],
        &[9.0, 9.1, 9.0, 9.0, 9.0],
    ]);
    let after = |series: &[Series]| Judgement::of(series, &design);
    let mut begun = series.clone();
    begun.iter_mut().for_each(|series| series.values.truncate(3));
    let first = after(&begun);
    assert_eq!(first.active(), [0, 1]);
    assert_eq!((first.until(2), first.basis(2)), (Some(3), Some((3, 1))));
    assert!(!first.settled());
    // What it might have been afterwards does not matter, measured or not.
    let measured = after(&series);
    series[2].values.truncate(3);
    series[2].values.extend([None, None]);
    let left = after(&series);
    for judgement in [measured, left] {
        assert_eq!(judgement.verdict(2), Some(Verdict::Slower));
        assert_eq!(judgement.ratio(2, 0), first.ratio(2, 0));
        assert_eq!(judgement.basis(0), Some((5, 2)));
    }
}

#[test]
fn rounds_between_two_looks_count_when_nothing_more_comes() {
    let design = Design::new(1, &[3, 9]);
    let values: &[&[f64]] = &[&[1.0, 1.02, 1.0, 1.01], &[1.02, 1.0, 1.01, 1.0]];
    let judgement = Judgement::of(&series(values), &design);
    assert_eq!(judgement.basis(0), Some((4, 2)));
    let judgement = Judgement::so_far(&series(values), &design);
    assert_eq!(judgement.basis(0), Some((3, 1)));
}

#[test]
fn entries_that_are_no_contestants_have_ratios_and_no_verdict() {
    let mut series = series(&[&[1.0, 1.0, 1.01], &[1.5, 1.51, 1.5], &[0.9, 0.91, 0.9]]);
    series[2].contestant = false;
    let judgement = Judgement::of(&series, &Design::once(3));
    assert_eq!(judgement.verdict(2), None);
    assert_eq!(judgement.champion(), Some(0));
    assert!(judgement.ratio(0, 2).unwrap().low.unwrap() > 1.0);
}

#[test]
fn who_left_by_another_metric_is_no_longer_waited_for() {
    let design = Design::new(1, &[3, 5]);
    let mut series =
        series(&[&[1.0, 1.1, 1.0, 1.0, 1.1], &[1.1, 1.0, 1.1, 1.0, 1.0], &[1.0, 1.0, 1.1]]);
    series[2].values.extend([None, None]);
    series[2].until = Some(3);
    let judgement = Judgement::of(&series, &design);
    assert_eq!(judgement.basis(0), Some((5, 2)));
    assert_eq!(judgement.basis(2), Some((3, 1)));
    assert_eq!(judgement.verdict(2), Some(Verdict::Undecided));
}

#[test]
fn what_it_takes_to_decide_falls_with_the_distance_from_the_margin() {
    let judgement = Judgement::of(
        &series(&[&[1.0, 1.2, 1.1], &[1.2, 1.1, 1.1], &[1.5, 1.2, 1.3]]),
        &Design::once(3),
    );
    let needs = |entry| judgement.needed_blocks(entry).unwrap();
    assert!(needs(2) > 3.0 && needs(2) < needs(1), "{} {}", needs(2), needs(1));
}

#[test]
fn a_twin_ties_with_its_original_unless_it_is_far_off() {
    let series = series(&[&[1.0, 1.01, 1.0, 1.0], &[2.0, 2.0, 2.01, 2.0]]);
    let twin_of = |values: [f64; 3]| {
        let values: Vec<_> = std::iter::once(None).chain(values.map(Some)).collect();
        twin(&series, 0, &values, &Design::once(1)).1
    };
    assert_eq!(twin_of([1.01, 1.0, 1.0]), Verdict::Tied);
    assert_eq!(twin_of([1.2, 1.2, 1.2]), Verdict::Slower);
}

#[test]
fn on_a_noisy_host_only_far_behind_stays_slower() {
    let ratio = |low| Some(Figure { estimate: 2.0, low: Some(low), high: Some(3.0) });
    assert_eq!(on_a_noisy_host(Verdict::Best, None), Verdict::Undecided);
    assert_eq!(on_a_noisy_host(Verdict::Tied, None), Verdict::Undecided);
    assert_eq!(on_a_noisy_host(Verdict::Slower, ratio(1.1)), Verdict::Undecided);
    assert_eq!(on_a_noisy_host(Verdict::Slower, ratio(1.4)), Verdict::Slower);
}

#[test]
fn a_value_is_the_median_of_its_own_observations() {
    let value = own_value(&[2.20, 2.39, 2.28, 2.31]);
    assert!((value.estimate - 2.295).abs() < 1e-12, "{value:?}");
    assert!(value.low.unwrap() < 2.295 && 2.295 < value.high.unwrap());
    assert_eq!(own_value(&[2.0, 4.0]), Figure::without_interval(3.0));
    assert_eq!(own_value(&[0.0, 0.0, 0.0]), Figure::without_interval(0.0));
    assert!(own_value(&[]).estimate.is_nan());
}

#[test]
fn slower_is_proven_by_the_rival_with_the_largest_bound() {
    // The leader scatters so much that only the steady second proves anything.
    let series = series(&[
        &[0.5, 1.4, 0.6, 1.3, 0.7],
        &[1.0, 1.01, 0.99, 1.0, 1.0],
        &[1.5, 1.51, 1.49, 1.5, 1.5],
    ]);
    let judgement = Judgement::of(&series, &Design::once(5));
    assert_eq!((judgement.champion(), judgement.verdict(2)), (Some(0), Some(Verdict::Slower)));
    assert_eq!(judgement.proven_by(2), Some(1));
    assert!(judgement.ratio(2, 1).unwrap().low.unwrap() > MARGIN);
    assert!(judgement.ratio(2, 0).unwrap().low.unwrap() < MARGIN, "the leader proves nothing");
    assert_eq!(judgement.proven_by(0), None);
}

#[test]
fn noise_of_the_rounds_centre_does_not_choose_the_leader() {
    // In every round the first is a tenth ahead of the second, whatever the third does to the centre.
    let series = series(&[&[1.0, 2.0, 3.0], &[1.1, 2.2, 3.3], &[9.0, 0.2, 9.0]]);
    assert_eq!(Judgement::of(&series, &Design::once(3)).leader(&[0, 1]), Some(0));
}
