//! Runs: their numbers, where their records lie, and what becomes of their work.
//!
//! Whatever may have processes of a run or work in its directory holds a lock on the run's
//! file `alive`: lrun and the launcher of each place a shared one. Whoever clears up after the
//! run takes the lock alone: the run's own janitor, or, where that one was killed too, the
//! janitor of a later run. So nothing is touched that a job could still write to, and whatever is
//! killed, somebody comes to clear up.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::StoreError;
use super::root::Store;
use crate::clock;
use crate::ids::RunId;

pub(super) const WORK: &str = "work";
const ALIVE: &str = "alive";
const RECORD: &str = "events.jsonl";

/// The argument that makes lrun a program that removes the tree it is given, as root of this
/// user's jobs, and does nothing else.
pub const REMOVER: &str = "__remove";

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
    /// The file behind it, for others to hold a shared lock on.
    pub lock: PathBuf,
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
        let lock = directory.join(ALIVE);
        let alive = File::create(&lock)
            .and_then(|file| file.lock_shared().map(|()| file))
            .map_err(|error| StoreError::io(&lock, error))?;
        fs::create_dir(&work).map_err(|error| StoreError::io(&work, error))?;
        Ok(NewRun {
            id,
            number,
            directory,
            work,
            alive,
            lock,
        })
    }

    /// Waits until nothing of a run is alive, and clears up after it.
    pub fn bury_run(&self, run: RunId) -> io::Result<()> {
        let directory = self.run_directory(run);
        let alive = File::open(directory.join(ALIVE))?;
        alive.lock()?;
        self.clear_work(&directory.join(WORK))?;
        // Failing, it is as large as before.
        let _ = self.trim_shelf();
        Ok(())
    }

    /// Clears up after runs that were killed together with whoever was to do it. What cannot be
    /// done now is tried again after the next run.
    pub fn sweep_runs(&self) {
        let runs = fs::read_dir(self.root().join("runs"));
        for run in runs.into_iter().flatten().flatten() {
            let work = run.path().join(WORK);
            if !work.exists() {
                continue;
            }
            if let Ok(alive) = File::open(run.path().join(ALIVE))
                && alive.try_lock().is_ok()
            {
                let _ = self.clear_work(&work);
            }
        }
    }

    /// Removes the work of a run, or of one of its jobs, whose processes have all ended; trees
    /// from the shelf are put back. All clearing up goes through here, and it may be cut short at
    /// any point and begun again.
    pub fn clear_work(&self, work: &Path) -> io::Result<()> {
        // What cannot be put back goes with the rest.
        let _ = self.put_back_below(work);
        match remove_tree(work) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether something may still work for a run. What its record lacks when this is false, it
    /// will never have.
    pub fn is_alive(&self, run: RunId) -> bool {
        let alive = File::open(self.run_directory(run).join(ALIVE));
        alive.is_ok_and(|alive| matches!(alive.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// The file with the events of a run.
    pub fn record(&self, run: RunId) -> PathBuf {
        self.run_directory(run).join(RECORD)
    }

    /// The runs that have a record, the last one first.
    pub fn recorded_runs(&self) -> Result<Vec<RunId>, StoreError> {
        let directory = self.root().join("runs");
        let entries = fs::read_dir(&directory).map_err(|e| StoreError::io(&directory, e))?;
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut runs: Vec<RunId> = numbers.map(RunId).collect();
        runs.retain(|run| self.record(*run).exists());
        runs.sort_unstable_by(|one, other| other.cmp(one));
        Ok(runs)
    }

    /// Where the records of a run lie.
    pub fn run_directory(&self, run: RunId) -> PathBuf {
        self.root().join("runs").join(run.to_string())
    }
}

/// Removes a directory with all that is in it, also where a job took the permissions away that
/// removing needs, or where a job of an ordinary user made files as another user, and while
/// somebody else removes some of it. Follows no links.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let is_denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    let removed = match fs::remove_dir_all(path) {
        Err(error) if is_denied(&error) => {
            open_up(path);
            fs::remove_dir_all(path)
        }
        removed => removed,
    };
    match removed {
        Err(error) if is_denied(&error) => remove_as_root_of_jobs(path).map_err(|_| error),
        removed => removed,
    }
}

/// Lets a process of lrun's that is to this user's jobs what root is to them remove a tree:
/// this one may have threads, and cannot become that.
fn remove_as_root_of_jobs(path: &Path) -> io::Result<()> {
    let status = Command::new("/proc/self/exe")
        .arg(REMOVER)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    match status.success() && !path.exists() {
        true => Ok(()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// Makes every directory in a tree its owner's to list and change. What resists is found out
/// when it is removed.
fn open_up(directory: &Path) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// The wall clock as the index keeps it.
pub(super) fn now_ms() -> i64 {
    i64::try_from(clock::since_epoch().as_millis()).unwrap_or(i64::MAX)
}
