//! Comparing a directory with its manifest: an lstat for each part, on all processors.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::stat::{FileStat, SFlag};

use super::manifest::{Laid, Manifest};
use crate::tree::{Below, Kind, Stat, on_all_processors};

/// Opens a directory for looking up what is in it, also where it may not be read.
pub(super) fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    Ok(File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)?
        .into())
}

/// Whether each part is as the manifest has it: kind, size and stat data, and no other name.
pub(super) fn unchanged(root: &OwnedFd, manifest: &Manifest) -> Vec<bool> {
    let names = Names::of(manifest);
    on_all_processors(&manifest.parts, |_, parts| {
        let mut below = Below::new(root.as_fd());
        let is_same = |part: &Laid| {
            let found = below.stat(&part.entry.path);
            found.is_ok_and(|found| is_same(part, &found) && names.are_all(part, &found))
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

/// How many names files have that have more than one.
struct Names<'a>(HashMap<&'a [u8], libc::nlink_t>);

impl<'a> Names<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let mut names = HashMap::new();
        for part in &manifest.parts {
            if let Kind::Hardlink { target } = &part.entry.kind {
                *names.entry(&target[..]).or_insert(1) += 1;
            }
        }
        Self(names)
    }

    /// A file with a name elsewhere, such as in another tree on the shelf, may be changed there.
    fn are_all(&self, part: &Laid, found: &FileStat) -> bool {
        let first = match &part.entry.kind {
            Kind::File { .. } => &part.entry.path,
            Kind::Hardlink { target } => target,
            _ => return true,
        };
        found.st_nlink == self.0.get(&first[..]).copied().unwrap_or(1)
    }
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
