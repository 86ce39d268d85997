//! The run: which job starts when, what each step does, and how it ends.
//!
//! `run` starts jobs as soon as what they need is done; `job` carries one job from an empty
//! place to its last post step; `step` decides whether and how a step runs and hands it to
//! a handler, one file per kind of step. A handler returns [`effects::Effects`]; only `job`
//! applies them. All that leaves this module is [`crate::event::Events`], masked.

mod action;
mod background;
mod bearing;
mod called;
mod cancel;
mod cold;
pub mod command;
mod composite;
mod contexts;
mod control;
mod effects;
mod entrusted;
mod environment;
mod evaluate;
pub mod file_command;
mod frame;
mod groups;
mod handler;
mod hashed;
mod hook;
mod janitor;
mod job;
mod left_out;
mod loaded;
mod log;
pub mod mask;
mod masked;
mod matcher;
mod needs;
mod paths;
mod place;
mod run;
mod scheduler;
mod services;
pub mod spot;
mod state;
mod step;
mod summaries;
mod time_limit;
pub mod workspace;

pub use cancel::{Cancellation, Canceller};
pub use entrusted::{GivenEnvironment, environment_secrets};
pub use janitor::{Janitor, janitor_main};
pub use place::{NetworkAccess, PlaceSettings};
pub use run::{Content, Ended, Given, Run};
pub use scheduler::execute;
pub use summaries::job_summaries;
