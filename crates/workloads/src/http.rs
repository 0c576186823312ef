//! How do bytes become HTTP/1.1 requests and responses, and these bytes?
//!
//! Neither a socket nor a clock is in here: the caller reads into [`RequestReader::space`] or
//! [`ResponseReader::space`], says how much came, and takes the messages out until there are none.
//! What they are is a function of the bytes alone, however these were cut into reads.

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Most headers of a message, and most trailers.
pub const MAX_HEADERS: usize = 64;

/// Size of the buffer of a new connection.
const FIRST_BYTES: usize = 2 * 1024;

/// A buffer that grew beyond this is given back between messages.
const KEPT_BYTES: usize = 16 * 1024;

/// Longest line that gives the size of a chunk, and longest trailer.
const LINE_BYTES: usize = 1024;

/// What a peer may make us hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest head: the first line, the headers, and empty lines before and after them.
    pub head_bytes: usize,
    /// Longest body.
    pub body_bytes: usize,
}

impl Limits {
    /// For a server: its clients are strangers.
    pub const SERVER: Limits = Limits { head_bytes: 8 * 1024, body_bytes: 64 * 1024 };

    /// For a client, which has chosen its server.
    pub const CLIENT: Limits = Limits { head_bytes: 16 * 1024, body_bytes: 64 * 1024 * 1024 };

    /// Most bytes of a message that is not yet whole: of a chunked one, a line is held beside what
    /// has been decoded.
    fn most_bytes(self) -> usize {
        self.head_bytes + self.body_bytes + LINE_BYTES
    }
}

/// The server's side of one connection's input.
#[derive(Debug)]
pub struct RequestReader {
    input: Input,
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

/// What becomes of the connection after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It closes, and the response says so.
    Close,
    /// It stays open.
    Open,
    /// It stays open, and the response says so.
    SaidOpen,
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

/// What a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    code: u16,
    /// All that comes before the length of the body.
    opening: &'static str,
}

macro_rules! status {
    ($code:literal, $phrase_and_fields:literal) => {
        Status {
            code: $code,
            opening: concat!("HTTP/1.1 ", $code, " ", $phrase_and_fields, "\r\nContent-Length: "),
        }
    };
}

impl Status {
    /// Done.
    pub const OK: Status = status!(200, "OK");
    /// Not a request that the server understands.
    pub const BAD_REQUEST: Status = status!(400, "Bad Request");
    /// There is no such target.
    pub const NOT_FOUND: Status = status!(404, "Not Found");
    /// The target has no such method, but GET and POST.
    pub const METHOD_NOT_ALLOWED: Status = status!(405, "Method Not Allowed\r\nAllow: GET, POST");
    /// The request did not become whole in time.
    pub const REQUEST_TIMEOUT: Status = status!(408, "Request Timeout");
    /// The body is too long.
    pub const CONTENT_TOO_LARGE: Status = status!(413, "Content Too Large");
    /// The head is too long.
    pub const HEAD_TOO_LARGE: Status = status!(431, "Request Header Fields Too Large");
    /// The server failed.
    pub const INTERNAL_SERVER_ERROR: Status = status!(500, "Internal Server Error");
    /// The server lacks what the request needs.
    pub const NOT_IMPLEMENTED: Status = status!(501, "Not Implemented");
    /// The server has too much to do.
    pub const SERVICE_UNAVAILABLE: Status = status!(503, "Service Unavailable");
    /// Neither HTTP/1.0 nor HTTP/1.1.
    pub const VERSION_NOT_SUPPORTED: Status = status!(505, "HTTP Version Not Supported");

    /// The number, such as 200.
    pub fn code(self) -> u16 {
        self.code
    }
}

/// Appends a response to `out`. It has no `Date`, which would take a clock.
pub fn write_response(out: &mut Vec<u8>, status: Status, body: &[u8], after: After) {
    write_head(out, status, body.len(), after);
    out.extend_from_slice(body);
}

/// Appends what comes before the body of a response to `out`, and makes room for the body.
pub fn write_head(out: &mut Vec<u8>, status: Status, body_bytes: usize, after: After) {
    let opening = status.opening.as_bytes();
    let ending: &[u8] = match after {
        After::Close => b"\r\nConnection: close\r\n\r\n",
        After::Open => b"\r\n\r\n",
        After::SaidOpen => b"\r\nConnection: keep-alive\r\n\r\n",
    };
    let mut digits = [0; 20];
    let mut first = digits.len();
    let mut rest = body_bytes;
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let length = &digits[first..];
    out.reserve(opening.len() + length.len() + ending.len() + body_bytes);
    out.extend_from_slice(opening);
    out.extend_from_slice(length);
    out.extend_from_slice(ending);
}

