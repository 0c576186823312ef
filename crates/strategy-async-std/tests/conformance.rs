//! The built executable, as the harness would run it.

use std::path::Path;

const PROGRAM: &str = env!("CARGO_BIN_EXE_strategy-async-std");

#[test]
fn every_answer_is_right() {
    conformance::assert_right(Path::new(PROGRAM));
}

#[test]
fn one_worker_is_one_thread_that_works() {
    conformance::assert_one_worker(
        Path::new(PROGRAM),
        &["map", "join", "sort", "skewed", "matmul", "reduce", "grain", "gather", "echo"],
    );
}

#[test]
fn the_server_stands_what_clients_do_to_it() {
    conformance::assert_serves(Path::new(PROGRAM), &[]);
}

#[test]
fn the_http_server_stands_what_clients_do_to_it() {
    conformance::assert_serves_http(Path::new(PROGRAM), &[]);
}

#[test]
fn a_backend_that_dies_is_a_failure_that_says_so() {
    conformance::assert_notices_a_dead_backend(Path::new(PROGRAM), "global");
}

#[test]
fn every_service_starts_and_answers() {
    conformance::assert_serves_every_service(Path::new(PROGRAM), "global", &[]);
}
