//! The child's half of the protocol: requests on standard input, replies on standard output.

use std::io::{self, BufRead};
use std::net::TcpListener;
use std::process::ExitCode;

use protocol::{
    Failure, FailureKind, Mark, Measured, Reply, Request, RunRequest, ServeRequest, from_line, send,
};

use crate::cell::{ServedCell, bind_error};
use crate::suite::{Body, Variant};

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
    use crate::{Means, Strategy};

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
