//! `fairness`: not on rayon: there is no timer that could tick.

use std::io;
use std::sync::Arc;

use worker::{How, Run, unsupported};
use workloads::Digest;
use workloads::fairness::{Fairness, FairnessParams, Tickers};

use crate::Rayon;

impl Run<Fairness> for Rayon {
    fn how(_: &FairnessParams) -> Option<How> {
        None
    }

    fn run(&self, _: &Arc<Tickers>) -> io::Result<Digest> {
        Err(unsupported("rayon has no timer: a ticker would be a blocked thread beside the pool"))
    }
}
