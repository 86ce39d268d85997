//! Releases in the store: each in a directory that is complete or not there.
//!
//! What is new is written aside and renamed. One process at a time writes, under a lock that
//! goes with it, so that what a killed one left is found and removed by the next.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::release::Release;

/// The directory of the store that has the releases.
pub(super) struct Kept {
    root: PathBuf,
}

/// The right to add a release.
pub(super) struct Gate {
    directory: PathBuf,
    staging: PathBuf,
    _lock: File,
}

impl Kept {
    /// That of the store at `store`; need not exist.
    pub(super) fn new(store: &Path) -> Self {
        Self {
            root: store.join("externals"),
        }
    }

    /// A release's directory, if it is there.
    pub(super) fn find(&self, release: &Release) -> Option<PathBuf> {
        let directory = self.root.join(release.directory());
        directory.join("bin/node").is_file().then_some(directory)
    }

    /// Waits for other processes that add the release.
    pub(super) fn enter(&self, release: &Release) -> Result<Gate, FetchError> {
        let store = FetchError::store(&self.root);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.root).map_err(store)?;
        let name = release.directory();
        let path = self.root.join(format!("{name}.lock"));
        let lock = File::create(&path).map_err(FetchError::store(&path))?;
        lock.lock().map_err(FetchError::store(&path))?;
        let staging = self.root.join(format!("{name}.new"));
        // Left by one that was killed.
        if staging.exists() {
            fs::remove_dir_all(&staging).map_err(FetchError::store(&staging))?;
        }
        Ok(Gate {
            directory: self.root.join(name),
            staging,
            _lock: lock,
        })
    }
}

impl Gate {
    /// An empty directory to fill.
    pub(super) fn empty(&self) -> Result<&Path, FetchError> {
        let store = || FetchError::store(&self.staging);
        if self.staging.exists() {
            fs::remove_dir_all(&self.staging).map_err(store())?;
        }
        fs::create_dir(&self.staging).map_err(store())?;
        // The job's user, whoever that is outside, reads it through a mount.
        fs::set_permissions(&self.staging, fs::Permissions::from_mode(0o755)).map_err(store())?;
        Ok(&self.staging)
    }

    /// Makes what is in the directory the release's.
    pub(super) fn keep(&self) -> Result<PathBuf, FetchError> {
        if self.directory.exists() {
            // Without a program in it: nobody uses it.
            fs::remove_dir_all(&self.directory).map_err(FetchError::store(&self.directory))?;
        }
        fs::rename(&self.staging, &self.directory).map_err(FetchError::store(&self.directory))?;
        Ok(self.directory.clone())
    }

    /// Removes what could not be completed.
    pub(super) fn discard(&self) {
        // The next process to enter does it otherwise.
        let _ = fs::remove_dir_all(&self.staging);
    }
}
