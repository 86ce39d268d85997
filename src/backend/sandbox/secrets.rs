//! What no ordinary user of this machine can read: looked for anew for every place, by all
//! processors, while lrun finds out what is to run.

use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::layers::is_apart;

/// How deep trees beside `/etc`, `/var` and `/usr/local` are looked at.
const SHALLOW: usize = 3;

/// More threads only wait for each other in the kernel's caches.
const MOST_THREADS: usize = 4;

/// So many trees are of more even sizes than the few that the search begins with.
const TREES_PER_THREAD: usize = 32;

/// A file or directory whose content nobody is to see.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) path: PathBuf,
    /// Of the file or directory itself.
    pub(super) metadata: Metadata,
}

/// A directory, and how many more levels of what is in it are of interest.
type Tree = (PathBuf, usize);

/// Looks for them.
///
/// Of `/usr` only what is `/usr/local`'s is looked at: the rest comes from packages, and is too
/// large to be walked for every place.
pub(super) fn find() -> Vec<Secret> {
    let mut found = Vec::new();
    let mut trees = VecDeque::new();
    for (path, depth) in beginnings() {
        if let Ok(metadata) = fs::symlink_metadata(&path) {
            take(path, metadata, depth, &mut trees, &mut found);
        }
    }
    let threads = thread::available_parallelism().map_or(1, |number| number.get());
    let threads = threads.min(MOST_THREADS);
    while trees.len() < threads * TREES_PER_THREAD
        && let Some(tree) = trees.pop_front()
    {
        look_into(tree, &mut trees, &mut found);
    }
    // Whoever is done with one tree takes the next; held for that only.
    let queue = Mutex::new(trees);
    let next = || {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    };
    let search = || {
        let mut found = Vec::new();
        while let Some(tree) = next() {
            let mut open = VecDeque::from([tree]);
            while let Some(tree) = open.pop_back() {
                look_into(tree, &mut open, &mut found);
            }
        }
        found
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(search)).collect();
        found.extend(search());
        for other in others {
            match other.join() {
                Ok(more) => found.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    found
}

fn beginnings() -> Vec<Tree> {
    let entries = fs::read_dir("/").into_iter().flatten().flatten();
    let trees = entries.filter_map(|entry| {
        let path = entry.path();
        match path.to_str() {
            Some("/etc" | "/var") => Some((path, usize::MAX)),
            Some("/usr") => Some((Path::new("/usr/local").to_owned(), usize::MAX)),
            _ if is_apart(&path) => None,
            _ => Some((path, SHALLOW)),
        }
    });
    trees.collect()
}

/// What goes away while it is looked at was no secret of the place.
fn look_into((directory, depth): Tree, trees: &mut VecDeque<Tree>, found: &mut Vec<Secret>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
        let kind = entry.file_type();
        // Asked of the open directory: the way to it is not walked again.
        if kind.is_ok_and(|kind| kind.is_dir() || kind.is_file())
            && let Ok(metadata) = entry.metadata()
            && (metadata.is_dir() || is_secret(&metadata))
        {
            take(entry.path(), metadata, depth, trees, found);
        }
    }
}

fn take(
    path: PathBuf,
    metadata: Metadata,
    depth: usize,
    trees: &mut VecDeque<Tree>,
    found: &mut Vec<Secret>,
) {
    if is_secret(&metadata) {
        found.push(Secret { path, metadata });
    } else if metadata.is_dir() {
        trees.push_back((path, depth));
    }
}

fn is_secret(metadata: &Metadata) -> bool {
    let needed = match metadata.is_dir() {
        true => 0o001,
        false => 0o004,
    };
    let counts = metadata.is_dir() || metadata.is_file();
    counts && metadata.mode() & needed == 0
}
