//! What a server reads.

use super::*;

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
