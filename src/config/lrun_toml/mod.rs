//! `lrun.toml`: what a repository or a user sets, a section a file.
//!
//! There are two: the repository's, at its root, and the user's, `lrun/lrun.toml` where
//! configuration files are. The repository's was written by whoever wrote the repository, so it may
//! say only what could not hurt: it names no file outside, runs no command, and reads nothing of the
//! environment. What only the user may say is refused there with the reason
//! ([`Table::only_users`](table::Table::only_users)).
//!
//! Later goes over earlier: the user's file, the repository's, and what the user's file has under
//! `[repository."OWNER/NAME"]`.
//!
//! A section is a file here with a struct of [`Setting`](super::Setting)s and its
//! [`Section`](table::Section), its `mod` line and a field of [`LrunToml`] with a line in
//! `take` in `read.rs`.

mod environments;
mod node;
mod read;
mod table;
#[cfg(test)]
mod tests;

pub use environments::{Environments, Named, SecretSource};
pub use node::NodeSource;
pub use read::LrunTomlError;

/// All sections. What no file says is as its section's `Default` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LrunToml {
    /// `[environments.NAME]`, and `[vars]` and `[secrets]` of every job.
    pub environments: Environments,
    /// `[node]`
    pub node: NodeSource,
}
