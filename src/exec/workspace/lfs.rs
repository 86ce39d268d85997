//! `lfs: true`: contents in the place of pointers, from the user's own LFS store.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::served::{Held, Served};
use super::{Source, WorkspaceError};
use crate::digest::Digest;
use crate::git::{Git, LfsPointer};

/// What `git lfs install --local` adds to a clone's configuration.
const CONFIG: &str = "[lfs]\n\trepositoryformatversion = 0\n[filter \"lfs\"]\n\tprocess = git-lfs filter-process\n\
    \trequired = true\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n";

/// Puts contents in the place of the pointers in the clone.
///
/// # Errors
/// [`WorkspaceError::NoLfsContent`] with every file whose content is not on this machine.
pub(super) fn fill(
    source: &Source<'_>,
    served: &Served<'_>,
    clone: &Path,
) -> Result<(), WorkspaceError> {
    let from = store(served)?;
    let mut missing = Vec::new();
    for path in under_lfs(clone)? {
        let file = clone.join(&path);
        let Some(pointer) = pointer(&file)? else {
            continue;
        };
        let content = from.join(pointer.place());
        let edited = source.repository.root.join(&path);
        let content = match (content.is_file(), &served.held) {
            (true, _) => content,
            // Not committed: the file itself is the only place where its content is.
            (false, Held::User(_)) if has(&edited, &pointer) => edited,
            _ => {
                missing.push(format!("{} ({})", path.display(), pointer.id));
                continue;
            }
        };
        put(
            &content,
            &file,
            &clone.join(".git/lfs/objects").join(pointer.place()),
        )?;
    }
    if !missing.is_empty() {
        return Err(WorkspaceError::NoLfsContent {
            root: served.place().to_owned(),
            paths: missing,
        });
    }
    let path = clone.join(".git/config");
    let appended = OpenOptions::new().append(true).open(&path);
    appended
        .and_then(|mut file| file.write_all(CONFIG.as_bytes()))
        .map_err(WorkspaceError::io("write", &path))
}

/// Where the contents of the repository's files are: `lfs.storage`, or a directory in `.git`.
fn store(served: &Served<'_>) -> Result<PathBuf, WorkspaceError> {
    let git = match &served.held {
        Held::User(source) => source.repository.objects.parent(),
        Held::Module(directory) => Some(directory.as_path()),
        Held::Store(kept) => Some(kept.remote.directory()),
    };
    let git = git.unwrap_or(served.place());
    let asked = served.git().args(["config", "--get", "lfs.storage"]);
    let (_, named) = asked.output_or(&[1])?;
    let named = String::from_utf8_lossy(&named).trim().to_owned();
    Ok(match named.as_str() {
        "" => git.join("lfs/objects"),
        named => git.join(named).join("objects"),
    })
}

/// The files of the clone that are under `filter=lfs`.
fn under_lfs(clone: &Path) -> Result<Vec<PathBuf>, WorkspaceError> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let listed = Git::isolated(clone)
        .args(["ls-files", "-z", "--", ":(attr:filter=lfs)"])
        .output()?;
    let paths = listed
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty());
    Ok(paths.map(|path| OsStr::from_bytes(path).into()).collect())
}

/// The pointer that a file is, if it is one.
fn pointer(file: &Path) -> Result<Option<LfsPointer>, WorkspaceError> {
    let failed = || WorkspaceError::io("read", file);
    match file.symlink_metadata() {
        Ok(data) if data.is_file() => {}
        // A link, a submodule, or a path that a sparse checkout leaves out.
        _ => return Ok(None),
    }
    let mut start = Vec::new();
    let opened = File::open(file).map_err(failed())?;
    opened
        .take(LfsPointer::LIMIT)
        .read_to_end(&mut start)
        .map_err(failed())?;
    Ok(LfsPointer::parse(&start))
}

fn has(file: &Path, pointer: &LfsPointer) -> bool {
    let is_file = file
        .symlink_metadata()
        .is_ok_and(|data| data.is_file() && data.len() == pointer.size);
    is_file && fs::read(file).is_ok_and(|bytes| Digest::of(&bytes).to_string() == pointer.id)
}

/// Puts a content in a pointer's place, with the pointer's mode, and into the clone's own store.
fn put(content: &Path, file: &Path, stored: &Path) -> Result<(), WorkspaceError> {
    let copied = || -> std::io::Result<()> {
        if let Some(parent) = stored.parent() {
            fs::create_dir_all(parent)?;
        }
        let mode = file.metadata()?.permissions();
        for target in [stored, file] {
            let mut from = File::open(content)?;
            let mut to = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o644)
                .custom_flags(libc::O_NOFOLLOW)
                .open(target)?;
            std::io::copy(&mut from, &mut to)?;
        }
        fs::set_permissions(file, mode)
    };
    copied().map_err(WorkspaceError::io("write the LFS content of", file))
}
