//! `endpoints`: one request after the other, or a heap of deadlines.

use std::io;
use std::sync::Arc;

use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::endpoints::{Endpoints, EndpointsParams, Handler, Requests};

use crate::timers::Timers;
use crate::{EventLoop, Sequential};

impl Run<Endpoints> for Sequential {
    fn how(params: &EndpointsParams) -> Option<How> {
        let link = "https://doc.rust-lang.org/std/thread/fn.sleep.html";
        (params.handler == Handler::A)
            .then(|| How::floor("one blocking request after the other", link))
            .flatten()
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        if input.handler() != Handler::A {
            return Err(unsupported("one thing at a time has no timer and no pool, only /a"));
        }
        input.predict_in_flight(1);
        Ok(input.digest((0..input.count()).map(|id| input.block(id))))
    }
}

impl Run<Endpoints> for EventLoop {
    fn how(params: &EndpointsParams) -> Option<How> {
        let link = "https://docs.rs/mio/latest/mio/struct.Poll.html";
        (params.handler == Handler::C)
            .then(|| How::floor("a heap of deadlines on one thread", link))
            .flatten()
    }

    fn run(&self, input: &Arc<Requests>) -> io::Result<Digest> {
        if input.handler() != Handler::C {
            return Err(unsupported("a readiness loop has timers and no pool, only /c"));
        }
        input.predict_in_flight(usize::MAX);
        let mut timers = Timers::new()?;
        let mut requests: Vec<_> = (0..input.count())
            .map(|id| {
                let request = input.start(id);
                timers.set(request.since() + input.wait(), id as usize);
                Some(request)
            })
            .collect();
        let mut results = vec![u64::MAX; requests.len()];
        while let Some(index) = timers.next()? {
            if let Some(request) = requests[index].take() {
                results[index] = request.finish();
            }
        }
        Ok(input.digest(results))
    }
}
