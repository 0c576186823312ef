//! What a server answers and a client asks.

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
