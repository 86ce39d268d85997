//! Comparing a directory with its manifest: an lstat for each part, on all processors.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, SFlag, fstatat};

use super::manifest::{Laid, Manifest};
use crate::tree::{Kind, Stat};

/// With fewer parts a second thread costs more than it saves.
const PARTS_A_THREAD: usize = 1000;

/// Opens a directory for looking up what is in it.
pub(super) fn open(path: &Path) -> io::Result<OwnedFd> {
    Ok(File::open(path)?.into())
}

/// Whether each part is as the manifest has it: kind, mode, size and stat data.
pub(super) fn unchanged(root: &OwnedFd, manifest: &Manifest) -> Vec<bool> {
    on_all_processors(&manifest.parts, |parts| {
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
    let stats: Vec<Result<Stat, Errno>> = on_all_processors(parts, |parts| {
        let mut below = Below::new(root.as_fd());
        let stat = |part: &Laid| below.stat(&part.entry.path).map(|found| stat_of(&found));
        parts.iter().map(stat).collect()
    });
    stats.into_iter().map(|stat| Ok(stat?)).collect()
}

fn on_all_processors<T: Send>(parts: &[Laid], work: impl Fn(&[Laid]) -> Vec<T> + Sync) -> Vec<T> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (parts.len() / PARTS_A_THREAD).clamp(1, processors);
    let share = parts.len().div_ceil(threads).max(1);
    if threads == 1 {
        return work(parts);
    }
    std::thread::scope(|scope| {
        let work = &work;
        let shares: Vec<_> = parts
            .chunks(share)
            .map(|share| scope.spawn(move || work(share)))
            .collect();
        let done = shares.into_iter().map(|share| match share.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.flatten().collect()
    })
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
    mode == kind && size && stat_of(found) == part.stat
}

pub(super) fn stat_of(found: &FileStat) -> Stat {
    Stat {
        ino: found.st_ino,
        ctime_ns: found.st_ctime * 1_000_000_000 + found.st_ctime_nsec,
    }
}

/// Looks paths up below a directory. Parts that follow each other are mostly of one directory,
/// which is opened once.
pub(super) struct Below<'a> {
    root: BorrowedFd<'a>,
    directory: Vec<u8>,
    opened: Option<OwnedFd>,
}

impl<'a> Below<'a> {
    pub(super) fn new(root: BorrowedFd<'a>) -> Self {
        Self {
            root,
            directory: Vec::new(),
            opened: None,
        }
    }

    /// What lstat says of the path; `""` is the directory itself. Never leads through a link.
    pub(super) fn stat(&mut self, path: &[u8]) -> Result<FileStat, Errno> {
        if path.is_empty() {
            return nix::sys::stat::fstat(self.root);
        }
        let (directory, name) = self.locate(path)?;
        fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    /// The directory a path is in, and its name there.
    pub(super) fn locate<'p>(
        &mut self,
        path: &'p [u8],
    ) -> Result<(BorrowedFd<'_>, &'p [u8]), Errno> {
        let Some(slash) = path.iter().rposition(|&byte| byte == b'/') else {
            return Ok((self.root, path));
        };
        let (directory, name) = (&path[..slash], &path[slash + 1..]);
        if self.opened.is_none() || self.directory != directory {
            self.opened = Some(open_below(self.root, directory)?);
            self.directory = directory.to_vec();
        }
        Ok((
            self.opened
                .as_ref()
                .map_or(self.root, |opened| opened.as_fd()),
            name,
        ))
    }
}

/// Opens a directory below another, through directories alone.
pub(super) fn open_below(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(root, path, how)
}