/// Appends a request for `target` to `out`. Neither `host` nor `target` may hold a space or the end
/// of a line.
pub fn write_get(out: &mut Vec<u8>, host: &str, target: &str) {
    for piece in ["GET ", target, " HTTP/1.1\r\nHost: ", host, "\r\n\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// The client's side of one connection's input. What it reads answers GET: the answer to HEAD would
/// announce a body that does not follow.
#[derive(Debug)]
pub struct ResponseReader {
    input: Input,
    /// The response whose head has been read, but not yet all of its body.
    pending: Option<Pending>,
    malformed: Option<Malformed>,
}

/// A response, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The number, such as 200.
    pub status: u16,
    /// The body, decoded; empty if there is none.
    pub body: &'a [u8],
    /// Whether the server will answer more on this connection.
    pub keep_alive: bool,
}

/// Not a response, or not one that we are ready to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed HTTP response: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

#[derive(Debug, Clone, Copy)]
struct Pending {
    status: u16,
    keep_alive: bool,
    /// Length of the head.
    head: usize,
    framing: Framing,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked(Decoder),
    /// With the connection.
    Close,
}

impl ResponseReader {
    /// A reader for a new connection.
    pub fn new(limits: Limits) -> Self {
        ResponseReader { input: Input::new(limits), pending: None, malformed: None }
    }

    /// Where to read into next; never empty. Call it after [`next`](Self::next) had nothing more:
    /// responses that are still to be taken would be held beyond the limits.
    pub fn space(&mut self) -> &mut [u8] {
        if self.malformed.is_some() {
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

    /// The next response that is whole, or `None` until more is received. Those that announce
    /// another one (1xx) are skipped.
    ///
    /// # Errors
    ///
    /// The response is malformed or too long, and where the next one would begin is unknown: all
    /// further calls give the same.
    #[expect(clippy::should_implement_trait, reason = "what it gives borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Response<'_>>, Malformed> {
        self.take(false)
    }

    /// The next response, now that the server has closed the connection: also one whose body ends
    /// with the connection. `None` if nothing more is held.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next), or a response was cut short.
    pub fn end(&mut self) -> Result<Option<Response<'_>>, Malformed> {
        self.take(true)
    }

    /// Whether some bytes of an unfinished response are held, once [`next`](Self::next) gave `None`.
    pub fn is_partial(&self) -> bool {
        !self.input.held().is_empty()
    }

    fn take(&mut self, ended: bool) -> Result<Option<Response<'_>>, Malformed> {
        if let Some(malformed) = self.malformed {
            return Err(malformed);
        }
        let taken = self.take_body(ended).inspect_err(|error| self.malformed = Some(*error))?;
        Ok(taken.map(|(Pending { status, keep_alive, .. }, body)| {
            let body = &self.input.bytes[body];
            Response { status, body, keep_alive }
        }))
    }

    /// The next response and where its body is.
    fn take_body(&mut self, ended: bool) -> Result<Option<(Pending, Range<usize>)>, Malformed> {
        let cut_short = Malformed("it was cut short");
        self.take_head()?;
        let Some(pending) = &mut self.pending else {
            return if ended && self.is_partial() { Err(cut_short) } else { Ok(None) };
        };
        let received = self.input.held().len() - pending.head;
        // Bytes of the body, and bytes that it took to send it.
        let whole = match &mut pending.framing {
            Framing::Length(length) => (received >= *length).then_some((*length, *length)),
            Framing::Chunked(decoder) => decoder.decode(&mut self.input, pending.head)?,
            Framing::Close if received > self.input.limits.body_bytes => return Err(BODY_TOO_LONG),
            Framing::Close => ended.then_some((received, received)),
        };
        match whole {
            Some((length, sent)) => {
                let pending = *pending;
                let start = self.input.at.start + pending.head;
                self.input.at.consume(pending.head + sent);
                self.pending = None;
                Ok(Some((pending, start..start + length)))
            }
            None if ended => Err(cut_short),
            None => Ok(None),
        }
    }

    /// Reads the head of the next response, unless that has been done or it is not whole.
    fn take_head(&mut self) -> Result<(), Malformed> {
        while self.pending.is_none() {
            let Input { bytes, limits, at } = &mut self.input;
            let head = match at.find_head(&bytes[at.start..at.end], limits.head_bytes) {
                Ok(Some(head)) => head,
                Ok(None) => return Ok(()),
                Err(TooLong) => return Err(Malformed("the head is too long")),
            };
            let pending = parse_response(&bytes[at.start..at.start + head], limits.body_bytes)?;
            match pending.status {
                101 => return Err(Malformed("another protocol follows, which nobody asked for")),
                100..200 => at.consume(head),
                _ => self.pending = Some(pending),
            }
        }
        Ok(())
    }
}

const BODY_TOO_LONG: Malformed = Malformed("the body is too long");

