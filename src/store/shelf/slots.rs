//! What is on the shelf and who has it.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Permissions};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::statvfs::statvfs;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::manifest::Manifest;
use super::{Owner, inspect, tidy};
use crate::digest::Digest;
use crate::ids::{JobKey, RunId};
use crate::store::StoreError;
use crate::store::root::Store;
use crate::store::runs::{WORK, now_ms, remove_tree};
use crate::tree::{Below, Kind, Stat, Stored};

/// Bytes of file content that may wait on the shelf; what was used longest ago goes first.
const BUDGET: u64 = 10 * 1024 * 1024 * 1024;

/// How long a tree waits for being used again.
const AGE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

const TREE: &str = "tree";
const MANIFEST: &str = "manifest";
const ATTACHED: &str = "attached";

/// The job that has a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The run.
    pub run: RunId,
    /// The job of it.
    pub job: JobKey,
}

/// A tree that was on the shelf and is the caller's now, to be renamed to its place.
#[derive(Debug)]
pub struct Leased {
    /// Where it is.
    pub directory: PathBuf,
    /// What was noted when it was put there.
    pub note: String,
    /// What was attached then.
    pub attached: Vec<u8>,
}

/// A tree that a job has and that will be on the shelf after it.
#[derive(Debug)]
pub struct NewSlot<'a> {
    /// By what it is asked for.
    pub key: &'a str,
    /// What is to be known of it, for whoever leases it.
    pub note: &'a str,
    /// The same, where it is long; empty: nothing.
    pub attached: &'a [u8],
    /// What it consists of.
    pub manifest: &'a Manifest,
    /// Whom its files belong to.
    pub owner: Owner,
    /// Where it is now, below the store's directory.
    pub place: &'a Path,
}

/// A row of the index.
struct Slot {
    id: i64,
    note: String,
    place: Option<PathBuf>,
    owner: Owner,
}

impl Slot {
    const COLUMNS: &str = "id, note, place, uid, gid";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let place: Option<Vec<u8>> = row.get("place")?;
        Ok(Self {
            id: row.get("id")?,
            note: row.get("note")?,
            place: place.map(|place| std::ffi::OsStr::from_bytes(&place).into()),
            owner: Owner {
                uid: row.get("uid")?,
                gid: row.get("gid")?,
            },
        })
    }
}

impl Store {
    /// A tree from the shelf for a job that will have it at `place`, below the store's directory;
    /// none if there is none that is as it should be. A tree of a job that has ended but was not
    /// put back yet is put back first.
    pub fn lease(
        &self,
        key: &str,
        holder: &Holder,
        place: &Path,
    ) -> Result<Option<Leased>, StoreError> {
        let leased = self.find(key, holder, place)?;
        Ok(leased.map(|(_, leased)| leased))
    }

    /// A tree from the shelf, for good: the caller may change it, and it is not put back. It is
    /// among the work of the holder's run.
    pub fn take(&self, key: &str, holder: &Holder) -> Result<Option<Leased>, StoreError> {
        let work = self.run_directory(holder.run).join(WORK);
        let Some((id, leased)) = self.find(key, holder, &work.join("taken"))? else {
            return Ok(None);
        };
        let taken = work.join(format!("taken-{id}"));
        fs::rename(self.slot_directory(id), &taken).map_err(|e| StoreError::io(&taken, e))?;
        self.remove_slot(id)?;
        let directory = taken.join(TREE);
        Ok(Some(Leased {
            directory,
            ..leased
        }))
    }

    /// Claims a tree that is as it should be.
    fn find(
        &self,
        key: &str,
        holder: &Holder,
        place: &Path,
    ) -> Result<Option<(i64, Leased)>, StoreError> {
        loop {
            let Some(slot) = self.claim(key, holder, place)? else {
                match self.still_out(key)? {
                    Some(run) => self.put_back(run)?,
                    None => return Ok(None),
                }
                continue;
            };
            let home = self.slot_directory(slot.id);
            if is_as_it_should_be(&home) {
                let leased = Leased {
                    directory: home.join(TREE),
                    note: slot.note,
                    attached: fs::read(home.join(ATTACHED)).unwrap_or_default(),
                };
                return Ok(Some((slot.id, leased)));
            }
            self.discard(slot.id, holder.run)?;
        }
    }

    /// Whether there is a tree for any directory of a stored tree. It may still turn out to be
    /// unusable.
    pub(in crate::store) fn is_shelved(&self, tree: Digest) -> Result<bool, StoreError> {
        let query = "SELECT EXISTS (SELECT 1 FROM shelf WHERE key >= ?1 AND key < ?2)";
        // From the first number to the character after the last digit.
        let (first, end) = (tree_key(tree, 0), tree_key(tree, ':'));
        self.index().read(|index| {
            index
                .prepare_cached(query)?
                .query_row([&first, &end], |row| row.get(0))
        })
    }

