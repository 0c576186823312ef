//! The one HTTP service behind `serve`, `endpoints`, `mixed`, `traffic` and the latency backend: a request says how
//! long it waits, how much it computes, how large its answer is and how its handler is dispatched.
//!
//! A [`Connection`] holds everything of a conversation but the socket: a server asks it for the next
//! [`Step`], does that with its own means, and asks again.

use std::mem;
use std::str;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{self, After, Request, RequestReader, Status};
use crate::random::{fill, mix};
use crate::{Census, Fact, Facts, Gauge};

/// Longest wait that a request may ask for.
pub const MAX_WAIT: Duration = Duration::from_secs(60);
/// Most units of computing that a request may ask for; about a second.
pub const MAX_UNITS: u32 = 1_000_000;
/// Largest answer that a request may ask for, bytes.
pub const MAX_SIZE: u32 = 1 << 20;
/// Smallest answer: the digest in hexadecimal digits.
pub const MIN_SIZE: u32 = 16;
/// Bytes of answers that are sent before more requests of the same connection are handled.
const MAX_OUTPUT: usize = 32 * 1024;
/// From here on computing holds up a thread that has others to serve: tokio's documentation
/// gives 10 to 100 µs between two awaits, and a unit takes about one.
const LONG_UNITS: u32 = 100;

/// How a handler does its waiting and computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dispatch {
    /// As the strategy recommends it for such work.
    #[default]
    Auto,
    /// Waits on the model's timer, computes in the handler.
    Await,
    /// Blocks in the handler.
    Inline,
    /// Blocks on the runtime's own pool for blocking calls.
    Blocking,
    /// Blocks on a pool of bounded size.
    Pool,
    /// Waits on the model's timer, computes on a rayon pool.
    Rayon,
    /// A wait that is a blocking call without an asynchronous form: as the strategy recommends it for these.
    Call,
}

impl Dispatch {
    const ALL: [Dispatch; 7] = [
        Dispatch::Auto,
        Dispatch::Await,
        Dispatch::Inline,
        Dispatch::Blocking,
        Dispatch::Pool,
        Dispatch::Rayon,
        Dispatch::Call,
    ];

    /// The word in a request's target.
    pub fn word(self) -> &'static str {
        match self {
            Dispatch::Auto => "auto",
            Dispatch::Await => "await",
            Dispatch::Inline => "inline",
            Dispatch::Blocking => "blocking",
            Dispatch::Pool => "pool",
            Dispatch::Rayon => "rayon",
            Dispatch::Call => "call",
        }
    }
}

/// What one request asks for. The default is a trivial handler: nothing to wait for or to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// How long the handler waits.
    pub wait: Duration,
    /// How much it computes after that, in units of [`burn`].
    pub units: u32,
    /// Size of the answer in bytes.
    pub size: u32,
    /// What the answer's digest is computed from.
    pub seed: u64,
    /// How the handler is dispatched.
    pub dispatch: Dispatch,
}

impl Default for Work {
    fn default() -> Self {
        Work {
            wait: Duration::ZERO,
            units: 0,
            size: MIN_SIZE,
            seed: 0,
            dispatch: Dispatch::default(),
        }
    }
}

