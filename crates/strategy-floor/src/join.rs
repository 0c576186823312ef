//! `join`: plain recursion.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Join, JoinParams, Queens};

use crate::{EventLoop, Sequential, nothing_to_wait_for};

impl Run<Join> for Sequential {
    fn how(_: &JoinParams) -> Option<How> {
        How::floor("plain recursion", "https://oeis.org/A000170")
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        Ok(input.digest(input.solve(input.empty_board())))
    }
}

impl Run<Join> for EventLoop {
    fn how(_: &JoinParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Queens>) -> io::Result<Digest> {
        nothing_to_wait_for()
    }
}
