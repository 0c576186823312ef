//! Every refusal of values that do not go together names a line, a key and what to do.

use crate::refusals::{check_all, refusal};
use crate::tests::GOOD;

#[test]
fn classes_have_names_of_their_own_and_shares_that_add_up() {
    check_all(&[
        ("0.1", "0.2", "14: class.share: the shares add up to 1.1: make them add up to 1"),
        ("0.9", "0.8", "14: class.share: the shares add up to 0.9: make them add up to 1"),
        ("0.9", "0.898", "14: class.share: the shares add up to 0.998: make them add up to 1"),
    ]);
    for close in ["0.899", "0.901"] {
        let profile = crate::parse(&GOOD.replace("0.9", close)).unwrap();
        assert_eq!(profile.classes.iter().map(|class| class.per_mille).sum::<u32>(), 1_000);
    }
    check_all(&[
        (
            "\"search\"",
            "\"proxy\"",
            "13: class.name: \"proxy\" is the name of two classes: give each its own",
        ),
        (
            "\"search\"",
            "\"proxy \"",
            "13: class.name: \"proxy\" is the name of two classes: give each its own",
        ),
    ]);
    let many: String = (0..9)
        .map(|i| format!("[[class]]\nname = \"{i}\"\nshare = 0.1111\nwait = \"0s\"\ncpu = \"0s\"\npayload = \"0\"\n"))
        .collect();
    let text = format!(
        "name = \"a\"\n[load]\nconnections = 1\n{many}[objective]\np99 = \"1s\"\noptimise = \"p99\"\n"
    );
    assert!(
        refusal(&text).ends_with("class.share: 9 classes are too many: join them to 8 or fewer")
    );
}

#[test]
fn an_objective_that_the_classes_miss_by_themselves_is_refused() {
    check_all(&[
        (
            "100ms",
            "30ms",
            "19: objective.p99: 30ms cannot be met: the class \"search\" alone takes 41ms: give 41ms or more",
        ),
        (
            "100ms",
            "1ms",
            "19: objective.p99: 1ms cannot be met: the class \"search\" alone takes 41ms: give 41ms or more",
        ),
    ]);
    assert!(crate::parse(&GOOD.replace("100ms", "41ms")).is_ok());
    let rare = GOOD.replace("0.9", "0.991").replace("0.1", "0.009").replace("100ms", "30ms");
    assert!(crate::parse(&rare).is_ok());
    let third = "[[class]]\nname = \"slow\"\nshare = 0.009\nwait = \"50ms\"\ncpu = \"0s\"\npayload = \"0\"\n[objective]";
    let two = rare.replace("0.991", "0.982").replace("[objective]", third);
    assert_eq!(
        refusal(&two),
        "x.toml:25: objective.p99: 30ms cannot be met: the classes \"search\", \"slow\" take longer and are 1.8 % of all requests: give 50ms or more"
    );
}

#[test]
fn a_load_that_the_connections_cannot_carry_is_refused() {
    check_all(&[(
        "500",
        "44",
        "3: load.connections: 44 are too few: 2,000 requests a second of 22.1 ms each keep 45 busy (Little's law): give 45 or more, or a rate of 1,986 or less",
    )]);
    assert!(crate::parse(&GOOD.replace("500", "45")).is_ok());
    check_all(&[(
        "2000",
        "10_000_000",
        "3: load.connections: 500 are too few: 10,000,000 requests a second of 22.1 ms each keep 221,450 busy (Little's law): give a rate of 22,578 or less",
    )]);
    let slow = GOOD.replace("500", "1").replace("2000", "1").replace("20ms", "60s");
    assert!(refusal(&slow.replace("100ms", "61s")).ends_with("give 55 or more"));
    assert!(crate::parse(&GOOD.replace("50us", "2ms")).is_ok(), "more than all CPUs");
}

#[test]
fn preferences_that_contradict_each_other_are_refused() {
    let order = "[\"tokio\", \"threads\"]";
    check_all(&[
        (
            order,
            "[\"tokyo\"]",
            "28: preferences.order: \"tokyo\" is unknown: the models are threads, rayon, tokio, async-std, smol, hybrid",
        ),
        (
            order,
            "[\"floor\"]",
            "28: preferences.order: \"floor\" is unknown: the models are threads, rayon, tokio, async-std, smol, hybrid",
        ),
        (
            "[\"rayon\"]",
            "[\"ryon\"]",
            "29: preferences.exclude: \"ryon\" is unknown: the models are threads, rayon, tokio, async-std, smol, hybrid",
        ),
        (
            order,
            "[\"tokio\",\n\"tokio\"]",
            "29: preferences.order: \"tokio\" comes twice: name it once",
        ),
        (
            order,
            "[\"rayon\"]",
            "28: preferences.order: \"rayon\" is left out by exclude (excluded): take it out of order or of exclude",
        ),
        (
            order,
            "[\"async-std\"]",
            "28: preferences.order: \"async-std\" is left out by maintained_only (discontinued): take it out of order or set maintained_only = false",
        ),
        (
            "no_async = false",
            "no_async = true",
            "28: preferences.order: \"tokio\" is left out by no_async (async): take it out of order or set no_async = false",
        ),
    ]);
    let none = GOOD
        .replace(order, "[]")
        .replace("no_async = false", "no_async = true")
        .replace("[\"rayon\"]", "[\"rayon\", \"threads\", \"tokio\"]");
    assert_eq!(
        refusal(&none),
        "x.toml:29: preferences.exclude: no model is left: take threads or rayon out of exclude"
    );
    let kept = GOOD
        .replace(order, "[\"async-std\"]")
        .replace("maintained_only = true", "maintained_only = false");
    assert_eq!(crate::parse(&kept).unwrap().candidates()[0], "async-std");
}

#[test]
fn lines_are_counted_with_any_line_ends_and_a_byte_order_mark() {
    let text = GOOD.replace("rate =", "rates =");
    assert!(refusal(&text.replace('\n', "\r\n")).starts_with("x.toml:4: load.rates: "));
    assert!(refusal(&format!("\u{feff}{text}")).starts_with("x.toml:4: load.rates: "));
}

#[test]
fn damaged_files_are_accepted_or_refused_on_one_line() {
    let line_of = |text: &str| {
        if crate::parse(text).is_err() {
            refusal(text);
        }
    };
    for (index, c) in GOOD.char_indices() {
        line_of(&GOOD[..index]);
        line_of(&GOOD[index..]);
        let rest = &GOOD[index + c.len_utf8()..];
        for other in ["", "9", "-", "\"", "[", "\n", "e9", "\u{202e}"] {
            line_of(&format!("{}{other}{rest}", &GOOD[..index]));
        }
    }
}
