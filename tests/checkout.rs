//! From a user's repository to a workspace: snapshots, staged checkouts, their way into place.
//! Real git, real files, as whoever runs the tests.

#[path = "checkout/fixture.rs"]
mod fixture;
#[path = "checkout/snapshot.rs"]
mod snapshot;