fn parse_response(head: &[u8], body_bytes: usize) -> Result<Pending, Malformed> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, head, &mut headers)
        .map_err(|_| Malformed("the head is not one of HTTP/1"))?;
    let (Some(version), Some(status)) = (response.version, response.code) else {
        return Err(Malformed("the head is not one of HTTP/1"));
    };
    if !(100..600).contains(&status) {
        return Err(Malformed("there is no such status"));
    }
    let Some(fields) = Fields::of(response.headers) else {
        return Err(Malformed("Content-Length is not one number"));
    };
    let bodiless = matches!(status, 100..200 | 204 | 304);
    let framing = match (fields.transfer, fields.length) {
        _ if bodiless => Framing::Length(0),
        (Transfer::Plain, None) => Framing::Close,
        (Transfer::Plain, Some(length)) if length > body_bytes => return Err(BODY_TOO_LONG),
        (Transfer::Plain, Some(length)) => Framing::Length(length),
        (_, Some(_)) => {
            return Err(Malformed("both Content-Length and Transfer-Encoding are given"));
        }
        // HTTP/1.0 has no chunks: something that does not know them has passed them on.
        (Transfer::Chunked, None) if version == 1 => Framing::Chunked(Decoder::default()),
        _ => return Err(Malformed("the transfer coding is unknown")),
    };
    let keep_alive = fields.keep_alive(version) && !matches!(framing, Framing::Close);
    Ok(Pending { status, keep_alive, head: head.len(), framing })
}

/// Decodes a chunked body where it stands: what has been decoded comes first, and what is not yet
/// decoded directly after it.
#[derive(Debug, Clone, Copy, Default)]
struct Decoder {
    decoded: usize,
    next: Part,
}

/// What comes next in a chunked body.
#[derive(Debug, Clone, Copy, Default)]
enum Part {
    #[default]
    Size,
    Data(usize),
    DataEnd,
    /// A trailer, after so many others.
    Trailer(usize),
}

impl Decoder {
    /// Goes on to decode the body that follows `head` bytes. Once it is whole: its length, and the
    /// bytes that it took to send it.
    fn decode(
        &mut self,
        input: &mut Input,
        head: usize,
    ) -> Result<Option<(usize, usize)>, Malformed> {
        let body = &mut input.bytes[input.at.start + head..input.at.end];
        let mut read = self.decoded;
        loop {
            if let Part::Data(left) = self.next {
                let count = left.min(body.len() - read);
                body.copy_within(read..read + count, self.decoded);
                self.decoded += count;
                read += count;
                if count < left {
                    self.next = Part::Data(left - count);
                    break;
                }
                self.next = Part::DataEnd;
            }
            let Some(line) = first_line(&body[read..])? else { break };
            read += line.len() + 2;
            self.next = match self.next {
                Part::Size => match chunk_size(line)? {
                    0 => Part::Trailer(0),
                    size if size > input.limits.body_bytes - self.decoded => {
                        return Err(BODY_TOO_LONG);
                    }
                    size => Part::Data(size),
                },
                Part::Trailer(_) if line.is_empty() => return Ok(Some((self.decoded, read))),
                Part::Trailer(MAX_HEADERS) => return Err(Malformed("there are too many trailers")),
                Part::Trailer(count) => Part::Trailer(count + 1),
                _ if line.is_empty() => Part::Size,
                _ => return Err(Malformed("a chunk is longer than it should be")),
            };
        }
        body.copy_within(read.., self.decoded);
        input.at.end -= read - self.decoded;
        Ok(None)
    }
}

/// The first line without its end, or `None` if it has none yet. It is short, so that it may be
/// searched for from its start each time.
fn first_line(bytes: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let bytes = &bytes[..bytes.len().min(LINE_BYTES)];
    match bytes.iter().position(|&byte| byte == b'\n') {
        Some(end) => {
            let line = bytes[..end].strip_suffix(b"\r");
            line.map(Some).ok_or(Malformed("a line between chunks does not end with CRLF"))
        }
        None if bytes.len() < LINE_BYTES => Ok(None),
        None => Err(Malformed("a line between chunks is too long")),
    }
}

/// The size that begins `line`; extensions after it are skipped.
fn chunk_size(line: &[u8]) -> Result<usize, Malformed> {
    let size = line.split(|&byte| byte == b';').next().unwrap_or(line);
    number(size.trim_ascii_end(), 16).ok_or(Malformed("the size of a chunk is not a number"))
}

/// The number that all of `digits` make, or `None`: no sign, no space, no overflow.
fn number(digits: &[u8], radix: u32) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |number, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        number.checked_mul(radix as usize)?.checked_add(digit as usize)
    })
}

