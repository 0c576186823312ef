//! The one HTTP service behind `serve`, `endpoints`, `mixed`, `traffic` and the latency backend: a request says how
//! long it waits, how much it computes, how large its answer is and how its handler is dispatched.
//!
//! A [`Connection`] holds everything of a conversation but the socket: a server asks it for the next
//! [`Step`], does that with its own means, and asks again.

mod conversation;
mod kernel;
mod state;
mod work;

pub use conversation::{Connection, Step};
pub use kernel::burn;
pub use state::{Answer, Bounds, Requests, Running};
pub use work::{Dispatch, MAX_SIZE, MAX_UNITS, MAX_WAIT, MIN_SIZE, Work};
