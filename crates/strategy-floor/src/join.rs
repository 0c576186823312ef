//! `join`: plain recursion.

use std::io;
use std::sync::Arc;

use worker::{How, Run};
use workloads::Digest;
use workloads::join::{Join, JoinParams, Queens};

use crate::Sequential;

impl Run<Join> for Sequential {
    fn how(_: &JoinParams) -> How {
        How::floor("plain recursion", "https://oeis.org/A000170")
    }

    fn run(&self, input: &Arc<Queens>) -> io::Result<Digest> {
        Ok(input.digest(input.solve(input.empty_board())))
    }
}
