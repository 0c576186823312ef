//! `fetch`: many HTTP requests to a backend that takes its time, a bounded number of them at once.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::http::{self, ResponseReader};
use crate::service::Work;
use crate::{
    Census, Class, Definition, Digest, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// Connections made between two checks that the backend has accepted all so far: one that finds its backlog
/// full is tried again after a second only.
const CONNECT_BATCH: u64 = 64;

/// The workload `fetch`.
#[derive(Debug)]
pub struct Fetch;

params! {
    /// The parameters of `fetch`.
    pub struct FetchParams {
        /// requests
        pub n: u64 in 1..=1_000_000,
        /// most requests in flight at once, each on a connection of its own
        pub in_flight: u64 in 1..=10_000,
        /// how long the backend takes to answer, ms
        pub wait_ms: u64 in 1..=60_000,
        /// size of an answer, bytes
        pub size: u64 in 16..=1 << 20,
    }
}

impl FetchParams {
    fn work(&self, id: u64) -> Work {
        Work {
            wait: Duration::from_millis(self.wait_ms),
            size: self.size as u32,
            seed: id,
            ..Work::default()
        }
    }
}

impl Definition for Fetch {
    const SPEC: Spec = Spec {
        name: "fetch",
        class: Class::Io,
        question: "How fast does a client get many slow answers, with so many requests in flight?",
        operation: "request",
        metric: Metric::Wall,
    };
    type Params = FetchParams;

    fn cases(profile: Profile) -> Vec<FetchParams> {
        let (n, in_flight, wait_ms) = match profile {
            Profile::Smoke => (64, 16, 2),
            Profile::Quick | Profile::Standard | Profile::Thorough => (2_000, 256, 20),
        };
        vec![FetchParams { n, in_flight, wait_ms, size: 256 }]
    }

    fn label(_: &FetchParams) -> String {
        String::new()
    }

    fn operations(params: &FetchParams) -> u64 {
        params.n
    }

    fn limit(params: &FetchParams) -> Limit {
        let waves = u32::try_from(params.n.div_ceil(params.in_flight)).unwrap_or(u32::MAX);
        Limit::time(
            Duration::from_millis(params.wait_ms) * waves,
            format!("⌈{}/{}⌉·d: so many are in flight at once", params.n, params.in_flight),
        )
    }
}

impl Workload for Fetch {
    type Input = Requests;
    const BACKEND: bool = true;

    fn connections(params: &FetchParams) -> u64 {
        params.in_flight
    }

    /// Opens the connections too, where there is a backend: they are kept alive from run to run.
    fn prepare(params: &FetchParams, site: &Site<'_>) -> io::Result<Requests> {
        let connections = match site.backend {
            Some(address) => (0..params.in_flight)
                .map(|number| connect(address, number))
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Requests {
            params: params.clone(),
            host: site.backend.map_or_else(String::new, |address| address.to_string()),
            connections,
            latencies: (0..params.n).map(|_| AtomicU64::new(0)).collect(),
            census: Census::new(),
        })
    }

    fn expected(input: &Requests) -> io::Result<Digest> {
        let digests =
            (0..input.params.n).map(|id| crate::digest_of_bytes(&input.params.work(id).body()));
        Ok(digests.fold(Digest::of_number(0), |all, one| all ^ one))
    }

    fn census(input: &Requests) -> &Census {
        &input.census
    }

    fn latencies(input: &Requests) -> Vec<u64> {
        input.latencies.iter().map(|latency| latency.swap(0, Relaxed)).collect()
    }
}

fn connect(address: SocketAddr, number: u64) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    if number % CONNECT_BATCH == CONNECT_BATCH - 1 {
        let mut request = Vec::new();
        http::write_get(&mut request, &address.to_string(), &Work::default().target());
        stream.write_all(&request)?;
        let mut reader = ResponseReader::new(http::Limits::CLIENT);
        loop {
            match stream.read(reader.space())? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => reader.received(count),
            }
            if reader.next().map_err(io::Error::other)?.is_some() {
                break;
            }
        }
    }
    Ok(stream)
}

/// The requests to be made, one for each id from 0 to `n` − 1, and the connections to make them on.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Requests {
    params: FetchParams,
    host: String,
    connections: Vec<TcpStream>,
    latencies: Vec<AtomicU64>,
    census: Census,
}

