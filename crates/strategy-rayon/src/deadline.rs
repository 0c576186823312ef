//! `deadline`: not on rayon: a job is neither limited nor cancelled.

use worker::no_form;
use workloads::deadline::Deadline;

use crate::Rayon;

no_form!(Run<Deadline> for Rayon:
    "a rayon job has no time limit and cannot be cancelled: it runs to its end");
