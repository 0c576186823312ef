//! What `load` asks for and what every answer has to be.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;
use load::{Expect, Kinds};
use workloads::Sequence;
use workloads::UsageError;
use workloads::http::{Limits, ResponseReader, write_get};
use workloads::service::Work;

use crate::planning::decision;
use record::service::ServiceProfile;

/// How long the last answers are waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Requests after which a closed loop begins the order of its classes anew.
const ORDER: u64 = 10_000;

/// The requests.
pub(super) enum Requests {
    /// All for one path.
    Path { path: String, expected: Expect },
    /// Those of a service, in the shares of its classes.
    Service { service: Box<ServiceProfile>, first: Vec<u8>, kinds: Kinds, sequence: Sequence },
}

impl Requests {
    /// Requests for `path`, and what every answer to them must be: status and body that a first one yields, or any
    /// unless they are compared.
    ///
    /// # Errors
    /// If nothing answers there, or what answers has nothing at that path.
    pub(super) fn of_path(path: &str, target: SocketAddr, compared: bool) -> anyhow::Result<Self> {
        let request = request(target, path);
        let answer = first_answer(target, path, &request)?;
        let expected = Expect { request, answer: compared.then_some(answer) };
        Ok(Requests::Path { path: path.to_owned(), expected })
    }

    /// Requests for `/` of which any answer is right.
    pub(super) fn trivial(target: SocketAddr) -> Self {
        let expected = Expect { request: request(target, "/"), answer: None };
        Requests::Path { path: "/".to_owned(), expected }
    }

    /// So many requests of a service; those of a closed loop, whose number is not known, begin anew. `unit_ns` is the
    /// time of a unit of computing, nanoseconds.
    ///
    /// # Errors
    /// If the service asks for more than a strategy serves.
    pub(super) fn of_service(
        service: ServiceProfile,
        target: SocketAddr,
        requests: Option<u64>,
        unit_ns: u64,
    ) -> anyhow::Result<Self> {
        let load = decision::load(&service, unit_ns)
            .map_err(|reason| UsageError(format!("{}: {reason}", service.name)))?;
        let path = Work::default().target();
        let first = request(target, &path);
        first_answer(target, &path, &first)?;
        let kinds = Kinds::of(&load, target);
        let sequence = load.sequence(requests.unwrap_or(ORDER), 0);
        let service = Box::new(service);
        Ok(Requests::Service { service, first, kinds, sequence })
    }

    /// What they are, in a few words.
    pub(super) fn name(&self) -> &str {
        match self {
            Requests::Path { path, .. } => path,
            Requests::Service { service, .. } => &service.name,
        }
    }

    /// Requests and answers of all kinds.
    pub(super) fn expected(&self) -> &[Expect] {
        match self {
            Requests::Path { expected, .. } => std::slice::from_ref(expected),
            Requests::Service { kinds, .. } => kinds.expected(),
        }
    }

    /// One that asks for little, with which connections begin.
    pub(super) fn first(&self) -> &[u8] {
        match self {
            Requests::Path { expected, .. } => &expected.request,
            Requests::Service { first, .. } => first,
        }
    }

    /// The kind of request `index`.
    pub(super) fn kind(&self, index: u64) -> usize {
        match self {
            Requests::Path { .. } => 0,
            Requests::Service { kinds, sequence, .. } => kinds.of_request(sequence.request(index)),
        }
    }

    /// The class of request `index` of a service.
    pub(super) fn class(&self, index: u64) -> usize {
        match self {
            Requests::Path { .. } => 0,
            Requests::Service { sequence, .. } => sequence.request(index).0,
        }
    }

    /// The service, if it is one's requests.
    pub(super) fn service(&self) -> Option<&ServiceProfile> {
        match self {
            Requests::Path { .. } => None,
            Requests::Service { service, .. } => Some(service),
        }
    }

    /// The longest wait of a request for something else, as far as it is known.
    pub(super) fn longest_wait(&self) -> Duration {
        match self {
            Requests::Path { .. } => Duration::ZERO,
            Requests::Service { service, .. } => {
                service.classes.iter().map(|class| class.wait).max().unwrap_or_default()
            }
        }
    }
}

fn request(target: SocketAddr, path: &str) -> Vec<u8> {
    let mut request = Vec::new();
    write_get(&mut request, &target.to_string(), path);
    request
}

/// Status and body of the answer to a first request.
fn first_answer(target: SocketAddr, path: &str, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(target)
        .with_context(|| format!("cannot connect to {target}: is the server running?"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut reader = ResponseReader::new(Limits::CLIENT);
    loop {
        let count =
            stream.read(reader.space()).with_context(|| format!("no answer from {target}"))?;
        let response = if count == 0 {
            let last = reader.end()?;
            Some(last.with_context(|| format!("{target} closed the connection without an answer"))?)
        } else {
            reader.received(count);
            reader.next()?
        };
        let Some(response) = response else { continue };
        if response.status >= 400 {
            let status = response.status;
            return Err(UsageError(format!(
                "--path {path}: {target} answers with status {status}"
            ))
            .into());
        }
        return Ok((response.status, response.body.to_vec()));
    }
}
