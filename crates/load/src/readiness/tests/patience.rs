//! When a request that comes in parts is refused.

use super::*;

#[test]
fn half_a_request_is_refused_when_patience_ends_however_it_drips() {
    let (address, _) = start(3);
    let other = connect(address);
    // The second takes the place of the first.
    for _ in 0..2 {
        let half = connect(address);
        let start = Instant::now();
        let answer = thread::scope(|scope| {
            let reader = scope.spawn(|| receive_all(&half));
            send(&half, "GET / HTTP/1.1\r\nX: ");
            // It never stops by itself; once it is refused, sending fails.
            while !reader.is_finished() && start.elapsed() < ENOUGH {
                thread::sleep(PATIENCE / 20);
                let _ = (&half).write_all(b"x");
            }
            let _ = half.shutdown(Shutdown::Both);
            reader.join().unwrap()
        });
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(start.elapsed() >= PATIENCE);
    }
    assert_served(&other);
}

#[test]
fn patience_begins_anew_with_every_request() {
    let requests = requests(Duration::from_secs(3600));
    let mut by_hand = ByHand::new(&requests);
    let request = request(&work(1));
    let (first, rest) = request.split_at(9);
    for _ in 0..3 {
        by_hand.arrive(first);
        by_hand.see();
        by_hand.end_patience();
        by_hand.arrive(rest);
        by_hand.see();
        assert_eq!(receive(&by_hand.client, 1), [(200, work(1).body())]);
    }
    by_hand.end_patience();
    by_hand.arrive(&request);
    by_hand.see();
    assert_eq!(receive(&by_hand.client, 1), [(200, work(1).body())]);
}

#[test]
fn what_came_while_the_loop_was_busy_came_in_time() {
    let patience = Duration::from_secs(1);
    let requests = requests(patience);
    let mut by_hand = ByHand::new(&requests);
    let request = request(&work(1));
    let (first, rest) = request.split_at(9);
    by_hand.arrive(first);
    by_hand.see();
    by_hand.arrive(rest);
    thread::sleep(patience);
    by_hand.server.fire().unwrap();
    assert_eq!(receive(&by_hand.client, 1), [(200, work(1).body())]);
}

#[test]
fn patience_that_ends_while_an_answer_is_waited_for_refuses_nothing() {
    let requests = requests(Duration::from_secs(3600));
    let mut by_hand = ByHand::new(&requests);
    let wait = waiting(Duration::from_millis(20));
    let request = request(&wait);
    by_hand.arrive(&request[..9]);
    by_hand.see();
    by_hand.arrive(&request[9..]);
    by_hand.see();
    by_hand.end_patience();
    until(|| {
        by_hand.server.fire().unwrap();
        by_hand.peer().running.is_none()
    });
    assert_eq!(receive(&by_hand.client, 1), [(200, wait.body())]);
}

#[test]
fn patience_that_ends_while_an_answer_is_stuck_refuses_nothing() {
    let requests = requests(Duration::from_secs(3600));
    let mut by_hand = ByHand::new(&requests);
    // More than the sockets hold.
    let large = Work { size: 1 << 20, ..work(1) };
    let request = request(&large).repeat(30);
    by_hand.arrive(&request[..9]);
    by_hand.see();
    by_hand.arrive(&request[9..]);
    by_hand.see();
    assert_ne!(by_hand.peer().written, 0, "it is stuck");
    by_hand.end_patience();
    let client = by_hand.client.try_clone().unwrap();
    let reader = thread::spawn(move || receive(&client, 30));
    until(|| {
        by_hand.server.drive(0);
        reader.is_finished()
    });
    let expected = (200, large.body());
    assert!(reader.join().unwrap().iter().all(|answer| *answer == expected));
}
