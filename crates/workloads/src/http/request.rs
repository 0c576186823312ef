//! What a server reads.

use std::mem::MaybeUninit;

use super::input::{Input, TooLong};
use super::write::Status;
use super::{Fields, Limits, MAX_HEADERS, Transfer};

/// The server's side of one connection's input.
#[derive(Debug)]
pub struct RequestReader {
    pub(super) input: Input,
    rejected: Option<Rejection>,
}

/// A request, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method, as sent; methods are case-sensitive.
    pub method: &'a str,
    /// The target, as sent.
    pub target: &'a str,
    /// The body; empty if there is none.
    pub body: &'a [u8],
    /// Whether the client will send more on this connection.
    pub keep_alive: bool,
    /// Whether the answer has to say that the connection stays open: the client speaks HTTP/1.0, where
    /// that is not understood.
    pub announce: bool,
}

/// A request that is refused: answer with this status, then close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// What to answer.
    pub status: Status,
    /// What was wrong.
    pub reason: &'static str,
}

impl RequestReader {
    /// A reader for a new connection.
    pub fn new(limits: Limits) -> Self {
        RequestReader { input: Input::new(limits), rejected: None }
    }

    /// Where to read into next; never empty. Call it after [`next`](Self::next) had nothing more:
    /// requests that are still to be taken would be held beyond the limits.
    pub fn space(&mut self) -> &mut [u8] {
        if self.rejected.is_some() {
            self.input.clear();
        }
        self.input.space()
    }

    /// Notes that `count` bytes were read into [`space`](Self::space).
    ///
    /// # Panics
    ///
    /// If there was less space.
    pub fn received(&mut self, count: usize) {
        self.input.received(count);
    }

    /// The next request that is whole, or `None` until more is received.
    ///
    /// # Errors
    ///
    /// The request is refused, and so is everything after it: all further calls give the same.
    #[expect(clippy::should_implement_trait, reason = "what it gives borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Request<'_>>, Rejection> {
        if let Some(rejection) = self.rejected {
            return Err(rejection);
        }
        take_request(&mut self.input).inspect_err(|rejection| self.rejected = Some(*rejection))
    }

    /// Whether some bytes of an unfinished request are held, once [`next`](Self::next) gave `None`.
    pub fn is_partial(&self) -> bool {
        !self.input.held().is_empty()
    }
}

/// `Expect: 100-continue` is left unanswered. The client then sends the body after a moment of its
/// own choosing, a second for curl, and none of the loads in here sends the header.
fn take_request(input: &mut Input) -> Result<Option<Request<'_>>, Rejection> {
    let reject = |status, reason| Err(Rejection { status, reason });
    let Input { bytes, limits, at } = input;
    let held = &bytes[at.start..at.end];
    if held.len() < at.needed {
        return Ok(None);
    }
    let head = match at.find_head(held, limits.head_bytes) {
        Ok(Some(head)) => head,
        Ok(None) => return Ok(None),
        Err(TooLong) => return reject(Status::HEAD_TOO_LARGE, "the head is too long"),
    };
    let held = &bytes[at.start..at.end]; // without empty lines at its start
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    let (method, target, version) =
        match request.parse_with_uninit_headers(&held[..head], &mut headers) {
            Ok(_) => match (request.method, request.path, request.version) {
                (Some(method), Some(target), Some(version)) => (method, target, version),
                _ => return reject(Status::BAD_REQUEST, "the head is malformed"),
            },
            Err(httparse::Error::TooManyHeaders) => {
                return reject(Status::HEAD_TOO_LARGE, "there are too many headers");
            }
            Err(httparse::Error::Version) if names_other_version(&held[..head]) => {
                return reject(Status::VERSION_NOT_SUPPORTED, "this is not HTTP/1.0 or HTTP/1.1");
            }
            Err(_) => return reject(Status::BAD_REQUEST, "the head is malformed"),
        };
    let Some(fields) = Fields::of(request.headers) else {
        return reject(Status::BAD_REQUEST, "Content-Length is not one number");
    };
    // A sender and a receiver that understand such a request differently can be made to disagree on
    // where the next one begins.
    if fields.transfer != Transfer::Plain && fields.length.is_some() {
        return reject(Status::BAD_REQUEST, "both Content-Length and Transfer-Encoding are given");
    }
    if fields.hosts > 1 || (fields.hosts == 0 && version == 1) {
        return reject(Status::BAD_REQUEST, "there is not one Host");
    }
    if fields.transfer != Transfer::Plain {
        return reject(Status::NOT_IMPLEMENTED, "Transfer-Encoding is not implemented");
    }
    let length = fields.length.unwrap_or(0);
    if length > limits.body_bytes {
        return reject(Status::CONTENT_TOO_LARGE, "the body is too long");
    }
    let total = head + length;
    if held.len() < total {
        at.needed = total; // the head is parsed once more then, and not for every read until then
        return Ok(None);
    }
    at.consume(total);
    let keep_alive = fields.keep_alive(version);
    let announce = keep_alive && version == 0;
    Ok(Some(Request { method, target, body: &held[head..total], keep_alive, announce }))
}

/// Whether the first line ends like one of another version of HTTP, rather than with anything else.
fn names_other_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or(head);
    line.rsplit(|&byte| byte == b' ').next().is_some_and(|word| word.starts_with(b"HTTP/"))
}
