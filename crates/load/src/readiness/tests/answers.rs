//! What is answered, and that all of it is.

use super::*;

#[test]
fn requests_sent_together_are_answered_in_order_also_when_some_wait() {
    let (address, _) = start(1);
    let stream = connect(address);
    let works: Vec<_> =
        (0..50).map(|seed| Work { wait: Duration::from_millis(seed % 3), ..work(seed) }).collect();
    send(&stream, works.iter().map(request).collect::<String>());
    let expected: Vec<_> = works.iter().map(|work| (200, work.body())).collect();
    assert_eq!(receive(&stream, 50), expected);
    assert_served(&stream);
}

#[test]
fn a_flood_of_requests_is_answered_whole() {
    let (address, _) = start(1);
    let stream = connect(address);
    for (many, work) in [(20_000, work(2)), (4_000, Work { size: 5_000, ..work(3) })] {
        thread::scope(|scope| {
            scope.spawn(|| send(&stream, request(&work).repeat(many)));
            let expected = (200, work.body());
            assert!(receive(&stream, many).iter().all(|answer| *answer == expected));
        });
    }
    assert_served(&stream);
}

#[test]
fn waits_overlap_and_are_never_cut_short() {
    let (address, requests) = start(50);
    let streams: Vec<_> = (0..50).map(|_| connect(address)).collect();
    let start = Instant::now();
    let wait = waiting(Duration::from_millis(100));
    streams.iter().for_each(|stream| send(stream, request(&wait)));
    for stream in &streams {
        assert_eq!(receive(stream, 1), [(200, wait.body())]);
    }
    assert!(start.elapsed() >= wait.wait);
    assert!(requests.facts()[&Fact::PeakInFlight] > 1);
}

#[test]
fn a_wait_ends_before_a_longer_one_that_began_earlier() {
    let (address, requests) = start(2);
    let (slow, fast) = (connect(address), connect(address));
    send(&slow, request(&waiting(Duration::from_secs(30))));
    until(|| requests.facts()[&Fact::PeakInFlight] > 0);
    send(&fast, request(&waiting(Duration::from_millis(5))));
    assert_eq!(receive(&fast, 1)[0].0, 200);
}

#[test]
fn garbage_is_refused_and_the_connection_closed() {
    let (address, _) = start(1);
    for _ in 0..3 {
        let stream = connect_again(address);
        send(&stream, "\x00\x01 nonsense\r\n\r\n");
        let answer = receive_all(&stream);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    }
}

#[test]
fn what_one_thread_has_not_is_not_implemented() {
    let (address, _) = start(1);
    let stream = connect(address);
    for dispatch in [Dispatch::Blocking, Dispatch::Pool, Dispatch::Rayon] {
        send(&stream, request(&Work { dispatch, ..Work::default() }));
        assert_eq!(receive(&stream, 1)[0].0, 501);
    }
    let inline = Work { dispatch: Dispatch::Inline, ..waiting(Duration::from_millis(2)) };
    send(&stream, request(&inline));
    assert_eq!(receive(&stream, 1), [(200, inline.body())]);
}

#[test]
fn requests_before_a_half_close_are_answered_and_the_connection_is_closed() {
    let (address, _) = start(1);
    let (now, soon) = (request(&work(1)), request(&waiting(Duration::from_millis(20))));
    for requests in [vec![&now], vec![&soon], vec![&now; 3], vec![&now, &soon, &now]] {
        let stream = connect_again(address);
        for request in &requests {
            send(&stream, request);
        }
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(receive_all(&stream).matches("HTTP/1.1 200 ").count(), requests.len());
    }
}

/// The end comes together with a request that is read only after the wait.
#[test]
fn an_end_that_came_during_a_wait_is_not_forgotten() {
    let (address, requests) = start(1);
    let stream = connect(address);
    send(&stream, request(&waiting(Duration::from_millis(100))));
    until(|| requests.facts()[&Fact::PeakInFlight] > 0);
    send(&stream, request(&work(1)));
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(receive_all(&stream).matches("HTTP/1.1 200 ").count(), 2);
}

#[test]
fn a_client_that_left_during_a_wait_gives_its_place_back() {
    let (address, requests) = start(1);
    let stream = connect(address);
    send(&stream, request(&waiting(Duration::from_millis(50))));
    until(|| requests.facts()[&Fact::PeakInFlight] > 0);
    drop(stream);
    assert_served(&connect_again(address));
}
