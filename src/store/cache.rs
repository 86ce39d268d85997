//! Looking cache entries up.

use std::str::FromStr;

use rusqlite::{Connection, Row, ToSql};

use super::attempts::last_attempt;
use super::error::StoreError;
use super::matching::{Found, folded, select};
use super::nearest::{Known, reasons};
use super::root::Store;
use crate::digest::Digest;
use crate::ids::{JobKey, RunId};
use crate::lookup::{CacheRequest, EntrySummary, KeyOrigin, Lookup, MissReason, Scope};

/// How many of a step's latest entries a miss is compared with, of all legs and of its own.
const COMPARED: i64 = 20;

/// What a job may see of the store (visibility follows `needs`, not local luck): the entries
/// there were when its run started, and those that given jobs of the run have saved since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// `owner/name`.
    pub repository: String,
    /// The scopes the run may read, its own first, the default branch last.
    pub scopes: Vec<Scope>,
    /// [`Store::position`] when the run started.
    pub position: i64,
    /// The run.
    pub run: RunId,
    /// The job that looks.
    pub job: JobKey,
    /// The keys under `jobs:` of all it needs, directly or not.
    pub needs: Vec<String>,
}

impl View {
    /// Whether the entry was there in time, in whatever scope.
    pub(super) fn sees(&self, record: &Record) -> bool {
        let saved_for_it = record.job == self.job || self.needs.contains(&record.job.id);
        record.id <= self.position || (record.run == self.run && saved_for_it)
    }

    /// Whether the entry is in a scope that the run may read.
    pub(super) fn reads(&self, record: &Record) -> bool {
        self.scopes.contains(&record.scope)
    }
}

/// Which step of which workflow: what entries of different runs have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepAddress {
    /// The workflow's file, from the root of the repository.
    pub workflow: String,
    /// The key under `jobs:`.
    pub job: String,
    /// The step's `id`, or its place under `steps:`.
    pub step: String,
}

/// What a step asks for, and what is known of the question.
#[derive(Debug, Clone, Copy)]
pub struct CacheQuery<'a> {
    /// What the action would send.
    pub request: &'a CacheRequest,
    /// How its key came about.
    pub origin: &'a KeyOrigin,
    /// The step that asks.
    pub step: &'a StepAddress,
}

/// What it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheAnswer {
    /// The answer, with its reasons.
    pub lookup: Lookup,
    /// The tree to restore, for [`Store::read_tree`]; none exactly for a miss.
    pub tree: Option<Digest>,
    /// The user's own commit of the run that the reasons compare with, where it is known.
    pub compared: Option<String>,
}

impl CacheAnswer {
    /// Nothing, for this reason alone.
    pub fn miss(reason: MissReason) -> Self {
        Self {
            lookup: Lookup::Miss {
                reasons: vec![reason],
            },
            tree: None,
            compared: None,
        }
    }
}

/// An entry as the index has it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: i64,
    pub(super) scope: Scope,
    pub(super) key: String,
    pub(super) folded: String,
    pub(super) version: Digest,
    pub(super) tree: Digest,
    pub(super) size: u64,
    pub(super) files: u64,
    pub(super) paths: Vec<String>,
    pub(super) origin: KeyOrigin,
    pub(super) run: RunId,
    pub(super) job: JobKey,
    pub(super) step: StepAddress,
    pub(super) dirty: bool,
    pub(super) archive_size: Option<u64>,
    /// None in what an lrun before commits were kept has saved.
    pub(super) commit: Option<String>,
}

