//! The generator against servers of every temper.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use workloads::service::{Bounds, Dispatch, Requests, Work};
use workloads::{Fact, HttpLoad, Pace, Share, arrivals};

use super::driver::Driver;
use super::{Conduct, Expect, HttpGenerator, Timetable};
use crate::readiness;
use protocol::{Failure, FailureKind};

const PATIENCE: Duration = Duration::from_millis(500);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SPIN: Duration = Duration::from_micros(5);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// The readiness loop on a thread of this process.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let bounds = Bounds { connections: 500, pool: 1, patience: Duration::from_secs(5) };
    let requests = Requests::new(bounds);
    thread::spawn(move || readiness::serve(listener, &requests));
    address
}

/// A server that answers the request with that number, from 0, as `reply` says; nothing closes.
fn replying(reply: fn(u64) -> Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, count) = (stream.unwrap(), Arc::clone(&count));
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer) {
                    let answer = reply(count.fetch_add(1, SeqCst));
                    if answer.is_empty() || stream.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// The failure of a load that cannot succeed.
fn failure(target: SocketAddr, load: &HttpLoad) -> Failure {
    match Driver::connect(target, load) {
        Err(failure) => failure,
        Ok(mut driver) => driver.window().unwrap_err(),
    }
}

fn load(pace: Pace, work: Work) -> HttpLoad {
    HttpLoad { seed: 5, ..HttpLoad::new(20, pace, vec![Share { per_mille: 1_000, work }]) }
}

fn waiting(millis: u64) -> Work {
    Work { wait: Duration::from_millis(millis), ..Work::default() }
}

#[test]
fn every_pace_yields_the_expected_digest_and_every_latency() {
    let address = server();
    for pace in
        [Pace::Closed { requests: 300 }, Pace::Burst, Pace::Open { rate: 2_000.0, requests: 200 }]
    {
        let load = load(pace, waiting(5));
        let mut driver = Driver::connect(address, &load).unwrap();
        for _ in 0..2 {
            // A busy machine may void a window, which is then driven again.
            let window = loop {
                match driver.window() {
                    Err(failure) if failure.failure == FailureKind::Void => continue,
                    other => break other.unwrap(),
                }
            };
            assert_eq!(window.digest, load.expected(), "{pace:?}");
            let count: u64 = window.latency_ns.iter().map(|(_, count)| count).sum();
            assert_eq!(Some(count), load.requests());
            assert!(window.latency_ns.iter().all(|&(ns, _)| ns >= 4_900_000), "{pace:?}");
        }
    }
}

#[test]
fn littles_law_holds() {
    let mut generator = HttpGenerator::connect(server(), 20, GET).unwrap();
    let mut request = Vec::new();
    workloads::http::write_get(&mut request, "a", &waiting(1).target());
    let kinds = [Expect { request, answer: None }];
    for timetable in [Timetable::Closed(200), Timetable::Open(arrivals(3, 5_000.0, 200))] {
        let conduct = Conduct { timetable, patience: PATIENCE, overtime: None, spin: SPIN };
        let seen = generator.window(&conduct, &kinds, |_| 0).unwrap();
        assert_eq!((seen.answers.len(), seen.errors), (200, 0), "{:?}", seen.first_error);
        // Counted apart, so it holds to the nanosecond on a machine of whatever speed.
        let latencies = seen.answers.iter().map(|&(_, ns)| ns as f64).sum::<f64>();
        assert!((latencies - seen.in_flight_ns).abs() < 1e-6 * latencies, "{seen:?}");
    }
}

#[test]
fn the_backlog_is_what_was_due_and_waited_and_not_what_was_under_way() {
    let mut generator = HttpGenerator::connect(server(), 3, GET).unwrap();
    let mut request = Vec::new();
    workloads::http::write_get(&mut request, "a", "/");
    let kinds = [Expect { request, answer: None }];
    let mut backlog = |due: Vec<u64>| {
        let timetable = Timetable::Open(due);
        let conduct = Conduct { timetable, patience: PATIENCE, overtime: None, spin: SPIN };
        let seen = generator.window(&conduct, &kinds, |_| 0).unwrap();
        assert_eq!(seen.unanswered, 0);
        seen.backlog
    };
    // All are due at once, and three connections take one each.
    assert_eq!(backlog(vec![0; 50]), 47);
    assert_eq!(backlog(vec![0, 0, 0]), 0, "none waits for a connection");
}

#[test]
fn what_waits_for_a_connection_is_not_sent_after_the_time_is_up() {
    // Of a server that answers only once a request waits for ever on the single connection.
    let once = |number| if number < 2 { OK.to_vec() } else { b"HTTP/1.1 ".to_vec() };
    let mut generator = HttpGenerator::connect(replying(once), 1, GET).unwrap();
    let kinds = [Expect { request: GET.to_vec(), answer: None }];
    let conduct = Conduct {
        timetable: Timetable::Open(vec![0; 1_000]),
        patience: Duration::from_millis(100),
        overtime: Some(Duration::ZERO),
        spin: SPIN,
    };
    let seen = generator.window(&conduct, &kinds, |_| 0).unwrap();
    assert!(seen.sent < 1_000, "{} were sent", seen.sent);
    assert_eq!(seen.answers.len() as u64 + seen.unanswered, 1_000);
}

#[test]
fn a_server_that_answers_sooner_than_it_can_makes_a_window_void() {
    // The right bodies, without the wait that was asked for.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let head = String::from_utf8_lossy(&buffer[..count]);
                    let target = head.split(' ').nth(1).unwrap_or("/");
                    let body = Work::of_target(target).unwrap().body();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    for pace in [
        Pace::Closed { requests: 100 },
        Pace::Open { rate: 10_000.0, requests: 100 },
        Pace::Capacity { target: Duration::from_secs(60), step: Duration::from_millis(10) },
    ] {
        let failure = failure(address, &load(pace, waiting(30_000)));
        assert_eq!(failure.failure, FailureKind::Void, "{}", failure.reason);
        assert!(failure.reason.contains("20 connections"), "{}", failure.reason);
    }
}

#[test]
fn a_server_that_stops_for_a_while_is_seen_by_all_who_would_have_come_meanwhile() {
    // Answers at once, but for one stop: those who come t after it began wait for the rest of it. The server
    // says itself when it stopped and went on.
    const STOP: Duration = Duration::from_millis(200);
    const AT: u64 = 1_000;
    #[derive(Default)]
    struct Times {
        requests: u64,
        first: Option<Instant>,
        stop: Option<(Instant, Instant)>,
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let times = Arc::new(Mutex::new(Times::default()));
    let door = Arc::clone(&times);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let door = Arc::clone(&door);
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer) {
                    // One sleeps, and all others wait for it.
                    let mut times = door.lock().unwrap();
                    times.requests += 1;
                    // The first one of all is asked before the window.
                    if times.requests == 2 {
                        times.first = Some(Instant::now());
                    }
                    if times.requests == AT {
                        let begin = Instant::now();
                        thread::sleep(STOP);
                        times.stop = Some((begin, Instant::now()));
                    }
                    drop(times);
                    if stream.write_all(OK).is_err() {
                        return;
                    }
                }
            });
        }
    });
    // Fewer connections than requests that come while the server stands still: the rest waits in the
    // generator, and that counts.
    let mut generator = HttpGenerator::connect(address, 32, GET).unwrap();
    let due = arrivals(7, 2_000.0, 4_000);
    let mut request = Vec::new();
    workloads::http::write_get(&mut request, "a", "/");
    let kinds = [Expect { request, answer: Some((200, b"ok".to_vec())) }];
    let timetable = Timetable::Open(due.clone());
    let conduct = Conduct { timetable, patience: PATIENCE, overtime: None, spin: SPIN };
    let before = Instant::now();
    let seen = generator.window(&conduct, &kinds, |_| 0).unwrap();
    assert_eq!((seen.errors, seen.unanswered), (0, 0), "{:?}", seen.first_error);
    let times = times.lock().unwrap();
    let (begin, went_on) = times.stop.expect("it stopped");
    // The window began after `before`, and before the first request was there less the time at which it was due:
    // what holds at both holds.
    let latest = times.first.expect("there was one") - Duration::from_nanos(due[0]);
    let stopped = (begin - before).as_nanos() as u64;
    let answered_after = (went_on - latest).as_nanos() as u64;
    let during: Vec<_> =
        seen.answers.iter().filter(|(index, _)| due[*index as usize] >= stopped).collect();
    assert!(!during.is_empty(), "requests came after the stop began");
    for &&(index, latency) in &during {
        let at = due[index as usize] + latency;
        assert!(at >= answered_after, "request {index} was answered while the server stood still");
    }
}

