//! What goes wrong with a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// Why a store cannot be used, or not for this.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The calling user may not read or write it.
    #[error("no permission to use the store at '{path}'; set LRUN_STORE to a directory you own")]
    NoPermission {
        /// What may not be used.
        path: PathBuf,
    },
    /// Something else stands where the store should be.
    #[error("'{path}' is not a directory; set LRUN_STORE to a directory you own")]
    NotADirectory {
        /// Where.
        path: PathBuf,
    },
    /// No space, or the user's quota is used up.
    #[error(
        "no space left for the store at '{path}'; free some, or set LRUN_STORE to another disk"
    )]
    Full {
        /// What could not be written.
        path: PathBuf,
    },
    /// It was written by a later version of lrun.
    #[error(
        "the store at '{path}' has format {found}, this lrun knows up to {known}; \
         use a newer lrun or another LRUN_STORE"
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this program reads.
        known: u32,
    },
    /// A file of the store could not be read or written.
    #[error("cannot use '{path}' of the store: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The index could not be read or written.
    #[error("cannot use the index '{path}': {source}")]
    Index {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A blob is not what its name says; it has been removed, so that it can be stored again.
    #[error("blob {digest} of the store is damaged: {problem}")]
    Damaged {
        /// The blob.
        digest: Digest,
        /// What is wrong with it.
        problem: String,
    },
    /// The sender of a tree gave more or less content than it had announced.
    #[error("the content of '{path}' does not have the announced length")]
    Torn {
        /// The member.
        path: String,
    },
    /// A run has an artifact of this name already.
    #[error("an artifact named '{name}' already exists on the workflow run")]
    ArtifactExists {
        /// The name.
        name: String,
    },
}

impl StoreError {
    /// The error of a file operation, by what a user can do about it.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NoPermission { path }
            }
            io::ErrorKind::NotADirectory => Self::NotADirectory { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { path, source },
        }
    }

    /// The error of the index, likewise.
    pub(super) fn index(path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly};
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(CannotOpen | PermissionDenied | ReadOnly) => Self::NoPermission { path },
            Some(DiskFull) => Self::Full { path },
            _ => Self::Index { path, source },
        }
    }
}
