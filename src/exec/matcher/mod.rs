//! Problem matchers: what makes annotations of the lines that tools print (runner
//! `IssueMatcher.cs`).
//!
//! A definition and lines in, matches out. Where definitions come from, and what becomes of a
//! match, is decided elsewhere.

mod definition;
mod pattern;
mod running;
#[cfg(test)]
mod tests;

pub(super) use definition::{Definition, parse};
pub(super) use running::{Match, Running, TooSlow, without_colours};
