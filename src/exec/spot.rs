//! A path in a job's home, reached from outside of the job's place.
//!
//! The job owns everything below its home and may change it at any moment, so no path there is
//! trusted: each component is opened below the one before, never through a symbolic link, and the
//! last step acts on the opened parent. And no more is done than the job's user could do itself.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, RenameFlags, ResolveFlag, openat2, renameat2};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{Gid, Uid, fchown};

use crate::store::Owner;

/// Where a directory may be put: its parent, opened, and its name there.
#[derive(Debug)]
pub struct Spot {
    parent: OwnedFd,
    name: OsString,
    owner: Owner,
}

/// Why a path cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpotError {
    /// The component is not a plain directory: the job put a symbolic link or a file there.
    NotPlain(OsString),
    /// The system's reason; `EACCES` where the job's user may not write.
    Refused(Errno),
}

impl Spot {
    /// Reaches `inside`, a path below the job's `home` on this machine. Missing parents are made,
    /// as the job's user would.
    pub fn reach(home: &Path, inside: &Path, owner: Owner) -> Result<Self, SpotError> {
        let not_plain = |name: &OsStr| SpotError::NotPlain(name.to_owned());
        let (Some(parent), Some(name)) = (inside.parent(), inside.file_name()) else {
            return Err(not_plain(inside.as_os_str()));
        };
        let mut directory = open_directory(AT_FDCWD, home, ResolveFlag::empty())?;
        for component in parent.components() {
            let Component::Normal(component) = component else {
                return Err(not_plain(component.as_os_str()));
            };
            require_search(&directory, owner)?;
            directory = open_or_make(&directory, component, owner)?;
        }
        require_write(&directory, owner)?;
        Ok(Self {
            parent: directory,
            name: name.to_owned(),
            owner,
        })
    }

    /// Whether nothing is there, or a directory with nothing in it that the job's user may write
    /// to: what can be filled by a rename.
    pub fn is_free(&self) -> Result<bool, SpotError> {
        match open_plain(&self.parent, &self.name) {
            Ok(directory) => {
                require_write(&directory, self.owner)?;
                let mut directory = Dir::from_fd(directory)?;
                let names = directory
                    .iter()
                    .map(|entry| Ok(entry?.file_name().to_owned()));
                let names: Vec<_> = names.collect::<Result<_, Errno>>()?;
                Ok(names
                    .iter()
                    .all(|name| [b".", &b".."[..]].contains(&name.to_bytes())))
            }
            Err(SpotError::Refused(Errno::ENOENT)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Renames a directory to this place, where [`Self::is_free`] must hold still.
    pub fn fill(&self, directory: &Path) -> Result<(), Errno> {
        self.rename(directory, RenameFlags::empty())
    }

    /// Renames a directory to this place. The directory that is there, which the job's user must
    /// be able to write to, takes its place in turn.
    pub fn exchange(&self, directory: &Path) -> Result<(), SpotError> {
        let flags = match open_plain(&self.parent, &self.name) {
            Ok(found) => {
                require_write(&found, self.owner)?;
                RenameFlags::RENAME_EXCHANGE
            }
            Err(SpotError::Refused(Errno::ENOENT)) => RenameFlags::RENAME_NOREPLACE,
            Err(error) => return Err(error),
        };
        Ok(self.rename(directory, flags)?)
    }

    /// To move a directory is to write to it: its owner needs the mode for that.
    fn rename(&self, directory: &Path, flags: RenameFlags) -> Result<(), Errno> {
        let rename = || renameat2(AT_FDCWD, directory, &self.parent, &*self.name, flags);
        match rename() {
            Err(Errno::EACCES) => {}
            done => return done,
        }
        let opened = open_directory(AT_FDCWD, directory, ResolveFlag::RESOLVE_NO_SYMLINKS)
            .map_err(|_| Errno::EACCES)?;
        let mode = Mode::from_bits_truncate(fstat(&opened)?.st_mode);
        fchmod(&opened, mode | Mode::S_IRWXU)?;
        let moved = rename();
        fchmod(&opened, mode)?;
        moved
    }
}

impl From<Errno> for SpotError {
    fn from(errno: Errno) -> Self {
        Self::Refused(errno)
    }
}

fn open_or_make(parent: &OwnedFd, name: &OsStr, owner: Owner) -> Result<OwnedFd, SpotError> {
    match open_plain(parent, name) {
        Err(SpotError::Refused(Errno::ENOENT)) => {}
        other => return other,
    }
    require_write(parent, owner)?;
    let mode = Mode::from_bits_truncate(0o755);
    match mkdirat(parent, name, mode) {
        // The job made it in between: then it is its own.
        Err(Errno::EEXIST) => return open_plain(parent, name),
        other => other?,
    }
    let made = open_plain(parent, name)?;
    fchown(
        &made,
        Some(Uid::from_raw(owner.uid)),
        Some(Gid::from_raw(owner.gid)),
    )?;
    // The umask had a say in the mode above.
    fchmod(&made, mode)?;
    Ok(made)
}

/// Whether the job's user may open what is in a directory: root, who asks, always may.
fn require_search(directory: &OwnedFd, owner: Owner) -> Result<(), SpotError> {
    let found = fstat(directory)?;
    let bit = match (found.st_uid == owner.uid, found.st_gid == owner.gid) {
        (true, _) => 0o100,
        (false, true) => 0o010,
        (false, false) => 0o001,
    };
    match found.st_mode & bit != 0 {
        true => Ok(()),
        false => Err(SpotError::Refused(Errno::EACCES)),
    }
}

/// Whether the job's user may make and remove names in a directory; a directory that is not the
/// user's own is taken for closed.
fn require_write(directory: &OwnedFd, owner: Owner) -> Result<(), SpotError> {
    let found = fstat(directory)?;
    match found.st_uid == owner.uid && found.st_mode & 0o300 == 0o300 {
        true => Ok(()),
        false => Err(SpotError::Refused(Errno::EACCES)),
    }
}

fn open_plain(parent: &OwnedFd, name: &OsStr) -> Result<OwnedFd, SpotError> {
    let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
    open_directory(parent, Path::new(name), resolve)
}

fn open_directory(
    parent: impl AsFd,
    path: &Path,
    resolve: ResolveFlag,
) -> Result<OwnedFd, SpotError> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(resolve);
    openat2(parent, path, how).map_err(|errno| match errno {
        Errno::ELOOP | Errno::ENOTDIR | Errno::EXDEV => {
            SpotError::NotPlain(path.file_name().unwrap_or_default().to_owned())
        }
        errno => SpotError::Refused(errno),
    })
}
