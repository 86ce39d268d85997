//! Owners and times of a checkout, and what lstat then says of its files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::lchown;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchownat};

use super::WorkspaceError;
use super::index::Entry;
use crate::clock;
use crate::store::Owner;
use crate::tree::{Below, on_all_processors};

/// Between two files. A real checkout takes longer for each; this keeps them apart and a large
/// tree within a second.
const STEP: Duration = Duration::from_micros(1);

/// Gives everything in `directory`, itself too, to the owner.
pub(super) fn give(directory: &Path, owner: Owner) -> Result<(), WorkspaceError> {
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        give_one(&path, owner)?;
        let metadata = path
            .symlink_metadata()
            .map_err(WorkspaceError::io("read", &path))?;
        if !metadata.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&path).map_err(WorkspaceError::io("list", &path))?;
        for entry in entries {
            let entry = entry.map_err(WorkspaceError::io("list", &path))?;
            pending.push(entry.path());
        }
    }
    Ok(())
}

/// Gives one file or directory to the owner.
pub(super) fn give_one(path: &Path, owner: Owner) -> Result<(), WorkspaceError> {
    lchown(path, Some(owner.uid), Some(owner.gid))
        .map_err(WorkspaceError::io("change the owner of", path))
}

/// The times of change that a checkout's files get: ascending, to the last one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    last: Duration,
    step: Duration,
}

impl Times {
    /// For `count` files at `now`, all of them after `after`: when the last cache was saved. Whatever
    /// a cache restores is older than a checkout, and build tools compare the two.
    ///
    /// Ascending, because a real checkout writes in this order and make sees it. Before the current
    /// second where `after` is before it too, because git takes files as young as its index for
    /// possibly changed and reads them again (racy git), and because every later write then
    /// shows in their times.
    fn new(count: usize, after: Option<Duration>, now: Duration) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let times = Self {
            last: Duration::from_secs(now.as_secs()).saturating_sub(STEP),
            step: STEP,
        };
        match after {
            Some(after) if times.of(count - 1) <= after => Self {
                last: now,
                step: (now.saturating_sub(after) / (count + 1)).min(STEP),
            },
            _ => times,
        }
    }

    /// That of the file with this number, counted from the last one.
    fn of(&self, after: u32) -> Duration {
        self.last.saturating_sub(self.step * after)
    }
}

/// Gives the entries to the owner and their [`Times`]; then the directories, whose times writing
/// their files would have changed. Returns what lstat says of the entries from then on.
pub(super) fn stamp(
    root: &Path,
    entries: &[Entry],
    owner: Owner,
    after: Option<Duration>,
) -> Result<Vec<FileStat>, WorkspaceError> {
    let opened: OwnedFd = File::open(root)
        .map_err(WorkspaceError::io("open", root))?
        .into();
    let times = Times::new(entries.len(), after, clock::since_epoch());
    let stamp = Stamp {
        root: &opened,
        owner,
    };
    let count = entries.len();
    let stamped: Vec<Result<FileStat, Errno>> = on_all_processors(entries, |first, share| {
        let mut below = Below::new(opened.as_fd());
        let numbered = share.iter().zip(first..);
        numbered
            .map(|(entry, number)| {
                let time = times.of((count - 1 - number) as u32);
                stamp.one(&mut below, entry.path.as_os_str().as_bytes(), time)
            })
            .collect()
    });
    let stats = stamped.into_iter().zip(entries).map(|(stat, entry)| {
        stat.map_err(|errno| {
            let path = root.join(&entry.path);
            WorkspaceError::io("set the time of", &path)(io::Error::from(errno))
        })
    });
    let stats = stats.collect::<Result<_, _>>()?;
    let mut below = Below::new(opened.as_fd());
    for directory in directories(entries) {
        let bytes = directory.as_os_str().as_bytes();
        stamp
            .one(&mut below, bytes, times.last)
            .map_err(WorkspaceError::io("set the time of", &root.join(directory)))?;
    }
    Ok(stats)
}

/// The directories that entries are in, from the top: parents before children.
pub(super) fn directories(entries: &[Entry]) -> BTreeSet<&Path> {
    let mut directories = BTreeSet::from([Path::new("")]);
    let mut last = OsStr::new("");
    for entry in entries {
        let directory = entry.path.parent().unwrap_or(Path::new(""));
        // Most follow one of the same directory; comparing paths by their parts is slow.
        if directory.as_os_str() == last {
            continue;
        }
        last = directory.as_os_str();
        for above in directory.ancestors() {
            if !directories.insert(above) {
                break;
            }
        }
    }
    directories
}

struct Stamp<'a> {
    root: &'a OwnedFd,
    owner: Owner,
}

impl Stamp<'_> {
    fn one(&self, below: &mut Below<'_>, path: &[u8], time: Duration) -> Result<FileStat, Errno> {
        let time = TimeSpec::from_duration(time);
        let (directory, name) = match path {
            b"" => (self.root.as_fd(), &b"."[..]),
            path => below.locate(path)?,
        };
        let no_follow = UtimensatFlags::NoFollowSymlink;
        utimensat(directory, name, &time, &time, no_follow)?;
        let found = nix::sys::stat::fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        if found.st_uid == self.owner.uid && found.st_gid == self.owner.gid {
            return Ok(found);
        }
        let owner = (Uid::from_raw(self.owner.uid), Gid::from_raw(self.owner.gid));
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        fchownat(directory, name, Some(owner.0), Some(owner.1), flags)?;
        nix::sys::stat::fstatat(directory, name, flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_older_than_this_second_and_younger_than_every_cache() {
        let now = Duration::new(1_000, 500_000_000);
        let second = Duration::from_secs(1_000);
        let quiet = Times::new(1_000, Some(Duration::from_secs(900)), now);
        assert!(quiet.of(0) < second && quiet.of(999) > Duration::from_secs(999));
        assert_eq!(Times::new(1_000, None, now), quiet);
        for saved in [
            Duration::new(1_000, 400_000_000),
            Duration::new(1_000, 499_000_000),
            Duration::new(999, 999_999_000),
        ] {
            let times = Times::new(1_000, Some(saved), now);
            assert!(times.of(999) > saved && times.of(0) <= now, "{saved:?}");
            assert!(times.of(1) < times.of(0), "{saved:?}");
        }
        // Saved by a machine whose clock is ahead: nothing is younger, and now it is.
        let ahead = Times::new(3, Some(Duration::from_secs(2_000)), now);
        assert_eq!(ahead.of(0), now);
    }
}
