//! One process doing one cell: the child's half of the protocol.

use std::io::{self, BufRead};
use std::mem::ManuallyDrop;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;

use workloads::{Facts, Params, Service, Site, Workload};

use crate::sample;
use crate::seam::{Means, Run, Serve};
use crate::suite::{Body, Variant};
use protocol::{
    Failure, FailureKind, How, Mark, Measured, Reply, Request, RunRequest, ServeRequest, Standing,
    from_line, send,
};

/// Answers the requests on standard input until it closes.
pub fn speak(variants: &[Variant]) -> ExitCode {
    machine::die_with_parent();
    let mut requests = io::stdin().lock().lines().map_while(Result::ok);
    while let Some(line) = requests.next() {
        let reply = match from_line(&line) {
            Ok(Request::Describe) => Reply::Described {
                strategy: variants[0].strategy.to_owned(),
                variants: variants.iter().map(|variant| variant.name.to_owned()).collect(),
                only: variants
                    .iter()
                    .filter(|variant| !variant.complete)
                    .map(|variant| (variant.name.to_owned(), variant.workloads()))
                    .collect(),
            },
            Ok(Request::Run(request)) => match run_request(variants, &request) {
                Ok(measured) => Reply::Measured(measured),
                Err(failure) => Reply::Failed(failure),
            },
            Ok(Request::Serve(request)) => match serve_request(variants, &request) {
                Ok(served) => return answer_marks(served, requests),
                Err(failure) => Reply::Failed(failure),
            },
            Ok(_) => {
                out_of_place("a strategy answers describe, run, serve, and mark while serving")
            }
            Err(reason) => out_of_place(&reason),
        };
        if send(&reply).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn out_of_place(reason: &str) -> Reply {
    Reply::Failed(Failure::new(FailureKind::Crashed, reason))
}

fn body<'a>(variants: &'a [Variant], variant: &str, workload: &str) -> Result<&'a Body, Failure> {
    let missing = |what: &str, name: &str| {
        Failure::new(FailureKind::Unsupported, format!("this strategy has no {what} {name}"))
    };
    let found = variants.iter().find(|candidate| candidate.name == variant);
    let cells = found.ok_or_else(|| missing("variant", variant))?;
    let cell = cells.cell(workload).ok_or_else(|| missing("workload", workload))?;
    Ok(&cell.body)
}

fn run_request(variants: &[Variant], request: &RunRequest) -> Result<Measured, Failure> {
    match body(variants, &request.variant, &request.workload)? {
        Body::Run(run) => run(request),
        Body::Serve(_) => Err(Failure::new(FailureKind::Crashed, "a service is served, not run")),
    }
}

fn serve_request(variants: &[Variant], request: &ServeRequest) -> Result<ServedCell, Failure> {
    match body(variants, &request.variant, &request.workload)? {
        Body::Serve(serve) => {
            let listen = request.listen;
            let listener = TcpListener::bind(listen)
                .map_err(|error| Failure::new(FailureKind::Crashed, bind_error(listen, &error)))?;
            serve(request, listener)
        }
        Body::Run(_) => Err(Failure::new(FailureKind::Crashed, "a batch is run, not served")),
    }
}

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
    how: How,
    /// Distinct threads that handled something since the last call, and what else was noted.
    noted: Box<dyn Fn() -> Result<(u64, Facts), Failure> + Send>,
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

fn answer_marks(served: ServedCell, requests: impl Iterator<Item = String>) -> ExitCode {
    if send(&Reply::Ready { address: served.address, how: Some(served.how) }).is_err() {
        return ExitCode::FAILURE;
    }
    for line in requests {
        let reply = if let Ok(failure) = served.ended.try_recv() {
            Reply::Failed(failure)
        } else {
            match from_line(&line) {
                Ok(Request::Mark) => match (served.noted)() {
                    Ok((worker_threads, facts)) => Reply::Marked(Mark {
                        usage: machine::usage(),
                        threads: machine::threads(),
                        worker_threads: Some(worker_threads),
                        peak_memory_bytes: machine::peak_memory_bytes(),
                        facts,
                    }),
                    Err(failure) => Reply::Failed(failure),
                },
                Ok(_) => out_of_place("a service that listens answers mark only"),
                Err(reason) => out_of_place(&reason),
            }
        };
        if send(&reply).is_err() {
            break;
        }
    }
    // The strategy serves until the process ends.
    std::process::exit(0)
}

#[cfg(test)]
mod tests {
    use workloads::map::Map;
    use workloads::mixed::Mixed;

    use super::*;
    use crate::Strategy;

    struct Formless;

    impl Strategy for Formless {
        const NAME: &'static str = "formless";
        const VARIANT: &'static str = "default";

        fn build(_: &Means) -> io::Result<Self> {
            unreachable!("there is nothing to build it for")
        }
    }

    crate::no_form!(Run<Map> for Formless: "no map");
    crate::no_form!(Serve<Mixed> for Formless: "no mixed");

    #[test]
    fn without_a_form_the_reason_is_the_reply_and_nothing_is_built() {
        let variants = [Variant::partial::<Formless>().run::<Map>().serve::<Mixed>().variant()];
        let params =
            |name| workloads::find(name).unwrap().cases(workloads::Profile::Smoke).remove(0).params;
        let request = RunRequest {
            variant: "default".to_owned(),
            workload: "map".to_owned(),
            params: params("map"),
            workers: 1,
            sampling: protocol::SamplingPlan { warmup: 0, min_samples: 1, budget_ns: 0 },
            scratch: "/nowhere".to_owned(),
            backend: None,
        };
        let failure = run_request(&variants, &request).unwrap_err();
        assert_eq!(failure, Failure::new(FailureKind::Unsupported, "no map"));
        let request = ServeRequest {
            variant: "default".to_owned(),
            workload: "mixed".to_owned(),
            params: params("mixed"),
            workers: 1,
            listen: "127.0.0.1:0".parse().unwrap(),
        };
        let failure = serve_request(&variants, &request).unwrap_err();
        assert_eq!(failure, Failure::new(FailureKind::Unsupported, "no mixed"));
    }
}
