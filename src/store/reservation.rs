//! Saving cache entries: reserve the key, then commit what was stored.
//!
//! A reservation lives as long as its process holds a lock on a file: one that was killed
//! reserves nothing, however it died.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, Transaction};
use uuid::Uuid;

use super::cache::StepAddress;
use super::contents::StoredTree;
use super::error::StoreError;
use super::matching::folded;
use super::root::Store;
use super::runs::now_ms;
use crate::digest::Digest;
use crate::ids::{JobKey, RunId};
use crate::lookup::{EntrySummary, KeyOrigin, Scope};

/// What makes an entry the one it is. Keys that differ in letter case only are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheIdentity {
    /// `owner/name`.
    pub repository: String,
    /// The ref it will belong to.
    pub scope: Scope,
    /// The key, in the spelling it is to be kept in.
    pub key: String,
    /// The version.
    pub version: Digest,
}

/// Who saves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saver {
    /// The run.
    pub run: RunId,
    /// The job of it.
    pub job: JobKey,
}

/// What is kept of an entry beside its identity.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// What it consists of.
    pub tree: StoredTree,
    /// The `path:` lines.
    pub paths: Vec<String>,
    /// How its key came about.
    pub origin: KeyOrigin,
    /// The step that saves it.
    pub step: StepAddress,
    /// Whether the run had uncommitted changes.
    pub dirty: bool,
    /// The user's own commit that the run was of.
    pub commit: String,
}

/// What came of asking for a key.
#[derive(Debug)]
pub enum Reserve {
    /// It is the caller's to save.
    Granted(Reservation),
    /// It exists, or another saves it at this moment.
    Conflict {
        /// The job that did or does, where it is one of the same run.
        by: Option<JobKey>,
    },
}

/// The right to save one entry. Dropped without [`Reservation::commit`], the key is free again.
#[derive(Debug)]
pub struct Reservation {
    store: Store,
    id: i64,
    identity: CacheIdentity,
    saver: Saver,
    lock: Lock,
}

impl Store {
    /// Asks for the right to save an entry. Of several at once exactly one is granted it.
    pub fn reserve(&self, identity: &CacheIdentity, saver: &Saver) -> Result<Reserve, StoreError> {
        let lock = Lock::new(&self.locks())?;
        let locks = self.locks();
        let reserved = self.index().write(|index| {
            let holder = match saved_by(index, identity)? {
                Some(holder) => Some(holder),
                None => reserved_by(index, identity, &locks)?,
            };
            match holder {
                Some(holder) => Ok(Err(holder)),
                None => insert_reservation(index, identity, saver, &lock.name).map(Ok),
            }
        })?;
        Ok(match reserved {
            Ok(id) => Reserve::Granted(Reservation {
                store: self.clone(),
                id,
                identity: identity.clone(),
                saver: saver.clone(),
                lock,
            }),
            Err(holder) => Reserve::Conflict {
                by: (holder.run == saver.run).then_some(holder.job),
            },
        })
    }
}

impl Reservation {
    /// Makes the entry: from now on it is visible, whole, to every process.
    pub fn commit(self, entry: &NewEntry) -> Result<EntrySummary, StoreError> {
        let json = |value: Result<String, serde_json::Error>| {
            value.map_err(|error| StoreError::io(&self.lock.path, error.into()))
        };
        let paths = json(serde_json::to_string(&entry.paths))?;
        let origin = json(serde_json::to_string(&entry.origin))?;
        let id = self.store.index().write(|index| {
            self.insert_entry(index, entry, &paths, &origin)?;
            let id = index.last_insert_rowid();
            release(index, self.id)?;
            Ok(id)
        })?;
        Ok(EntrySummary {
            id,
            key: self.identity.key.clone(),
            scope: self.identity.scope.clone(),
            run: self.saver.run,
            dirty: entry.dirty,
            size: entry.tree.size,
            files: entry.tree.files,
            archive_size: Some(entry.tree.archive_size),
        })
    }

