//! What clients may do to the readiness loop, and when its patience ends.

mod answers;
mod patience;
mod turns;

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
    panic!("a place that was given back is not given away again");
}
