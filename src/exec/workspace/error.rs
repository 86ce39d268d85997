//! Why a checkout cannot be made.

use std::io;
use std::path::{Path, PathBuf};

use crate::git::GitError;

/// A checkout that fails. What the action itself would say is in its words.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Git could not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The `ref` input names nothing that GitHub would have.
    #[error("A branch or tag with the name '{name}' could not be found")]
    NoSuchRef {
        /// The input.
        name: String,
    },
    /// The `ref` input is the id of a commit that only GitHub may have.
    #[error("commit {id} is not in '{}': fetch it, or check out a branch or tag", root.display())]
    NoSuchCommit {
        /// The id.
        id: String,
        /// The user's repository.
        root: PathBuf,
    },
    /// A partial clone, which lacks what git would download when it is needed.
    #[error(
        "'{}' is a partial clone without all that this checkout needs ({words}): complete it with `git fetch --refetch --no-filter`, or ask for less history",
        root.display()
    )]
    PartialClone {
        /// The user's repository.
        root: PathBuf,
        /// Git's own words.
        words: String,
    },
    /// The `path` input leads out of the workspace.
    #[error("Repository path '{path}' is not under '{workspace}'")]
    OutsideWorkspace {
        /// The path as resolved.
        path: String,
        /// The workspace.
        workspace: String,
    },
    /// The way to the target leads through something that is not a plain directory: the job put
    /// a symbolic link or a file there. Nothing was written.
    #[error(
        "cannot check out to '{}': '{component}' on the way is a symbolic link or a file; remove it in a step before the checkout",
        path.display()
    )]
    NotPlain {
        /// The target, from the job's home.
        path: PathBuf,
        /// The part that is not a directory.
        component: String,
    },
    /// Git wrote an index of another format version.
    #[error("'{}' is not a git index of version 2", path.display())]
    Index {
        /// The file.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {action} '{}': {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl WorkspaceError {
    /// A [`WorkspaceError::Io`] on `path`, for `map_err`.
    pub(super) fn io<E: Into<io::Error>>(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self + use<E> {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source: source.into(),
        }
    }
}