impl Work {
    /// Reads the target of a request, such as `/?wait_us=5000&units=10&size=64&seed=7&via=pool`.
    ///
    /// # Errors
    /// 404 for another path, 400 for an unknown key or a value out of range.
    pub fn of_target(target: &str) -> Result<Self, Status> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != "/" {
            return Err(Status::NOT_FOUND);
        }
        let mut work = Work::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(Status::BAD_REQUEST)?;
            let number = |most: u64| match value.parse::<u64>() {
                Ok(number) if number <= most => Ok(number),
                _ => Err(Status::BAD_REQUEST),
            };
            match key {
                "wait_us" => {
                    work.wait = Duration::from_micros(number(MAX_WAIT.as_micros() as u64)?);
                }
                "units" => work.units = number(u64::from(MAX_UNITS))? as u32,
                "size" => work.size = (number(u64::from(MAX_SIZE))? as u32).max(MIN_SIZE),
                "seed" => work.seed = number(u64::MAX)?,
                "via" => {
                    let known = Dispatch::ALL.into_iter().find(|way| way.word() == value);
                    work.dispatch = known.ok_or(Status::BAD_REQUEST)?;
                }
                _ => return Err(Status::BAD_REQUEST),
            }
        }
        Ok(work)
    }

    /// The target that asks for this.
    pub fn target(&self) -> String {
        if *self == Work::default() {
            return "/".to_owned();
        }
        let Work { wait, units, size, seed, dispatch } = self;
        let (wait, via) = (wait.as_micros(), dispatch.word());
        format!("/?wait_us={wait}&units={units}&size={size}&seed={seed}&via={via}")
    }

    /// Whether it computes for so long that a thread with others to serve should not do it.
    pub fn computes_long(&self) -> bool {
        self.units > LONG_UNITS
    }

    /// Computes on the calling thread and returns the digest of the answer.
    pub fn compute(&self) -> u64 {
        burn(self.seed, self.units)
    }

    /// The right body.
    pub fn body(&self) -> Vec<u8> {
        self.body_with(self.compute())
    }

    /// The body that holds what [`compute`](Work::compute) has returned.
    pub fn body_with(&self, answer: u64) -> Vec<u8> {
        let mut body = Vec::new();
        write_body(&mut body, self.size, answer);
        body
    }
}

/// The kernel: `units` BLAKE3 hashes of a KiB, each of them input of the next. A unit takes about a
/// microsecond.
#[inline(never)]
pub fn burn(seed: u64, units: u32) -> u64 {
    if units == 0 {
        return mix(seed);
    }
    let mut block = [0; 1024];
    fill(&mut block, seed);
    let mut digest = 0;
    for _ in 0..units {
        digest = crate::digest_of_bytes(&block).as_u64();
        block[..8].copy_from_slice(&digest.to_le_bytes());
    }
    digest
}

fn write_body(body: &mut Vec<u8>, size: u32, digest: u64) {
    const FILLING: [u8; 1024] = [b'.'; 1024];
    for shift in (0..16).rev() {
        body.push(b"0123456789abcdef"[(digest >> (4 * shift)) as usize & 15]);
    }
    let mut left = size.saturating_sub(MIN_SIZE) as usize;
    while left > 0 {
        let piece = left.min(FILLING.len());
        body.extend_from_slice(&FILLING[..piece]);
        left -= piece;
    }
}

/// What a handler returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer(Result<u64, Status>);

impl Answer {
    /// The answer of a strategy that cannot dispatch a request as it asks: status 501.
    pub fn not_implemented() -> Self {
        Answer(Err(Status::NOT_IMPLEMENTED))
    }
}

/// What a service of this kind may hold.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections held at once; more are closed.
    pub connections: usize,
    /// Threads of the bounded pool.
    pub pool: usize,
    /// How long the rest of a request may take to arrive, from when its first part was there.
    pub patience: Duration,
}

impl Bounds {
    /// So many connections, a pool of 40 threads as web frameworks have it, and patience of ten seconds.
    pub(crate) fn of(connections: usize) -> Self {
        Bounds { connections, pool: 40, patience: Duration::from_secs(10) }
    }
}

/// The state that all connections of one service share.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Requests {
    bounds: Bounds,
    open: AtomicUsize,
    predicted: AtomicUsize,
    gauge: Gauge,
    census: Census,
}

