//! Every refusal of a value names its line, its key and what to do.

use workloads::UsageError;

use crate::tests::GOOD;

/// The refusal of a text, as a user sees it.
pub(crate) fn refusal(text: &str) -> String {
    match crate::parse(text) {
        Ok(profile) => panic!("accepted: {profile:?}"),
        Err(refusal) => {
            let UsageError(sentence) = refusal.in_file("x.toml", text);
            assert_eq!(sentence.lines().count(), 1, "{sentence}");
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
            sentence
        }
    }
}

/// The refusal of the good file in which this is replaced.
#[track_caller]
fn refused(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    refusal(&GOOD.replacen(old, new, 1))
}

/// What is replaced in the good file, by what, and the refusal after the file's name.
#[track_caller]
pub(crate) fn check_all(cases: &[(&str, &str, &str)]) {
    for (old, new, expected) in cases {
        assert_eq!(refused(old, new), format!("x.toml:{expected}"));
    }
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    for (text, line) in [
        ("name = \"a\"\nload = [\n", 2),
        ("name = \"a\"\n[load\n", 2),
        ("name = \"a\"\nname = \"b\"\n", 2),
        ("\n\nwait = 20ms\n", 3),
        ("a = \"\u{1}\"", 1),
        ("{\"name\": 1}", 1),
    ] {
        let sentence = refusal(text);
        assert!(sentence.starts_with(&format!("x.toml:{line}: not TOML: ")), "{sentence}");
        assert!(sentence.ends_with(": correct this line"), "{sentence}");
    }
    let deep = format!("a = {}", "[".repeat(50_000));
    assert!(refusal(&deep).starts_with("x.toml:1: not TOML: "));
}

#[test]
fn unknown_keys_are_refused_with_those_that_there_are() {
    check_all(&[
        (
            "rate =",
            "rates =",
            "4: load.rates: unknown key: the keys of [load] are connections, rate",
        ),
        (
            "name = \"API gateway\"",
            "name = \"API gateway\"\nversion = 2",
            "2: version: unknown key: the keys of a profile are name, load, class, objective, limits, preferences",
        ),
        (
            "blocking =",
            "blokcing =",
            "11: class.blokcing: unknown key: the keys of [[class]] are name, share, wait, cpu, payload, blocking",
        ),
        (
            "[limits]",
            "[limit]",
            "21: limit: unknown key: the keys of a profile are name, load, class, objective, limits, preferences",
        ),
        (
            "p99 =",
            "p95 =",
            "19: objective.p95: unknown key: the keys of [objective] are p99, optimise",
        ),
        (
            "threads = 300",
            "cpus = 2",
            "23: limits.cpus: unknown key: the keys of [limits] are memory, threads",
        ),
        (
            "order =",
            "\"or\\nder\" =",
            "28: preferences.\"or\\nder\": unknown key: the keys of [preferences] are maintained_only, no_async, callable_from_sync, order, exclude",
        ),
    ]);
}

