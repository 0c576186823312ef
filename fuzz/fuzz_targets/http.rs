//! Does the HTTP codec read any bytes the same however they are split, within its limits, and what
//! it has written itself as it was meant?

#![no_main]

use libfuzzer_sys::fuzz_target;
use workloads::http::{After, 
    Limits, Malformed, Rejection, RequestReader, ResponseReader, Status, write_response,
};

/// So tight that short inputs reach them, and so wide that the buffer grows.
const LIMITS: [Limits; 2] =
    [Limits { head_bytes: 128, body_bytes: 64 }, Limits { head_bytes: 2048, body_bytes: 4096 }];

/// For messages that are known to be good.
const WIDE: Limits = Limits { head_bytes: 16 * 1024, body_bytes: 16 * 1024 };

/// What a reader's buffer may have beyond its limits.
const SLACK: usize = 2048;

const STATUSES: [Status; 11] = [
    Status::OK,
    Status::BAD_REQUEST,
    Status::NOT_FOUND,
    Status::METHOD_NOT_ALLOWED,
    Status::REQUEST_TIMEOUT,
    Status::CONTENT_TOO_LARGE,
    Status::HEAD_TOO_LARGE,
    Status::INTERNAL_SERVER_ERROR,
    Status::NOT_IMPLEMENTED,
    Status::SERVICE_UNAVAILABLE,
    Status::VERSION_NOT_SUPPORTED,
];

#[derive(Debug, PartialEq)]
struct Request {
    method: String,
    target: String,
    body: Vec<u8>,
    keep_alive: bool,
}

#[derive(Debug, PartialEq)]
struct Response {
    status: u16,
    body: Vec<u8>,
    keep_alive: bool,
}

fuzz_target!(|input: &[u8]| {
    let Some((&[choice, splits @ ..], bytes)) = input.split_first_chunk::<5>() else { return };
    let limits = LIMITS[usize::from(choice) % LIMITS.len()];

    let sizes = splits.map(|size| usize::from(size) + 1);

    let whole = read_requests(limits, bytes, &[usize::MAX]);
    assert_eq!(read_requests(limits, bytes, &sizes), whole);
    assert_eq!(read_requests(limits, bytes, &[1]), whole);
    for request in whole.0 {
        let (again, rejection) = read_requests(WIDE, &write_request(&request), &sizes);
        assert_eq!((again, rejection), (vec![request], None));
    }

    let whole = read_responses(limits, bytes, &[usize::MAX]);
    assert_eq!(read_responses(limits, bytes, &sizes), whole);
    assert_eq!(read_responses(limits, bytes, &[1]), whole);

    let status = STATUSES[usize::from(splits[0]) % STATUSES.len()];
    let keep_alive = choice >= 128;
    let mut written = Vec::new();
    let after = if keep_alive { After::Open } else { After::Close };
    write_response(&mut written, status, bytes, after);
    let response = Response { status: status.code(), body: bytes.to_vec(), keep_alive };
    assert_eq!(read_responses(WIDE, &written, &sizes), (vec![response], None));
});

/// What comes out of a reader that receives pieces of these sizes, over and over.
fn read_requests(
    limits: Limits,
    bytes: &[u8],
    sizes: &[usize],
) -> (Vec<Request>, Option<Rejection>) {
    let mut reader = RequestReader::new(limits);
    let mut requests = Vec::new();
    let mut sizes = sizes.iter().cycle();
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = copy(&mut rest, reader.space(), limits, *sizes.next().unwrap());
        reader.received(count);
        loop {
            match reader.next() {
                Ok(Some(request)) => requests.push(Request {
                    method: request.method.to_string(),
                    target: request.target.to_string(),
                    body: request.body.to_vec(),
                    keep_alive: request.keep_alive,
                }),
                Ok(None) => break,
                Err(rejection) => {
                    assert_eq!(reader.next(), Err(rejection));
                    return (requests, Some(rejection));
                }
            }
        }
    }
    (requests, None)
}

/// Likewise; the connection ends after the bytes.
fn read_responses(
    limits: Limits,
    bytes: &[u8],
    sizes: &[usize],
) -> (Vec<Response>, Option<Malformed>) {
    let mut reader = ResponseReader::new(limits);
    let mut responses = Vec::new();
    let mut sizes = sizes.iter().cycle();
    let mut rest = bytes;
    loop {
        let ended = rest.is_empty();
        if !ended {
            let count = copy(&mut rest, reader.space(), limits, *sizes.next().unwrap());
            reader.received(count);
        }
        loop {
            match if ended { reader.end() } else { reader.next() } {
                Ok(Some(response)) => responses.push(Response {
                    status: response.status,
                    body: response.body.to_vec(),
                    keep_alive: response.keep_alive,
                }),
                Ok(None) => break,
                Err(malformed) => {
                    assert_eq!(reader.next(), Err(malformed));
                    return (responses, Some(malformed));
                }
            }
        }
        if ended {
            assert!(!reader.is_partial());
            return (responses, None);
        }
    }
}

/// Moves up to `most` bytes from `rest` to `space`, and checks that there is neither too little nor
/// too much of it.
fn copy(rest: &mut &[u8], space: &mut [u8], limits: Limits, most: usize) -> usize {
    assert!(!space.is_empty());
    assert!(space.len() <= limits.head_bytes + limits.body_bytes + SLACK);
    let count = space.len().min(rest.len()).min(most);
    let (now, later) = rest.split_at(count);
    space[..count].copy_from_slice(now);
    *rest = later;
    count
}

fn write_request(request: &Request) -> Vec<u8> {
    let Request { method, target, body, keep_alive } = request;
    let connection = if *keep_alive { "keep-alive" } else { "close" };
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: a\r\nconnection: {connection}\r\n\
         content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