impl Record {
    const COLUMNS: &str = "id, scope, key, folded, version, tree, size, files, paths, origin, \
                           run, job, leg, workflow, step, dirty, archive_size, \
                           commit_id";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let job: String = row.get("job")?;
        Ok(Self {
            id: row.get("id")?,
            scope: Scope(row.get("scope")?),
            key: row.get("key")?,
            folded: row.get("folded")?,
            version: parsed(row, 4)?,
            tree: parsed(row, 5)?,
            size: row.get::<_, i64>("size")? as u64,
            files: row.get::<_, i64>("files")? as u64,
            paths: from_json(row, 8)?,
            origin: from_json(row, 9)?,
            run: RunId(row.get::<_, i64>("run")? as u64),
            step: StepAddress {
                workflow: row.get("workflow")?,
                job: job.clone(),
                step: row.get("step")?,
            },
            job: JobKey::new(job, row.get("leg")?),
            dirty: row.get("dirty")?,
            archive_size: row
                .get::<_, Option<i64>>("archive_size")?
                .map(|size| size as u64),
            commit: row.get("commit_id")?,
        })
    }

    /// The undamaged entries for which a condition holds.
    pub(super) fn all(
        index: &Connection,
        condition: &str,
        parameters: &[&dyn ToSql],
    ) -> rusqlite::Result<Vec<Self>> {
        let columns = Self::COLUMNS;
        let query = format!("SELECT {columns} FROM entries WHERE damaged IS NULL AND {condition}");
        index
            .prepare_cached(&query)?
            .query_map(parameters, Self::read)?
            .collect()
    }

    /// What the rest of lrun is told of the entry.
    pub(super) fn summary(&self) -> EntrySummary {
        EntrySummary {
            id: self.id,
            key: self.key.clone(),
            scope: self.scope.clone(),
            run: self.run,
            dirty: self.dirty,
            size: self.size,
            files: self.files,
            archive_size: self.archive_size,
        }
    }
}

/// A column that holds the text of a value.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| not_readable(column, error))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| not_readable(column, error))
}

fn not_readable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

impl Store {
    /// Where the store stands: the number of the entry saved last. Entries saved from now on
    /// have greater ones.
    pub fn position(&self) -> Result<i64, StoreError> {
        let query = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'entries'";
        self.index()
            .read(|index| index.query_row(query, [], |row| row.get(0)))
    }

    /// When the entry saved last was saved, in milliseconds since 1970; none without entries.
    pub fn last_saved_ms(&self) -> Result<Option<i64>, StoreError> {
        let query = "SELECT max(created_ms) FROM entries";
        self.index()
            .read(|index| index.query_row(query, [], |row| row.get(0)))
    }

    /// Looks a request up in GitHub's order. An entry some of whose content is missing is
    /// taken for absent, and named among the reasons.
    pub fn lookup(&self, view: &View, query: &CacheQuery<'_>) -> Result<CacheAnswer, StoreError> {
        let mut damage = Vec::new();
        loop {
            let scopes = self.visible(view, query.request)?;
            let Some((entry, found)) = select(&scopes, query.request) else {
                let (reasons, compared) = self.reasons(view, query, None, damage)?;
                return Ok(CacheAnswer {
                    lookup: Lookup::Miss { reasons },
                    tree: None,
                    compared,
                });
            };
            match self.check_entry(entry.tree) {
                Ok(()) => {}
                Err(StoreError::Damaged { digest, problem }) => {
                    let problem = format!("blob {digest}: {problem}");
                    self.report_damage(entry.id, &problem)?;
                    damage.push(MissReason::Damaged {
                        problem,
                        run: Some(entry.run),
                    });
                    continue;
                }
                Err(error) => return Err(error),
            }
            let tree = Some(entry.tree);
            let entry_found = entry.summary();
            let Found::By(by) = found else {
                return Ok(CacheAnswer {
                    lookup: Lookup::Hit { entry: entry_found },
                    tree,
                    compared: None,
                });
            };
            let (reasons, compared) = self.reasons(view, query, Some(entry), damage)?;
            return Ok(CacheAnswer {
                lookup: Lookup::Partial {
                    entry: entry_found,
                    by,
                    reasons,
                },
                tree,
                compared,
            });
        }
    }

    /// Whether an entry can be restored: from the shelf, or from its contents.
    fn check_entry(&self, tree: Digest) -> Result<(), StoreError> {
        match self.is_shelved(tree)? {
            true => Ok(()),
            false => self.check_tree(tree),
        }
    }

    /// Marks an entry as damaged: it will not be found again, and its key may be saved anew.
    pub fn report_damage(&self, entry: i64, problem: &str) -> Result<(), StoreError> {
        let update = "UPDATE entries SET damaged = ?2 WHERE id = ?1";
        self.index()
            .write(|index| index.execute(update, (entry, problem)))?;
        Ok(())
    }

