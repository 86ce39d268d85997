//! The program inside a place, and how the rest of lrun speaks to it.
//!
//! The same binary, started as `lrun __agent` or by the sandbox's launcher, is process 1
//! of a job's place. It starts processes, streams their output, signals and reaps them,
//! reads, writes, globs, hashes, packs and unpacks files **as the job's user**, and ends
//! everything when told to or when its channel closes.

pub mod protocol;
