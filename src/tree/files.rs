//! What a search needs of a place with files in it. The real directory is here; a git tree or
//! a stored tree is searched and hashed through the same trait.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

/// Whether a symbolic link is taken for what it points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It is.
    Follow,
    /// It is a thing of its own.
    Keep,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link that was not followed.
    Symlink,
    /// A socket, a pipe, a device.
    Other,
}

/// Files under absolute paths. Paths are bytes with `/` between segments, without one at the end.
pub trait Files {
    /// What stands at the path; `NotFound` when nothing does or a followed link dangles.
    fn kind(&self, path: &[u8], links: Links) -> io::Result<FileKind>;
    /// The names in a directory, sorted by their bytes: the order of libuv's `scandir`.
    fn names(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>>;
    /// The path with every symbolic link resolved.
    fn real_path(&self, path: &[u8]) -> io::Result<Vec<u8>>;
    /// The content of a file; links are followed.
    fn open(&self, path: &[u8]) -> io::Result<Box<dyn io::Read + '_>>;
}

/// The file system of this machine, as the calling user sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostFiles;

impl Files for HostFiles {
    fn kind(&self, path: &[u8], links: Links) -> io::Result<FileKind> {
        let metadata = match links {
            Links::Follow => fs::metadata(host(path)),
            Links::Keep => fs::symlink_metadata(host(path)),
        }?;
        let kind = metadata.file_type();
        Ok(if kind.is_dir() {
            FileKind::Directory
        } else if kind.is_file() {
            FileKind::File
        } else if kind.is_symlink() {
            FileKind::Symlink
        } else {
            FileKind::Other
        })
    }

    fn names(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut names = fs::read_dir(host(path))?
            .map(|entry| Ok(entry?.file_name().into_vec()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn real_path(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        Ok(fs::canonicalize(host(path))?.into_os_string().into_vec())
    }

    fn open(&self, path: &[u8]) -> io::Result<Box<dyn io::Read + '_>> {
        Ok(Box::new(fs::File::open(host(path))?))
    }
}

fn host(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
