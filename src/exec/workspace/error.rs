//! Why a checkout cannot be made.

use std::io;
use std::path::{Path, PathBuf};

use crate::git::{GitError, RemoteError};
use crate::plan::NotARepository;

/// A checkout that fails. What the action itself would say is in its words.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Git could not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Another repository cannot be had.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The `repository` input names none.
    #[error(transparent)]
    NotARepository(#[from] NotARepository),
    /// Another repository is not kept, and nothing may be fetched.
    #[error(
        "{what} is not in the store, and --offline lets nothing be fetched: run once without it"
    )]
    Offline {
        /// What is missing.
        what: String,
    },
    /// `lfs: true`, and the user's clone lacks contents.
    #[error(
        "'{}' has no LFS content for {}: `git lfs fetch` there brings it",
        root.display(), paths.join(", ")
    )]
    NoLfsContent {
        /// The user's repository, or lrun's.
        root: PathBuf,
        /// The files and the ids of their contents.
        paths: Vec<String>,
    },
    /// A submodule that GitHub could not clone either.
    #[error(
        "Submodule '{path}' has the URL '{url}', which is none of a server: on GitHub it cannot be cloned"
    )]
    SubmoduleUrl {
        /// Where it is.
        path: String,
        /// Its URL, resolved.
        url: String,
    },
    /// A submodule's commit cannot be had.
    #[error("Submodule '{path}': {source}")]
    Submodule {
        /// Where it is.
        path: String,
        /// Why.
        source: Box<WorkspaceError>,
    },
    /// Something that lrun cannot do with a clone that is in the workspace already.
    #[error(
        "{what} into a clone that is there already is not supported by this version of lrun: use another path, or clean: true"
    )]
    NotInPlace {
        /// What was asked for.
        what: &'static str,
    },
    /// The action's own git failed in the job's place; its words are in the log.
    #[error("The process '/usr/bin/git' failed with exit code {code}")]
    ActionGit {
        /// The code.
        code: i32,
    },
    /// The `path` input of the first major leads out of the runner's workspace.
    #[error(
        "Input path '{path}' should resolve to a directory under '{workspace}', current resolved path '{resolved}'."
    )]
    OutsideRunnerWorkspace {
        /// The input.
        path: String,
        /// `RUNNER_WORKSPACE`.
        workspace: String,
        /// The path as resolved.
        resolved: String,
    },
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
    #[error("'{}' is not a git index of version 2 or 3", path.display())]
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
    /// Whether GitHub's checkout fails too, whoever asks.
    pub fn fails_on_github(&self) -> bool {
        match self {
            Self::NotARepository(_)
            | Self::NoSuchRef { .. }
            | Self::SubmoduleUrl { .. }
            | Self::Remote(RemoteError::NoRevision { .. }) => true,
            Self::Submodule { source, .. } => source.fails_on_github(),
            _ => false,
        }
    }

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
