//! What comes of a backend that dies while a strategy asks it: a failure that says so.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use workloads::http::{Limits, RequestReader};
use workloads::service::Work;
use workloads::{Digest, Kind};

use launch::Visit;
use launch::scratch::Scratch;
use protocol::{FailureKind, SamplingPlan};

/// Answers that the backend gives before it dies.
const ANSWERS: u32 = 30;

/// Panics unless `fetch` on this program ends in a failure that names the backend when the backend hangs
/// up on all its clients.
///
/// # Panics
/// With what came of it instead.
pub fn assert_notices_a_dead_backend(program: &Path, variant: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let left = Arc::new(AtomicU32::new(ANSWERS));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let left = Arc::clone(&left);
            thread::spawn(move || answer_a_few(stream, &left));
        }
    });
    let scratch = Scratch::temporary().expect("a temporary folder can be made");
    let peer = scratch.path().join("peer");
    let ready = format!(r#"{{"protocol":1,"reply":"ready","address":"{address}"}}"#);
    fs::write(&peer, format!("#!/bin/sh\nread -r line\necho '{ready}'\ncat > /dev/null\n"))
        .and_then(|()| fs::set_permissions(&peer, fs::Permissions::from_mode(0o755)))
        .expect("a script can be written");
    let fetch = workloads::find("fetch").expect("it is in the catalogue");
    let case = &fetch.cases(workloads::Profile::Smoke)[0];
    let visit = Visit {
        program,
        peer: &peer,
        variant,
        workload: "fetch",
        kind: Kind::Batch,
        backend: true,
        params: &case.params,
        workers: 2,
        placement: launch::Placement::Free,
        sampling: SamplingPlan { warmup: 0, min_samples: 1, budget_ns: 0 },
        scratch: scratch.path(),
        time_limit: Duration::from_secs(20),
        expected: Digest::of_number(0),
    };
    let failure = visit.run().expect_err("most requests get no answer");
    assert_eq!(failure.failure, FailureKind::Crashed, "{failure:?}");
    let told = ["backend", "reset", "Broken pipe"].iter().any(|word| failure.reason.contains(word));
    assert!(told, "{failure:?}");
}

fn answer_a_few(mut stream: std::net::TcpStream, left: &AtomicU32) {
    let mut reader = RequestReader::new(Limits::SERVER);
    while let Ok(count @ 1..) = stream.read(reader.space()) {
        reader.received(count);
        while let Ok(Some(request)) = reader.next() {
            let alive = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
            let work = Work::of_target(request.target).expect("strategies ask properly");
            let mut response = Vec::new();
            let (status, after) = (workloads::http::Status::OK, workloads::http::After::Open);
            workloads::http::write_response(&mut response, status, &work.body(), after);
            if !alive || stream.write_all(&response).is_err() {
                return;
            }
        }
    }
}
