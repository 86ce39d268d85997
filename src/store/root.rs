//! The store's directory: where what lies, and opening it.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::blobs::Blobs;
use super::error::StoreError;
use super::index::Index;
use crate::clock;

/// How long a temporary file is left alone: longer than any save takes.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// An open store. Cheap to clone; all clones share one connection to the index.
#[derive(Debug, Clone)]
pub struct Store(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    root: PathBuf,
    blobs: Blobs,
    index: Index,
}

impl Store {
    /// Opens the store at `root`, an absolute path, and makes it (mode 0700) where there is
    /// none. What processes that died have left behind for a day is removed.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        for directory in ["", "blobs", "runs", "shelf", "tmp", "locks"] {
            let path = root.join(directory);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|error| StoreError::io(&path, not_a_directory(error, &path)))?;
        }
        // One at a time: SQLite does not wait for a database that is being switched to WAL.
        let gate_path = root.join("open.lock");
        let gate = File::create(&gate_path).map_err(|e| StoreError::io(&gate_path, e))?;
        gate.lock().map_err(|e| StoreError::io(&gate_path, e))?;
        let index = Index::open(&root.join("index.db"), root)?;
        sweep(&root.join("tmp"), |_| true);
        sweep(&root.join("locks"), |lock| lock.try_lock().is_ok());
        Ok(Self(Arc::new(Parts {
            root: root.to_owned(),
            blobs: Blobs::new(root.join("blobs"), root.join("tmp")),
            index,
        })))
    }

    /// Leaves it to another process, which opens the store later, to tidy the index's log when
    /// it closes it. What was written is safe in the log.
    pub fn leave_log(&self) -> Result<(), StoreError> {
        self.index().leave_log()
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    pub(super) fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    pub(super) fn index(&self) -> &Index {
        &self.0.index
    }

    pub(super) fn locks(&self) -> PathBuf {
        self.root().join("locks")
    }
}

/// Whether a path is that of a store, or of something in one.
pub fn is_in_a_store(path: &Path) -> bool {
    let is_store = |root: &Path| root.join("index.db").is_file() && root.join("blobs").is_dir();
    path.is_absolute() && path.ancestors().any(is_store)
}

/// `mkdir` says "exists" of a file that stands in the way.
fn not_a_directory(error: io::Error, path: &Path) -> io::Error {
    match error.kind() == io::ErrorKind::AlreadyExists && !path.is_dir() {
        true => io::ErrorKind::NotADirectory.into(),
        false => error,
    }
}

/// Removes old files that are `abandoned`. What cannot be removed waits for the next time.
fn sweep(directory: &Path, abandoned: impl Fn(&File) -> bool) {
    let now = clock::since_epoch();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(Duration::ZERO, |changed| now.saturating_sub(changed));
        if age > STALE && File::open(entry.path()).is_ok_and(|file| abandoned(&file)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
