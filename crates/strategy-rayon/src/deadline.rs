//! `deadline`: not on rayon: a job is neither limited nor cancelled.

use std::io;
use std::sync::Arc;

use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::deadline::{Deadline, DeadlineParams, Operations};

use crate::Rayon;

impl Run<Deadline> for Rayon {
    fn how(_: &DeadlineParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Operations>) -> io::Result<Digest> {
        Err(unsupported(
            "a rayon job has no time limit and cannot be cancelled: it runs to its end",
        ))
    }
}