#[test]
fn every_key_that_a_file_may_hold_has_an_example() {
    let mut seen = 0;
    for table in ["", "[load]", "[[class]]", "[objective]", "[limits]", "[preferences]"] {
        let text = GOOD.replacen(table, &format!("{table}\nklingon = 1\n"), 1);
        let sentence = refusal(&text);
        let (_, keys) = sentence.rsplit_once(" are ").expect(&sentence);
        for key in keys.split(", ") {
            let of_table = GOOD.split_once(table).unwrap().1;
            let of_table =
                if table.is_empty() { GOOD } else { of_table.split("\n[").next().unwrap() };
            let shown = [format!("\n{key} = "), format!("\n[{key}]"), format!("\n[[{key}]]")];
            let text = format!("\n{of_table}");
            assert!(shown.iter().any(|shown| text.contains(shown)), "{table} {key}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn values_of_another_type_are_refused_with_an_example() {
    check_all(&[
        (
            "\"API gateway\"",
            "5",
            "1: name: a whole number where text in quotation marks belongs: write name = \"API gateway\"",
        ),
        (
            "500",
            "\"many\"",
            "3: load.connections: text where a whole number belongs: write connections = 500",
        ),
        ("2000", "2e3", "4: load.rate: 2e3 is no whole number: write 2000"),
        ("2000", "inf", "4: load.rate: a number where a whole number belongs: write rate = 2000"),
        ("0.9", "\"0.9\"", "7: class.share: text where a number belongs: write share = 0.9"),
        (
            "\"20ms\"",
            "20",
            "8: class.wait: a whole number where text in quotation marks belongs: write wait = \"20ms\"",
        ),
        (
            "\"4KiB\"",
            "[]",
            "10: class.payload: a list where text in quotation marks belongs: write payload = \"4KiB\"",
        ),
        (
            "blocking = false",
            "blocking = 0",
            "11: class.blocking: a whole number where true or false belongs: write blocking = false",
        ),
        (
            "\"throughput\"",
            "true",
            "20: objective.optimise: true or false where text in quotation marks belongs: write optimise = \"throughput\"",
        ),
        (
            "\"512MiB\"",
            "2026-01-01",
            "22: limits.memory: a date or time of day where text in quotation marks belongs: write memory = \"512MiB\"",
        ),
        (
            "[\"tokio\", \"threads\"]",
            "\"tokio\"",
            "28: preferences.order: text where a list belongs: write order = [\"tokio\", \"threads\"]",
        ),
        (
            "[\"rayon\"]",
            "[1]",
            "29: preferences.exclude: a whole number where text in quotation marks belongs: write exclude = [\"rayon\"]",
        ),
    ]);
    let text = "name = \"a\"\nload = 5\n";
    assert_eq!(refusal(text), "x.toml:2: load: a whole number where a table belongs: write [load]");
    let one =
        GOOD.split("[[class]]\nname = \"search\"").next().unwrap().replace("[[class]]", "[class]");
    assert_eq!(refusal(&one), "x.toml:5: class: a table where a list belongs: write [[class]]");
}

#[test]
fn what_is_missing_is_refused_at_its_table() {
    check_all(&[
        (
            "name = \"API gateway\"\n",
            "",
            "1: name: missing: add it, such as name = \"API gateway\"",
        ),
        (
            "connections = 500\n",
            "",
            "2: load.connections: missing: add it, such as connections = 500",
        ),
        ("name = \"search\"\n", "", "12: class.name: missing: add it, such as name = \"proxy\""),
        ("share = 0.9\n", "", "5: class.share: missing: add it, such as share = 0.9"),
        ("wait = \"40ms\"\n", "", "12: class.wait: missing: add it, such as wait = \"20ms\""),
        ("cpu = \"1ms\"\n", "", "12: class.cpu: missing: add it, such as cpu = \"50us\""),
        (
            "payload = \"24KiB\"\n",
            "",
            "12: class.payload: missing: add it, such as payload = \"4KiB\"",
        ),
        ("p99 = \"100ms\"\n", "", "18: objective.p99: missing: add it, such as p99 = \"100ms\""),
        (
            "optimise = \"throughput\"\n",
            "",
            "18: objective.optimise: missing: add it, such as optimise = \"throughput\"",
        ),
    ]);
    assert_eq!(refusal(""), "x.toml:1: name: missing: add it, such as name = \"API gateway\"");
    assert_eq!(refusal("name = \"a\""), "x.toml:1: load: missing: add it, such as [load]");
    let start = GOOD.find("[objective]").unwrap();
    for empty in ["", "class = []\n"] {
        let text = format!("name = \"a\"\n{empty}[load]\nconnections = 1\n{}", &GOOD[start..]);
        assert_eq!(refusal(&text), "x.toml:1: class: missing: add it, such as [[class]]");
    }
    assert_eq!(
        refusal(&GOOD[..start]),
        "x.toml:1: objective: missing: add it, such as [objective]"
    );
}

#[test]
fn values_out_of_range_are_refused() {
    let long = "n".repeat(61);
    let cut = format!("{}…", "n".repeat(40));
    check_all(&[
        (
            "API gateway",
            &long,
            &format!("1: name: \"{cut}\" is too long: give at most 60 characters"),
        ),
        ("API gateway", "", "1: name: \"\" names nothing: give 1 to 60 characters"),
        ("\"proxy\"", "\" \"", "6: class.name: \" \" names nothing: give 1 to 60 characters"),
        ("500", "0", "3: load.connections: 0 is out of range: give 1 to 100,000"),
        ("500", "-500", "3: load.connections: -500 is out of range: give 1 to 100,000"),
        ("500", "0x1_86A1", "3: load.connections: 100001 is out of range: give 1 to 100,000"),
    ]);
    check_all(&[
        (
            "500",
            &"9".repeat(60),
            "3: load.connections: integer number overflowed: write connections = 500",
        ),
        (
            "2000",
            "0",
            "4: load.rate: 0 is out of range: give 1 to 10,000,000, or leave it out for as many as can be served in time",
        ),
        (
            "2000",
            "10_000_001",
            "4: load.rate: 10000001 is out of range: give 1 to 10,000,000, or leave it out for as many as can be served in time",
        ),
    ]);
    for share in ["0", "0.0", "-0.1", "1.01", "2", "inf", "-inf"] {
        let sentence = refused("0.9", share);
        assert!(sentence.starts_with("x.toml:7: class.share: "), "{sentence}");
        assert!(sentence.ends_with(" is out of range: give 0.001 to 1"), "{sentence}");
    }
    check_all(&[
        ("0.9", "nan", "7: class.share: NaN is out of range: give 0.001 to 1"),
        ("20ms", "20 minutes", "8: class.wait: \"20 minutes\" is too long: give at most 60 s"),
        (
            "20ms",
            "20",
            "8: class.wait: \"20\" is no time: write a time with its unit, such as \"20ms\", \"1.5s\" or \"50us\"",
        ),
        ("50us", "2s", "9: class.cpu: \"2s\" is too long: give at most 1 s"),
        (
            "50us",
            "-50us",
            "9: class.cpu: \"-50us\" is no time: write a time with its unit, such as \"20ms\", \"1.5s\" or \"50us\"",
        ),
        ("4KiB", "2MiB", "10: class.payload: \"2MiB\" is too large: give at most 1 MiB"),
        (
            "4KiB",
            "4 kilobytes",
            "10: class.payload: \"4 kilobytes\" is no size: write a size with its unit, such as \"4KiB\" (B, kB, MB, GB, KiB, MiB, GiB)",
        ),
        ("100ms", "0s", "19: objective.p99: \"0s\" cannot be met: give more than 0 s"),
        (
            "\"throughput\"",
            "\"speed\"",
            "20: objective.optimise: \"speed\" is unknown: give one of throughput, p99, cpu, memory",
        ),
        ("512MiB", "0B", "22: limits.memory: \"0B\" lets nothing run: give more or leave it out"),
        (
            "threads = 300",
            "threads = 0",
            "23: limits.threads: 0 is out of range: give 1 to 4,194,304, or leave it out",
        ),
    ]);
    assert!(crate::parse(&GOOD.replace("4KiB", "0B")).is_ok());
    assert!(crate::parse(&GOOD.replace("4KiB", "15B")).is_ok());
}
