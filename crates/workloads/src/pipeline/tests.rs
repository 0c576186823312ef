//! What spoils the answer, and which rules of the queues are watched.

use flate2::{Decompress, FlushDecompress};
use tempfile::TempDir;

use super::*;
use crate::Fact;

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
