//! The codec against every way of cutting, breaking and overloading it.

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
    for length in ["", "+5", "-5", "5, 5", "0x5", "5 5", "5.0", "99999999999999999999", "\u{665}"] {
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
    let all =
        [got("GET /1", "", true), got("POST /2", "a\r\n\r\nbc", true), got("GET /3", "", false)];
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
    let body = "5\r\nhello\r\n00B ; x=\"y\"\r\n, world and\r\n1\r\n.\r\n0\r\nA: b\r\nC: d\r\n\r\n";
    let stream = format!("{head}{body}HTTP/1.1 204 No Content\r\n\r\n");
    let whole = responses(TINY, &[stream.as_bytes()]);
    assert_eq!(whole, (vec![got("200", "hello, world and.", true), got("204", "", true)], None));
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
