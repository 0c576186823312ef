//! What a client reads.

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::input::{Input, TooLong};
use super::{Fields, LINE_BYTES, Limits, MAX_HEADERS, Transfer, number};

/// The client's side of one connection's input. What it reads answers GET: the answer to HEAD would
/// announce a body that does not follow.
#[derive(Debug)]
pub struct ResponseReader {
    pub(super) input: Input,
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

pub(super) const BODY_TOO_LONG: Malformed = Malformed("the body is too long");

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
