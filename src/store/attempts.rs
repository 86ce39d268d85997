//! Saves that were tried and not made: what explains a step that never saved an entry.

use rusqlite::{Connection, OptionalExtension as _};

use super::cache::{StepAddress, View, from_json};
use super::error::StoreError;
use super::reservation::Saver;
use super::root::Store;
use crate::ids::RunId;
use crate::lookup::{Attempt, NotSaved};

impl Store {
    /// Remembers that a step of a repository (`owner/name`) could have saved an entry and did
    /// not; of each leg the last time is kept.
    pub fn note_unsaved(
        &self,
        repository: &str,
        step: &StepAddress,
        saver: &Saver,
        (key, why): (&str, &NotSaved),
    ) -> Result<(), StoreError> {
        let why = serde_json::to_string(why)
            .map_err(|error| StoreError::io(self.root(), error.into()))?;
        self.index().write(|index| {
            index.execute(
                "INSERT OR REPLACE INTO unsaved
                     (repository, workflow, job, leg, step, run, key, why)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    repository,
                    &step.workflow,
                    &saver.job.id,
                    saver.job.leg,
                    &step.step,
                    saver.run.0 as i64,
                    key,
                    why,
                ),
            )
        })?;
        Ok(())
    }
}

/// The last time that a run before the view's did not save an entry of the step; of those of
/// its own leg where there are some.
pub(super) fn last_attempt(
    index: &Connection,
    view: &View,
    step: &StepAddress,
) -> rusqlite::Result<Option<Attempt>> {
    let query = "SELECT run, key, why FROM unsaved WHERE repository = ?1 AND workflow = ?2
                 AND job = ?3 AND step = ?4 AND run <> ?5
                 ORDER BY leg = ?6 DESC, run DESC LIMIT 1";
    let StepAddress {
        workflow,
        job,
        step,
    } = step;
    let (run, leg) = (view.run.0 as i64, view.job.leg);
    index
        .prepare_cached(query)?
        .query_row((&view.repository, workflow, job, step, run, leg), |row| {
            Ok(Attempt {
                run: RunId(row.get::<_, i64>(0)? as u64),
                key: row.get(1)?,
                why: from_json(row, 2)?,
            })
        })
        .optional()
}