impl Requests {
    /// Number of requests.
    pub fn n(&self) -> u64 {
        self.params.n
    }

    /// Number of connections: most requests in flight at once.
    pub fn in_flight(&self) -> usize {
        self.params.in_flight as usize
    }

    /// How long the backend takes to answer.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.params.wait_ms)
    }

    /// Another handle of connection `index`, which is open, blocking or not as it was left, and has
    /// `TCP_NODELAY` set. Only one handle of a connection may be in use at a time.
    ///
    /// # Errors
    /// If there are no file descriptors left.
    pub fn connection(&self, index: usize) -> io::Result<TcpStream> {
        self.connections[index].try_clone()
    }

    /// The client's side of a connection.
    pub fn client(&self) -> Client<'_> {
        Client {
            requests: self,
            reader: ResponseReader::new(http::Limits::CLIENT),
            output: Vec::new(),
            id: 0,
            sent: Instant::now(),
        }
    }
}

/// The client's side of one connection without its socket.
#[derive(Debug)]
pub struct Client<'a> {
    requests: &'a Requests,
    reader: ResponseReader,
    output: Vec<u8>,
    id: u64,
    sent: Instant,
}

impl Client<'_> {
    /// Starts request `id` and returns the bytes to send.
    pub fn ask(&mut self, id: u64) -> &[u8] {
        self.requests.census.mark();
        self.id = id;
        self.output.clear();
        let target = self.requests.params.work(id).target();
        http::write_get(&mut self.output, &self.requests.host, &target);
        self.sent = Instant::now();
        &self.output
    }

    /// Where to put what is read; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        self.reader.space()
    }

    /// Takes in `count` bytes that were put into the space. Returns the digest of the answer when it
    /// is whole; the answer of the workload is the XOR of all of these.
    ///
    /// # Errors
    /// If the backend hung up (`count` is 0), sent no HTTP, or refused the request.
    pub fn received(&mut self, count: usize) -> io::Result<Option<Digest>> {
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the backend closed a connection",
            ));
        }
        self.reader.received(count);
        let Some(response) = self.reader.next().map_err(io::Error::other)? else { return Ok(None) };
        if response.status != 200 {
            let status = response.status;
            return Err(io::Error::other(format!("the backend answered with status {status}")));
        }
        let digest = crate::digest_of_bytes(response.body);
        let latency = u64::try_from(self.sent.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.requests.latencies[self.id as usize].store(latency, Relaxed);
        Ok(Some(digest))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn requests() -> Requests {
        let params = FetchParams { n: 2, in_flight: 1, wait_ms: 1, size: 20 };
        Fetch::prepare(&params, &Site::alone(Path::new(""))).unwrap()
    }

    fn receive(client: &mut Client<'_>, bytes: &[u8]) -> io::Result<Option<Digest>> {
        client.space()[..bytes.len()].copy_from_slice(bytes);
        client.received(bytes.len())
    }

    #[test]
    fn the_right_bodies_make_the_right_answer_and_leave_their_latencies() {
        let requests = requests();
        let mut client = requests.client();
        let mut all = Digest::of_number(0);
        for id in [1, 0] {
            assert!(client.ask(id).starts_with(b"GET /?"));
            let mut response = Vec::new();
            let body = requests.params.work(id).body();
            http::write_response(&mut response, http::Status::OK, &body, http::After::Open);
            let (first, second) = response.split_at(30);
            assert_eq!(receive(&mut client, first).unwrap(), None);
            all = all ^ receive(&mut client, second).unwrap().unwrap();
        }
        assert_eq!(all, Fetch::expected(&requests).unwrap());
        let latencies = Fetch::latencies(&requests);
        assert!(latencies.len() == 2 && latencies.iter().all(|&ns| ns > 0));
    }

    #[test]
    fn a_refusal_and_a_hang_up_are_errors() {
        let requests = requests();
        let mut client = requests.client();
        client.ask(0);
        let refusal = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        assert!(receive(&mut client, refusal).unwrap_err().to_string().contains("503"));
        assert!(client.received(0).is_err());
    }

    #[test]
    fn the_last_wave_counts_in_full() {
        let params = FetchParams { n: 2_000, in_flight: 256, wait_ms: 20, size: 256 };
        let Limit::Time { ns, .. } = Fetch::limit(&params) else { panic!("a known time") };
        assert_eq!(ns, 160_000_000);
    }
}
