//! Many files of a directory, each reached by a path from it, without links on the way.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, fstat, fstatat};

use super::Stat;

/// With fewer items a second thread costs more than it saves.
const ITEMS_A_THREAD: usize = 1000;

/// Looks paths up below a directory. Paths that follow each other are mostly of one directory,
/// which is opened once.
pub struct Below<'a> {
    root: BorrowedFd<'a>,
    directory: Vec<u8>,
    opened: Option<OwnedFd>,
}

impl<'a> Below<'a> {
    /// Looks up below `root`.
    pub fn new(root: BorrowedFd<'a>) -> Self {
        Self {
            root,
            directory: Vec::new(),
            opened: None,
        }
    }

    /// What lstat says of the path; `""` is the directory itself.
    pub fn stat(&mut self, path: &[u8]) -> Result<FileStat, Errno> {
        if path.is_empty() {
            return fstat(self.root);
        }
        let (directory, name) = self.locate(path)?;
        fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    /// The directory a path is in, and its name there.
    pub fn locate<'p>(&mut self, path: &'p [u8]) -> Result<(BorrowedFd<'_>, &'p [u8]), Errno> {
        let Some(slash) = path.iter().rposition(|&byte| byte == b'/') else {
            return Ok((self.root, path));
        };
        let (directory, name) = (&path[..slash], &path[slash + 1..]);
        if self.opened.is_none() || self.directory != directory {
            self.opened = Some(open_below(self.root, directory)?);
            self.directory = directory.to_vec();
        }
        let opened = self.opened.as_ref();
        Ok((opened.map_or(self.root, |opened| opened.as_fd()), name))
    }
}

impl From<&FileStat> for Stat {
    fn from(found: &FileStat) -> Self {
        Self {
            ino: found.st_ino,
            ctime_ns: found.st_ctime * 1_000_000_000 + found.st_ctime_nsec,
        }
    }
}

/// Opens a directory below another, through directories alone.
fn open_below(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(root, path, how)
}

/// Does something with shares of a list, a share on each processor, and gives the results in
/// their order. `work` is given a share and the number of its first item.
pub fn on_all_processors<I: Sync, T: Send>(
    items: &[I],
    work: impl Fn(usize, &[I]) -> Vec<T> + Sync,
) -> Vec<T> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (items.len() / ITEMS_A_THREAD).clamp(1, processors);
    if threads == 1 {
        return work(0, items);
    }
    let share = items.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let work = &work;
        let shares: Vec<_> = items
            .chunks(share)
            .enumerate()
            .map(|(number, items)| scope.spawn(move || work(number * share, items)))
            .collect();
        let done = shares.into_iter().map(|share| match share.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..4321).collect();
        let numbered = on_all_processors(&items, |first, share| {
            share
                .iter()
                .zip(first..)
                .map(|(item, at)| (*item, at))
                .collect()
        });
        assert!(numbered.iter().all(|(item, at)| item == at));
        assert_eq!(numbered.len(), items.len());
    }

    #[test]
    fn no_link_is_followed_on_the_way() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("real")).unwrap();
        std::fs::write(directory.path().join("real/file"), "").unwrap();
        std::os::unix::fs::symlink("real", directory.path().join("link")).unwrap();
        let root: OwnedFd = std::fs::File::open(directory.path()).unwrap().into();
        let mut below = Below::new(root.as_fd());
        assert!(below.stat(b"real/file").is_ok());
        assert_eq!(below.stat(b"link/file").err(), Some(Errno::ELOOP));
        assert_eq!(below.stat(b"real/../real/file").err(), None);
        assert_eq!(below.stat(b"../x").err(), Some(Errno::EXDEV));
    }
}
