//! From `uses:` to something that can run.
//!
//! This version runs what is built in; the rest is an obstacle with its reason.

mod uses;

pub use uses::{ActionRef, BuiltIn, Uses};
