//! Runs: their numbers and where their records lie.

use std::fs;
use std::path::PathBuf;

use super::error::StoreError;
use super::root::Store;
use crate::clock;
use crate::ids::RunId;

/// A run that has just been given its place in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// `github.run_id`: unique in the store, ascending.
    pub id: RunId,
    /// `github.run_number`: counts the runs of the workflow from one.
    pub number: u64,
    /// An empty directory for the run's records.
    pub directory: PathBuf,
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
        fs::create_dir_all(&directory).map_err(|error| StoreError::io(&directory, error))?;
        Ok(NewRun {
            id,
            number,
            directory,
        })
    }

    /// Where the records of a run lie.
    pub fn run_directory(&self, run: RunId) -> PathBuf {
        self.root().join("runs").join(run.to_string())
    }
}

/// The wall clock as the index keeps it.
pub(super) fn now_ms() -> i64 {
    i64::try_from(clock::since_epoch().as_millis()).unwrap_or(i64::MAX)
}
