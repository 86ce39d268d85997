//! Runs: their numbers and where their records lie.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::root::Store;
use crate::clock;
use crate::ids::RunId;

const WORK: &str = "work";
const ALIVE: &str = "alive";

/// A run that has just been given its place in the store.
#[derive(Debug)]
pub struct NewRun {
    /// `github.run_id`: unique in the store, ascending.
    pub id: RunId,
    /// `github.run_number`: counts the runs of the workflow from one.
    pub number: u64,
    /// An empty directory for the run's records.
    pub directory: PathBuf,
    /// Where the run keeps what is gone after it, made; in [`Self::directory`].
    pub work: PathBuf,
    /// As long as this is open the run is alive, and its work is left alone by others.
    pub alive: File,
}

impl Store {
    /// Begins a run of a workflow, by its file's path, of a repository (`owner/name`).
    pub fn next_run(&self, repository: &str, workflow: &str) -> Result<NewRun, StoreError> {
        let (id, number) = self.index().write(|index| {
            let number: i64 = index.query_row(
                "SELECT coalesce(max(number), 0) + 1 FROM runs
                 WHERE repository = ?1 AND workflow = ?2",
                [repository, workflow],
                |row| row.get(0),
            )?;
            index.execute(
                "INSERT INTO runs (repository, workflow, number, created_ms)
                 VALUES (?1, ?2, ?3, ?4)",
                (repository, workflow, number, now_ms()),
            )?;
            Ok((index.last_insert_rowid() as u64, number as u64))
        })?;
        let id = RunId(id);
        let directory = self.run_directory(id);
        let work = directory.join(WORK);
        fs::create_dir_all(&directory).map_err(|error| StoreError::io(&directory, error))?;
        let alive = File::create(directory.join(ALIVE))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| StoreError::io(&directory, error))?;
        fs::create_dir(&work).map_err(|error| StoreError::io(&work, error))?;
        self.sweep_runs();
        Ok(NewRun {
            id,
            number,
            directory,
            work,
            alive,
        })
    }

    /// Removes the work of runs that were killed: of those that nobody holds alive. What cannot
    /// be removed now is tried again by the next run.
    fn sweep_runs(&self) {
        let runs = fs::read_dir(self.root().join("runs"));
        for run in runs.into_iter().flatten().flatten() {
            let work = run.path().join(WORK);
            let is_dead = || {
                File::open(run.path().join(ALIVE))?
                    .try_lock()
                    .map_err(io::Error::from)
            };
            if work.exists() && is_dead().is_ok() {
                let _ = remove_tree(&work);
            }
        }
    }

    /// Where the records of a run lie.
    pub fn run_directory(&self, run: RunId) -> PathBuf {
        self.root().join("runs").join(run.to_string())
    }
}

/// Removes a directory with all that is in it, also where a job took the permissions away that
/// removing needs. Follows no links.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::remove_dir_all(path)
        }
        removed => removed,
    }
}

/// Makes every directory in a tree its owner's to list and change.
fn open_up(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)?.flatten() {
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// The wall clock as the index keeps it.
pub(super) fn now_ms() -> i64 {
    i64::try_from(clock::since_epoch().as_millis()).unwrap_or(i64::MAX)
}
