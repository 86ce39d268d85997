//! What jobs took whose caches missed, kept to compare with.

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::root::Store;
use super::runs::now_ms;
use crate::digest::Digest;
use crate::ids::RunId;

/// How many of one likeness are kept.
const KEPT: i64 = 10;

/// A job that ran with cold caches, to a good end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColdJob {
    /// The run it was of.
    pub run: RunId,
    /// What its lookups asked for, in their order.
    pub lookups: Vec<Digest>,
    /// Its steps that ran a script.
    pub steps: Vec<ColdStep>,
    /// What it took on the wall clock, in microseconds.
    pub wall_us: u64,
}

/// A step of such a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColdStep {
    /// Its place under `steps:`, from zero.
    pub index: u32,
    /// How many lookups came before it.
    pub lookups: usize,
    /// What it ran.
    pub work: Digest,
    /// What it took on the wall clock, in microseconds.
    pub wall_us: u64,
}

impl ColdJob {
    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let (lookups, steps): (String, String) = (row.get("lookups")?, row.get("steps")?);
        // What another lrun wrote otherwise is nothing to compare with.
        let read = serde_json::from_str(&lookups)
            .ok()
            .zip(serde_json::from_str(&steps).ok());
        let Some((lookups, steps)) = read else {
            return Ok(None);
        };
        Ok(Some(Self {
            run: RunId(row.get::<_, i64>("run")? as u64),
            lookups,
            steps,
            wall_us: row.get::<_, i64>("wall_us")? as u64,
        }))
    }
}

impl Store {
    /// Remembers a job under its likeness: whatever two jobs must have in common to be compared.
    /// Of one likeness only the latest are kept.
    pub fn remember_cold(&self, likeness: Digest, job: &ColdJob) -> Result<(), StoreError> {
        let likeness = likeness.to_string();
        let (lookups, steps) = (
            serde_json::json!(job.lookups).to_string(),
            serde_json::json!(job.steps).to_string(),
        );
        self.index().write(|index| {
            index.execute(
                "INSERT INTO cold_jobs (likeness, run, lookups, steps, wall_us, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    &likeness,
                    job.run.0 as i64,
                    &lookups,
                    &steps,
                    job.wall_us as i64,
                    now_ms(),
                ),
            )?;
            index.execute(
                "DELETE FROM cold_jobs WHERE likeness = ?1 AND id NOT IN
                 (SELECT id FROM cold_jobs WHERE likeness = ?1 ORDER BY id DESC LIMIT ?2)",
                (&likeness, KEPT),
            )
        })?;
        Ok(())
    }

    /// The remembered jobs of a likeness, the latest first.
    pub fn cold_jobs(&self, likeness: Digest) -> Result<Vec<ColdJob>, StoreError> {
        self.index().read(|index| {
            let jobs: rusqlite::Result<Vec<_>> = index
                .prepare_cached("SELECT * FROM cold_jobs WHERE likeness = ?1 ORDER BY id DESC")?
                .query_map([likeness.to_string()], ColdJob::read)?
                .collect();
            Ok(jobs?.into_iter().flatten().collect())
        })
    }
}
