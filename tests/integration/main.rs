//! The program as a whole: real repositories, the real binary, a store of its own.
//!
//! One file for each behaviour; all go through the builder in `lrun.rs`. They run as root and
//! as an ordinary user, and need git, a C compiler, make, node with npm, perl, python3 with venv and, for
//! root, sudo. What a machine lacks makes them fail: nothing is skipped.

#[path = "../support/npm.rs"]
mod npm;

mod actions;
mod artifacts;
mod background;
mod bad_input;
mod behaviour;
mod caches;
mod calls;
mod cancelling;
mod check;
mod checkout;
mod cold;
mod concurrency;
mod environment;
mod examples;
mod explanations;
mod externals;
mod files;
mod flow;
mod given;
mod killing;
mod live;
mod lrun;
mod parallel;
mod plan;
mod project;
mod readers;
mod setup;
mod shapes;
mod shelf;
mod steps;
mod terminal;
mod toolkit;
mod users;
mod visibility;
