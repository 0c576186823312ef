//! The version of the files of a run.

/// Version of the files of a run.
pub const SCHEMA: u32 = 4;