/// What the headers say about the message and its connection.
#[derive(Debug, Default)]
struct Fields {
    length: Option<usize>,
    transfer: Transfer,
    hosts: usize,
    close: bool,
    keep: bool,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Transfer {
    #[default]
    Plain,
    Chunked,
    Other,
}

impl Fields {
    /// `None` if the length of the body is not a number, or is more than one.
    fn of(headers: &[httparse::Header<'_>]) -> Option<Fields> {
        let mut fields = Fields::default();
        for header in headers {
            if header.name.eq_ignore_ascii_case("host") {
                fields.hosts += 1;
            } else if header.name.eq_ignore_ascii_case("connection") {
                for token in header.value.split(|&byte| byte == b',') {
                    let token = token.trim_ascii();
                    fields.close |= token.eq_ignore_ascii_case(b"close");
                    fields.keep |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            } else if header.name.eq_ignore_ascii_case("content-length") {
                let length = number(header.value, 10)?;
                if fields.length.is_some_and(|other| other != length) {
                    return None;
                }
                fields.length = Some(length);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                let chunked = header.value.eq_ignore_ascii_case(b"chunked");
                let alone = fields.transfer == Transfer::Plain;
                fields.transfer =
                    if chunked && alone { Transfer::Chunked } else { Transfer::Other };
            }
        }
        Some(fields)
    }

    /// Whether the sender keeps the connection open; `version` is the minor one.
    fn keep_alive(&self, version: u8) -> bool {
        !self.close && (version == 1 || self.keep)
    }
}

/// The buffer of a connection.
#[derive(Debug)]
struct Input {
    bytes: Vec<u8>,
    limits: Limits,
    at: Position,
}

/// What of the buffer is held, and what is known about it.
#[derive(Debug, Default)]
struct Position {
    /// Where the first message begins.
    start: usize,
    /// Where the space begins.
    end: usize,
    /// Bytes of empty lines before the message, which have been skipped.
    blank: usize,
    /// Bytes from the start in which the head does not end: only what comes then is searched, for
    /// otherwise a head that comes byte by byte would take time by the square of its length.
    searched: usize,
    /// Length of the head, once it is whole.
    head: Option<usize>,
    /// Bytes from the start without which a message cannot be whole.
    needed: usize,
}

/// The head exceeds its limit.
struct TooLong;

impl Input {
    fn new(limits: Limits) -> Self {
        Input { bytes: vec![0; FIRST_BYTES], limits, at: Position::default() }
    }

    fn held(&self) -> &[u8] {
        &self.bytes[self.at.start..self.at.end]
    }

    fn clear(&mut self) {
        self.at = Position::default();
    }

    /// Moves what is held to the front, if anything has been consumed since: once for many messages.
    fn space(&mut self) -> &mut [u8] {
        let Input { bytes, limits, at } = self;
        if at.start > 0 {
            bytes.copy_within(at.start..at.end, 0);
            at.end -= at.start;
            at.start = 0;
        }
        if at.end == bytes.len() {
            let length = (2 * at.end).min(limits.most_bytes()).max(at.end + 1);
            bytes.reserve_exact(length - at.end);
            bytes.resize(length, 0);
        } else if at.end == 0 && bytes.len() > KEPT_BYTES {
            bytes.truncate(FIRST_BYTES);
            bytes.shrink_to_fit();
        }
        &mut bytes[at.end..]
    }

    fn received(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.at.end, "more bytes than there was space for");
        self.at.end += count;
    }
}

impl Position {
    /// The length of the head that begins with `held`, or `None` if it does not yet end. Skips empty
    /// lines before it, which some clients send after a body.
    fn find_head(&mut self, mut held: &[u8], limit: usize) -> Result<Option<usize>, TooLong> {
        if self.head.is_some() {
            return Ok(self.head);
        }
        while let Some(rest) = held.strip_prefix(b"\n").or_else(|| held.strip_prefix(b"\r\n")) {
            self.blank += held.len() - rest.len();
            self.start += held.len() - rest.len();
            self.searched = 0;
            held = rest;
        }
        let limit = limit.saturating_sub(self.blank);
        while let Some(found) = held[self.searched..].iter().position(|&byte| byte == b'\n') {
            let end = self.searched + found;
            self.searched = end + 1;
            // A line may end without CR (RFC 9112, 2.2), and httparse takes it so, too.
            if held[..end].ends_with(b"\n") || held[..end].ends_with(b"\n\r") {
                self.head = Some(self.searched);
                return if self.searched > limit { Err(TooLong) } else { Ok(self.head) };
            }
        }
        self.searched = held.len();
        if held.len() >= limit { Err(TooLong) } else { Ok(None) }
    }

