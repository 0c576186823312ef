//! What `read-files` and `write-files` have in common: where many small files lie, and what is read of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Census, Digest};

/// Files by number.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Files {
    paths: Vec<PathBuf>,
    in_flight: usize,
    census: Census,
}

impl Files {
    pub(crate) fn new(paths: Vec<PathBuf>, in_flight: u64) -> Self {
        Files { paths, in_flight: in_flight as usize, census: Census::new() }
    }

    /// Number of files; never 0.
    #[expect(clippy::len_without_is_empty, reason = "there is always a file")]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Most files that a strategy should have handed over at once.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Where file `index` lies.
    pub fn path(&self, index: usize) -> &Path {
        &self.paths[index]
    }

    /// Hashes what was read of a file. The answer of the workload is the XOR of all of these.
    pub fn hash(&self, content: &[u8]) -> Digest {
        self.census.mark();
        crate::digest_of_bytes(content)
    }

    /// Reads file `index` whole and hashes it, blocking the calling thread.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_and_hash(&self, index: usize) -> io::Result<Digest> {
        Ok(self.hash(&fs::read(self.path(index))?))
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    pub(crate) fn census(&self) -> &Census {
        &self.census
    }
}
