//! The codec against every way of cutting, breaking and overloading it.

mod requests;
mod responses;

use super::input::FIRST_BYTES;
use super::response::BODY_TOO_LONG;
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
