//! `read-files`: a thread per worker, each taking the next file.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use worker::{How, Run};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::Threads;

impl Run<ReadFiles> for Threads {
    fn how(_: &ReadFilesParams) -> How {
        How::fair(
            "one scoped thread per worker, each taking the next file from a shared counter",
            "https://doc.rust-lang.org/std/thread/fn.scope.html",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        self.share_out(input.len(), |index| input.read_and_hash(index))
    }
}

impl Threads {
    /// Calls `digest` for every file number below `files`, in a thread per worker.
    pub(crate) fn share_out(
        &self,
        files: usize,
        digest: impl Fn(usize) -> io::Result<Digest> + Sync,
    ) -> io::Result<Digest> {
        let next = AtomicUsize::new(0);
        let take_files = || -> io::Result<Digest> {
            let mut all = Digest::of_number(0);
            loop {
                let index = next.fetch_add(1, Relaxed);
                if index >= files {
                    return Ok(all);
                }
                all = all ^ digest(index)?;
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.workers).map(|_| scope.spawn(take_files)).collect();
            threads.into_iter().try_fold(Digest::of_number(0), |all, thread| {
                Ok(all ^ thread.join().expect("a thread that takes files does not panic")?)
            })
        })
    }
}