    /// Notes that a tree which a job has will be on the shelf after it.
    pub fn shelve(&self, holder: &Holder, new: &NewSlot<'_>) -> Result<(), StoreError> {
        let id = self.index().write(|index| {
            let mut insert = index.prepare_cached(
                "INSERT INTO shelf
                     (key, note, bytes, uid, gid, used_ms, run, job, leg, place, over)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7, ?8, ?9, 0)",
            )?;
            insert.execute((
                new.key,
                new.note,
                new.manifest.size() as i64,
                new.owner.uid,
                new.owner.gid,
                now_ms(),
                &holder.job.id,
                holder.job.leg,
                self.stored_place(new.place),
            ))?;
            Ok(index.last_insert_rowid())
        })?;
        let home = self.slot_directory(id);
        fs::create_dir_all(&home).map_err(|error| StoreError::io(&home, error))?;
        new.manifest.write(&home.join(MANIFEST))?;
        if !new.attached.is_empty() {
            let path = home.join(ATTACHED);
            fs::write(&path, new.attached).map_err(|error| StoreError::io(&path, error))?;
        }
        // Until now it was nobody's: whoever dies in between leaves a directory and a row that
        // are swept.
        let update = "UPDATE shelf SET run = ?2 WHERE id = ?1";
        self.index()
            .write(|index| index.execute(update, (id, holder.run.0 as i64)))?;
        Ok(())
    }

    /// The files of all trees that a job has, by their stat data: what the store need not be
    /// sent again. Only contents that are in the store.
    pub fn contents_out(&self, holder: &Holder) -> Result<HashMap<Stat, Stored>, StoreError> {
        let query = "SELECT id FROM shelf WHERE run = ?1 AND job = ?2 AND leg = ?3 ORDER BY id";
        let ids: Vec<i64> = self.index().read(|index| {
            let of = (holder.run.0 as i64, &holder.job.id, holder.job.leg);
            let mut query = index.prepare_cached(query)?;
            query.query_map(of, |row| row.get(0))?.collect()
        })?;
        let mut files = Vec::new();
        for id in ids {
            // A manifest that cannot be read saves no time; that is all.
            let Ok(manifest) = Manifest::read(&self.slot_directory(id).join(MANIFEST)) else {
                continue;
            };
            let certain = manifest
                .parts
                .iter()
                .filter(|part| manifest.is_certain(part));
            files.extend(certain.filter_map(|part| match part.entry.kind {
                Kind::File {
                    size,
                    content: Some(content),
                } => Some((part.stat, size, content)),
                _ => None,
            }));
        }
        let blobs: Vec<_> = files
            .iter()
            .map(|(_, size, content)| (content.digest, *size))
            .collect();
        let there = self.blobs().have(&blobs)?.into_iter();
        let contents = files.into_iter().zip(there).filter(|(_, there)| *there);
        Ok(contents
            .map(|((stat, _, content), _)| (stat, content))
            .collect())
    }

    /// Says that a job has ended, with all its processes: its trees may be put back, by anyone.
    pub fn end_leases(&self, holder: &Holder) -> Result<(), StoreError> {
        let update = "UPDATE shelf SET over = 1 WHERE run = ?1 AND job = ?2 AND leg = ?3";
        let of = (holder.run.0 as i64, &holder.job.id, holder.job.leg);
        self.index().write(|index| index.execute(update, of))?;
        Ok(())
    }

    /// Puts back all trees whose place is below a directory, such as a job's, that no process has
    /// any more.
    pub(in crate::store) fn put_back_below(&self, directory: &Path) -> Result<(), StoreError> {
        let below = [self.stored_place(directory), b"/"].concat();
        let update = "UPDATE shelf SET over = 1
                      WHERE run IS NOT NULL AND substr(place, 1, length(?1)) = ?1
                      RETURNING run";
        let runs: HashSet<i64> = self.index().write(|index| {
            let mut update = index.prepare_cached(update)?;
            update.query_map([&below], |row| row.get(0))?.collect()
        })?;
        runs.into_iter()
            .try_for_each(|run| self.put_back(RunId(run as u64)))
    }

    /// Puts back all that ended jobs of a run had; what cannot be is removed. Of two who do this
    /// at once, one waits for the other.
    pub fn put_back(&self, run: RunId) -> Result<(), StoreError> {
        let directory = self.run_directory(run);
        fs::create_dir_all(&directory).map_err(|error| StoreError::io(&directory, error))?;
        let lock = File::create(directory.join("returns"))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| StoreError::io(&directory, error))?;
        // A tree within another goes first; of two that were at one place, the later one.
        let columns = Slot::COLUMNS;
        let query = format!(
            "SELECT {columns} FROM shelf WHERE run = ?1 AND over = 1
             ORDER BY length(place) DESC, id DESC"
        );
        let slots: Vec<Slot> = self.index().read(|index| {
            let mut query = index.prepare_cached(&query)?;
            query.query_map([run.0 as i64], Slot::read)?.collect()
        })?;
        for slot in slots {
            match self.put_back_one(&slot) {
                Ok(Some(size)) => self.index().write(|index| {
                    index.execute(
                        "UPDATE shelf SET run = NULL, place = NULL, over = 0, bytes = ?2,
                             used_ms = ?3
                         WHERE id = ?1",
                        (slot.id, size as i64, now_ms()),
                    )
                })?,
                Ok(None) | Err(_) => self.remove_slot(slot.id)?,
            };
        }
        drop(lock);
        Ok(())
    }

    /// Removes what waited too long, what is too much, and what nobody knows of any more. The shelf
    /// never has more than is free beside it.
    pub fn trim_shelf(&self) -> Result<(), StoreError> {
        let disk =
            statvfs(self.root()).map_err(|errno| StoreError::io(self.root(), errno.into()))?;
        let free = disk.blocks_available().saturating_mul(disk.fragment_size());
        self.trim_shelf_to(free.min(BUDGET))
    }

    /// As [`Self::trim_shelf`], with another budget in bytes of file content.
    pub fn trim_shelf_to(&self, budget: u64) -> Result<(), StoreError> {
        let idle: Vec<(i64, i64, i64)> = self.index().read(|index| {
            index
                .prepare_cached(
                    "SELECT id, bytes, used_ms FROM shelf WHERE run IS NULL AND place IS NULL
                     ORDER BY used_ms DESC, id DESC",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })?;
        let oldest = now_ms() - i64::try_from(AGE.as_millis()).unwrap_or(i64::MAX);
        let mut total = 0;
        for (id, bytes, used_ms) in idle {
            total += bytes as u64;
            if total > budget || used_ms < oldest {
                self.remove_idle(id)?;
            }
        }
        self.sweep_shelf()
    }

    /// Gives an idle tree to a job, in the index.
    fn claim(&self, key: &str, holder: &Holder, place: &Path) -> Result<Option<Slot>, StoreError> {
        let columns = Slot::COLUMNS;
        let query = format!(
            "UPDATE shelf SET run = ?2, job = ?3, leg = ?4, place = ?5, over = 0, used_ms = ?6
             WHERE id = (SELECT id FROM shelf
                         WHERE key = ?1 AND run IS NULL AND place IS NULL
                         ORDER BY used_ms DESC, id DESC LIMIT 1)
             RETURNING {columns}"
        );
        self.index().write(|index| {
            let mut query = index.prepare_cached(&query)?;
            query
                .query_row(
                    (
                        key,
                        holder.run.0 as i64,
                        &holder.job.id,
                        holder.job.leg,
                        self.stored_place(place),
                        now_ms(),
                    ),
                    Slot::read,
                )
                .optional()
        })
    }

    /// A run whose job has ended and had a tree with this key.
    fn still_out(&self, key: &str) -> Result<Option<RunId>, StoreError> {
        let query = "SELECT run FROM shelf WHERE key = ?1 AND over = 1 LIMIT 1";
        self.index().read(|index| {
            index
                .prepare_cached(query)?
                .query_row([key], |row| Ok(RunId(row.get::<_, i64>(0)? as u64)))
                .optional()
        })
    }

    /// Moves a tree onto the shelf and tidies it; its bytes, or none if it is not worth it.
    fn put_back_one(&self, slot: &Slot) -> Result<Option<u64>, StoreError> {
        let home = self.slot_directory(slot.id);
        let (directory, file) = (home.join(TREE), home.join(MANIFEST));
        let manifest = Manifest::read(&file)?;
        if !directory.exists() {
            let Some(place) = &slot.place else {
                return Ok(None);
            };
            self.bring_home(place, &manifest, &directory)?;
        }
        let Some(manifest) = tidy::tidy(self, &directory, manifest, slot.owner)? else {
            return Ok(None);
        };
        manifest.write(&file)?;
        Ok(Some(manifest.size()))
    }

    /// Renames a tree from a job's place to the shelf. What the job left in between is not
    /// followed, and what is not the directory that was leased is left where it is.
    fn bring_home(
        &self,
        place: &Path,
        manifest: &Manifest,
        directory: &Path,
    ) -> Result<(), StoreError> {
        let failed = |errno: Errno| StoreError::io(&self.root().join(place), errno.into());
        let root =
            inspect::open(self.root()).map_err(|error| StoreError::io(self.root(), error))?;
        let mut below = Below::new(root.as_fd());
        let path = place.as_os_str().as_bytes();
        let found = below.stat(path).map_err(failed)?;
        let leased = manifest.parts.first().map(|part| part.stat.ino);
        // A number is given again once its directory is gone, to a link as well.
        let is_directory = found.st_mode & libc::S_IFMT == libc::S_IFDIR;
        if !is_directory || leased != Some(found.st_ino) {
            return Err(failed(Errno::ENOENT));
        }
        let (parent, name) = below.locate(path).map_err(failed)?;
        let rename = || {
            renameat2(
                parent,
                name,
                AT_FDCWD,
                directory,
                RenameFlags::RENAME_NOREPLACE,
            )
        };
        match rename() {
            // Whoever moves a directory must be allowed to write to it.
            Err(Errno::EACCES) => {
                let path = self.root().join(place);
                let mode = Permissions::from_mode((found.st_mode & 0o777) | 0o700);
                fs::set_permissions(&path, mode).map_err(|error| StoreError::io(&path, error))?;
                rename().map_err(failed)
            }
            moved => moved.map_err(failed),
        }
    }

    fn remove_idle(&self, id: i64) -> Result<(), StoreError> {
        // Whoever claims it first has it.
        let delete = "DELETE FROM shelf WHERE id = ?1 AND run IS NULL AND place IS NULL";
        let gone = self.index().write(|index| index.execute(delete, [id]))?;
        if gone > 0 {
            // What cannot be removed now is swept later.
            let _ = remove_tree(&self.slot_directory(id));
        }
        Ok(())
    }

    /// Removes a tree and its row.
    fn remove_slot(&self, id: i64) -> Result<usize, StoreError> {
        let _ = remove_tree(&self.slot_directory(id));
        self.index()
            .write(|index| index.execute("DELETE FROM shelf WHERE id = ?1", [id]))
    }

    /// Takes a tree off the shelf that is not what it should be: it goes with the run's work.
    fn discard(&self, id: i64, run: RunId) -> Result<(), StoreError> {
        let into = self
            .run_directory(run)
            .join("work")
            .join(format!("discarded-{id}"));
        let _ = fs::rename(self.slot_directory(id), into);
        self.remove_slot(id).map(drop)
    }

    /// Removes directories that no row names, and rows that nobody finished or whose run is gone.
    fn sweep_shelf(&self) -> Result<(), StoreError> {
        let shelf = fs::read_dir(self.root().join("shelf"));
        // Listed before the rows are read: a directory is made after its row.
        let found: Vec<_> = shelf.into_iter().flatten().flatten().collect();
        let oldest = now_ms() - 60 * 60 * 1000;
        let known: HashSet<i64> = self.index().write(|index| {
            index.execute(
                "DELETE FROM shelf WHERE run IS NULL AND place IS NOT NULL AND used_ms < ?1",
                [oldest],
            )?;
            for run in runs(index)? {
                if !self.run_directory(run).join(WORK).exists() {
                    index.execute("DELETE FROM shelf WHERE run = ?1", [run.0 as i64])?;
                }
            }
            ids(index)
        })?;
        for entry in found {
            let id = entry.file_name().to_string_lossy().parse();
            if id.is_ok_and(|id: i64| !known.contains(&id)) {
                let _ = remove_tree(&entry.path());
            }
        }
        Ok(())
    }

    fn slot_directory(&self, id: i64) -> PathBuf {
        self.root().join("shelf").join(id.to_string())
    }

    /// A place as the index keeps it: from the store's directory, which may be moved.
    fn stored_place<'p>(&self, place: &'p Path) -> &'p [u8] {
        let inside = place.strip_prefix(self.root()).unwrap_or(place);
        inside.as_os_str().as_bytes()
    }
}

/// What a directory of a stored tree is asked for by: the tree, and which of its roots it is.
pub fn tree_key(tree: Digest, root: impl std::fmt::Display) -> String {
    format!("tree {tree} {root}")
}

fn ids(index: &Connection) -> rusqlite::Result<HashSet<i64>> {
    index
        .prepare("SELECT id FROM shelf")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// The runs that have trees.
fn runs(index: &Connection) -> rusqlite::Result<Vec<RunId>> {
    index
        .prepare("SELECT DISTINCT run FROM shelf WHERE run IS NOT NULL")?
        .query_map([], |row| Ok(RunId(row.get::<_, i64>(0)? as u64)))?
        .collect()
}

/// Whether a tree on the shelf is what its manifest says: nothing changed, added or taken away.
fn is_as_it_should_be(home: &Path) -> bool {
    let manifest = Manifest::read(&home.join(MANIFEST));
    let root = inspect::open(&home.join(TREE));
    let (Ok(manifest), Ok(root)) = (manifest, root) else {
        return false;
    };
    inspect::unchanged(&root, &manifest)
        .into_iter()
        .all(|part| part)
}
