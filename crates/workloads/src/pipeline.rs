//! `pipeline`: how well do stages of unequal cost overlap with bounded queues between them?
//!
//! Every record is read from a file, parsed, compressed and written to another file, in order. With
//! a stage to each worker the slowest stage sets the pace, and the bound on the queues keeps what
//! the faster ones have done in advance from piling up in memory.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use flate2::{Compress, Compression, FlushCompress, Status};
use serde::{Deserialize, Serialize};

use crate::random::mix;
use crate::{
    Census, Class, Definition, Digest, Fact, Facts, Limit, Metric, Profile, Site, Spec, Workload,
    params,
};

/// The stages in order.
const STAGES: [&str; 4] = ["read", "parse", "compress", "write"];

/// The workload.
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
            queues: Default::default(),
            stage_ns: Default::default(),
            unbounded: AtomicBool::new(false),
            census: Census::new(),
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
        &input.census
    }

    /// How deep the queues were and how long the slowest stage took. The next run starts with
    /// nothing written.
    fn facts(input: &Stages) -> Result<Facts, String> {
        let peaks = input.queues.each_ref().map(Queue::take_peak);
        let stage_ns = input.stage_ns.each_ref().map(|ns| ns.swap(0, Relaxed));
        let unbounded = input.unbounded.swap(false, Relaxed);
        *input.written() = Written::default();
        input.output.set_len(0).map_err(|error| format!("cannot empty the output: {error}"))?;

        // What a queue holds, and what its sender and its receiver hold in their hands.
        let allowed = input.params.bound + 2;
        for (queue, &peak) in peaks.iter().enumerate() {
            if peak > allowed && !unbounded {
                let (from, to) = (STAGES[queue], STAGES[queue + 1]);
                return Err(format!(
                    "{peak} records were between {from} and {to}: {allowed} may be"
                ));
            }
        }
        Ok(Facts::from([
            (Fact::PeakDepth, peaks.into_iter().fold(0, u64::max)),
            (Fact::SlowestStageNs, stage_ns.into_iter().fold(0, u64::max)),
        ]))
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
    /// What is between each two stages.
    queues: [Queue; STAGES.len() - 1],
    /// Time spent in each stage.
    stage_ns: [AtomicU64; STAGES.len()],
    unbounded: AtomicBool,
    census: Census,
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
        self.unbounded.store(true, Relaxed);
    }

    /// The first stage: reads record `index`, blocking the calling thread.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&self, index: usize) -> io::Result<Raw> {
        self.stage(0, || Ok(Raw(self.load(index)?)))
    }

    /// The second stage: turns a JSON document into its compact form.
    ///
    /// # Panics
    /// If somebody has changed the file of records since it was made.
    pub fn parse(&self, raw: Raw) -> Parsed {
        self.stage(1, || Parsed(compact(&raw.0).expect("records are what they were made")))
    }

    /// The third and slowest stage: compresses a record.
    pub fn compress(&self, parsed: Parsed) -> Packed {
        self.stage(2, || Packed(deflate(&parsed.0)))
    }

    /// The last stage: appends a record to the output, blocking the calling thread. Call it for one
    /// record after the other, in order.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, packed: Packed) -> io::Result<()> {
        self.stage(3, || {
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

    /// Runs a kernel as stage number `stage`, which takes from the queue before it and gives to the
    /// one after it.
    fn stage<T>(&self, stage: usize, kernel: impl FnOnce() -> T) -> T {
        self.census.mark();
        if stage > 0 {
            self.queues[stage - 1].leave();
        }
        let start = Instant::now();
        let result = kernel();
        self.stage_ns[stage].fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
        if let Some(queue) = self.queues.get(stage) {
            queue.enter();
        }
        result
    }

    fn load(&self, index: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.size];
        self.source.read_exact_at(&mut bytes, index as u64 * self.size as u64)?;
        Ok(bytes)
    }

    /// Nobody waits for this: one record is written at a time.
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

/// What is between two stages. Signed, so that a strategy in the wrong does not make it wrap.
#[derive(Debug, Default)]
struct Queue {
    now: AtomicI64,
    peak: AtomicI64,
}

impl Queue {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(now, Relaxed);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Relaxed);
    }

    /// The most there was at once; the queue is empty from then on.
    fn take_peak(&self) -> u64 {
        self.now.store(0, Relaxed);
        self.peak.swap(0, Relaxed).unsigned_abs()
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

/// A record as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    id: u64,
    station: &'a str,
    readings: Vec<Reading<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading<'a> {
    at: u64,
    sensor: &'a str,
    value: f64,
    remark: String,
}