    fn insert_entry(
        &self,
        index: &Transaction<'_>,
        entry: &NewEntry,
        paths: &str,
        origin: &str,
    ) -> rusqlite::Result<usize> {
        let CacheIdentity {
            repository,
            scope,
            key,
            version,
        } = &self.identity;
        let StepAddress { workflow, step, .. } = &entry.step;
        index.execute(
            "INSERT INTO entries (repository, scope, key, folded, version, tree, size, files,
                 paths, origin, run, job, leg, workflow, step, dirty, created_ms, archive_size,
                 commit_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18, ?19)",
            rusqlite::params![
                repository,
                scope.0,
                key,
                folded(key),
                version.to_string(),
                entry.tree.digest.to_string(),
                entry.tree.size as i64,
                entry.tree.files as i64,
                paths,
                origin,
                self.saver.run.0 as i64,
                self.saver.job.id,
                self.saver.job.leg,
                workflow,
                step,
                entry.dirty,
                now_ms(),
                entry.tree.archive_size as i64,
                entry.commit,
            ],
        )
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // After a commit nothing is left to release. Where it fails, the lock that goes with
        // this value frees the key all the same.
        let _ = self.store.index().write(|index| release(index, self.id));
    }
}

fn release(index: &Transaction<'_>, id: i64) -> rusqlite::Result<usize> {
    index.execute("DELETE FROM reservations WHERE id = ?1", [id])
}

fn insert_reservation(
    index: &Transaction<'_>,
    identity: &CacheIdentity,
    saver: &Saver,
    lock: &str,
) -> rusqlite::Result<i64> {
    index.execute(
        "INSERT INTO reservations (repository, scope, version, folded, run, job, leg, lock)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            &identity.repository,
            &identity.scope.0,
            identity.version.to_string(),
            folded(&identity.key),
            saver.run.0 as i64,
            &saver.job.id,
            saver.job.leg,
            lock,
        ),
    )?;
    Ok(index.last_insert_rowid())
}

/// Who saved the entry, if there is one that can be restored.
fn saved_by(index: &Transaction<'_>, of: &CacheIdentity) -> rusqlite::Result<Option<Saver>> {
    let query = "SELECT run, job, leg FROM entries WHERE repository = ?1 AND scope = ?2
                 AND version = ?3 AND folded = ?4 AND damaged IS NULL";
    index
        .query_row(query, identity_columns(of), saver)
        .optional()
}

/// Who is about to save the entry. A reservation whose process is gone is removed.
fn reserved_by(
    index: &Transaction<'_>,
    of: &CacheIdentity,
    locks: &Path,
) -> rusqlite::Result<Option<Saver>> {
    let query = "SELECT run, job, leg, id, lock FROM reservations WHERE repository = ?1
                 AND scope = ?2 AND version = ?3 AND folded = ?4";
    let found = index
        .query_row(query, identity_columns(of), |row| {
            let id: i64 = row.get(3)?;
            let lock: String = row.get(4)?;
            Ok((saver(row)?, id, lock))
        })
        .optional()?;
    match found {
        Some((_, id, lock)) if !is_held(&locks.join(&lock)) => {
            release(index, id)?;
            Ok(None)
        }
        found => Ok(found.map(|(saver, ..)| saver)),
    }
}

fn identity_columns(of: &CacheIdentity) -> (&str, &str, String, String) {
    let version = of.version.to_string();
    (&of.repository, &of.scope.0, version, folded(&of.key))
}

fn saver(row: &rusqlite::Row<'_>) -> rusqlite::Result<Saver> {
    Ok(Saver {
        run: RunId(row.get::<_, i64>(0)? as u64),
        job: JobKey::new(row.get::<_, String>(1)?, row.get(2)?),
    })
}

/// A file that is locked as long as this value lives, and removed with it.
#[derive(Debug)]
struct Lock {
    name: String,
    path: PathBuf,
    _file: File,
}

impl Lock {
    fn new(directory: &Path) -> Result<Self, StoreError> {
        let name = Uuid::new_v4().to_string();
        let path = directory.join(&name);
        let failed = |error| StoreError::io(&path, error);
        let file = File::create_new(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self {
            name,
            path,
            _file: file,
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What is left here is swept when a store is opened.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a process holds a lock. When that cannot be told, it does.
fn is_held(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => file.try_lock().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
