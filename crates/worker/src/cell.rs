//! One process doing one cell.

use std::io;
use std::mem::ManuallyDrop;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

use workloads::{Facts, Params, Service, Site, Workload};

use crate::sample;
use crate::seam::{Means, Run, Serve};
use protocol::{Failure, FailureKind, How, Measured, RunRequest, ServeRequest, Standing};

/// The form, or the failure that says why there is none.
fn supported(how: How) -> Result<How, Failure> {
    match how.standing {
        Standing::Unsupported => Err(Failure::new(FailureKind::Unsupported, how.form)),
        _ => Ok(how),
    }
}

/// Runs a batch workload as often as the request says.
pub(crate) fn run<S: Run<W>, W: Workload>(request: &RunRequest) -> Result<Measured, Failure> {
    let params = W::Params::from_json(&request.params)?;
    let how = supported(S::how(&params))?;
    machine::raise_file_limit();
    // Before anything else: async-std sets its number of threads while there is no other thread.
    // Never torn down: that is not measured, and may have to wait for what a misuse leaves behind.
    let strategy = ManuallyDrop::new(S::build(&Means { workers: request.workers })?);
    let scratch = Path::new(&request.scratch);
    let site = Site { scratch, workers: request.workers, backend: request.backend };
    let input = Arc::new(W::prepare(&params, &site)?);
    strategy.ready(&input)?;
    let renew = || W::renew(&input);
    let mut measured = sample::measure(&request.sampling, W::census(&input), renew, || {
        let digest = strategy.run(&input)?;
        Ok((digest, || {
            let facts = W::facts(&input)
                .map_err(|reason| Failure::new(FailureKind::WrongAnswer, reason))?;
            Ok((facts, W::latencies(&input)))
        }))
    })?;
    measured.how = Some(how);
    Ok(measured)
}

/// A service that listens in this process.
pub struct ServedCell {
    /// Where it listens.
    pub address: SocketAddr,
    pub(crate) how: How,
    /// Distinct threads that handled something since the last call, and what else was noted.
    pub(crate) noted: Box<dyn Fn() -> Result<(u64, Facts), Failure> + Send>,
    /// Receives the error with which serving ended.
    pub ended: mpsc::Receiver<Failure>,
}

impl std::fmt::Debug for ServedCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServedCell").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Serves what connects to the listener, on a thread of its own.
pub(crate) fn serve<S: Serve<T>, T: Service>(
    request: &ServeRequest,
    listener: TcpListener,
) -> Result<ServedCell, Failure> {
    let params = T::Params::from_json(&request.params)?;
    let how = supported(S::how(&params))?;
    machine::raise_file_limit();
    let strategy = S::build(&Means { workers: request.workers })?;
    let address = listener.local_addr()?;
    let service = Arc::new(T::new(&params));
    strategy.ready(&service)?;
    let (ended_sender, ended) = mpsc::channel();
    let served = Arc::clone(&service);
    let accept = move || {
        let failure = match strategy.serve(listener, &served) {
            Ok(()) => Failure::new(FailureKind::Crashed, "the server stopped serving"),
            Err(error) => error.into(),
        };
        let _ = ended_sender.send(failure);
    };
    thread::Builder::new().name("serve".into()).spawn(accept)?;
    let noted = Box::new(move || {
        let broken = |reason| Failure::new(FailureKind::WrongAnswer, reason);
        Ok((service.census().take() as u64, service.facts().map_err(broken)?))
    });
    Ok(ServedCell { address, how, noted, ended })
}

/// Why an address cannot be bound, in one sentence with the fix.
pub fn bind_error(address: SocketAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use: choose another, or 0 for any free one",
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: choose a higher one",
        _ => "choose an address of this machine, such as 127.0.0.1:0",
    };
    format!("cannot listen on {address}: {advice} ({error})")
}
