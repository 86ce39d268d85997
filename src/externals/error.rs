//! Why there is no Node.js for JavaScript actions.

use std::io;
use std::path::{Path, PathBuf};

use super::Origin;

/// No Node.js could be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is not in the store, and nothing may be fetched.
    #[error(
        "node {version} for JavaScript actions is not in the store; run `lrun vendor` once while \
         online, or name one with --node"
    )]
    Offline {
        /// The version.
        version: String,
    },
    /// Every source failed.
    #[error(
        "node {version} for JavaScript actions cannot be fetched ({}); name a node with --node, \
         or a mirror in lrun.toml: `[node]`, `mirror = \"https://…\"`",
        each_of(.tried)
    )]
    NoSource {
        /// The version.
        version: String,
        /// The sources in their order, each with why it failed.
        tried: Vec<(Origin, SourceError)>,
    },
    /// The store cannot be used.
    #[error("cannot keep node in '{}': {source}", path.display())]
    Store {
        /// The path in the store.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FetchError {
    pub(super) fn store(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Store { path, source }
    }
}

/// Why one source failed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The server was not reached, or broke off.
    #[error("{url}: {reason}")]
    Http {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
    /// npm could not be started, or failed.
    #[error("npm: {reason}")]
    Npm {
        /// Why.
        reason: String,
    },
    /// What came is not what was asked for.
    #[error("{file} has the digest {found} instead of {expected}")]
    Digest {
        /// What came.
        file: String,
        /// The digest it was to have.
        expected: String,
        /// The digest it has.
        found: String,
    },
    /// The list of digests does not name the archive.
    #[error("{url} has no digest of {file}")]
    NotListed {
        /// The list.
        url: String,
        /// The archive.
        file: String,
    },
    /// It cannot be unpacked or written.
    #[error("cannot unpack {file}: {source}")]
    Unpack {
        /// The archive.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// What was unpacked is not that node, or does not run on this machine.
    #[error("what came does not run here as node {version}: {answer}")]
    Wrong {
        /// The version it was to have.
        version: String,
        /// What it answered.
        answer: String,
    },
}

fn each_of(tried: &[(Origin, SourceError)]) -> String {
    let each: Vec<_> = tried
        .iter()
        .map(|(origin, error)| format!("{origin}: {error}"))
        .collect();
    each.join("; ")
}
