//! That a client does not hold up others.

use super::*;

#[test]
fn connections_beyond_the_bound_are_closed_and_harm_no_other() {
    let (address, _) = start(3);
    let open: Vec<_> = (0..3).map(|_| connect(address)).collect();
    open.iter().for_each(assert_served);
    for _ in 0..200 {
        let refused = connect(address);
        assert!(!matches!((&refused).read(&mut [0]), Ok(1..)));
    }
    open.iter().for_each(assert_served);
    drop(open);
    assert_served(&connect_again(address));
}

#[test]
fn a_client_that_never_reads_does_not_hold_up_others() {
    let (address, _) = start(2);
    let (deaf, other) = (connect(address), connect(address));
    deaf.set_nonblocking(true).unwrap();
    let large = request(&Work { size: 1 << 20, ..work(1) }).repeat(100);
    // Until neither side takes any more.
    for _ in 0..20 {
        while matches!((&deaf).write(large.as_bytes()), Ok(1..)) {}
        thread::sleep(Duration::from_millis(2));
    }
    for _ in 0..20 {
        assert_served(&other);
    }
}

#[test]
fn a_connection_lets_others_have_their_turn_before_it_has_read_all() {
    let requests = requests(Duration::from_secs(3600));
    let mut by_hand = ByHand::new(&requests);
    let padding = "x".repeat(1_000);
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {padding}\r\n\r\n");
    // A read takes two of them.
    by_hand.arrive(&request.repeat(3 * TURN));
    let peer = by_hand.peer();
    peer.readable = true;
    assert!(matches!(peer.advance(&requests), Pause::Turn));
    while matches!(peer.advance(&requests), Pause::Turn) {}
    assert_eq!(receive(&by_hand.client, 3 * TURN).len(), 3 * TURN);
}

#[test]
fn a_client_that_never_stops_does_not_hold_up_others() {
    let (address, _) = start(2);
    let (greedy, other) = (connect(address), connect(address));
    let (stop, served) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let many = request(&work(1)).repeat(5_000);
            while !stop.load(Relaxed) {
                send(&greedy, &many);
            }
            greedy.shutdown(Shutdown::Write)
        });
        scope.spawn(|| {
            while matches!((&greedy).read(&mut [0; 1 << 16]), Ok(1..)) {
                served.store(true, Relaxed);
            }
        });
        until(|| served.load(Relaxed));
        let start = Instant::now();
        send(&other, request(&work(2)));
        let answered = other.peek(&mut [0]);
        stop.store(true, Relaxed);
        assert!(matches!(answered, Ok(1..)), "{answered:?} after {:?}", start.elapsed());
    });
}
