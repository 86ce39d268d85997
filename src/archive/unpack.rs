//! What `tar -xf ARCHIVE -P -C WORKSPACE` does, member by member, with umask 022.
//!
//! It merges: files that exist are replaced, never written through; directories that exist are
//! kept and get the archive's mode and time; everything else stays. A problem with one member
//! does not keep the others from being unpacked. Directories get their mode and time once
//! nothing more is to be put into them.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::geteuid;

use super::problem::{Problems, quoted};
use crate::tree::{Kind, Member, TreeItem};

const UMASK: u32 = 0o022;

/// What tar does with the modes in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modes {
    /// Kept as they are, as root does.
    Exact,
    /// Without what the umask takes and without setuid, setgid and sticky bits.
    Masked,
}

/// Unpacks one archive below a directory, as the calling user.
#[derive(Debug)]
pub struct Unpacker {
    workspace: PathBuf,
    modes: Modes,
    /// The file whose content is arriving; none also while the content of one that could not
    /// be created passes by.
    file: Option<(Member, File)>,
    /// Directories whose mode and time are still to be set, the innermost last.
    directories: Vec<(Member, PathBuf)>,
    problems: Problems,
}

impl Unpacker {
    /// Paths of members are relative to `workspace`, which is made if it is not there.
    pub fn new(workspace: &Path) -> io::Result<Self> {
        fs::create_dir_all(workspace)?;
        Ok(Self {
            workspace: workspace.to_owned(),
            modes: match geteuid().is_root() {
                true => Modes::Exact,
                false => Modes::Masked,
            },
            file: None,
            directories: Vec::new(),
            problems: Problems::default(),
        })
    }

    /// Takes the next item of the archive.
    pub fn take(&mut self, item: TreeItem) {
        match item {
            TreeItem::Content(bytes) => self.write(&bytes),
            TreeItem::Stat { .. } => {}
            TreeItem::Member(member) => {
                self.finish_file();
                self.finish_directories(|directory| !is_above(directory, &member.path));
                self.start(&member);
            }
        }
    }

    /// Ends the archive. What comes back is tar's standard error; not empty: tar has failed.
    pub fn finish(mut self) -> Vec<String> {
        self.finish_file();
        self.finish_directories(|_| true);
        self.problems.into_lines()
    }

    fn start(&mut self, member: &Member) {
        let path = self.path(&member.path);
        let done = match &member.kind {
            Kind::Directory => self.make_directory(member, &path),
            Kind::File { .. } => self
                .create(&member.path, &path, create_file)
                .map(|file| self.file = Some((member.clone(), file))),
            Kind::Symlink { target } => {
                let target = OsStr::from_bytes(target);
                self.create(&member.path, &path, |path| symlink(target, path))
                    .map(|()| self.set_time(member, &path))
            }
            Kind::Hardlink { target } => {
                let existing = self.path(target);
                self.create(&member.path, &path, |path| link(&existing, path))
            }
        };
        if let Err(error) = done {
            let action = match &member.kind {
                Kind::Directory => "mkdir".to_owned(),
                Kind::File { .. } => "open".to_owned(),
                Kind::Symlink { target } => format!("create symlink to {}", quoted(target)),
                Kind::Hardlink { target } => format!("hard link to {}", quoted(target)),
            };
            self.problems.cannot(&member.path, &action, &error);
        }
    }

    fn make_directory(&mut self, member: &Member, path: &Path) -> io::Result<()> {
        // Until its turn to get its own mode its user must be able to fill it.
        let mode = self.masked(member.mode) | 0o700;
        self.create(&member.path, path, |path| {
            match DirBuilder::new().mode(mode).create(path) {
                Err(error) if is_directory(path) && already_there(&error) => Ok(()),
                made => made,
            }
        })?;
        self.directories.push((member.clone(), path.to_owned()));
        Ok(())
    }

