//! The buffer of a connection, and where in it a message begins and its head ends.

use super::Limits;

/// Size of the buffer of a new connection.
pub(super) const FIRST_BYTES: usize = 2 * 1024;

/// A buffer that grew beyond this is given back between messages.
const KEPT_BYTES: usize = 16 * 1024;

/// The buffer of a connection.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) bytes: Vec<u8>,
    pub(super) limits: Limits,
    pub(super) at: Position,
}

/// What of the buffer is held, and what is known about it.
#[derive(Debug, Default)]
pub(super) struct Position {
    /// Where the first message begins.
    pub(super) start: usize,
    /// Where the space begins.
    pub(super) end: usize,
    /// Bytes of empty lines before the message, which have been skipped.
    pub(super) blank: usize,
    /// Bytes from the start in which the head does not end: only what comes then is searched, for
    /// otherwise a head that comes byte by byte would take time by the square of its length.
    pub(super) searched: usize,
    /// Length of the head, once it is whole.
    pub(super) head: Option<usize>,
    /// Bytes from the start without which a message cannot be whole.
    pub(super) needed: usize,
}

/// The head exceeds its limit.
pub(super) struct TooLong;

impl Input {
    pub(super) fn new(limits: Limits) -> Self {
        Input { bytes: vec![0; FIRST_BYTES], limits, at: Position::default() }
    }

    pub(super) fn held(&self) -> &[u8] {
        &self.bytes[self.at.start..self.at.end]
    }

    pub(super) fn clear(&mut self) {
        self.at = Position::default();
    }

    /// Moves what is held to the front, if anything has been consumed since: once for many messages.
    pub(super) fn space(&mut self) -> &mut [u8] {
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

    pub(super) fn received(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.at.end, "more bytes than there was space for");
        self.at.end += count;
    }
}

impl Position {
    /// The length of the head that begins with `held`, or `None` if it does not yet end. Skips empty
    /// lines before it, which some clients send after a body.
    pub(super) fn find_head(
        &mut self,
        mut held: &[u8],
        limit: usize,
    ) -> Result<Option<usize>, TooLong> {
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
    pub(super) fn consume(&mut self, count: usize) {
        *self = Position { start: self.start + count, end: self.end, ..Position::default() };
    }
}
