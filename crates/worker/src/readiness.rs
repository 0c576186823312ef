//! One thread with a readiness loop that serves HTTP: the latency backend, and what the floor is made of.
//!
//! Sockets report a change once (edge-triggered), so what an event said is kept until it has been used
//! up, and whoever stops early asks to be told again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read, Write};
use std::mem;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use workloads::request::{Answer, Connection, Dispatch, Requests, Running, Step, Work};

use crate::os::Alarm;
use crate::seam::pause_after;

const LISTENER: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);
/// How late a timer may be, so that those that end almost together cost one wake-up.
const SLACK: Duration = Duration::from_micros(20);
/// Reads of one connection, and connections accepted, before it is others' turn: whoever sends as fast as
/// it is served would otherwise be the only one served.
const TURN: usize = 16;

/// Serves until the listener fails. Waits are timers; computing and blocking hold up everybody, which is
/// what one thread without a model can do.
///
/// # Errors
/// If the system refuses what the loop needs.
pub fn serve(listener: StdListener, requests: &Arc<Requests>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    let alarm = Alarm::new()?;
    alarm.register(&registry, ALARM)?;
    registry.register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        requests,
        listener,
        registry,
        slots: Vec::new(),
        free: Vec::new(),
        timers: BinaryHeap::new(),
    };
    let mut events = Events::with_capacity(1024);
    let mut set_for: Option<Instant> = None;
    loop {
        server.fire()?;
        let next = server.timers.peek().map(|Reverse((due, _))| *due);
        if next != set_for {
            if let Some(due) = next {
                alarm.set((due + SLACK).saturating_duration_since(Instant::now()))?;
            }
            set_for = next;
        }
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                LISTENER => server.accept()?,
                // The alarm has rung: set it again even for the same moment.
                ALARM => set_for = None,
                Token(number) => server.notice(number, event),
            }
        }
    }
}

struct Server<'a> {
    requests: &'a Arc<Requests>,
    listener: TcpListener,
    registry: Registry,
    slots: Vec<Slot<'a>>,
    free: Vec<usize>,
    /// What is due when, the earliest first.
    timers: BinaryHeap<Reverse<(Instant, Timer)>>,
}

/// What is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The handler of this peer has waited long enough. Until then the peer keeps its place.
    Wait(usize),
    /// Whoever has this place may have kept us waiting for the rest of a request for too long.
    Patience(usize),
    /// There may be files again for another connection.
    Accept,
}

/// A place for a peer.
#[derive(Default)]
struct Slot<'a> {
    peer: Option<Peer<'a>>,
    /// Whether a [`Timer::Patience`] is set. One is enough, however often the place changes hands:
    /// everybody's patience is the same, so it comes no later than any that is asked for after it.
    watched: bool,
}

struct Peer<'a> {
    stream: TcpStream,
    connection: Connection,
    written: usize,
    running: Option<Running<'a>>,
    /// Whether the socket may hold something to read.
    readable: bool,
    /// Whether an event has said that the client sends no more: nothing will say so again.
    ended: bool,
}

impl Server<'_> {
    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..TURN {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => match pause_after(&error) {
                    Duration::ZERO => {}
                    // Those who are connected are served meanwhile: only they can give files back.
                    pause => {
                        self.timers.push(Reverse((Instant::now() + pause, Timer::Accept)));
                        return Ok(());
                    }
                },
            }
        }
        self.accept_again()
    }

    fn accept_again(&mut self) -> io::Result<()> {
        self.registry.reregister(&mut self.listener, LISTENER, Interest::READABLE)
    }

    /// The first event tells that the socket can be written, and whether something has come.
    fn admit(&mut self, mut stream: TcpStream) {
        let Some(connection) = self.requests.admit() else { return };
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        // Without it an answer may wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.registry.register(&mut stream, Token(number), interest).is_err() {
            self.free.push(number);
            return;
        }
        self.slots[number].peer = Some(Peer {
            stream,
            connection,
            written: 0,
            running: None,
            readable: false,
            ended: false,
        });
    }

    /// Does what is due.
    fn fire(&mut self) -> io::Result<()> {
        if self.timers.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        while let Some(&Reverse((due, timer))) = self.timers.peek()
            && due <= now
        {
            self.timers.pop();
            match timer {
                Timer::Wait(number) => {
                    if let Some(peer) = &mut self.slots[number].peer
                        && let Some(running) = peer.running.take()
                    {
                        peer.connection.answer(running.finish());
                    }
                    self.drive(number);
                }
                Timer::Patience(number) => {
                    let slot = &mut self.slots[number];
                    slot.watched = false;
                    if let Some(peer) = &mut slot.peer {
                        // What came while others were served came in time.
                        peer.readable = true;
                    }
                    self.drive(number);
                }
                Timer::Accept => self.accept_again()?,
            }
        }
        Ok(())
    }

    /// Takes note of what an event says and acts on it.
    fn notice(&mut self, number: usize, event: &Event) {
        let Some(peer) = &mut self.slots[number].peer else { return };
        peer.ended |= event.is_read_closed();
        peer.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.drive(number);
    }

    /// Does what a connection says until it has to wait.
    fn drive(&mut self, number: usize) {
        let slot = &mut self.slots[number];
        let Some(peer) = &mut slot.peer else { return };
        match peer.advance(self.requests) {
            Pause::Event => {}
            Pause::Turn => {
                let interest = Interest::READABLE | Interest::WRITABLE;
                if self.registry.reregister(&mut peer.stream, Token(number), interest).is_err() {
                    self.close(number);
                }
            }
            Pause::Wait(due) => self.timers.push(Reverse((due, Timer::Wait(number)))),
            Pause::Rest(due) => {
                if !mem::replace(&mut slot.watched, true) {
                    self.timers.push(Reverse((due, Timer::Patience(number))));
                }
            }
            Pause::Closed => self.close(number),
        }
    }

    fn close(&mut self, number: usize) {
        self.slots[number].peer = None;
        self.free.push(number);
    }
}

