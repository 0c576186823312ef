//! `pipeline`: how well do stages of unequal cost overlap with bounded queues between them?
//!
//! Every record is read from a file, parsed, compressed and written to another file, in order. With
//! a stage to each worker the slowest stage sets the pace, and the bound on the queues keeps what
//! the faster ones have done in advance from piling up in memory.

mod kernels;
mod lens;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::kernels::{compact, deflate, document};
use self::lens::Lens;
use crate::{
    Census, Class, Definition, Digest, Facts, Limit, Metric, Profile, Site, Spec, Workload, params,
};

/// The workload `pipeline`.
#[derive(Debug)]
pub struct Pipeline;

params! {
    /// The parameters of `pipeline`.
    pub struct PipelineParams {
        /// records in the file
        pub records: u64 in 1..=100_000,
        /// size of a record, KiB
        pub kib: u64 in 1..=64,
        /// records that each queue between two stages holds
        pub bound: u64 in 1..=4_096,
    }
}

impl Definition for Pipeline {
    const SPEC: Spec = Spec {
        name: "pipeline",
        class: Class::Mixed,
        question: "How well do stages of unequal cost overlap with bounded queues between them?",
        operation: "record",
        metric: Metric::Wall,
    };
    type Params = PipelineParams;

    fn cases(profile: Profile) -> Vec<PipelineParams> {
        let (records, bound) = match profile {
            // A bound that so few records reach, if nothing holds them back.
            Profile::Smoke => (50, 8),
            Profile::Quick => (1_000, 64),
            Profile::Standard | Profile::Thorough => (4_000, 64),
        };
        vec![PipelineParams { records, kib: 16, bound }]
    }

    fn label(_: &PipelineParams) -> String {
        String::new()
    }

    fn operations(params: &PipelineParams) -> u64 {
        params.records
    }

    fn limit(_: &PipelineParams) -> Limit {
        Limit::SequentialOverWorkers
    }
}

impl Workload for Pipeline {
    type Input = Stages;

    fn prepare(params: &PipelineParams, site: &Site<'_>) -> io::Result<Stages> {
        let folder = site.scratch.join(format!("pipeline-{}x{}k", params.records, params.kib));
        let (source, complete) = (folder.join("records"), folder.join("complete"));
        let size = params.kib as usize * 1024;
        if !complete.exists() {
            fs::create_dir_all(&folder)?;
            let mut file = BufWriter::new(File::create(&source)?);
            for id in 0..params.records {
                file.write_all(&document(id, size)?)?;
            }
            file.flush()?;
            File::create(complete)?;
        }
        Ok(Stages {
            params: params.clone(),
            source: File::open(source)?,
            output: nameless(&folder)?,
            size,
            written: Mutex::default(),
            lens: Lens::default(),
        })
    }

    fn expected(input: &Stages) -> io::Result<Digest> {
        let mut written = Written::default();
        for index in 0..input.records() {
            written.note(&deflate(&compact(&input.load(index)?)?));
        }
        Ok(written.digest())
    }

    fn census(input: &Stages) -> &Census {
        input.lens.census()
    }

    /// How deep the queues were and how long the slowest stage took. The next run starts with
    /// nothing written.
    fn facts(input: &Stages) -> Result<Facts, String> {
        let facts = input.lens.take(input.params.bound);
        *input.written() = Written::default();
        input.output.set_len(0).map_err(|error| format!("cannot empty the output: {error}"))?;
        facts
    }
}

/// The records, and the four stages that each of them goes through in order: [`read`](Self::read),
/// [`parse`](Self::parse), [`compress`](Self::compress) and [`write`](Self::write).
///
/// A record is between two stages from the end of the one to the beginning of the other: in the
/// queue, or in the hands of the queue's sender or receiver. At most `bound` + 2 may be there.
#[derive(Debug)]
#[repr(align(128))] // off the cache line on which strategies count their pointers to it
pub struct Stages {
    params: PipelineParams,
    source: File,
    output: File,
    /// Size of a record in bytes.
    size: usize,
    written: Mutex<Written>,
    lens: Lens,
}

/// A record as it was read.
#[derive(Debug)]
pub struct Raw(Vec<u8>);

/// A record in its compact form.
#[derive(Debug)]
pub struct Parsed(Vec<u8>);

/// A record ready to be written.
#[derive(Debug)]
pub struct Packed(Vec<u8>);

impl Stages {
    /// Number of records.
    pub fn records(&self) -> usize {
        self.params.records as usize
    }

    /// Records that each queue between two stages holds; or records in a batch, for a strategy
    /// that takes a batch through one stage after the other.
    pub fn bound(&self) -> usize {
        self.params.bound as usize
    }

    /// States that the queues have no bound in this run: then their depth breaks no rule and is
    /// only a fact.
    pub fn unbounded(&self) {
        self.lens.unbounded();
    }

    /// The first stage: reads record `index`, blocking the calling thread.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&self, index: usize) -> io::Result<Raw> {
        self.lens.watch(0, || Ok(Raw(self.load(index)?)))
    }

    /// The second stage: turns a JSON document into its compact form.
    ///
    /// # Panics
    /// If the file of records was changed after it was made.
    pub fn parse(&self, raw: Raw) -> Parsed {
        self.lens.watch(1, || Parsed(compact(&raw.0).expect("records are what they were made")))
    }

    /// The third and slowest stage: compresses a record.
    pub fn compress(&self, parsed: Parsed) -> Packed {
        self.lens.watch(2, || Packed(deflate(&parsed.0)))
    }

    /// The last stage: appends a record to the output, blocking the calling thread. Call it for one
    /// record after the other, in order.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, packed: Packed) -> io::Result<()> {
        self.lens.watch(3, || {
            let mut written = self.written();
            self.output.write_all_at(&packed.0, written.bytes)?;
            written.note(&packed.0);
            Ok(())
        })
    }

    /// The answer, after the last write: all that was written, in order.
    ///
    /// # Errors
    /// If the output is not as long as what was written to it.
    pub fn digest(&self) -> io::Result<Digest> {
        let written = self.written();
        if self.output.metadata()?.len() != written.bytes {
            return Err(io::Error::other("the output is not as long as what was written to it"));
        }
        Ok(written.digest())
    }

    fn load(&self, index: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.size];
        self.source.read_exact_at(&mut bytes, index as u64 * self.size as u64)?;
        Ok(bytes)
    }

    /// The lock is free: one record is written at a time.
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the output holds.
#[derive(Debug, Default)]
struct Written {
    records: u64,
    bytes: u64,
    /// Depends on every record and on their order.
    trail: u64,
}

impl Written {
    fn note(&mut self, packed: &[u8]) {
        self.records += 1;
        self.bytes += packed.len() as u64;
        let record = crate::digest_of_bytes(packed).as_u64();
        self.trail = Digest::of_ordered([self.trail, record]).as_u64();
    }

    fn digest(&self) -> Digest {
        Digest::of_ordered([self.records, self.bytes, self.trail])
    }
}

/// An empty file that vanishes with the process: its name is taken from it at once.
fn nameless(folder: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    let path = folder.join(format!("output-{}-{number}", process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
