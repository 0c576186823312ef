//! What the stages compute: a record as JSON, its compact form, and that compressed.

use std::cell::RefCell;
use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};
use serde::{Deserialize, Serialize};

use crate::random::mix;

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
pub(super) fn document(id: u64, size: usize) -> io::Result<Vec<u8>> {
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
pub(super) fn compact(json: &[u8]) -> io::Result<Vec<u8>> {
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
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
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
