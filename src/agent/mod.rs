//! The program inside a place, and how the rest of lrun speaks to it.
//!
//! The same binary, started as `lrun __agent` or by the sandbox's launcher, is process 1
//! of a job's place. It starts processes, streams their output, signals and reaps them,
//! reads, writes, globs, hashes, packs and unpacks files **as the job's user**, and ends
//! everything when told to or when its channel closes.
//!
//! [`client`] is lrun's end of the channel, [`server`] the place's; [`frame`] is what
//! crosses it. Every stream of bulk data has a window of its own in each direction, so a
//! slow reader holds up its own stream and nothing else, and nobody buffers without bound.

pub mod client;
mod environment;
pub mod frame;
mod message;
pub mod protocol;
pub mod server;
pub mod sudo;

pub use client::{Agent, AgentError, Batch, Process};
pub use environment::{Capabilities, EnvironmentSpec, Mount, Network};
