//! The database: its schema, and transactions on it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::StoreError;

/// The steps from an empty database to today's schema. The number of steps that a store has
/// taken is its format (`user_version`). A step that has been released is never changed.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        repository TEXT NOT NULL,
        workflow TEXT NOT NULL,
        number INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        UNIQUE (repository, workflow, number)
    ) STRICT;
    -- Complete entries only. `folded` is the key in lower case: GitHub compares keys so.
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        repository TEXT NOT NULL,
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        folded TEXT NOT NULL,
        version TEXT NOT NULL,
        tree TEXT NOT NULL,
        size INTEGER NOT NULL,
        files INTEGER NOT NULL,
        paths TEXT NOT NULL,
        origin TEXT NOT NULL,
        run INTEGER NOT NULL,
        job TEXT NOT NULL,
        leg INTEGER NOT NULL,
        workflow TEXT NOT NULL,
        step TEXT NOT NULL,
        dirty INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        damaged TEXT
    ) STRICT;
    CREATE UNIQUE INDEX entry_identity ON entries (repository, scope, version, folded)
        WHERE damaged IS NULL;
    CREATE INDEX entry_key ON entries (repository, folded);
    CREATE INDEX entry_step ON entries (repository, workflow, job, step, id);
    -- Alive as long as its process holds the lock file.
    CREATE TABLE reservations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        repository TEXT NOT NULL,
        scope TEXT NOT NULL,
        version TEXT NOT NULL,
        folded TEXT NOT NULL,
        run INTEGER NOT NULL,
        job TEXT NOT NULL,
        leg INTEGER NOT NULL,
        lock TEXT NOT NULL,
        UNIQUE (repository, scope, version, folded)
    ) STRICT;
    CREATE TABLE artifacts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL,
        name TEXT NOT NULL,
        digest TEXT NOT NULL,
        size INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        UNIQUE (run, name)
    ) STRICT;
",
    "
    -- About the bytes of the archive GitHub would keep; unknown for entries of before.
    ALTER TABLE entries ADD COLUMN archive_size INTEGER;
    -- Trees laid out. Idle: `run` and `place` are null. Leased: `run`, `job` and `leg` have it at
    -- `place`, from the root of the store; `over` once the job has ended.
    CREATE TABLE shelf (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        note TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        gid INTEGER NOT NULL,
        used_ms INTEGER NOT NULL,
        run INTEGER,
        job TEXT,
        leg INTEGER,
        place BLOB,
        over INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX shelf_key ON shelf (key, used_ms);
    CREATE INDEX shelf_run ON shelf (run) WHERE run IS NOT NULL;
",
    "
    -- The user's own commit of the run that saved the entry; null in what is older than this.
    ALTER TABLE entries ADD COLUMN commit_id TEXT;
    -- The last save of a step that was tried and not made; `why` is a `NotSaved` as JSON.
    CREATE TABLE unsaved (
        repository TEXT NOT NULL,
        workflow TEXT NOT NULL,
        job TEXT NOT NULL,
        leg INTEGER NOT NULL,
        step TEXT NOT NULL,
        run INTEGER NOT NULL,
        key TEXT NOT NULL,
        why TEXT NOT NULL,
        UNIQUE (repository, workflow, job, step, leg)
    ) STRICT;
",
    "
    -- Jobs whose caches missed. Only those of one likeness may be compared.
    CREATE TABLE cold_jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        likeness TEXT NOT NULL,
        run INTEGER NOT NULL,
        lookups TEXT NOT NULL,
        steps TEXT NOT NULL,
        wall_us INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX cold_likeness ON cold_jobs (likeness, id);
",
    "
    -- The job that uploaded it, and whether it is a zip file; nobody asks for those of before.
    ALTER TABLE artifacts ADD COLUMN job TEXT NOT NULL DEFAULT '';
    ALTER TABLE artifacts ADD COLUMN leg INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE artifacts ADD COLUMN zip INTEGER NOT NULL DEFAULT 1;
",
    "
    -- Who is in a concurrency group, and who waits; alive as long as its run is.
    CREATE TABLE concurrency (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        repository TEXT NOT NULL,
        folded TEXT NOT NULL,
        run INTEGER NOT NULL,
        job TEXT,
        leg INTEGER,
        running INTEGER NOT NULL,
        cancelled INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX concurrency_group ON concurrency (repository, folded);
",
];

#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    /// An SQLite connection serves one thread at a time, and statements take microseconds:
    /// a task of its own to own it would cost more than the wait.
    connection: Mutex<Connection>,
}

impl Index {
    /// Opens or makes the database of the store at `root` and brings it to today's schema.
    pub(super) fn open(path: &Path, root: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::index(path, error);
        let connection = Connection::open(path).map_err(failed)?;
        connection
            .busy_timeout(Duration::from_secs(30))
            .map_err(failed)?;
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";
        connection.execute_batch(settings).map_err(failed)?;
        let index = Self {
            path: path.to_owned(),
            connection: Mutex::new(connection),
        };
        let found = index.write(migrate)?;
        let known = MIGRATIONS.len() as u32;
        if found > known {
            let path = root.to_owned();
            return Err(StoreError::Newer { path, found, known });
        }
        Ok(index)
    }

    /// Keeps the closing of this from moving SQLite's log into the database, which waits for the
    /// disk: another process that closes it later does so.
    pub(super) fn leave_log(&self) -> Result<(), StoreError> {
        self.connection()
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map(drop)
            .map_err(|error| StoreError::index(&self.path, error))
    }

    /// Reads.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        query(&self.connection()).map_err(|error| StoreError::index(&self.path, error))
    }

    /// Runs a transaction that has the only right to write from its beginning, so that what it
    /// reads stays true until it is done. An error leaves everything as it was.
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let result = change(&transaction)?;
                transaction.commit()?;
                Ok(result)
            })
            .map_err(|error| StoreError::index(&self.path, error))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere has rolled its transaction back; the connection is sound.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the steps a database lacks; gives the format it has then. A newer one is left alone.
fn migrate(transaction: &Transaction<'_>) -> rusqlite::Result<u32> {
    let taken: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (number, step) in MIGRATIONS.iter().enumerate().skip(taken as usize) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number as u32 + 1)?;
    }
    Ok(taken.max(MIGRATIONS.len() as u32))
}
