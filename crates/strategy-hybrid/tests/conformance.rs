//! The built executable, as the harness would run it.

use std::path::Path;

use launch::scratch::Scratch;
use protocol::FailureKind;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_strategy-hybrid"))
}

#[test]
fn every_answer_is_right() {
    conformance::assert_right(program());
}

#[test]
fn the_http_server_stands_what_clients_do_to_it() {
    conformance::assert_serves_http(program(), &["--workers", "2"]);
}

#[test]
fn one_worker_is_refused_with_the_reason() {
    let scratch = Scratch::temporary().unwrap();
    let tried = conformance::try_all(program(), program(), 1, scratch.path()).unwrap();
    assert!(!tried.is_empty());
    for tried in tried {
        let failure = tried.result.unwrap_err();
        assert_eq!(failure.failure, FailureKind::Unsupported, "{}", tried.case);
        assert_eq!(failure.reason, "two pools need at least two workers");
    }
}

#[test]
fn every_service_starts_and_answers() {
    conformance::assert_serves_every_service(program(), "tokio-rayon", &[]);
}
