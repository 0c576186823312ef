//! `mixed`: light requests on the workers, heavy ones on the blocking pool.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use worker::{How, Serve};
use workloads::mixed::{Mixed, MixedParams};

use crate::serve::Heavy;
use crate::{Misuse, Tokio};

impl Serve<Mixed> for Tokio {
    fn how(_: &MixedParams) -> How {
        How::fair(
            "light requests await tokio::time::sleep, heavy ones go to spawn_blocking, as many at \
             once as there are workers",
            "https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        self.serve_http(listener, service.requests(), Heavy::OnPool { at_once: self.workers() })
    }
}

impl Serve<Mixed> for Misuse {
    fn how(_: &MixedParams) -> How {
        How::misuse(
            "heavy requests compute inside their async handler: a worker's other tasks wait",
            "https://docs.rs/tokio/latest/tokio/index.html#cpu-bound-tasks-and-blocking-code",
        )
    }

    fn serve(&self, listener: TcpListener, service: &Arc<Mixed>) -> io::Result<()> {
        self.0.serve_http(listener, service.requests(), Heavy::Inline)
    }
}
