//! What clients may do to the readiness loop, and when its patience ends.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use workloads::Fact;
use workloads::http::{Limits, ResponseReader};
use workloads::service::Bounds;

use super::*;

const PATIENCE: Duration = Duration::from_millis(200);
/// Within this time everything happens that happens at all.
const ENOUGH: Duration = Duration::from_secs(20);

/// A server with room for so many connections, on a thread that ends with the process.
fn start(connections: usize) -> (SocketAddr, Arc<Requests>) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Requests::new(Bounds { connections, pool: 1, patience: PATIENCE });
    let served = Arc::clone(&requests);
    thread::spawn(move || serve(listener, &served).unwrap());
    (address, requests)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(ENOUGH)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn work(seed: u64) -> Work {
    Work { seed, ..Work::default() }
}

fn waiting(wait: Duration) -> Work {
    Work { wait, ..Work::default() }
}

fn request(work: &Work) -> String {
    format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", work.target())
}

fn send(mut stream: &TcpStream, bytes: impl AsRef<[u8]>) {
    stream.write_all(bytes.as_ref()).unwrap();
}

/// The next answers: status and body.
fn receive(mut stream: &TcpStream, answers: usize) -> Vec<(u16, Vec<u8>)> {
    let mut reader = ResponseReader::new(Limits::CLIENT);
    let mut received = Vec::new();
    while received.len() < answers {
        match reader.next().unwrap() {
            Some(response) => received.push((response.status, response.body.to_vec())),
            None => {
                let count = stream.read(reader.space()).unwrap();
                assert!(count > 0, "{} of {answers} answers before the end", received.len());
                reader.received(count);
            }
        }
    }
    received
}

/// All that comes until the server closes, with a reset if it has not read everything.
fn receive_all(mut stream: &TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8(all).unwrap()
}

/// Waits until something has come about.
fn until(mut come_about: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !come_about() {
        assert!(begin.elapsed() < ENOUGH, "it does not come about");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A server whose loop is driven by hand, with one client.
struct ByHand<'a> {
    server: Server<'a>,
    client: TcpStream,
    _poll: Poll,
}

fn requests(patience: Duration) -> Arc<Requests> {
    Requests::new(Bounds { connections: 1, pool: 1, patience })
}

impl<'a> ByHand<'a> {
    fn new(requests: &'a Arc<Requests>) -> Self {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let client = connect(listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let poll = Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        let mut listener = TcpListener::from_std(listener);
        registry.register(&mut listener, LISTENER, Interest::READABLE).unwrap();
        let (slots, free, timers) = (Vec::new(), Vec::new(), BinaryHeap::new());
        let mut server = Server { requests, listener, registry, slots, free, timers };
        until(|| {
            server.accept().unwrap();
            !server.slots.is_empty()
        });
        ByHand { server, client, _poll: poll }
    }

    fn peer(&mut self) -> &mut Peer<'a> {
        self.server.slots[0].peer.as_mut().expect("it is connected")
    }

    /// Sends to the server's socket, unseen by the server.
    fn arrive(&mut self, bytes: &str) {
        send(&self.client, bytes);
        let mut room = vec![0; bytes.len() + 1];
        let peer = self.peer();
        until(|| matches!(peer.stream.peek(&mut room), Ok(count) if count == bytes.len()));
    }

    /// Has the server see what has arrived.
    fn see(&mut self) {
        self.peer().readable = true;
        self.server.drive(0);
    }

    /// Lets a patience end that began with an earlier request.
    fn end_patience(&mut self) {
        self.server.timers.push(Reverse((Instant::now(), Timer::Patience(0))));
        self.server.fire().unwrap();
    }
}

fn assert_served(stream: &TcpStream) {
    send(stream, request(&work(9)));
    assert_eq!(receive(stream, 1), [(200, work(9).body())]);
}

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

/// Connects once there is room.
fn connect_again(address: SocketAddr) -> TcpStream {
    for _ in 0..500 {
        let stream = connect(address);
        let asked = (&stream).write_all(request(&work(0)).as_bytes());
        if asked.is_ok() && matches!(stream.peek(&mut [0]), Ok(1..)) {
            receive(&stream, 1);
            return stream;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("a place that was given back is not given to anybody else");
}

#[test]
fn connections_beyond_the_bound_are_closed_and_harm_nobody() {
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
