//! What stands beside a strategy in a process of its own: the oracle and the load generator.

use std::io::{self, BufRead};
use std::process::ExitCode;

use serde_json::Value;
use workloads::Params;
use workloads::echo::EchoParams;

use crate::cell::send;
use crate::load::Generator;
use crate::os;
use crate::protocol::{Failure, FailureKind, Reply, Request, from_line};

/// The hidden subcommand under which a program is its own peer.
pub const SUBCOMMAND: &str = "peer";

/// Answers requests on standard input until it closes.
pub fn main() -> ExitCode {
    os::die_with_parent();
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
        Request::Oracle { workload, params, scratch } => {
            let entry = workloads::find(&workload).ok_or_else(|| no_such("no such workload"))?;
            Ok(Reply::Expected { digest: entry.expected(&params, &scratch)? })
        }
        Request::Load { workload, params, target } => {
            if workload != "echo" {
                return Err(no_such("no load generator for this service"));
            }
            *generator = Some(Generator::connect(target, &echo(&params)?)?);
            Ok(Reply::Connected)
        }
        Request::Go => {
            let generator = generator.as_mut().ok_or_else(|| no_such("`go` before `load`"))?;
            Ok(Reply::Window(generator.window()?))
        }
        _ => Err(no_such("a peer answers oracle, load and go")),
    }
}

fn echo(params: &Value) -> Result<EchoParams, Failure> {
    Ok(EchoParams::from_json(params)?)
}
