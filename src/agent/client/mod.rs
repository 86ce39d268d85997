//! lrun's end of an agent's channel.
//!
//! One task reads the channel and hands each frame to the request it belongs to, one
//! writes. Dropping the last [`Agent`] closes the channel, and with it the place.

mod agent;
mod error;
mod process;
mod wire;
mod work;

pub use agent::Agent;
pub use error::AgentError;
pub use process::{Output, Process, Signals};
pub use work::Batch;
