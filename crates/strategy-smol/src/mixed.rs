//! `mixed`: light requests in their tasks, heavy ones on the blocking pool.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::mixed::{Mixed, MixedParams};

use crate::serve::{Heavy, serve};
use crate::{Misuse, Smol};

impl Serve<Mixed> for Smol {
    fn how(_: &MixedParams) -> How {
        How::fair(
            "one spawned task per connection; heavy computing handed to smol::unblock behind a semaphore",
            "https://docs.rs/smol/latest/smol/fn.unblock.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        serve(listener, service.requests(), Heavy::OnPool { at_once: self.workers })
    }
}

impl Serve<Mixed> for Misuse {
    fn how(_: &MixedParams) -> How {
        How::misuse(
            "heavy computing inside an async handler: all that waits for the same worker waits on",
            "https://docs.rs/smol/latest/smol/fn.unblock.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        serve(listener, service.requests(), Heavy::Inline)
    }
}
