//! Laying a stored tree out in a directory of its own: as `tar -x` does it for the job's user,
//! but with nothing to merge with, and on all processors.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, FileTimes, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown, lchown, symlink,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::manifest::{Laid, Manifest};
use super::{Owner, inspect};
use crate::archive::{set_time, time};
use crate::store::StoreError;
use crate::store::blobs::Blobs;
use crate::store::root::Store;
use crate::tree::{Entry, Kind, Stat, Stored};

/// What tar leaves of a mode for a user who is not root.
const MODE: u32 = 0o755;

impl Store {
    /// Lays the members of a directory of a stored tree (a [`Root`](super::super::Root)'s, with
    /// their paths there) out as `directory`, which must not exist. Contents are verified; their
    /// bytes are counted in `laid`.
    pub fn lay_out(
        &self,
        members: &[Entry],
        directory: &Path,
        owner: Owner,
        laid: &AtomicU64,
    ) -> Result<Manifest, StoreError> {
        let parts = parts(members);
        let layout = Layout {
            blobs: self.blobs(),
            directory,
            owner,
        };
        layout.directories(&parts)?;
        layout.files(&parts, laid)?;
        for part in &parts {
            if matches!(
                part.entry.kind,
                Kind::Symlink { .. } | Kind::Hardlink { .. }
            ) {
                layout.lay(&part.entry)?;
            }
        }
        for part in parts.iter().rev() {
            layout.finish_directory(&part.entry)?;
        }
        Manifest::of(parts, directory)
    }
}

impl Manifest {
    /// The manifest of parts that have just been laid out: with the stat data that they have now.
    pub(super) fn of(mut parts: Vec<Laid>, directory: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io(directory, error);
        let root = inspect::open(directory).map_err(failed)?;
        let stats = inspect::stats(&root, &parts).map_err(failed)?;
        for (part, stat) in parts.iter_mut().zip(stats) {
            part.stat = stat;
        }
        Ok(Self::seen(parts, directory))
    }
}

impl Manifest {
    /// The manifest of a directory that was made otherwise: its parts, the directory itself first
    /// and parents before children, with the stat data that each has now.
    pub fn seen(parts: Vec<Laid>, directory: &Path) -> Self {
        Self {
            parts,
            certain_before: certain_before(directory.parent().unwrap_or(directory)),
        }
    }

    /// The manifest of a directory of a job's that a tree was made of. What a restore would make
    /// otherwise than the job did counts as changed.
    pub(in crate::store) fn of_job(members: &[Entry], stats: &[Stat], certain_before: i64) -> Self {
        let mut parts = parts(members);
        for ((part, member), stat) in parts.iter_mut().zip(members).zip(stats) {
            let is_same = match member.kind {
                // There may be more in it than an archive takes up.
                Kind::Directory => false,
                Kind::Symlink { .. } => true,
                _ => part.entry.mode == member.mode,
            };
            part.stat = match is_same {
                true => *stat,
                false => stat.of_another_time(),
            };
        }
        Self {
            parts,
            certain_before,
        }
    }
}

/// The members of a root with paths from it, without stat data yet.
pub(super) fn parts(members: &[Entry]) -> Vec<Laid> {
    let root = members.first().map_or(&[][..], |member| &member.path);
    let inside = |path: &[u8]| {
        let rest = path.strip_prefix(root).unwrap_or(path);
        rest.strip_prefix(b"/").unwrap_or(rest).to_vec()
    };
    let part = |member: &Entry| {
        let kind = match &member.kind {
            Kind::Directory => Kind::Directory,
            Kind::File { size, content } => Kind::File {
                size: *size,
                content: Some(*content),
            },
            Kind::Symlink { target } => Kind::Symlink {
                target: target.clone(),
            },
            Kind::Hardlink { target } => Kind::Hardlink {
                target: inside(target),
            },
        };
        Laid {
            entry: Entry {
                path: inside(&member.path),
                kind,
                mode: member.mode & MODE,
                mtime_ns: member.mtime_ns,
            },
            stat: Stat::UNKNOWN,
        }
    };
    members.iter().map(part).collect()
}

