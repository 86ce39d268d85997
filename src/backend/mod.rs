//! Brings an agent up in an isolated place, and takes the place down without a trace.
//!
//! A backend does these two things and states what it can do as data; everything else
//! happens through the [`Agent`](crate::agent::Agent). Knows nothing of jobs and steps.

mod place;
pub mod sandbox;

use std::future::Future;

pub use place::{BackendError, Place, Remains, Shortcoming};

use crate::agent::{Capabilities, EnvironmentSpec};

/// What makes places.
pub trait Backend {
    /// What its places can do on this machine.
    fn capabilities(&self) -> Capabilities;

    /// Makes a place. When this fails nothing of it is left. `preparing` is called before
    /// something that takes seconds is made for this and all later places.
    fn bring_up(
        &self,
        spec: &EnvironmentSpec,
        preparing: impl FnOnce() + Send,
    ) -> impl Future<Output = Result<Place, BackendError>> + Send;
}
