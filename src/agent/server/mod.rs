//! The program inside a place: one thread, one loop over `poll`, no runtime.
//!
//! Not its job: to make the place, or to know what a step is.
//!
//! Invariants: the loop never blocks on a pipe; a stream's window bounds what is under
//! way on it; every child is reaped, whoever started it; at the end nothing of the place
//! is left. File operations that are over in microseconds are done in the loop by
//! [`Identity::acting_as`]; what may take long is done by a forked worker, which takes
//! the job's identity exactly as a step does.

mod channel;
mod child;
mod ending;
mod files;
mod identity;
mod petition;
mod service;
mod spawn;
mod watch;
mod worker;

pub use identity::{Identity, Membership};
pub use service::{Ended, Service};
