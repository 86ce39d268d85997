//! Checkouts on the shelf: what of one is of use to the next, and how it is kept.
//!
//! The files are, and the packs with their trees and blobs. All else in `.git` is made anew each
//! time: a job may have changed it, and it says which commit it was.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use nix::sys::stat::FileStat;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::objects::loose;
use super::served::Served;
use super::stage::NewClone;
use super::{Staged, WorkspaceError, stamp};
use crate::store::{Holder, Laid, Manifest, NewSlot, Store, StoreError};
use crate::tree::{Below, Entry, Kind, Stat};

/// With so many packs a clone is packed anew.
pub(super) const MOST_PACKS: usize = 20;

const PACKS: &str = ".git/objects/pack";

/// The shelf, and where on it a checkout belongs.
#[derive(Debug, Clone, Copy)]
pub struct Shelving<'a> {
    /// The store.
    pub store: &'a Store,
    /// The job.
    pub holder: &'a Holder,
    /// Where the checkout will be, on this machine.
    pub place: &'a Path,
}

/// What the shelf knows of a checkout, beside its manifest.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) note: Note,
    /// The index's file.
    pub(super) index: Vec<u8>,
}

/// What a checkout is of.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) commit: String,
    pub(super) tree: String,
    /// Its packs and their indexes, from the top of the clone; none where they hold history.
    pub(super) packs: Vec<String>,
}

impl Shelving<'_> {
    /// Moves an earlier checkout of the repository to `directory`. None whenever there is any
    /// doubt: a new one is always right.
    pub(super) fn take(&self, key: &str, directory: &Path) -> Option<Kept> {
        let taken = self.store.take(key, self.holder).ok()??;
        let note = serde_json::from_str(&taken.note).ok()?;
        std::fs::rename(&taken.directory, directory).ok()?;
        Some(Kept {
            note,
            index: taken.attached,
        })
    }

    /// Notes that the checkout, in place now, will be on the shelf after the job.
    pub fn keep(&self, staged: &Staged) -> Result<(), StoreError> {
        let Some((key, kept, manifest)) = &staged.kept else {
            return Ok(());
        };
        let note = serde_json::json!(kept.note).to_string();
        let new = NewSlot {
            key,
            note: &note,
            attached: &kept.index,
            manifest,
            owner: staged.owner,
            place: self.place,
        };
        self.store.shelve(self.holder, &new)
    }
}

/// Checkouts of one clone share what they have.
pub(super) fn key(served: &Served<'_>) -> String {
    format!("checkout {}", served.place().display())
}

/// What is to be known of a checkout; `stats` are those of the index's entries.
pub(super) fn kept(
    clone: &NewClone<'_>,
    index: &Index,
    stats: &[FileStat],
) -> Result<(Kept, Manifest), WorkspaceError> {
    let root: OwnedFd = std::fs::File::open(&clone.dir)
        .map_err(WorkspaceError::io("open", &clone.dir))?
        .into();
    let mut below = Below::new(root.as_fd());
    let mut part = |path: &Path| -> Result<Laid, WorkspaceError> {
        let path = path.as_os_str().as_bytes();
        let found = below.stat(path).map_err(|errno| {
            let path = clone.dir.join(OsStr::from_bytes(path));
            WorkspaceError::io("read", &path)(std::io::Error::from(errno))
        })?;
        Ok(laid(path, &found, Vec::new()))
    };
    let entries = index.entries();
    let mut directories: BTreeSet<&Path> = stamp::directories(entries);
    let submodules = entries.iter().filter(|entry| entry.is_submodule());
    directories.extend(submodules.map(|entry| &*entry.path));
    let mut parts = directories
        .into_iter()
        .map(&mut part)
        .collect::<Result<Vec<_>, _>>()?;
    for (entry, found) in entries.iter().zip(stats) {
        if !entry.is_submodule() {
            let target = match found.st_mode & libc::S_IFMT {
                libc::S_IFLNK => std::fs::read_link(clone.dir.join(&entry.path))
                    .map_err(WorkspaceError::io("read", &entry.path))?,
                _ => PathBuf::new(),
            };
            let target = target.into_os_string().into_encoded_bytes();
            parts.push(laid(entry.path.as_os_str().as_bytes(), found, target));
        }
    }
    let mut packs = Vec::new();
    let mut in_git: Vec<PathBuf> = [".git", ".git/objects", PACKS].map(PathBuf::from).into();
    if !clone.has_history {
        packs = names_of_packs(&clone.dir)?;
        let commit = loose(&clone.wanted.commit);
        in_git.extend(commit.parent().map(Path::to_owned));
        in_git.extend(packs.iter().map(PathBuf::from));
        in_git.push(commit);
    }
    for path in &in_git {
        let mut part = part(path)?;
        if part.entry.kind == Kind::Directory {
            // There is more in it than is kept.
            part.stat = part.stat.of_another_time();
        }
        parts.push(part);
    }
    let kept = Kept {
        note: Note {
            commit: clone.wanted.commit.clone(),
            tree: clone.wanted.tree.clone(),
            packs,
        },
        index: index.bytes().to_vec(),
    };
    Ok((kept, Manifest::seen(parts, &clone.dir)))
}

/// A part as it was found; what a file holds is git's to know.
fn laid(path: &[u8], found: &FileStat, target: Vec<u8>) -> Laid {
    let kind = match found.st_mode & libc::S_IFMT {
        libc::S_IFDIR => Kind::Directory,
        libc::S_IFLNK => Kind::Symlink { target },
        _ => Kind::File {
            size: found.st_size as u64,
            content: None,
        },
    };
    Laid {
        entry: Entry {
            path: path.to_vec(),
            kind,
            mode: found.st_mode & 0o7777,
            mtime_ns: found.st_mtime * 1_000_000_000 + found.st_mtime_nsec,
        },
        stat: Stat::from(found),
    }
}

fn names_of_packs(clone: &Path) -> Result<Vec<String>, WorkspaceError> {
    let directory = clone.join(PACKS);
    let failed = || WorkspaceError::io("list", &directory);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(failed())? {
        let name = entry.map_err(failed())?.file_name();
        names.push(format!("{PACKS}/{}", name.to_string_lossy()));
    }
    Ok(names)
}

/// Removes a file if it is there.
pub(super) fn remove(path: &Path) -> Result<(), WorkspaceError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(WorkspaceError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
