//! `ring`: not on rayon: a node that waits is a blocked thread.

use worker::no_form;
use workloads::ring::Ring;

use crate::Rayon;

no_form!(Run<Ring> for Rayon:
    "a node waits, so each would be a blocked thread that another crate's channel wakes: \
     rayon would have no part in what is measured");
