//! `load` against servers that answer as servers do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::Value;

use crate::bench::{Bench, HARNESS, built, code, stderr};

fn load(arguments: &[&str]) -> Output {
    Command::new(HARNESS).arg("load").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Answers each request with what `answer` makes of the path and the request's number: status, further header lines
/// and body. Lives as long as the test's process.
fn serve(answer: fn(&str, u64) -> (u16, &'static str, String)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let count = Arc::clone(&count);
            thread::spawn(move || converse(&stream.unwrap(), answer, &count));
        }
    });
    address
}

fn converse(
    stream: &TcpStream,
    answer: fn(&str, u64) -> (u16, &'static str, String),
    count: &AtomicU64,
) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let first = lines.next()?.ok()?;
        let path = first.split(' ').nth(1)?.to_owned();
        while !lines.next()?.ok()?.is_empty() {}
        let (status, headers, body) = answer(&path, count.fetch_add(1, Ordering::Relaxed));
        // 204 and 304 have no body, and no length of one.
        let length = match status {
            204 | 304 => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n");
        let mut stream = stream;
        stream.write_all((head + &body).as_bytes()).ok()?;
        if headers.contains("close") {
            return None;
        }
    }
}

fn of_many_kinds(path: &str, number: u64) -> (u16, &'static str, String) {
    match path {
        "/healthz" => (204, "", String::new()),
        "/cached" => (304, "", String::new()),
        "/login" => (302, "Location: /\r\n", String::new()),
        "/flaky" if number % 10 == 9 => (503, "", "busy".to_owned()),
        "/clock" => (200, "", format!("now {number}")),
        "/closing" => (200, "Connection: close\r\n", "ok".to_owned()),
        _ => (200, "", "ok".to_owned()),
    }
}

#[test]
fn statuses_without_a_body_are_answers_and_errors_are_counted_by_status() {
    let target = serve(of_many_kinds).to_string();
    let seen = |path: &str| {
        let at = ["--target", &target, "--path", path, "--connections", "4"];
        load(&[&at[..], &["--rate", "500", "--duration", "400ms"]].concat())
    };
    for (path, status) in [("/healthz", 204), ("/cached", 304), ("/login", 302)] {
        let text = stdout(&seen(path));
        assert!(text.contains("200 answered, 0 errors"), "{path}: {text}");
        assert!(text.contains(&format!("100 % with status {status}")), "{path}: {text}");
    }
    let flaky = seen("/flaky");
    assert_eq!(code(&flaky), 3);
    assert!(stdout(&flaky).contains("10.0 % with status 503"), "{}", stdout(&flaky));
    let clock = seen("/clock");
    assert_eq!(code(&clock), 3);
    assert!(stdout(&clock).contains("--any-body"), "{}", stdout(&clock));
}

#[test]
fn connections_that_the_server_closes_are_opened_anew_and_counted() {
    let target = serve(of_many_kinds).to_string();
    let at = ["--target", &target, "--path", "/closing", "--connections", "4", "--format", "json"];
    let output = load(&[&at[..], &["--rate", "200", "--duration", "500ms"]].concat());
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&seen["answered"], &seen["errors"]), (&100.into(), &0.into()), "{seen}");
    assert!(seen["reopened"].as_u64().unwrap() >= 96, "{seen}");
}

#[test]
#[ignore = "needs root"]
fn running_out_of_ports_is_named_and_loses_nothing() {
    let script = format!(
        "ip link set lo up; sysctl -qw net.ipv4.ip_local_port_range='40000 40200' net.ipv4.tcp_tw_reuse=0
         python3 -m http.server 9010 --bind 127.0.0.1 >/dev/null 2>&1 & sleep 1
         {HARNESS} load --target 127.0.0.1:9010 --any-body --connections 4 --duration 2s; code=$?
         kill %1; exit $code"
    );
    let output = Command::new("unshare").args(["-n", "bash", "-c", &script]).output().unwrap();
    let text = stdout(&output);
    assert_eq!(code(&output), 3, "{text}{}", stderr(&output));
    assert!(text.contains("no ports are left") && text.contains("opened anew"), "{text}");
    assert!(text.contains("100 % with status 200"), "what was answered is kept: {text}");
}

#[test]
fn a_closed_loop_says_what_it_hides_and_few_answers_have_no_high_percentiles() {
    let closed = stdout(&load(&["--connections", "2", "--duration", "200ms"]));
    assert!(closed.contains("a closed loop hides stalls"), "{closed}");
    let few = stdout(&load(&["--rate", "100", "--connections", "2", "--duration", "500ms"]));
    assert!(few.contains("p90 ") && few.contains("p99 —"), "{few}");
}

#[test]
fn a_service_of_a_profile_file_is_asked_as_it_is_described() {
    let bench = Bench::with(&["threads"]);
    let file = bench.path("service.toml");
    let text = r#"
        name = "shop"
        load = { connections = 8, rate = 600 }
        class = [
            { name = "page", share = 0.9, wait = "1ms", cpu = "20us", payload = "1KiB" },
            { name = "order", share = 0.1, wait = "2ms", cpu = "50us", payload = "256B", blocking = true },
        ]
        objective = { p99 = "2s", optimise = "p99" }
    "#;
    std::fs::write(&file, text).unwrap();
    let service = file.to_str().unwrap();
    let mut server = Command::new(built("threads"))
        .args(["serve", "traffic", "--param", "connections=32"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let target = first.split(" on ").nth(1).unwrap().split(' ').next().unwrap();
    let at = ["--service", service, "--target", target, "--duration", "1s"];
    let json = load(&[&at[..], &["--arrivals", "constant", "--format", "json"]].concat());
    let seen: Value = serde_json::from_slice(&json.stdout).unwrap();
    let plain = stdout(&load(&at));
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!((&seen["sent"], &seen["errors"]), (&600.into(), &0.into()), "{seen}");
    assert_eq!(
        (&seen["offered_per_second"], &seen["arrivals"]),
        (&600.0.into(), &"constant".into())
    );
    let classes = seen["classes"].as_array().unwrap();
    let answered: BTreeMap<_, _> =
        classes.iter().map(|c| (c["name"].as_str().unwrap(), c["answered"].as_u64())).collect();
    assert_eq!(answered, BTreeMap::from([("page", Some(540)), ("order", Some(60))]));
    assert_eq!(seen["objective"]["met"], true, "{seen}");
    assert!(plain.contains("objective      a p99 below 2.00 s: met"), "{plain}");

    let nowhere = load(&["--service", service]);
    assert_eq!(code(&nowhere), 2);
    assert!(stderr(&nowhere).contains("--target"), "{}", stderr(&nowhere));
}
