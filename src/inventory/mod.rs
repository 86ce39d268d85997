//! What this machine has, judged against the label's image: which commands a job used that
//! the image lacks or has in another version, and which of this machine's tools a job finds
//! at the paths where the image keeps them.
//!
//! Reads directories and dpkg's database of this machine, lazily and once; starts no program:
//! where only the tool itself knows its version, the caller runs it and hands its answer in.
//! Never guesses: what no database knows is [`Finding::Unknown`].

mod commands;
mod judge;
mod packages;
mod proxies;
mod toolchains;
mod version;

pub use judge::{Finding, Inventory, VersionQuestion};
pub use toolchains::{Link, Mount, PlacedFile, ToolSource, ToolchainError, Toolchains};