/// Until when times of change are certain: see [`Manifest::certain_before`]. Kernels since 6.13
/// give a change that follows a look at the file a time of its own; before, times advance by
/// ticks of up to 10 ms.
pub(in crate::store) fn certain_before(directory: &Path) -> i64 {
    const TICK: Duration = Duration::from_millis(20);
    match changes_always_show(directory) {
        Ok(true) => i64::MAX,
        _ => {
            let now = crate::clock::since_epoch().saturating_sub(TICK);
            i64::try_from(now.as_nanos()).unwrap_or(0)
        }
    }
}

/// Tries it: changes a file a few times within a tick and looks at it in between.
fn changes_always_show(directory: &Path) -> io::Result<bool> {
    let file = tempfile::tempfile_in(directory)?;
    let mut last = nix::sys::stat::fstat(&file)?;
    for mode in [0o600, 0o640, 0o600, 0o640] {
        file.set_permissions(Permissions::from_mode(mode))?;
        let now = nix::sys::stat::fstat(&file)?;
        if Stat::from(&now) == Stat::from(&last) {
            return Ok(false);
        }
        last = now;
    }
    Ok(true)
}

/// Where something is laid out.
pub(super) struct Layout<'a> {
    pub(super) blobs: &'a Blobs,
    pub(super) directory: &'a Path,
    /// Whom everything is given to: also where that is the caller, whose files may come into the
    /// group of the directory that they are in.
    pub(super) owner: Owner,
}

impl Layout<'_> {
    fn directories(&self, parts: &[Laid]) -> Result<(), StoreError> {
        for part in parts {
            if part.entry.kind == Kind::Directory {
                self.lay(&part.entry)?;
            }
        }
        Ok(())
    }

    /// The files, a share of them on each processor.
    fn files(&self, parts: &[Laid], laid: &AtomicU64) -> Result<(), StoreError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let share = parts.len().div_ceil(processors).max(1);
        let lay = |parts: &[Laid]| -> Result<(), StoreError> {
            for part in parts {
                if let Kind::File { size, .. } = part.entry.kind {
                    self.lay(&part.entry)?;
                    laid.fetch_add(size, Ordering::Relaxed);
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let lay = &lay;
            let shares: Vec<_> = parts
                .chunks(share)
                .map(|share| scope.spawn(move || lay(share)))
                .collect();
            shares.into_iter().try_for_each(|share| match share.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }

    /// Lays one part out where nothing is yet. Directories are to be finished once all is in
    /// them; a file without a content is left out.
    pub(super) fn lay(&self, entry: &Entry<Option<Stored>>) -> Result<(), StoreError> {
        let path = self.path(&entry.path);
        match &entry.kind {
            Kind::Directory => DirBuilder::new().mode(0o700).create(&path),
            Kind::File { content, .. } => {
                return content.map_or(Ok(()), |content| self.file(&path, entry, content));
            }
            Kind::Symlink { target } => symlink(OsStr::from_bytes(target), &path)
                .and_then(|()| self.give(&path))
                .and_then(|()| set_time(&path, entry.mtime_ns)),
            Kind::Hardlink { target } => fs::hard_link(self.path(target), &path),
        }
        .map_err(|error| StoreError::io(&path, error))
    }

    fn file(
        &self,
        path: &Path,
        entry: &Entry<Option<Stored>>,
        content: Stored,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::io(path, error);
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        self.blobs.copy(content.digest, &mut file, path)?;
        self.finish_file(&file, entry).map_err(failed)
    }

    fn finish_file(&self, file: &File, entry: &Entry<Option<Stored>>) -> io::Result<()> {
        fchown(file, Some(self.owner.uid), Some(self.owner.gid))?;
        file.set_permissions(Permissions::from_mode(entry.mode))?;
        file.set_times(FileTimes::new().set_modified(time(entry.mtime_ns)))
    }

    /// Gives a directory its owner, mode and time; nothing is to be put into it any more.
    pub(super) fn finish_directory(&self, entry: &Entry<Option<Stored>>) -> Result<(), StoreError> {
        if entry.kind != Kind::Directory {
            return Ok(());
        }
        let path = self.path(&entry.path);
        self.give(&path)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(entry.mode)))
            .and_then(|()| set_time(&path, entry.mtime_ns))
            .map_err(|error| StoreError::io(&path, error))
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        lchown(path, Some(self.owner.uid), Some(self.owner.gid))
    }

    pub(super) fn path(&self, inside: &[u8]) -> PathBuf {
        match inside {
            b"" => self.directory.to_owned(),
            inside => self.directory.join(OsStr::from_bytes(inside)),
        }
    }
}