impl Requests {
    /// A service without connections.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Requests {
            bounds,
            open: AtomicUsize::new(0),
            predicted: AtomicUsize::new(0),
            gauge: Gauge::default(),
            census: Census::new(),
        })
    }

    /// Most connections held at once.
    pub fn max_connections(&self) -> usize {
        self.bounds.connections
    }

    /// Threads of the bounded pool.
    pub fn pool(&self) -> usize {
        self.bounds.pool
    }

    /// Admits one connection more, or `None` if there are enough: then close it.
    pub fn admit(self: &Arc<Self>) -> Option<Connection> {
        let before = self.open.fetch_add(1, Relaxed);
        let connection = Connection {
            requests: Arc::clone(self),
            reader: RequestReader::new(http::Limits::SERVER),
            output: Vec::new(),
            work: Work::default(),
            after: After::Open,
            closing: false,
            deadline: None,
        };
        (before < self.bounds.connections).then_some(connection)
    }

    /// States, before anybody connects, how many requests can be in flight together by the strategy's
    /// own account: the threads of the pool that is really there, or `usize::MAX` for no bound.
    pub fn predict_in_flight(&self, bound: usize) {
        self.predicted.store(bound, Relaxed);
    }

    /// What has been predicted; 0 for nothing.
    pub fn predicted_in_flight(&self) -> usize {
        self.predicted.load(Relaxed)
    }

    /// Starts a request: call it where the handler begins, then wait, then
    /// [`finish`](Running::finish) it.
    pub fn start(&self, work: Work) -> Running<'_> {
        self.census.mark();
        self.gauge.enter();
        let since = (work.wait > Duration::ZERO).then(Instant::now);
        Running { requests: self, work, since }
    }

    /// Handles a request by blocking the calling thread.
    pub fn block(&self, work: Work) -> Answer {
        let running = self.start(work);
        if work.wait > Duration::ZERO {
            thread::sleep(work.wait);
        }
        running.finish()
    }

    /// Where the handlers note which threads they ran on.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Most requests in flight since the last call.
    pub fn facts(&self) -> Facts {
        Facts::from([(Fact::PeakInFlight, self.gauge.take_peak() as u64)])
    }
}

/// A request being handled.
#[derive(Debug)]
pub struct Running<'a> {
    requests: &'a Requests,
    work: Work,
    since: Option<Instant>,
}

impl Running<'_> {
    /// Computes on the calling thread and returns the answer.
    pub fn finish(self) -> Answer {
        let digest = self.work.compute();
        self.finish_with(digest)
    }

    /// The answer where [`Work::compute`] was called elsewhere: spoilt if the wait was cut short.
    pub fn finish_with(self, digest: u64) -> Answer {
        let long_enough = self.since.is_none_or(|since| since.elapsed() >= self.work.wait);
        Answer(Ok(if long_enough { digest } else { !digest }))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.requests.gauge.leave();
    }
}

/// What a server does next on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Handle this and call [`Connection::answer`].
    Handle(Work),
    /// Send all of [`Connection::output`] and call [`Connection::sent`].
    Send,
    /// Read into [`Connection::space`] and call [`Connection::received`].
    Receive,
    /// The same, with [`Connection::expired`] if nothing has come by then.
    ReceiveBy(Instant),
    /// Close the connection.
    Close,
}

/// One conversation without its socket, and the right to hold it.
#[derive(Debug)]
pub struct Connection {
    requests: Arc<Requests>,
    reader: RequestReader,
    output: Vec<u8>,
    /// The request being handled.
    work: Work,
    /// What becomes of the connection after the request being handled.
    after: After,
    closing: bool,
    deadline: Option<Instant>,
}

impl Connection {
    /// The service that it belongs to.
    pub fn requests(&self) -> &Arc<Requests> {
        &self.requests
    }

    /// What to do next. Answers to requests that arrived together are sent together.
    #[expect(clippy::should_implement_trait, reason = "a conversation is no iterator")]
    pub fn next(&mut self) -> Step {
        while !self.closing && self.output.len() < MAX_OUTPUT {
            match self.reader.next() {
                Ok(Some(request)) => {
                    self.after = match (request.keep_alive, request.announce) {
                        (false, _) => After::Close,
                        (true, false) => After::Open,
                        (true, true) => After::SaidOpen,
                    };
                    self.deadline = None;
                    match work_of(&request) {
                        Ok(work) => {
                            self.work = work;
                            return Step::Handle(work);
                        }
                        Err(status) => self.refuse(status),
                    }
                }
                Ok(None) => break,
                Err(rejection) => {
                    self.after = After::Close;
                    self.refuse(rejection.status);
                }
            }
        }
        if !self.output.is_empty() {
            Step::Send
        } else if self.closing {
            Step::Close
        } else if self.reader.is_partial() {
            let patience = self.requests.bounds.patience;
            Step::ReceiveBy(*self.deadline.get_or_insert_with(|| Instant::now() + patience))
        } else {
            Step::Receive
        }
    }

