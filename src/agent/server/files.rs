//! Operations on files that are over in microseconds. Nothing here follows a link it was
//! not asked to follow, and nothing waits: a pipe where a file should be is an error.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::agent::message::{Content, FileProblem};
use crate::agent::protocol::{FileSpec, FoundFile};

/// No file larger than this is read in one piece.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Bits that the umask of a place takes away at most.
const UMASK: u32 = 0o022;

/// Says what was tried when it failed.
pub(super) fn problem(action: &str, path: &str, error: &io::Error) -> FileProblem {
    FileProblem {
        action: action.to_owned(),
        path: path.to_owned(),
        errno: error.raw_os_error().unwrap_or(libc::EIO),
    }
}

pub(super) fn write(file: &FileSpec) -> io::Result<()> {
    let path = Path::new(&file.path);
    if let Some(parent) = path.parent() {
        make_directory(parent, 0o755)?;
    }
    let mut created = match create(path, file.mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create(path, file.mode)?
        }
        created => created?,
    };
    created.write_all(&file.content)?;
    if file.mode & UMASK == 0 {
        return Ok(());
    }
    created.set_permissions(fs::Permissions::from_mode(file.mode))
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

pub(super) fn read(path: &str) -> Option<Content> {
    match find(path) {
        FoundFile::Content(bytes) => Some(Content(bytes)),
        FoundFile::Missing | FoundFile::Unreadable | FoundFile::TooLarge { .. } => None,
    }
}

pub(super) fn find(path: &str) -> FoundFile {
    match read_regular(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => FoundFile::Missing,
        Err(_) => FoundFile::Unreadable,
    }
}

fn read_regular(path: &str) -> io::Result<FoundFile> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW)
        .open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        // No file, as .NET's `File.Exists` has it.
        return Ok(FoundFile::Missing);
    }
    if !about.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if about.len() > LARGEST {
        return Ok(FoundFile::TooLarge { size: about.len() });
    }
    let mut bytes = Vec::new();
    if about.len() > 0 {
        file.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(FoundFile::Content(bytes))
}

pub(super) fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)?;
    }
    DirBuilder::new().mode(mode).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

pub(super) fn real_path(path: &str) -> io::Result<String> {
    Ok(fs::canonicalize(path)?.to_string_lossy().into_owned())
}

pub(super) fn remove_contents(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        remove(&entry?.path())?;
    }
    Ok(())
}

/// Removes whatever is there; nothing is fine too.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}
