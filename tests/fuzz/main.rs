//! Every reader of what users write, with inputs nobody would write: no panic, no hang, and no
//! more memory than 200 MB. One file a reader; the frame is `tests/support/fuzz.rs`.
//!
//! A number of inputs that takes seconds is tried in every run, the same each time.
//! `just fuzz SECONDS` tries each reader for that long.

#[path = "../support/allocations.rs"]
mod allocations;
#[path = "../support/fuzz.rs"]
mod frame;
#[path = "../support/random.rs"]
mod random;
#[path = "../support/workflow_texts.rs"]
mod workflow_texts;

mod env_files;
mod expressions;
mod globs;
mod known;
mod workflows;

#[global_allocator]
static COUNTING: allocations::Counting = allocations::Counting;
