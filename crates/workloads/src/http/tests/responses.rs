//! What a client reads.

use super::*;

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
