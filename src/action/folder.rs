//! A folder of this machine, into the store: what `--action` names.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::records::Kept;
use super::{TREE_ROOT, archived};
use crate::store::{Store, StoreError, TreeWriter};
use crate::tree::{Entry, Kind, Member};

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    #[error("cannot read '{path}': {source}")]
    Unreadable { path: String, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores a folder, which is named by no link, but for its `.git`, as the folder `path` of a repository.
pub(super) fn keep(store: &Store, folder: &Path, path: &str) -> Result<Kept, FolderError> {
    let mut writer = store.write_tree();
    let mut name = TREE_ROOT.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        add_directory(&mut writer, name.as_bytes())?;
        name = format!("{name}/{part}");
    }
    add(&mut writer, folder, name.as_bytes())?;
    Ok(archived::finish(store, writer)?)
}

fn add_directory(writer: &mut TreeWriter, name: &[u8]) -> Result<(), StoreError> {
    let member = Entry {
        path: name.to_vec(),
        kind: Kind::Directory,
        mode: 0o755,
        mtime_ns: 0,
    };
    archived::take(writer, member, &[])
}

fn add(writer: &mut TreeWriter, path: &Path, name: &[u8]) -> Result<(), FolderError> {
    let unreadable = |source| FolderError::Unreadable {
        path: path.display().to_string(),
        source,
    };
    let found = fs::symlink_metadata(path).map_err(unreadable)?;
    let member = |kind| -> Member {
        Entry {
            path: name.to_vec(),
            kind,
            mode: found.permissions().mode() & 0o777,
            mtime_ns: found.mtime() * 1_000_000_000 + found.mtime_nsec(),
        }
    };
    if found.is_symlink() {
        let target = fs::read_link(path).map_err(unreadable)?;
        let target = target.as_os_str().as_bytes().to_vec();
        archived::take(writer, member(Kind::Symlink { target }), &[])?;
    } else if found.is_file() {
        let content = fs::read(path).map_err(unreadable)?;
        let size = content.len() as u64;
        archived::take(writer, member(Kind::File { size, content: () }), &content)?;
    } else if found.is_dir() {
        archived::take(writer, member(Kind::Directory), &[])?;
        let names = fs::read_dir(path).and_then(|entries| {
            entries
                .map(|e| Ok(e?.file_name()))
                .collect::<io::Result<_>>()
        });
        let mut names: Vec<_> = names.map_err(unreadable)?;
        names.sort_unstable();
        for child in names.iter().filter(|name| *name != ".git") {
            let name = [name, b"/", child.as_bytes()].concat();
            add(writer, &path.join(child), &name)?;
        }
    }
    Ok(())
}
