//! What is accepted means what it says, and is kept.

use std::time::Duration;

use record::service::{Limits, Load, Objective, Optimise, Preferences, RequestClass};

use super::*;

/// Accepted; the refusals know its lines.
pub(crate) const GOOD: &str = include_str!("example.toml");

#[test]
fn a_good_file_means_what_it_says() {
    let profile = crate::parse(GOOD).unwrap();
    assert_eq!(profile.name, "API gateway");
    assert_eq!(profile.load, Load { connections: 500, rate: Some(2000) });
    let proxy = RequestClass {
        name: "proxy".to_owned(),
        per_mille: 900,
        wait: Duration::from_millis(20),
        cpu: Duration::from_micros(50),
        payload_bytes: 4096,
        blocking: false,
    };
    assert_eq!(profile.classes[0], proxy);
    assert_eq!(profile.classes[1].per_mille, 100);
    let objective = Objective { p99: Duration::from_millis(100), optimise: Optimise::Throughput };
    assert_eq!(profile.objective, objective);
    assert_eq!(profile.limits, Limits { memory_bytes: Some(512 << 20), threads: Some(300) });
    assert_eq!(profile.mean_wait(), Duration::from_millis(22));
    assert_eq!(profile.mean_cpu(), Duration::from_micros(145));
    assert!((profile.offered_cpus().unwrap() - 0.29).abs() < 1e-9);
    assert!((profile.under_way().unwrap() - 44.29).abs() < 1e-9);
    assert_eq!(profile.candidates(), ["tokio", "threads", "smol", "hybrid"]);
    let left_out: Vec<_> = profile.left_out().into_iter().map(|(name, _)| name).collect();
    assert_eq!(left_out, ["rayon", "async-std"]);
}

#[test]
fn requests_that_block_and_those_that_do_not_become_classes_of_their_own() {
    let mut profile = crate::parse(GOOD).unwrap();
    let half = profile.with_blocking(|class| class.per_mille / 2).unwrap();
    assert_eq!(half.classes.len(), 2 * profile.classes.len());
    assert_eq!(half.classes.iter().map(|class| class.per_mille).sum::<u32>(), 1_000);
    let class = RequestClass { per_mille: 200, ..profile.classes[0].clone() };
    profile.classes = vec![class; 5];
    assert_eq!(profile.with_blocking(|_| 100), None, "ten classes are too many");
}

#[test]
fn models_with_a_thread_for_every_connection_break_a_limit_of_fewer_threads() {
    let breaks = |threads| -> Vec<_> {
        let mut profile = crate::parse(GOOD).unwrap();
        profile.limits.threads = threads;
        profile.beyond_limits().into_iter().map(|(name, _)| name).collect()
    };
    let connections = crate::parse(GOOD).unwrap().load.connections;
    assert_eq!(breaks(Some(connections - 1)), ["threads", "rayon"]);
    assert!(breaks(Some(connections)).is_empty() && breaks(None).is_empty());
}

#[test]
fn what_may_be_left_out_has_defaults() {
    let text = GOOD.split("[limits]").next().unwrap().replace("rate = 2000\n", "");
    let profile = crate::parse(&text.replace("blocking = false\n", "")).unwrap();
    assert_eq!((profile.load.rate, profile.offered_cpus()), (None, None));
    assert_eq!(profile.limits, Limits::default());
    assert!(!profile.classes[0].blocking);
    let preferences = Preferences {
        maintained_only: true,
        no_async: false,
        callable_from_sync: false,
        order: Vec::new(),
        exclude: Vec::new(),
    };
    assert_eq!(profile.preferences, preferences);
}

#[test]
fn a_profile_survives_the_way_through_json() {
    let profile = crate::parse(GOOD).unwrap();
    let json = serde_json::to_string(&profile).unwrap();
    assert!(json.contains("\"wait_ns\":20000000"), "{json}");
    assert!(json.contains("\"p99_ns\":100000000,\"optimise\":\"throughput\""), "{json}");
    assert_eq!(serde_json::from_str::<ServiceProfile>(&json).unwrap(), profile);
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, content: Option<&[u8]>| {
        let path = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let UsageError(sentence) = crate::read(&path).unwrap_err();
        assert!(sentence.starts_with(&path.display().to_string()), "{sentence}");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        sentence
    };
    assert!(read("none", None).contains(": cannot be read: No such file"));
    assert!(read(".", None).contains(": cannot be read: Is a directory"));
    let large = format!("{GOOD}#{}", "x".repeat(MAX_FILE as usize));
    assert!(read("large", Some(large.as_bytes())).contains(": is larger than 64 KiB: give a"));
    assert!(read("latin", Some(b"name = \"\xe4\"")).contains(": is not UTF-8 text: give a"));
    assert!(read("bad", Some(b"name = \n")).contains("/bad:1: not TOML: "));
    let fits = format!("{GOOD}#{}", "x".repeat(MAX_FILE as usize - GOOD.len() - 1));
    let path = folder.path().join("fits");
    std::fs::write(&path, fits).unwrap();
    assert!(crate::read(&path).is_ok());
}
