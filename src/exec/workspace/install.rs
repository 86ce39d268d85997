//! Putting a staged checkout into its place.
//!
//! The job owns everything below its home and may change it while this runs, so no path there is
//! trusted: each component is opened below the one before, never through a symbolic link, and the
//! last step acts on the opened parent.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, RenameFlags, ResolveFlag, openat2, renameat2};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{Gid, Uid, fchown};

use super::{Owner, Staged, WorkspaceError};

/// Puts the checkout at `inside`, a path below the job's `home` on this machine, by one rename. What
/// was there, and all that the job put there, goes where the checkout was and away with it.
///
/// Missing parents are made, as the job's user would. A symbolic link or a file on the way is
/// [`WorkspaceError::NotPlain`]: nothing outside `home` can be reached.
pub fn install(staged: &Staged, home: &Path, inside: &Path) -> Result<(), WorkspaceError> {
    let (Some(parent), Some(name)) = (inside.parent(), inside.file_name()) else {
        return Err(not_plain(inside, inside.as_os_str()));
    };
    let home = File::open(home).map_err(WorkspaceError::io("open", home))?;
    let mut directory = OwnedFd::from(home);
    for component in parent.components() {
        let Component::Normal(component) = component else {
            return Err(not_plain(inside, component.as_os_str()));
        };
        directory = open_or_make(&directory, Path::new(component), staged.owner)
            .map_err(|errno| refused(errno, inside, component))?;
    }
    let flags = match open_directory(&directory, Path::new(name)) {
        Ok(_) => RenameFlags::RENAME_EXCHANGE,
        Err(Errno::ENOENT) => RenameFlags::RENAME_NOREPLACE,
        Err(errno) => return Err(refused(errno, inside, name)),
    };
    renameat2(AT_FDCWD, staged.dir(), &directory, name, flags)
        .map_err(WorkspaceError::io("move the checkout to", inside))
}

fn open_or_make(parent: &OwnedFd, name: &Path, owner: Owner) -> Result<OwnedFd, Errno> {
    match open_directory(parent, name) {
        Err(Errno::ENOENT) => {}
        other => return other,
    }
    let mode = Mode::from_bits_truncate(0o755);
    match mkdirat(parent, name, mode) {
        // The job made it in between: then it is its own.
        Err(Errno::EEXIST) => return open_directory(parent, name),
        other => other?,
    }
    let made = open_directory(parent, name)?;
    fchown(
        &made,
        Some(Uid::from_raw(owner.uid)),
        Some(Gid::from_raw(owner.gid)),
    )?;
    // The umask had a say in the mode above.
    nix::sys::stat::fchmod(&made, mode)?;
    Ok(made)
}

fn open_directory(parent: impl AsFd, name: &Path) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(parent, name, how)
}

fn refused(errno: Errno, inside: &Path, component: &std::ffi::OsStr) -> WorkspaceError {
    match errno {
        Errno::ELOOP | Errno::ENOTDIR | Errno::EXDEV => not_plain(inside, component),
        errno => WorkspaceError::io("open", inside)(errno),
    }
}

fn not_plain(inside: &Path, component: &std::ffi::OsStr) -> WorkspaceError {
    WorkspaceError::NotPlain {
        path: inside.to_owned(),
        component: component.to_string_lossy().into_owned(),
    }
}
