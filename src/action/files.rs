//! An action: its manifest, and the files of its repository.

use std::sync::Arc;

use super::records::Records;
use crate::digest::Digest;
use crate::store::Store;
use crate::workflow::{Action, Location};

/// An action at a commit.
#[derive(Debug)]
pub struct Files {
    /// `owner/repository`, as written.
    pub repository: String,
    /// The branch, tag or commit, as written; of the run's own repository its commit.
    pub git_ref: String,
    /// The commit; the word `folder` where `--action` named one.
    pub commit: String,
    /// The action's folder in the repository; empty for the root.
    pub path: String,
    /// Its manifest.
    pub manifest: Arc<Action>,
    /// The manifest's file: what `uses:` in its steps is relative to.
    pub location: Location,
    pub(super) tree: Digest,
}

impl Files {
    /// All files of the repository, as a tree of the store with one directory
    /// ([`TREE_ROOT`](super::TREE_ROOT)). They are to be laid out anew for each job: an action may write
    /// to its own folder.
    pub fn tree(&self) -> Digest {
        self.tree
    }

    /// As a `uses:` would have it.
    pub fn name(&self) -> String {
        match &*self.path {
            "" => format!("{}@{}", self.repository, self.git_ref),
            path => format!("{}/{path}@{}", self.repository, self.git_ref),
        }
    }

    /// Has the commit stored anew by the next run: something of it is damaged.
    pub fn forget(&self, store: &Store) {
        Records::of_store(store.root()).forget(&self.repository, &self.commit);
    }

    /// Where the repository is in a job's place, below the runner's `_actions` (runner
    /// `ActionManager.cs`): a ref's slashes are directories.
    pub fn directory(&self) -> String {
        format!("{}/{}", self.repository, self.git_ref)
    }

    /// Where the action itself is, below the runner's `_actions`: `GITHUB_ACTION_PATH`.
    pub fn folder(&self) -> String {
        match &*self.path {
            "" => self.directory(),
            path => format!("{}/{path}", self.directory()),
        }
    }
}