    /// Takes the answer to the request being handled.
    pub fn answer(&mut self, answer: Answer) {
        match answer.0 {
            Ok(digest) => {
                let size = self.work.size;
                http::write_head(&mut self.output, Status::OK, size as usize, self.after);
                write_body(&mut self.output, size, digest);
                self.closing = self.after == After::Close;
            }
            Err(status) => self.refuse(status),
        }
    }

    fn refuse(&mut self, status: Status) {
        http::write_response(&mut self.output, status, b"", self.after);
        self.closing = self.after == After::Close;
    }

    /// What is to be sent.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// All of the output has been sent.
    pub fn sent(&mut self) {
        self.output.clear();
        // A large answer does not stay in memory while its connection is idle.
        self.output.shrink_to(MAX_OUTPUT);
    }

    /// Where to put what is read; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        self.reader.space()
    }

    /// So many bytes were put into the space; none mean that the client sends no more.
    pub fn received(&mut self, count: usize) {
        match count {
            0 => self.closing = true,
            count => self.reader.received(count),
        }
    }

    /// The rest of a request did not come in time.
    pub fn expired(&mut self) {
        self.after = After::Close;
        self.refuse(Status::REQUEST_TIMEOUT);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.requests.open.fetch_sub(1, Relaxed);
        mem::take(&mut self.output);
    }
}

