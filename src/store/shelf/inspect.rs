//! Comparing a directory with its manifest: an lstat for each part, on all processors.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::stat::{FileStat, SFlag};

use super::manifest::{Laid, Manifest};
use crate::tree::{Below, Kind, Stat, on_all_processors};

/// Opens a directory for looking up what is in it.
pub(super) fn open(path: &Path) -> io::Result<OwnedFd> {
    Ok(File::open(path)?.into())
}

/// Whether each part is as the manifest has it: kind, mode, size and stat data.
pub(super) fn unchanged(root: &OwnedFd, manifest: &Manifest) -> Vec<bool> {
    on_all_processors(&manifest.parts, |_, parts| {
        let mut below = Below::new(root.as_fd());
        let is_same = |part: &Laid| {
            let found = below.stat(&part.entry.path);
            found.is_ok_and(|found| is_same(part, &found))
        };
        parts.iter().map(is_same).collect()
    })
}

/// The stat data that each part has now.
pub(super) fn stats(root: &OwnedFd, parts: &[Laid]) -> io::Result<Vec<Stat>> {
    let stats: Vec<Result<Stat, Errno>> = on_all_processors(parts, |_, parts| {
        let mut below = Below::new(root.as_fd());
        let stat = |part: &Laid| below.stat(&part.entry.path).map(|found| Stat::from(&found));
        parts.iter().map(stat).collect()
    });
    stats.into_iter().map(|stat| Ok(stat?)).collect()
}

fn is_same(part: &Laid, found: &FileStat) -> bool {
    let kind = match part.entry.kind {
        Kind::Directory => SFlag::S_IFDIR,
        Kind::File { .. } | Kind::Hardlink { .. } => SFlag::S_IFREG,
        Kind::Symlink { .. } => SFlag::S_IFLNK,
    };
    let mode = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
    let size = match part.entry.kind {
        Kind::File { size, .. } => size == found.st_size as u64,
        _ => true,
    };
    mode == kind && size && Stat::from(found) == part.stat
}
