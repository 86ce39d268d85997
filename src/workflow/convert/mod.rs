//! Tokens → the typed model, with the checks that the schema cannot express.
//!
//! Every converter takes a token that the reader accepted; where the shape is not the expected one, an error was
//! reported and the converter is not reached. Errors are collected in [`super::problems::Problems`].

mod action;
mod calls;
mod condition;
mod containers;
mod cron;
mod fields;
mod ids;
mod job;
mod matrix;
mod names;
mod needs;
mod references;
mod steps;
mod triggers;
mod workflow;

pub use action::read_action;
pub use workflow::{ReadOptions, read_workflow, read_workflow_with};

#[cfg(test)]
mod tests;
