//! How do bytes become HTTP/1.1 requests and responses, and these bytes?
//!
//! Neither a socket nor a clock is in here: the caller reads into [`RequestReader::space`] or
//! [`ResponseReader::space`], says how much came, and takes the messages out until there are none.
//! What they are is a function of the bytes alone, however these were cut into reads.

mod input;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod write;

pub use request::{Rejection, Request, RequestReader};
pub use response::{Malformed, Response, ResponseReader};
pub use write::{After, Status, write_get, write_head, write_response};

/// Most headers of a message, and most trailers.
pub const MAX_HEADERS: usize = 64;

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