    /// Per readable scope the entries of the request's version that the view sees, newest first.
    fn visible(&self, view: &View, request: &CacheRequest) -> Result<Vec<Vec<Record>>, StoreError> {
        let condition = "repository = ?1 AND scope = ?2 AND version = ?3 ORDER BY id DESC";
        let version = request.version.to_string();
        self.index().read(|index| {
            view.scopes
                .iter()
                .map(|scope| {
                    let parameters: [&dyn ToSql; 3] = [&view.repository, &scope.0, &version];
                    let mut records = Record::all(index, condition, &parameters)?;
                    records.retain(|record| view.sees(record));
                    Ok(records)
                })
                .collect()
        })
    }

    /// Why the key was not found itself, never empty, and the user's commit of the run that the
    /// reasons compare with.
    fn reasons(
        &self,
        view: &View,
        query: &CacheQuery<'_>,
        matched: Option<&Record>,
        damage: Vec<MissReason>,
    ) -> Result<(Vec<MissReason>, Option<String>), StoreError> {
        let known = self.known(view, query)?;
        let (found, compared) = reasons(view, query, &known, matched);
        let mut all = damage;
        for reason in found {
            if !all.contains(&reason) {
                all.push(reason);
            }
        }
        if all.len() > 1 {
            // That nothing else was ever saved would be beside the point.
            all.retain(|reason| !matches!(reason, MissReason::NeverSaved { .. }));
        }
        Ok((all, compared.and_then(|record| record.commit.clone())))
    }

    /// What bears on why a key is not found.
    fn known(&self, view: &View, query: &CacheQuery<'_>) -> Result<Known, StoreError> {
        let same_key = "repository = ?1 AND folded = ?2 ORDER BY id DESC";
        let same_step = "repository = ?1 AND workflow = ?2 AND job = ?3 AND step = ?4
                         ORDER BY id DESC LIMIT ?5";
        let same_leg = "repository = ?1 AND workflow = ?2 AND job = ?3 AND step = ?4 AND leg = ?6
                        ORDER BY id DESC LIMIT ?5";
        let same_version = "repository = ?1 AND version = ?2 ORDER BY id DESC LIMIT ?3";
        let key = folded(&query.request.key);
        let StepAddress {
            workflow,
            job,
            step,
        } = query.step;
        let repository = &view.repository;
        let leg = &view.job.leg;
        self.index().read(|index| {
            let of_key = Record::all(index, same_key, &[repository, &key])?;
            let parameters: [&dyn ToSql; 6] = [repository, workflow, job, step, &COMPARED, leg];
            let mut of_step = Record::all(index, same_step, &parameters[..5])?;
            let of_leg = Record::all(index, same_leg, &parameters)?;
            let version = query.request.version.to_string();
            let of_version = Record::all(index, same_version, &[repository, &version, &COMPARED])?;
            for record in of_leg.into_iter().chain(of_version) {
                if of_step.iter().all(|known| known.id != record.id) {
                    of_step.push(record);
                }
            }
            Ok(Known {
                of_key,
                of_step,
                damaged: damaged(index, view, query)?,
                attempt: last_attempt(index, view, query.step)?,
            })
        })
    }
}

/// The latest entry of the key that was found damaged, in a scope that the run may read.
fn damaged(
    index: &Connection,
    view: &View,
    query: &CacheQuery<'_>,
) -> rusqlite::Result<Option<MissReason>> {
    let statement = "SELECT scope, run, damaged FROM entries WHERE repository = ?1
                     AND folded = ?2 AND version = ?3 AND id <= ?4 AND damaged IS NOT NULL
                     ORDER BY id DESC";
    let key = folded(&query.request.key);
    let version = query.request.version.to_string();
    let mut statement = index.prepare_cached(statement)?;
    let rows = statement.query_map((&view.repository, key, version, view.position), |row| {
        let reason = MissReason::Damaged {
            run: Some(RunId(row.get::<_, i64>(1)? as u64)),
            problem: row.get(2)?,
        };
        Ok((Scope(row.get(0)?), reason))
    })?;
    let all: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let mut readable = all.into_iter().filter(|(of, _)| view.scopes.contains(of));
    Ok(readable.next().map(|(_, reason)| reason))
}