fn work_of(request: &Request<'_>) -> Result<Work, Status> {
    match request.method {
        "GET" | "POST" => Work::of_target(request.target),
        _ => Err(Status::METHOD_NOT_ALLOWED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests() -> Arc<Requests> {
        Requests::new(Bounds { connections: 2, pool: 40, patience: Duration::from_secs(1) })
    }

    fn feed(connection: &mut Connection, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = connection.space();
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            connection.received(count);
            bytes = &bytes[count..];
        }
    }

    /// Feeds a connection and does what it says until it wants to read or close.
    fn converse(bytes: &[u8]) -> (String, Step) {
        let requests = requests();
        let mut connection = requests.admit().unwrap();
        feed(&mut connection, bytes);
        let mut sent = Vec::new();
        loop {
            match connection.next() {
                Step::Handle(work) => connection.answer(requests.block(work)),
                Step::Send => {
                    sent.extend_from_slice(connection.output());
                    connection.sent();
                }
                step => return (String::from_utf8(sent).unwrap(), step),
            }
        }
    }

    #[test]
    fn a_target_survives_its_text() {
        let work = Work {
            wait: Duration::from_millis(5),
            units: 7,
            size: 100,
            seed: 3,
            dispatch: Dispatch::Rayon,
        };
        assert_eq!(Work::of_target(&work.target()), Ok(work));
        assert_eq!(Work::of_target("/"), Ok(Work::default()));
        assert_eq!(Work::of_target("/x"), Err(Status::NOT_FOUND));
        for bad in
            ["/?units=1000001", "/?wait_us=-1", "/?via=magic", "/?seed", "/?colour=1", "/?size="]
        {
            assert_eq!(Work::of_target(bad), Err(Status::BAD_REQUEST), "{bad}");
        }
    }

    #[test]
    fn the_answer_depends_on_seed_and_units_and_has_the_size_asked_for() {
        let work = Work { units: 2, size: 50, seed: 1, ..Work::default() };
        let body = work.body();
        assert_eq!(body.len(), 50);
        assert_eq!(body[16..], [b'.'; 34]);
        assert_ne!(body, Work { seed: 2, ..work }.body());
        assert_ne!(body, Work { units: 3, ..work }.body());
    }

    #[test]
    fn requests_that_arrive_together_are_answered_together_and_in_order() {
        let (sent, step) = converse(
            b"GET /?seed=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /?seed=2 HTTP/1.1\r\nHost: a\r\n\r\n",
        );
        let bodies = [1, 2].map(|seed| Work { seed, ..Work::default() }.body());
        let places = bodies.map(|body| sent.find(str::from_utf8(&body).unwrap()).unwrap());
        assert!(places[0] < places[1]);
        assert_eq!(step, Step::Receive);
    }

    #[test]
    fn a_mistake_in_the_target_is_answered_and_the_conversation_goes_on() {
        let (sent, step) = converse(
            b"GET /?units=x HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n\
              DELETE / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        );
        let statuses: Vec<_> =
            sent.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).collect();
        let codes: Vec<_> = statuses.iter().map(|line| &line[..3]).collect();
        assert_eq!(codes, ["400", "404", "405", "200"]);
        assert_eq!(step, Step::Receive);
    }

    #[test]
    fn an_old_client_is_told_that_the_connection_stays_open() {
        let (sent, step) = converse(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        assert!(sent.contains("\r\nConnection: keep-alive\r\n"), "{sent}");
        assert_eq!(step, Step::Receive);
        let (sent, step) = converse(b"GET / HTTP/1.0\r\n\r\n");
        assert!(sent.contains("\r\nConnection: close\r\n"), "{sent}");
        assert_eq!(step, Step::Close);
    }

    #[test]
    fn garbage_is_refused_and_the_connection_closed() {
        let (sent, step) =
            converse(b"\x00\xff\x01 nonsense\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(sent.starts_with("HTTP/1.1 400 "), "{sent}");
        assert_eq!(sent.matches("HTTP/1.1").count(), 1);
        assert_eq!(step, Step::Close);
    }

    #[test]
    fn half_a_request_is_waited_for_and_then_refused() {
        let requests = requests();
        let mut connection = requests.admit().unwrap();
        feed(&mut connection, b"GET / HT");
        let Step::ReceiveBy(first) = connection.next() else { panic!("there is a deadline") };
        feed(&mut connection, b"TP/1.1\r\n");
        assert_eq!(connection.next(), Step::ReceiveBy(first), "dripping does not put it off");
        connection.expired();
        assert_eq!(connection.next(), Step::Send);
        assert!(connection.output().starts_with(b"HTTP/1.1 408 "));
        connection.sent();
        assert_eq!(connection.next(), Step::Close);
    }

    #[test]
    fn a_client_that_sends_and_never_reads_is_not_handled_without_bound() {
        let requests = requests();
        let mut connection = requests.admit().unwrap();
        for _ in 0..20 {
            feed(&mut connection, b"GET /?size=10000 HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        let mut handled = 0;
        while let Step::Handle(work) = connection.next() {
            connection.answer(requests.block(work));
            handled += 1;
        }
        assert!(handled < 20 && connection.output().len() < 2 * MAX_OUTPUT);
        assert_eq!(connection.next(), Step::Send);
    }

    #[test]
    fn connections_beyond_the_bound_are_refused_until_one_closes() {
        let requests = requests();
        let (first, second) = (requests.admit(), requests.admit());
        assert!(first.is_some() && second.is_some());
        assert!(requests.admit().is_none());
        drop(first);
        assert!(requests.admit().is_some());
    }

    #[test]
    fn a_wait_cut_short_spoils_the_answer() {
        let requests = requests();
        let work = Work { wait: Duration::from_millis(5), ..Work::default() };
        assert_eq!(requests.block(work), Answer(Ok(work.compute())));
        assert_ne!(requests.start(work).finish(), Answer(Ok(work.compute())));
        assert_eq!(requests.facts()[&Fact::PeakInFlight], 1);
    }
}
