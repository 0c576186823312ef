//! `ring`: not on rayon: a node that waits is a blocked thread.

use std::io;
use std::sync::Arc;

use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::ring::{Ring, RingParams, Tokens};

use crate::Rayon;

impl Run<Ring> for Rayon {
    fn how(_: &RingParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Tokens>) -> io::Result<Digest> {
        Err(unsupported(
            "a node waits, so each would be a blocked thread that another crate's channel wakes: \
             rayon would have no part in what is measured",
        ))
    }
}