/// What a connection waits for.
enum Pause {
    Event,
    /// That others have had their turn.
    Turn,
    /// The end of the handler's wait.
    Wait(Instant),
    /// The rest of a request, until then.
    Rest(Instant),
    Closed,
}

impl<'a> Peer<'a> {
    fn advance(&mut self, requests: &'a Requests) -> Pause {
        if self.running.is_some() {
            return Pause::Event;
        }
        let mut reads = 0;
        loop {
            match self.connection.next() {
                Step::Handle(work) => match handle(work) {
                    Handling::Now => self.connection.answer(requests.block(work)),
                    Handling::Timer => {
                        self.running = Some(requests.start(work));
                        return Pause::Wait(Instant::now() + work.wait);
                    }
                    Handling::Never => self.connection.answer(Answer::not_implemented()),
                },
                Step::Send => {
                    match self.stream.write(&self.connection.output()[self.written..]) {
                        Ok(0) => return Pause::Closed,
                        Ok(count) => self.written += count,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            return Pause::Event;
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => return Pause::Closed,
                    }
                    if self.written == self.connection.output().len() {
                        self.written = 0;
                        self.connection.sent();
                    }
                }
                Step::Receive | Step::ReceiveBy(_) if self.readable => {
                    if reads == TURN {
                        return Pause::Turn;
                    }
                    reads += 1;
                    let space = self.connection.space();
                    let room = space.len();
                    match self.stream.read(space) {
                        Ok(count) => {
                            // A read that does not fill its space has emptied the socket, unless its
                            // end is in it.
                            self.readable = count == room || self.ended;
                            self.connection.received(count);
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            self.readable = false;
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => return Pause::Closed,
                    }
                }
                Step::Receive => return Pause::Event,
                Step::ReceiveBy(deadline) if deadline <= Instant::now() => {
                    self.connection.expired();
                }
                Step::ReceiveBy(deadline) => return Pause::Rest(deadline),
                Step::Close => return Pause::Closed,
            }
        }
    }
}

enum Handling {
    Now,
    Timer,
    Never,
}

fn handle(work: Work) -> Handling {
    match work.dispatch {
        Dispatch::Inline => Handling::Now,
        Dispatch::Auto | Dispatch::Await if work.wait == Duration::ZERO => Handling::Now,
        Dispatch::Auto | Dispatch::Await => Handling::Timer,
        Dispatch::Blocking | Dispatch::Pool | Dispatch::Rayon | Dispatch::Call => Handling::Never,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Shutdown, SocketAddr, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;

    use workloads::http::{Limits, ResponseReader};
    use workloads::request::Bounds;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

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
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
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

    /// All that comes until the server closes.
    fn receive_all(mut stream: &TcpStream) -> String {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        String::from_utf8(all).unwrap()
    }

    fn assert_served(stream: &TcpStream) {
        send(stream, request(&work(9)));
        assert_eq!(receive(stream, 1), [(200, work(9).body())]);
    }

    #[test]
    fn requests_sent_together_are_answered_in_order_also_when_some_wait() {
        let (address, _) = start(1);
        let stream = connect(address);
        let works: Vec<_> = (0..50)
            .map(|seed| Work { wait: Duration::from_millis(seed % 3), ..work(seed) })
            .collect();
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
        let taken = start.elapsed();
        assert!(taken >= wait.wait && taken < 20 * wait.wait, "{taken:?}");
        assert!(requests.facts()["peak_in_flight"] > 1);
    }

    #[test]
    fn a_wait_ends_before_a_longer_one_that_began_earlier() {
        let (address, _) = start(2);
        let (slow, fast) = (connect(address), connect(address));
        send(&slow, request(&waiting(Duration::from_secs(30))));
        thread::sleep(Duration::from_millis(20));
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
                while start.elapsed() < PATIENCE / 2 {
                    thread::sleep(PATIENCE / 20);
                    send(&half, "x");
                }
                assert_served(&other);
                reader.join().unwrap()
            });
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
            assert!(start.elapsed() >= PATIENCE);
        }
        assert_served(&other);
    }

    #[test]
    fn patience_begins_anew_with_every_request() {
        let (address, _) = start(1);
        let stream = connect(address);
        for _ in 0..5 {
            let request = request(&work(1));
            let (first, rest) = request.split_at(9);
            send(&stream, first);
            thread::sleep(PATIENCE / 4);
            send(&stream, rest);
            assert_eq!(receive(&stream, 1), [(200, work(1).body())]);
        }
        thread::sleep(PATIENCE * 2);
        assert_served(&stream);
    }

    #[test]
    fn what_came_while_the_loop_was_busy_came_in_time() {
        let (address, _) = start(2);
        let (half, blocking) = (connect(address), connect(address));
        let busy = Work { dispatch: Dispatch::Inline, ..waiting(PATIENCE * 2) };
        let request_of = request(&work(1));
        let (first, rest) = request_of.split_at(9);
        send(&half, first);
        thread::sleep(PATIENCE / 8);
        send(&blocking, request(&busy));
        thread::sleep(PATIENCE / 8);
        send(&half, rest);
        assert_eq!(receive(&half, 1), [(200, work(1).body())]);
    }

    #[test]
    fn patience_that_ends_while_an_answer_is_stuck_or_waited_for_refuses_nothing() {
        let (address, _) = start(2);
        let (stuck, waited_for) = (connect(address), connect(address));
        let large = Work { size: 1 << 20, ..work(1) };
        let wait = waiting(PATIENCE * 2);
        for (stream, request) in
            [(&stuck, request(&large).repeat(30)), (&waited_for, request(&wait))]
        {
            send(stream, &request[..9]);
            thread::sleep(PATIENCE / 4);
            send(stream, &request[9..]);
        }
        thread::sleep(PATIENCE * 2);
        let expected = (200, large.body());
        assert!(receive(&stuck, 30).iter().all(|answer| *answer == expected));
        assert_eq!(receive(&waited_for, 1), [(200, wait.body())]);
        assert_served(&stuck);
        assert_served(&waited_for);
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
        let (address, _) = start(1);
        let stream = connect(address);
        send(&stream, request(&waiting(Duration::from_millis(100))));
        thread::sleep(Duration::from_millis(30));
        send(&stream, request(&work(1)));
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(receive_all(&stream).matches("HTTP/1.1 200 ").count(), 2);
    }

    #[test]
    fn a_client_that_left_during_a_wait_gives_its_place_back() {
        let (address, _) = start(1);
        let stream = connect(address);
        send(&stream, request(&waiting(Duration::from_millis(50))));
        thread::sleep(Duration::from_millis(10));
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
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let client = connect(listener.local_addr().unwrap());
        let stream = listener.accept().unwrap().0;
        stream.set_nonblocking(true).unwrap();
        let requests = Requests::new(Bounds { connections: 1, pool: 1, patience: PATIENCE });
        let mut peer = Peer {
            stream: super::TcpStream::from_std(stream),
            connection: requests.admit().unwrap(),
            written: 0,
            running: None,
            readable: true,
            ended: false,
        };
        let padding = "x".repeat(1_000);
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {padding}\r\n\r\n");
        // A read takes two of them.
        send(&client, request.repeat(3 * TURN));
        thread::sleep(Duration::from_millis(50));
        assert!(matches!(peer.advance(&requests), Pause::Turn));
        while matches!(peer.advance(&requests), Pause::Turn) {}
        assert_eq!(receive(&client, 3 * TURN).len(), 3 * TURN);
    }

    #[test]
    fn a_client_that_never_stops_does_not_hold_up_others() {
        let (address, _) = start(2);
        let (greedy, other) = (connect(address), connect(address));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let many = request(&work(1)).repeat(5_000);
                while !stop.load(Relaxed) {
                    send(&greedy, &many);
                }
                greedy.shutdown(Shutdown::Write)
            });
            scope.spawn(|| while matches!((&greedy).read(&mut [0; 1 << 16]), Ok(1..)) {});
            thread::sleep(Duration::from_millis(100));
            let start = Instant::now();
            other.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            send(&other, request(&work(2)));
            let answered = other.peek(&mut [0]);
            stop.store(true, Relaxed);
            assert!(matches!(answered, Ok(1..)), "{answered:?} after {:?}", start.elapsed());
        });
    }
}
