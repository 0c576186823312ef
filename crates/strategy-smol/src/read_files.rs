//! `read-files`: one hop to the blocking pool per file, a bounded number of them at once.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use smol::fs::File;
use smol::io::AsyncReadExt;
use smol::unblock;
use worker::{How, Run};
use workloads::Digest;
use workloads::read_files::{Files, ReadFiles, ReadFilesParams};

use crate::{EXECUTOR, Misuse, Smol};

impl Run<ReadFiles> for Smol {
    fn how(_: &ReadFilesParams) -> How {
        How::fair(
            "a bounded number of tasks, one unblock per whole file",
            "https://docs.rs/smol/latest/smol/fn.unblock.html",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        let files = Arc::clone(input);
        each_file(input.len(), input.in_flight(), move |index| {
            let files = Arc::clone(&files);
            unblock(move || files.read_and_hash(index))
        })
    }
}

impl Run<ReadFiles> for Misuse {
    fn how(_: &ReadFilesParams) -> How {
        How::misuse(
            "smol::fs::File in steps of 4 KiB: three hops per file, and every byte goes \
             through a pipe",
            "https://docs.rs/smol/latest/smol/struct.Unblock.html",
        )
    }

    fn run(&self, input: &Arc<Files>) -> io::Result<Digest> {
        let files = Arc::clone(input);
        each_file(input.len(), input.in_flight(), move |index| {
            let files = Arc::clone(&files);
            async move { Ok(files.hash(&read_in_steps(files.path(index)).await?)) }
        })
    }
}

/// Awaits what `file` starts for every index below `len`, with so many in flight at once.
pub(crate) fn each_file<F>(
    len: usize,
    in_flight: usize,
    file: impl Fn(usize) -> F + Clone + Send + 'static,
) -> io::Result<Digest>
where
    F: Future<Output = io::Result<Digest>> + Send + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    smol::block_on(async {
        let tasks: Vec<_> = (0..in_flight)
            .map(|_| {
                let (next, file) = (Arc::clone(&next), file.clone());
                EXECUTOR.spawn(async move {
                    let mut all = Digest::of_number(0);
                    loop {
                        let index = next.fetch_add(1, Relaxed);
                        if index >= len {
                            return io::Result::Ok(all);
                        }
                        all = all ^ file(index).await?;
                    }
                })
            })
            .collect();
        let mut all = Digest::of_number(0);
        for task in tasks {
            all = all ^ task.await?;
        }
        Ok(all)
    })
}

/// Reads a file the way one should not.
pub(crate) async fn read_in_steps(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path).await?;
    let (mut content, mut step) = (Vec::new(), [0; 4096]);
    loop {
        match file.read(&mut step).await? {
            0 => return Ok(content),
            count => content.extend_from_slice(&step[..count]),
        }
    }
}