    /// Goes on to the message after the next `count` bytes.
    fn consume(&mut self, count: usize) {
        *self = Position { start: self.start + count, end: self.end, ..Position::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: Limits = Limits { head_bytes: 128, body_bytes: 64 };

    #[derive(Debug, Clone, PartialEq)]
    struct Got {
        /// Method and target, or the status.
        first: String,
        body: Vec<u8>,
        keep_alive: bool,
    }

    fn got(first: &str, body: &str, keep_alive: bool) -> Got {
        Got { first: first.to_string(), body: body.into(), keep_alive }
    }

    /// What a reader gives that receives these pieces, one after the other.
    fn requests(limits: Limits, pieces: &[&[u8]]) -> (Vec<Got>, Option<Rejection>) {
        let mut reader = RequestReader::new(limits);
        let mut all = Vec::new();
        for mut piece in pieces.iter().copied() {
            while !piece.is_empty() {
                let space = reader.space();
                let count = space.len().min(piece.len());
                space[..count].copy_from_slice(&piece[..count]);
                reader.received(count);
                piece = &piece[count..];
                loop {
                    match reader.next() {
                        Ok(Some(Request { method, target, body, keep_alive, .. })) => {
                            let first = format!("{method} {target}");
                            all.push(Got { first, body: body.to_vec(), keep_alive });
                        }
                        Ok(None) => break,
                        Err(rejection) => {
                            assert_eq!(reader.next(), Err(rejection));
                            return (all, Some(rejection));
                        }
                    }
                }
                assert!(reader.input.bytes.capacity() <= FIRST_BYTES.max(limits.most_bytes()));
            }
        }
        (all, None)
    }

    /// Likewise; the connection ends after the last piece.
    fn responses(limits: Limits, pieces: &[&[u8]]) -> (Vec<Got>, Option<Malformed>) {
        let mut reader = ResponseReader::new(limits);
        let mut all = Vec::new();
        let mut take = |result: Result<Option<Response<'_>>, Malformed>| {
            let Some(Response { status, body, keep_alive }) = result? else { return Ok(false) };
            all.push(Got { first: status.to_string(), body: body.to_vec(), keep_alive });
            Ok(true)
        };
        let mut read_all = || -> Result<(), Malformed> {
            for mut piece in pieces.iter().copied() {
                while !piece.is_empty() {
                    let space = reader.space();
                    let count = space.len().min(piece.len());
                    space[..count].copy_from_slice(&piece[..count]);
                    reader.received(count);
                    piece = &piece[count..];
                    while take(reader.next())? {}
                    assert!(reader.input.bytes.capacity() <= FIRST_BYTES.max(limits.most_bytes()));
                }
            }
            while take(reader.end())? {}
            Ok(())
        };
        let malformed = read_all().err();
        (all, malformed)
    }

    /// The one request in `bytes`.
    fn request(bytes: &str) -> Got {
        match requests(Limits::SERVER, &[bytes.as_bytes()]) {
            (mut all, None) if all.len() == 1 => all.remove(0),
            other => panic!("{bytes:?} gives {other:?}"),
        }
    }

    /// The status with which `bytes` are refused, however they come.
    fn refusal(bytes: impl AsRef<[u8]>) -> u16 {
        let bytes = bytes.as_ref();
        let (all, rejection) = requests(Limits::SERVER, &[bytes]);
        assert_eq!(all, []);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(requests(Limits::SERVER, &single), (all, rejection));
        rejection.map_or(0, |rejection| rejection.status.code())
    }

    /// The one response in `bytes`.
    fn response(bytes: &str) -> Got {
        match responses(Limits::CLIENT, &[bytes.as_bytes()]) {
            (mut all, None) if all.len() == 1 => all.remove(0),
            other => panic!("{bytes:?} gives {other:?}"),
        }
    }

    /// What is wrong with `bytes`, however they come.
    fn fault(limits: Limits, bytes: impl AsRef<[u8]>) -> &'static str {
        let bytes = bytes.as_ref();
        let (all, malformed) = responses(limits, &[bytes]);
        assert_eq!(all, []);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(responses(limits, &single), (all, malformed));
        malformed.map_or("", |Malformed(reason)| reason)
    }

    fn with_header(header: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n")
    }

    #[test]
    fn a_request_has_a_method_a_target_and_a_body() {
        assert_eq!(request("GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"), got("GET /a?b=c", "", true));
        let post = "POST /p HTTP/1.1\r\nhost:h\r\ncontent-LENGTH: 5\r\n\r\nhello";
        assert_eq!(request(post), got("POST /p", "hello", true));
        assert_eq!(request("GET / HTTP/1.1\nHost: h\n\n"), got("GET /", "", true));
    }

