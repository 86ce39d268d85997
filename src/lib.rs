//! lrun runs GitHub Actions workflows locally and tells the truth about their caches.
//!
//! Modules stand in levels; each imports only from levels above its own line here, and
//! `tests/architecture.rs` checks it. `ARCHITECTURE.md` says where a change belongs.

#![warn(missing_docs)]

// Level 0: places in files, names, digests, time.
pub mod clock;
pub mod digest;
pub mod ids;
pub mod source;

// Level 1: languages and vocabulary. Free of each other except as listed in the test.
pub mod archive;
pub mod config;
pub mod difference;
pub mod expr;
pub mod git;
pub mod label;
pub mod lookup;
pub mod outcome;
pub mod tree;
pub mod yaml;

// Level 2: documents, facts, the store, the agent.
pub mod agent;
pub mod event;
pub mod externals;
pub mod inventory;
pub mod store;
pub mod workflow;

// Level 3: what will run, and where.
pub mod action;
pub mod backend;
pub mod plan;

// Level 4: the run, and why its caches did what they did.
pub mod exec;
pub mod explain;

// Level 5: what users see of it.
pub mod report;

// Level 6: arguments to decisions; wiring; exit codes.
pub mod cli;