/// Record `id`: a document with as many readings as fit in `size` bytes, filled up with blanks, as
/// JSON allows. So every record is where its number says.
fn document(id: u64, size: usize) -> io::Result<Vec<u8>> {
    const STATIONS: [&str; 4] = ["north pier", "old harbour", "lighthouse", "breakwater"];
    const SENSORS: [&str; 5] = ["temperature", "pressure", "humidity", "wind", "voltage"];
    const WORDS: [&str; 16] = [
        "calm", "before", "the", "storm", "rising", "sea", "from", "south", "with", "light",
        "rain", "and", "fog", "at", "dawn", "clearing",
    ];
    let mut random = (id << 16..).map(mix);
    let mut random = || random.next().expect("there is no end to them");
    let mut document =
        Document { id, station: STATIONS[random() as usize % STATIONS.len()], readings: vec![] };
    let mut length = serde_json::to_vec(&document)?.len();
    loop {
        let sensor = SENSORS[random() as usize % SENSORS.len()];
        let value = (random() % 100_000) as f64 / 100.0;
        let at = 1_700_000_000_000 + id * 60_000 + random() % 60_000;
        let words: Vec<_> =
            (0..5 + random() % 10).map(|_| WORDS[random() as usize % WORDS.len()]).collect();
        let reading = Reading { at, sensor, value, remark: words.join(" ") };
        length += serde_json::to_vec(&reading)?.len() + 1;
        if length > size {
            let mut bytes = serde_json::to_vec(&document)?;
            bytes.resize(size, b' ');
            return Ok(bytes);
        }
        document.readings.push(reading);
    }
}

/// The compact form of a JSON document: numbers as 8 bytes, texts with their length before them.
fn compact(json: &[u8]) -> io::Result<Vec<u8>> {
    fn put(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    let document: Document<'_> = serde_json::from_slice(json)?;
    let mut bytes = Vec::with_capacity(json.len());
    bytes.extend(document.id.to_le_bytes());
    put(&mut bytes, document.station);
    for reading in document.readings {
        bytes.extend(reading.at.to_le_bytes());
        put(&mut bytes, reading.sensor);
        bytes.extend(reading.value.to_le_bytes());
        put(&mut bytes, &reading.remark);
    }
    Ok(bytes)
}

/// Compresses with DEFLATE at its fastest level.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    thread_local! {
        // One for each thread, because it takes several hundred KiB: asking the operating system
        // for that with every record would be measured instead of the compressing.
        static COMPRESS: RefCell<Compress> =
            RefCell::new(Compress::new(Compression::fast(), false));
    }
    // What does not get smaller is stored, with a few bytes for every block.
    let mut packed = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 64);
    let status = COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        compress.compress_vec(bytes, &mut packed, FlushCompress::Finish)
    });
    assert!(matches!(status, Ok(Status::StreamEnd)), "there is room for all of it");
    packed
}

#[cfg(test)]
mod tests {

    use flate2::{Decompress, FlushDecompress};
    use tempfile::TempDir;

    use super::*;

    /// A pipeline in a folder that goes with it.
    struct Place {
        stages: Stages,
        scratch: TempDir,
    }

    impl Place {
        fn new() -> Self {
            let scratch = TempDir::new().unwrap();
            let params = PipelineParams { records: 5, kib: 1, bound: 2 };
            let stages = Pipeline::prepare(&params, &Site::alone(scratch.path())).unwrap();
            Place { stages, scratch }
        }

        fn packed(&self, index: usize) -> Packed {
            let stages = &self.stages;
            stages.compress(stages.parse(stages.read(index).unwrap()))
        }

        /// The digest of these records written in this order.
        fn written(&self, order: &[usize]) -> Digest {
            order.iter().for_each(|&index| self.stages.write(self.packed(index)).unwrap());
            self.stages.digest().unwrap()
        }
    }

