//! `fairness`: not on rayon: there is no timer that could tick.

use worker::no_form;
use workloads::fairness::Fairness;

use crate::Rayon;

no_form!(Run<Fairness> for Rayon:
    "rayon has no timer: a ticker would be a blocked thread beside the pool");
