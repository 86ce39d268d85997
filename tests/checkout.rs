//! From a user's repository to a workspace: snapshots, staged checkouts, their way into place.
//! Real git, real files, as whoever runs the tests.

#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be made fails its test"
)]

#[path = "checkout/again.rs"]
mod again;
#[path = "checkout/fixture.rs"]
mod fixture;
#[path = "checkout/install.rs"]
mod install;
#[path = "checkout/others.rs"]
mod others;
#[path = "checkout/parts.rs"]
mod parts;
#[path = "checkout/reference.rs"]
mod reference;
#[path = "checkout/snapshot.rs"]
mod snapshot;
#[path = "checkout/stage.rs"]
mod stage;
