//! Node.js for JavaScript actions: the runner brings its own (`externals/node24`), and so does
//! lrun. Never that of the label's image, nor whatever a job installs.
//!
//! It is kept in the store, and fetched once: from a mirror of the distribution that `lrun.toml`
//! names, else from the distribution, else by the user's own npm client. Everything here blocks.
//!
//! Plain data for whoever brings a place up; what is here is mounted read-only.

mod error;
mod fetch;
mod given;
mod http;
mod kept;
mod npm;
mod release;
mod unpack;

use std::fmt;
use std::path::{Path, PathBuf};

pub use error::{FetchError, SourceError};
pub use fetch::{Fetched, Sources};
pub use given::{GivenError, given};
pub use release::Release;

/// The versions of Node.js that places of a run have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Externals {
    /// What runs actions of `node24`, and of `node12`, `node16` and `node20` too, as the
    /// runner does by default (runner `NodeUtil`).
    pub node24: Option<Node>,
    /// What runs actions of `node20` where `ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION` asks for it.
    pub node20: Option<Node>,
}

/// A Node.js of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// A directory with `bin/node` in it, or the program itself where the directory around it
    /// is the system's; absolute, without symbolic links.
    pub from: PathBuf,
    /// Its version, such as `24.19.0`.
    pub version: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a Node.js comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `--node`.
    Given,
    /// Fetched by an earlier run.
    Store,
    /// The mirror that `lrun.toml` names.
    Mirror,
    /// Node.js's own distribution.
    Distribution,
    /// The user's npm client.
    Npm,
}

impl Externals {
    /// What stands in for node 24, if it is of another major version.
    pub fn of_another_major(&self) -> Option<&Node> {
        let node24 = self.node24.as_ref();
        node24.filter(|node| !node.version.starts_with("24."))
    }

    /// Each with the name of its directory among the externals.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Node)> {
        [("node24", &self.node24), ("node20", &self.node20)]
            .into_iter()
            .filter_map(|(name, node)| Some((name, node.as_ref()?)))
    }
}

impl Node {
    /// Where it is to be seen in a place, below its directory among the externals.
    pub fn mounted_at(&self, directory: &Path) -> PathBuf {
        match self.from.is_dir() {
            true => directory.to_owned(),
            false => directory.join("bin/node"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "--node",
            Self::Store => "the store",
            Self::Mirror => "the mirror",
            Self::Distribution => "nodejs.org",
            Self::Npm => "the npm client",
        })
    }
}
