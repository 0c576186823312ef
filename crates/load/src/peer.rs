//! What stands beside a strategy in a process of its own: oracle, load generator, latency backend.

use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use workloads::Site;
use workloads::service::{Bounds, Requests};

use crate::Generator;
use crate::readiness;
use protocol::send;
use protocol::{Failure, FailureKind, Reply, Request, from_line};

/// The hidden subcommand under which a program is its own peer.
pub const SUBCOMMAND: &str = "peer";

/// Answers requests on standard input until it closes.
pub fn main() -> ExitCode {
    machine::die_with_parent();
    let mut generator = None;
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let reply = from_line(&line)
            .map_err(|reason| Failure::new(FailureKind::Crashed, reason))
            .and_then(|request| answer(&mut generator, request));
        if send(&reply.unwrap_or_else(Reply::Failed)).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn answer(generator: &mut Option<Generator>, request: Request) -> Result<Reply, Failure> {
    let no_such = |what: &str| Failure::new(FailureKind::Crashed, what.to_owned());
    match request {
        Request::Oracle { workload, params, scratch, workers } => {
            let entry = workloads::find(&workload).ok_or_else(|| no_such("no such workload"))?;
            let site = Site { scratch: Path::new(&scratch), workers, backend: None };
            Ok(Reply::Expected { digest: entry.expected(&params, &site)? })
        }
        Request::Load { workload, params, target } => {
            let entry = workloads::find(&workload).ok_or_else(|| no_such("no such workload"))?;
            machine::prefer_this_process();
            let load = entry.load(&params)?.ok_or_else(|| no_such("no service of that name"))?;
            *generator = Some(Generator::connect(target, &load)?);
            Ok(Reply::Connected)
        }
        Request::Go => {
            let generator = generator.as_mut().ok_or_else(|| no_such("`go` before `load`"))?;
            Ok(Reply::Window(generator.window()?))
        }
        Request::Backend { connections } => {
            Ok(Reply::Ready { address: backend(connections)?, how: None })
        }
        _ => Err(no_such("a peer answers oracle, load, go and backend")),
    }
}

/// Serves requests that say how long they wait, on a thread of its own until the process ends.
fn backend(connections: usize) -> io::Result<SocketAddr> {
    machine::raise_file_limit();
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let requests =
        Requests::new(Bounds { connections, pool: 1, patience: Duration::from_secs(10) });
    thread::Builder::new().name("backend".into()).spawn(move || {
        let error = readiness::serve(listener, &requests);
        // A client that waits for an answer gets an end of file instead.
        eprintln!("the backend ended: {error:?}");
        std::process::exit(1);
    })?;
    Ok(address)
}
