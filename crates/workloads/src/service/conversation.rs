//! One conversation without its socket: what a server does next, and what it sends.

use std::sync::Arc;
use std::time::Instant;

use super::work::write_body;
use super::{Answer, Requests, Work};
use crate::http::{self, After, Request, RequestReader, Status};

/// Bytes of answers that are sent before more requests of the same connection are handled.
const MAX_OUTPUT: usize = 32 * 1024;

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
    pub(super) fn new(requests: Arc<Requests>) -> Self {
        Connection {
            requests,
            reader: RequestReader::new(http::Limits::SERVER),
            output: Vec::new(),
            work: Work::default(),
            after: After::Open,
            closing: false,
            deadline: None,
        }
    }

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
            let patience = self.requests.patience();
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
        self.requests.leave();
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
    use std::time::Duration;

    use super::super::Bounds;
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
}
