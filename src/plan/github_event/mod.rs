//! The event a run pretends to be started by, and the `github` context that follows from it.
//!
//! Pure: what the repository is like comes in as [`git::Facts`](crate::git::Facts) and
//! [`git::Snapshot`](crate::git::Snapshot). The way is [`Trigger::choose`], then a snapshot of
//! [`Trigger::content`] (merged into [`Trigger::base`] for a pull request), then
//! [`GithubContext::new`].

mod compared;
mod context;
mod identity;
mod inputs;
mod outsider;
mod payload;
#[cfg(test)]
mod tests;
mod told;
mod trigger;

pub use compared::{Compared, Since};
pub use context::{GithubContext, RunIdentity};
pub use identity::{ACTOR, Identity};
pub use inputs::{InputError, dispatch_inputs, dispatch_texts, has_input};
pub use outsider::Outsider;
pub use told::told_inputs;
pub use trigger::{Base, EventError, EventOptions, Trigger};
