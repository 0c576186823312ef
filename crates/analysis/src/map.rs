//! Where one model takes over from another, along two axes of a service.

pub mod chart;
pub mod refine;
pub mod words;