    #[test]
    fn the_version_and_the_connection_header_say_whether_more_requests_follow() {
        let keep_alive = |version: &str, connection: &str| {
            request(&format!("GET / HTTP/{version}\r\nHost: h\r\n{connection}\r\n")).keep_alive
        };
        assert!(keep_alive("1.1", ""));
        assert!(keep_alive("1.1", "Connection: upgrade, disclose\r\n"));
        assert!(!keep_alive("1.1", "Connection: CLOSE\r\n"));
        assert!(!keep_alive("1.1", "Connection: foo ,\tClose, bar\r\n"));
        assert!(!keep_alive("1.1", "connection: keep-alive\r\nCONNECTION: close\r\n"));
        assert!(!keep_alive("1.0", ""));
        assert!(keep_alive("1.0", "Connection: Keep-Alive\r\n"));
        assert!(!keep_alive("1.0", "Connection: keep-alive, close\r\n"));
    }

    #[test]
    fn a_malformed_head_is_refused_with_400() {
        for head in [
            "GET /\r\n\r\n",
            "GET\r\n\r\n",
            "GET  HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTQ/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.10\r\nHost: h\r\n\r\n",
            "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nFolded: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nBare: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nNone\r\n\r\n",
        ] {
            assert_eq!(refusal(head), 400, "{head:?}");
        }
        assert_eq!(refusal(b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
        assert_eq!(refusal(b"\x16\x03\x01\x02\x00\n\n"), 400);
    }

    #[test]
    fn http_1_1_takes_exactly_one_host_and_http_1_0_at_most_one() {
        assert_eq!(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
        assert_eq!(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
        assert_eq!(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
        assert_eq!(request("GET / HTTP/1.0\r\n\r\n").first, "GET /");
    }

    #[test]
    fn other_versions_are_refused_with_505() {
        for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3"] {
            assert_eq!(refusal(format!("GET / {version}\r\nHost: h\r\n\r\n")), 505, "{version}");
        }
        assert_eq!(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    }

    #[test]
    fn content_length_is_one_number() {
        for length in
            ["", "+5", "-5", "5, 5", "0x5", "5 5", "5.0", "99999999999999999999", "\u{665}"]
        {
            assert_eq!(refusal(with_header(&format!("Content-Length: {length}"))), 400, "{length}");
        }
        assert_eq!(refusal(with_header("Content-Length: 5\r\nContent-Length: 6")), 400);
        let twice = with_header("Content-Length: 2\r\nContent-Length: 02") + "ab";
        assert_eq!(request(&twice).body, b"ab");
    }

    #[test]
    fn transfer_codings_are_refused_and_doubly_so_beside_a_length() {
        assert_eq!(refusal(with_header("Transfer-Encoding: chunked")), 501);
        assert_eq!(refusal(with_header("Transfer-Encoding: identity")), 501);
        let both = "Content-Length: 5\r\nTransfer-Encoding: chunked";
        assert_eq!(refusal(with_header(both)), 400);
    }

    #[test]
    fn a_head_may_be_as_long_as_its_limit() {
        let head = |length: usize| {
            let rest = "GET / HTTP/1.1\r\nHost: \r\n\r\n".len();
            format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "h".repeat(length - rest))
        };
        let limit = Limits::SERVER.head_bytes;
        assert_eq!(request(&head(limit)).first, "GET /");
        assert_eq!(refusal(head(limit + 1)), 431);
        assert_eq!(refusal(vec![b'x'; limit]), 431);
        assert_eq!(refusal("\r\n".repeat(limit / 2)), 431);
        assert_eq!(fault(TINY, vec![b'x'; TINY.head_bytes]), "the head is too long");
    }

    #[test]
    fn there_may_be_as_many_headers_as_the_limit() {
        let head = |count: usize| with_header(&vec!["a: b"; count - 1].join("\r\n"));
        assert_eq!(request(&head(MAX_HEADERS)).first, "POST /");
        assert_eq!(refusal(head(MAX_HEADERS + 1)), 431);
    }

    #[test]
    fn a_body_over_the_limit_is_refused_before_it_comes() {
        let limit = Limits::SERVER.body_bytes;
        assert_eq!(refusal(with_header(&format!("Content-Length: {}", limit + 1))), 413);
        let most = with_header(&format!("Content-Length: {limit}")) + &"b".repeat(limit);
        assert_eq!(request(&most).body.len(), limit);
    }

    #[test]
    fn empty_lines_before_a_request_are_skipped_and_are_no_part_of_one() {
        let mut reader = RequestReader::new(Limits::SERVER);
        let bytes = b"\r\n\n\r\n";
        reader.space()[..bytes.len()].copy_from_slice(bytes);
        reader.received(bytes.len());
        assert_eq!(reader.next(), Ok(None));
        assert!(!reader.is_partial());
        let bytes = b"G";
        reader.space()[..1].copy_from_slice(bytes);
        reader.received(1);
        assert_eq!(reader.next(), Ok(None));
        assert!(reader.is_partial());
        assert_eq!(request("\r\n\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").first, "GET /");
    }

    #[test]
    fn nothing_follows_a_rejection_and_nothing_more_is_held() {
        let mut reader = RequestReader::new(Limits::SERVER);
        for _ in 0..1000 {
            let space = reader.space();
            space.fill(b'\n');
            space[0] = b'x';
            let count = space.len();
            reader.received(count);
            assert_eq!(reader.next().unwrap_err().status, Status::BAD_REQUEST);
        }
        assert_eq!(reader.input.bytes.len(), FIRST_BYTES);
    }

    #[test]
    fn pipelined_requests_come_out_in_order_however_they_are_split() {
        let stream = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n\
            POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\na\r\n\r\nbc\
            \r\nGET /3 HTTP/1.0\r\n\r\n\
            GET /4 HTTP/1.1\r\n\r\n"
            .as_bytes();
        let whole = requests(TINY, &[stream]);
        let all = [
            got("GET /1", "", true),
            got("POST /2", "a\r\n\r\nbc", true),
            got("GET /3", "", false),
        ];
        assert_eq!(whole.0, all);
        assert_eq!(whole.1.map(|rejection| rejection.status), Some(Status::BAD_REQUEST));
        for i in 0..stream.len() {
            for j in i..stream.len() {
                let pieces = [&stream[..i], &stream[i..j], &stream[j..]];
                assert_eq!(requests(TINY, &pieces), whole, "split at {i} and {j}");
            }
        }
    }

    #[test]
    fn many_pipelined_requests_take_one_small_buffer() {
        let mut one = Vec::new();
        write_get(&mut one, "host", "/target");
        let (all, rejection) = requests(TINY, &[&one.repeat(10_000)]);
        assert_eq!((all.len(), rejection), (10_000, None));
        assert!(all.iter().all(|each| *each == got("GET /target", "", true)));
    }

    #[test]
    fn a_buffer_that_grew_is_given_back_when_it_is_empty() {
        let mut reader = RequestReader::new(Limits::SERVER);
        let stream = with_header("Content-Length: 60000") + &"b".repeat(60_000);
        let mut rest = stream.as_bytes();
        while !rest.is_empty() {
            let space = reader.space();
            let count = space.len().min(rest.len());
            space[..count].copy_from_slice(&rest[..count]);
            reader.received(count);
            rest = &rest[count..];
        }
        assert!(reader.next().unwrap().is_some());
        assert!(reader.input.bytes.capacity() > 60_000);
        assert_eq!(reader.space().len(), FIRST_BYTES);
        assert_eq!(reader.input.bytes.capacity(), FIRST_BYTES);
    }

    #[test]
    fn a_response_has_a_status_and_a_body() {
        let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(response(hello), got("200", "hello", true));
        assert_eq!(response("HTTP/1.1 404\r\ncontent-length:0\r\n\r\n"), got("404", "", true));
        let old = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx";
        assert_eq!(response(old), got("200", "x", false));
        let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
        assert_eq!(response(closing), got("200", "x", false));
    }

    #[test]
    fn chunks_are_joined_and_their_extensions_and_trailers_skipped() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
        let body =
            "5\r\nhello\r\n00B ; x=\"y\"\r\n, world and\r\n1\r\n.\r\n0\r\nA: b\r\nC: d\r\n\r\n";
        let stream = format!("{head}{body}HTTP/1.1 204 No Content\r\n\r\n");
        let whole = responses(TINY, &[stream.as_bytes()]);
        assert_eq!(
            whole,
            (vec![got("200", "hello, world and.", true), got("204", "", true)], None)
        );
        for i in 0..stream.len() {
            for j in i..stream.len() {
                let bytes = stream.as_bytes();
                let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                assert_eq!(responses(TINY, &pieces), whole, "split at {i} and {j}");
            }
        }
    }

    #[test]
    fn malformed_chunks_are_refused() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let number = "the size of a chunk is not a number";
        for size in ["\r\n", "+5\r\n", " 5\r\n", "g\r\n", "ffffffffffffffffff\r\n", ";a\r\n"] {
            assert_eq!(fault(TINY, format!("{head}{size}")), number, "{size:?}");
        }
        let longer = "a chunk is longer than it should be";
        assert_eq!(fault(TINY, format!("{head}2\r\nabc\r\n")), longer);
        let line = "a line between chunks does not end with CRLF";
        assert_eq!(fault(TINY, format!("{head}2\nab\n")), line);
        let long = "a line between chunks is too long";
        assert_eq!(fault(TINY, format!("{head}2;{}", "x".repeat(LINE_BYTES))), long);
        let trailers = "a: b\r\n".repeat(MAX_HEADERS + 1);
        let many = "there are too many trailers";
        assert_eq!(fault(TINY, format!("{head}0\r\n{trailers}\r\n")), many);
        let cut = "it was cut short";
        assert_eq!(fault(TINY, format!("{head}2\r\nab\r\n0\r\n")), cut);
    }

    #[test]
    fn bodies_over_the_limit_are_refused_whatever_their_framing() {
        let over = TINY.body_bytes + 1;
        let reason = BODY_TOO_LONG.0;
        let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {over}\r\n\r\n");
        assert_eq!(fault(TINY, length), reason);
        let closed = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(over));
        assert_eq!(fault(TINY, closed), reason);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_string();
        assert_eq!(fault(TINY, chunked.clone() + "41\r\n"), reason);
        assert_eq!(fault(TINY, chunked + &"1\r\nx\r\n".repeat(over)), reason);
    }

    #[test]
    fn responses_that_announce_another_are_skipped() {
        let stream = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
            HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
        assert_eq!(response(stream), got("200", "x", true));
        let switched = fault(TINY, "HTTP/1.1 101 Switching Protocols\r\n\r\n\x01\x02");
        assert_eq!(switched, "another protocol follows, which nobody asked for");
    }

    #[test]
    fn a_response_without_content_has_no_body_even_if_it_gives_a_length() {
        let stream = "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n\
            HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let (all, malformed) = responses(TINY, &[stream.as_bytes()]);
        assert_eq!(all, [got("304", "", true), got("204", "", true), got("200", "", true)]);
        assert_eq!(malformed, None);
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        assert_eq!(response("HTTP/1.1 200 OK\r\n\r\nall of it"), got("200", "all of it", false));
        assert_eq!(response("HTTP/1.1 200 OK\r\n\r\n"), got("200", "", false));
    }

    #[test]
    fn the_end_of_an_idle_connection_is_not_an_error_but_that_of_an_unfinished_response_is() {
        assert_eq!(responses(TINY, &[]), (vec![], None));
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for end in 1..whole.len() {
            assert_eq!(fault(TINY, &whole[..end]), "it was cut short");
        }
    }

    #[test]
    fn responses_whose_end_is_uncertain_are_refused() {
        let fault = |headers: &str| fault(TINY, format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n"));
        let both = "both Content-Length and Transfer-Encoding are given";
        assert_eq!(fault("Content-Length: 5\r\nTransfer-Encoding: chunked"), both);
        let unknown = "the transfer coding is unknown";
        assert_eq!(fault("Transfer-Encoding: gzip, chunked"), unknown);
        assert_eq!(fault("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), unknown);
        assert_eq!(fault("Content-Length: +5"), "Content-Length is not one number");
        assert_eq!(fault("Content-Length: 5\r\nContent-Length: 6"), fault("Content-Length: x"));
    }

    #[test]
    fn what_the_server_writes_the_client_reads() {
        for (status, code, after) in [
            (Status::OK, "200", After::Open),
            (Status::METHOD_NOT_ALLOWED, "405", After::SaidOpen),
            (Status::SERVICE_UNAVAILABLE, "503", After::Close),
        ] {
            for length in [0, 1, 9, 10, 12_345] {
                let body = "b".repeat(length);
                let mut out = Vec::new();
                write_response(&mut out, status, body.as_bytes(), after);
                let read = responses(Limits::CLIENT, &[&out]);
                assert_eq!(read, (vec![got(code, &body, after != After::Close)], None));
            }
        }
    }

    #[test]
    fn what_the_client_writes_the_server_reads() {
        let mut out = Vec::new();
        write_get(&mut out, "127.0.0.1:80", "/a?b=c");
        assert_eq!(out, b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n");
        assert_eq!(requests(TINY, &[&out]), (vec![got("GET /a?b=c", "", true)], None));
    }

    /// Pieces of messages in random order: closer to HTTP than random bytes would be.
    #[test]
    fn garbage_is_read_the_same_however_it_is_split_and_without_panic() {
        const WORDS: [&[u8]; 24] = [
            b"GET / HTTP/1.1",
            b"HTTP/1.1 200 OK",
            b"HTTP/1.0 404",
            b"\r\n",
            b"\r\n",
            b"\r\n",
            b"\r\n\r\n",
            b"\n",
            b"\r",
            b" ",
            b":",
            b"Host: a",
            b"Content-Length: 3",
            b"Content-Length:",
            b"Transfer-Encoding: chunked",
            b"Connection: close",
            b"abc",
            b"3",
            b"0",
            b"ffffffffffffffff",
            b"\xff",
            b"\0",
            b"\r\nHost: a\r\n\r\n",
            b"\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        ];
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        for _ in 0..20_000 {
            let mut stream = Vec::new();
            for _ in 0..random(30) {
                stream.extend_from_slice(WORDS[random(WORDS.len())]);
            }
            let mut pieces = Vec::new();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(1 + random(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            assert_eq!(requests(TINY, &[&stream]), requests(TINY, &pieces), "{stream:?}");
            assert_eq!(responses(TINY, &[&stream]), responses(TINY, &pieces), "{stream:?}");
        }
    }
}