    #[test]
    fn every_run_starts_with_nothing_written() {
        let place = Place::new();
        let expected = Pipeline::expected(&place.stages).unwrap();
        for _ in 0..2 {
            assert_eq!(place.written(&[0, 1, 2, 3, 4]), expected);
            assert_eq!(Pipeline::expected(&place.stages).unwrap(), expected);
            assert!(place.stages.output.metadata().unwrap().len() > 500);
            let facts = Pipeline::facts(&place.stages).unwrap();
            assert_eq!(facts[&Fact::PeakDepth], 1);
            assert!(facts[&Fact::SlowestStageNs] > 0);
            assert_eq!(place.stages.output.metadata().unwrap().len(), 0);
        }
    }

    #[test]
    fn a_record_out_of_order_left_out_or_written_twice_spoils_the_answer() {
        let place = Place::new();
        let expected = Pipeline::expected(&place.stages).unwrap();
        for order in [&[0, 2, 1, 3, 4][..], &[0, 1, 2, 3], &[0, 1, 2, 3, 4, 4]] {
            assert_ne!(place.written(order), expected, "{order:?}");
            Pipeline::facts(&place.stages).unwrap();
        }
    }

    #[test]
    fn the_output_holds_the_compact_records_one_after_the_other() {
        let place = Place::new();
        place.written(&[0, 1, 2, 3, 4]);
        let length = place.stages.output.metadata().unwrap().len() as usize;
        let mut output = vec![0; length];
        place.stages.output.read_exact_at(&mut output, 0).unwrap();
        let mut rest = &output[..];
        for index in 0..5 {
            let mut compact_form = Vec::with_capacity(4096);
            let mut decompress = Decompress::new(false);
            decompress.decompress_vec(rest, &mut compact_form, FlushDecompress::Finish).unwrap();
            assert_eq!(compact_form, compact(&place.stages.load(index).unwrap()).unwrap());
            rest = &rest[decompress.total_in() as usize..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn an_output_of_another_length_than_was_written_is_an_error() {
        let place = Place::new();
        place.written(&[0]);
        place.stages.output.set_len(1).unwrap();
        assert!(place.stages.digest().is_err());
    }

    #[test]
    fn a_queue_deeper_than_its_bound_breaks_the_rule_unless_it_was_said_to_have_none() {
        let place = Place::new();
        let stages = &place.stages;
        let read = |count| (0..count).for_each(|index| _ = stages.read(index).unwrap());
        read(4);
        assert_eq!(Pipeline::facts(stages).unwrap()[&Fact::PeakDepth], 4);
        read(5);
        let reason = Pipeline::facts(stages).unwrap_err();
        assert_eq!(reason, "5 records were between read and parse: 4 may be");
        stages.unbounded();
        read(5);
        assert_eq!(Pipeline::facts(stages).unwrap()[&Fact::PeakDepth], 5);
        read(5);
        assert!(Pipeline::facts(stages).is_err(), "it was said of the last run only");
    }

    #[test]
    fn every_queue_is_watched() {
        let place = Place::new();
        let stages = &place.stages;
        let raw: Vec<_> = (0..4).map(|index| stages.read(index).unwrap()).collect();
        let parsed: Vec<_> = raw.into_iter().map(|raw| stages.parse(raw)).collect();
        stages.parse(stages.read(4).unwrap());
        assert!(Pipeline::facts(stages).unwrap_err().contains("between parse and compress"));
        parsed.into_iter().for_each(|parsed| _ = stages.compress(parsed));
        place.packed(4);
        assert!(Pipeline::facts(stages).unwrap_err().contains("between compress and write"));
    }

    #[test]
    fn records_are_made_once_fill_their_size_and_differ() {
        let place = Place::new();
        let source = place.scratch.path().join("pipeline-5x1k/records");
        let made = fs::metadata(&source).unwrap();
        assert_eq!(made.len(), 5 * 1024);
        Pipeline::prepare(&place.stages.params, &Site::alone(place.scratch.path())).unwrap();
        let again = fs::metadata(&source).unwrap();
        assert_eq!(again.modified().unwrap(), made.modified().unwrap());

        let first = place.stages.load(0).unwrap();
        let blanks = first.iter().rev().take_while(|&&byte| byte == b' ').count();
        assert!(blanks < 200, "{blanks} blanks");
        assert_ne!(
            compact(&first).unwrap()[8..],
            compact(&place.stages.load(1).unwrap()).unwrap()[8..]
        );
    }
}
