//! Owners and times of a checkout.

use std::collections::BTreeSet;
use std::os::unix::fs::lchown;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

use super::WorkspaceError;
use super::index::Entry;
use crate::store::Owner;

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

/// Gives the entries, in their order, ascending times of change that end with the last full second
/// before `now`; then the directories, whose times writing their files would have changed.
///
/// Ascending, because a real checkout writes in this order and make sees it. Before the current
/// second, because git takes files as young as its index for possibly changed and reads them
/// again (racy git), and because every later write then shows in their times.
pub(super) fn stamp(root: &Path, entries: &[Entry], now: Duration) -> Result<(), WorkspaceError> {
    let end = Duration::from_secs(now.as_secs()).saturating_sub(STEP);
    let mut directories = BTreeSet::from([Path::new("")]);
    for (entry, after) in entries.iter().zip((0..entries.len() as u32).rev()) {
        set_time(&root.join(&entry.path), end.saturating_sub(STEP * after))?;
        directories.extend(entry.path.ancestors().skip(1));
    }
    for directory in directories {
        set_time(&root.join(directory), end)?;
    }
    Ok(())
}

fn set_time(path: &Path, time: Duration) -> Result<(), WorkspaceError> {
    let time = TimeSpec::from_duration(time);
    utimensat(
        AT_FDCWD,
        path,
        &time,
        &time,
        UtimensatFlags::NoFollowSymlink,
    )
    .map_err(WorkspaceError::io("set the time of", path))
}