    /// Makes something at a path, after removing what is in its way and making the directories
    /// above it; the error is that of the first attempt that this could not help.
    fn create<T>(
        &mut self,
        name: &[u8],
        path: &Path,
        make: impl Fn(&Path) -> io::Result<T>,
    ) -> io::Result<T> {
        let error = match make(path) {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        let may_help = match error.kind() {
            io::ErrorKind::AlreadyExists => remove(path).is_ok(),
            io::ErrorKind::NotFound => self.make_parents(name),
            _ => false,
        };
        match may_help {
            true => make(path),
            false => Err(error),
        }
    }

    /// Makes the missing directories above a member; whether there were any that could be made.
    fn make_parents(&mut self, name: &[u8]) -> bool {
        let mut made = false;
        let ends = name.iter().enumerate().filter(|&(_, &byte)| byte == b'/');
        for (end, _) in ends.filter(|&(end, _)| end > 0) {
            let parent = &name[..end];
            match DirBuilder::new().mode(0o755).create(self.path(parent)) {
                Ok(()) => made = true,
                Err(error) if already_there(&error) => {}
                Err(error) => {
                    self.problems.cannot(parent, "mkdir", &error);
                    return false;
                }
            }
        }
        made
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some((member, file)) = &mut self.file else {
            return;
        };
        if let Err(error) = file.write_all(bytes) {
            self.problems.cannot(&member.path, "write", &error);
            self.file = None;
        }
    }

    fn finish_file(&mut self) {
        let Some((member, file)) = self.file.take() else {
            return;
        };
        let times = FileTimes::new().set_modified(time(member.mtime_ns));
        if let Err(error) = file.set_times(times) {
            self.problems.cannot(&member.path, "utime", &error);
        }
        let mode = self.masked(member.mode);
        if let Err(error) = file.set_permissions(Permissions::from_mode(mode)) {
            self.cannot_change_mode(&member, mode, &error);
        }
    }

    /// Sets mode and time of the innermost directories as long as they are `done`.
    fn finish_directories(&mut self, done: impl Fn(&[u8]) -> bool) {
        while let Some((member, path)) = self.directories.pop_if(|(member, _)| done(&member.path)) {
            self.set_time(&member, &path);
            let Ok(now) = fs::symlink_metadata(&path).map(|metadata| metadata.mode() & 0o7777)
            else {
                continue;
            };
            let mode = match self.modes {
                Modes::Exact => member.mode,
                Modes::Masked => self.masked(member.mode) | now & 0o7000,
            };
            if mode == now {
                continue;
            }
            if let Err(error) = fs::set_permissions(&path, Permissions::from_mode(mode)) {
                self.cannot_change_mode(&member, mode, &error);
            }
        }
    }

    fn set_time(&mut self, member: &Member, path: &Path) {
        if let Err(error) = set_time(path, member.mtime_ns) {
            self.problems.cannot(&member.path, "utime", &error);
        }
    }

    fn cannot_change_mode(&mut self, member: &Member, mode: u32, error: &io::Error) {
        let action = format!("change mode to {}", symbolic(mode));
        self.problems.cannot(&member.path, &action, error);
    }

    fn masked(&self, mode: u32) -> u32 {
        match self.modes {
            Modes::Exact => mode,
            Modes::Masked => mode & 0o777 & !UMASK,
        }
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        self.workspace.join(OsStr::from_bytes(name))
    }
}

fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// A second name for a file; a name that it has already is as good.
fn link(existing: &Path, path: &Path) -> io::Result<()> {
    let identity = |path| {
        fs::symlink_metadata(path)
            .map(|of| (of.dev(), of.ino()))
            .ok()
    };
    match fs::hard_link(existing, path) {
        Err(error) if already_there(&error) && identity(existing) == identity(path) => Ok(()),
        linked => linked,
    }
}

/// Removes what is in the way of a member; a directory only if it is empty.
fn remove(path: &Path) -> io::Result<()> {
    match is_directory(path) {
        true => fs::remove_dir(path),
        false => fs::remove_file(path),
    }
}

fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn already_there(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}

/// Whether a member stands below a directory, by their names.
fn is_above(directory: &[u8], name: &[u8]) -> bool {
    name.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with(b"/"))
}

/// Sets the time of change of whatever is at the path, a link itself, in nanoseconds since 1970.
pub(crate) fn set_time(path: &Path, mtime_ns: i64) -> io::Result<()> {
    let time = TimeSpec::new(
        mtime_ns.div_euclid(1_000_000_000),
        mtime_ns.rem_euclid(1_000_000_000),
    );
    let flags = UtimensatFlags::NoFollowSymlink;
    utimensat(AT_FDCWD, path, &TimeSpec::UTIME_OMIT, &time, flags)?;
    Ok(())
}

/// A time in nanoseconds since 1970, or before.
pub(crate) fn time(since_epoch_ns: i64) -> SystemTime {
    let distance = Duration::from_nanos(since_epoch_ns.unsigned_abs());
    match since_epoch_ns >= 0 {
        true => UNIX_EPOCH + distance,
        false => UNIX_EPOCH - distance,
    }
}

/// A mode as `ls` writes it, without the kind of file.
fn symbolic(mode: u32) -> String {
    let special = [(0o4000, 's', 6), (0o2000, 's', 3), (0o1000, 't', 0)];
    special
        .into_iter()
        .flat_map(|(special, letter, shift)| {
            let bits = mode >> shift;
            let execute = match (mode & special != 0, bits & 1 != 0) {
                (true, true) => letter,
                (true, false) => letter.to_ascii_uppercase(),
                (false, true) => 'x',
                (false, false) => '-',
            };
            let read = if bits & 4 != 0 { 'r' } else { '-' };
            let write = if bits & 2 != 0 { 'w' } else { '-' };
            [read, write, execute]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_written_as_ls_does() {
        assert_eq!(symbolic(0o1755), "rwxr-xr-t");
        assert_eq!(symbolic(0o4644), "rwSr--r--");
        assert_eq!(symbolic(0o2750), "rwxr-s---");
    }

    #[test]
    fn an_ordinary_user_s_umask_applies_and_root_keeps_modes() {
        let directory = tempfile::tempdir().unwrap();
        let mut unpacker = Unpacker::new(directory.path()).unwrap();
        unpacker.modes = Modes::Masked;
        assert_eq!(unpacker.masked(0o4777), 0o755);
        unpacker.modes = Modes::Exact;
        assert_eq!(unpacker.masked(0o4777), 0o4777);
    }

    #[test]
    fn times_before_1970_are_times() {
        assert_eq!(
            time(-1_500_000_000),
            UNIX_EPOCH - Duration::from_millis(1500)
        );
    }
}