#[test]
fn a_wrong_body_and_a_wrong_status_are_wrong_answers() {
    for reply in [
        (|_| b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n0123456789abcdef".to_vec())
            as fn(u64) -> _,
        |_| b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_vec(),
    ] {
        let load = load(Pace::Closed { requests: 50 }, Work::default());
        let failure = failure(replying(reply), &load);
        assert_eq!(failure.failure, FailureKind::WrongAnswer, "{}", failure.reason);
    }
}

#[test]
fn a_server_that_hangs_up_and_one_that_is_silent_are_failures_that_say_so() {
    let load = load(Pace::Closed { requests: 50 }, Work::default());
    let hangs_up = |number| if number == 0 { OK.to_vec() } else { Vec::new() };
    let failure = failure(replying(hangs_up), &load);
    assert!(failure.reason.contains("closed a connection"), "{}", failure.reason);

    let falls_silent = |number| if number == 0 { OK.to_vec() } else { b"HTTP/1.1 ".to_vec() };
    let mut generator = HttpGenerator::connect(replying(falls_silent), 2, GET).unwrap();
    let kinds = [Expect { request: GET.to_vec(), answer: None }];
    for timetable in [Timetable::Closed(10), Timetable::Open(arrivals(1, 1_000.0, 10))] {
        let conduct =
            Conduct { timetable, patience: Duration::from_millis(100), overtime: None, spin: SPIN };
        let seen = generator.window(&conduct, &kinds, |_| 0).unwrap();
        assert!(seen.answers.is_empty() && seen.unanswered > 0, "{seen:?}");
    }
}

#[test]
fn connections_that_the_server_closes_after_each_answer_are_opened_anew() {
    let address = server();
    let mut generator = HttpGenerator::connect(address, 3, GET).unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_vec();
    let kinds = [Expect { request, answer: Some((200, Work::default().body())) }];
    let conduct = Conduct {
        timetable: Timetable::Closed(60),
        patience: PATIENCE,
        overtime: None,
        spin: SPIN,
    };
    let seen = generator.window(&conduct, &kinds, |_| 0).unwrap();
    assert_eq!((seen.answers.len(), seen.errors), (60, 0), "{:?}", seen.first_error);
}

#[test]
fn a_server_that_closes_with_its_answer_and_does_not_say_so_is_asked_on_a_new_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The end is there when the answer is read: both were sent before either was read.
            if matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
                let _ = stream.write_all(OK);
            }
        }
    });
    let mut generator = HttpGenerator::connect(address, 1, GET).unwrap();
    let kinds = [Expect { request: GET.to_vec(), answer: Some((200, b"ok".to_vec())) }];
    // Far apart, so that the end of a connection has arrived before the next request is due.
    let due = (0..20).map(|index| index * 5_000_000).collect();
    let conduct =
        Conduct { timetable: Timetable::Open(due), patience: PATIENCE, overtime: None, spin: SPIN };
    let seen = generator.window(&conduct, &kinds, |_| 0).unwrap();
    assert!(seen.answers.len() >= 19, "{seen:?}");
    assert_eq!(seen.answers.len() as u64 + seen.errors, 20);
}

#[test]
fn a_port_without_a_listener_is_a_failure_that_names_the_connection() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = HttpGenerator::connect(unused, 5, GET).unwrap_err();
    assert!(failure.reason.starts_with("connection 1 of 5 failed"), "{}", failure.reason);
}

#[test]
fn the_search_finds_no_more_than_a_server_can_do_that_blocks() {
    // One thread that blocks 2 ms for each request: 500 a second, whatever is asked of it.
    let work = Work { dispatch: Dispatch::Inline, ..waiting(2) };
    let pace =
        Pace::Capacity { target: Duration::from_millis(60), step: Duration::from_millis(400) };
    let window = Driver::connect(server(), &load(pace, work)).unwrap().window().unwrap();
    let (whole, exact) =
        (window.facts[&Fact::CapacityPerSecond], window.facts[&Fact::CapacityMicroPerSecond]);
    assert!((1..=520).contains(&whole), "{whole} a second");
    assert_eq!(exact / 1_000_000, whole);
    assert_eq!(window.digest, load(pace, work).expected());
}
