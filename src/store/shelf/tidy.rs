//! Making a directory what its manifest says again, after a job had it.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::layout::Layout;
use super::manifest::{Laid, Manifest};
use super::{Owner, inspect};
use crate::digest::Digest;
use crate::store::StoreError;
use crate::store::root::Store;
use crate::store::runs::remove_tree;
use crate::tree::{self, Below, Kind};

/// A job that changed more than a quarter of so many parts left another tree: laying all of it
/// out when it is wanted costs little more, and only then.
const FEW: usize = 1000;

/// Removes what is new in the directory, lays out again what differs, and gives its manifest as
/// it is now; none when too much differs. Files whose content the store does not have are gone
/// from the manifest when they were changed.
///
/// No process of a job may have the directory any more.
pub(super) fn tidy(
    store: &Store,
    directory: &Path,
    manifest: Manifest,
    owner: Owner,
) -> Result<Option<Manifest>, StoreError> {
    let failed = |error| StoreError::io(directory, error);
    let layout = Layout {
        blobs: store.blobs(),
        directory,
        // The job's root may have given an ordinary user's files to another group.
        owner,
    };
    let root = inspect::open(directory).map_err(failed)?;
    layout.open_up(&root, &manifest).map_err(failed)?;
    let unchanged = layout.unchanged(&root, &manifest);
    let to_lay = manifest.parts.iter().zip(&unchanged);
    let changed = to_lay
        .filter(|(part, unchanged)| !**unchanged && part.entry.kind != Kind::Directory)
        .count();
    if changed > FEW && changed * 4 > manifest.parts.len() {
        return Ok(None);
    }
    let touched = touched(&manifest.parts, &unchanged);
    for &at in &touched {
        let path = layout.path(&manifest.parts[at].entry.path);
        if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            layout.make_writable(&path).map_err(failed)?;
            // The owner and the mode are set once all is in it.
            remove_attributes(&path).map_err(failed)?;
        } else {
            remove(&path).map_err(|error| StoreError::io(&path, error))?;
            layout.lay(&manifest.parts[at].entry)?;
        }
    }
    layout.remove_what_is_new(&manifest, &touched)?;
    layout.lay_again(&manifest.parts, &unchanged)?;
    for &at in touched.iter().rev() {
        layout.finish_directory(&manifest.parts[at].entry)?;
    }
    let mut parts = manifest.parts;
    let mut unchanged = unchanged.into_iter();
    // What could not be laid out again is not there.
    parts.retain(|part| unchanged.next() == Some(true) || can_be_laid(part));
    Manifest::of(parts, directory).map(Some)
}

fn can_be_laid(part: &Laid) -> bool {
    !matches!(part.entry.kind, Kind::File { content: None, .. })
}

/// The directories that changed or have changed parts in them, parents first.
fn touched(parts: &[Laid], unchanged: &[bool]) -> BTreeSet<usize> {
    let directories: std::collections::HashMap<&[u8], usize> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.entry.kind == Kind::Directory)
        .map(|(at, part)| (&part.entry.path[..], at))
        .collect();
    let changed = parts.iter().enumerate().filter(|(at, _)| !unchanged[*at]);
    changed
        .flat_map(|(at, part)| {
            let path = &part.entry.path[..];
            let itself = (part.entry.kind == Kind::Directory).then_some(at);
            let parent = match path.iter().rposition(|&byte| byte == b'/') {
                Some(slash) => &path[..slash],
                None => b"",
            };
            [itself, directories.get(parent).copied()]
        })
        .flatten()
        .collect()
}

impl Layout<'_> {
    /// Lets the caller look into directories that the job closed to its owner.
    fn open_up(&self, root: &OwnedFd, manifest: &Manifest) -> io::Result<()> {
        let mut below = Below::new(root.as_fd());
        for part in &manifest.parts {
            if part.entry.kind != Kind::Directory {
                continue;
            }
            // Not by its path: that may lead out of the tree, through a link of the job's.
            let Ok(found) = below.stat(&part.entry.path) else {
                continue;
            };
            let mode = found.st_mode & 0o7777;
            let is_directory = found.st_mode & libc::S_IFMT == libc::S_IFDIR;
            if is_directory && mode != part.entry.mode && mode & 0o500 != 0o500 {
                let path = self.path(&part.entry.path);
                fs::set_permissions(&path, Permissions::from_mode(mode | 0o700))?;
            }
        }
        Ok(())
    }

    /// As [`inspect::unchanged`]; where stat data prove nothing, the content decides. Another
    /// name of a changed file is changed, too.
    fn unchanged(&self, root: &OwnedFd, manifest: &Manifest) -> Vec<bool> {
        let mut unchanged = inspect::unchanged(root, manifest);
        let mut changed: HashSet<&[u8]> = HashSet::new();
        for (part, unchanged) in manifest.parts.iter().zip(&mut unchanged) {
            let is_link_to_changed = |target: &Vec<u8>| changed.contains(&target[..]);
            *unchanged = *unchanged
                && match &part.entry.kind {
                    Kind::Hardlink { target } => !is_link_to_changed(target),
                    _ => manifest.is_certain(part) || self.has_content(part),
                };
            if !*unchanged {
                changed.insert(&part.entry.path);
            }
        }
        unchanged
    }

    fn has_content(&self, part: &Laid) -> bool {
        let Kind::File {
            content: Some(content),
            ..
        } = &part.entry.kind
        else {
            return false;
        };
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(self.path(&part.entry.path));
        let found = file.and_then(Digest::of_reader);
        found.is_ok_and(|found| found == content.digest)
    }

    /// An ordinary user who owns a directory may need more than the mode it is to have.
    fn make_writable(&self, path: &Path) -> io::Result<()> {
        let mode = path.symlink_metadata()?.permissions().mode() & 0o7777;
        match mode & 0o700 {
            0o700 => Ok(()),
            _ => fs::set_permissions(path, Permissions::from_mode(mode | 0o700)),
        }
    }

    fn remove_what_is_new(
        &self,
        manifest: &Manifest,
        touched: &BTreeSet<usize>,
    ) -> Result<(), StoreError> {
        let known: HashSet<&[u8]> = manifest
            .parts
            .iter()
            .map(|part| &part.entry.path[..])
            .collect();
        for &at in touched {
            let directory = &manifest.parts[at].entry.path;
            let path = self.path(directory);
            let entries = fs::read_dir(&path).map_err(|error| StoreError::io(&path, error))?;
            for entry in entries {
                let entry = entry.map_err(|error| StoreError::io(&path, error))?;
                if !known.contains(&joined(directory, &entry.file_name())[..]) {
                    let path = entry.path();
                    remove(&path).map_err(|error| StoreError::io(&path, error))?;
                }
            }
        }
        Ok(())
    }

    fn lay_again(&self, parts: &[Laid], unchanged: &[bool]) -> Result<(), StoreError> {
        for (part, unchanged) in parts.iter().zip(unchanged) {
            if *unchanged || part.entry.kind == Kind::Directory {
                continue;
            }
            let path = self.path(&part.entry.path);
            remove(&path).map_err(|error| StoreError::io(&path, error))?;
            self.lay(&part.entry)?;
        }
        Ok(())
    }
}

fn joined(directory: &[u8], name: &OsStr) -> Vec<u8> {
    match directory {
        b"" => name.as_bytes().to_vec(),
        directory => [directory, b"/", name.as_bytes()].concat(),
    }
}

/// A list of who may do what, such as one that all that is made in the directory inherits.
fn remove_attributes(path: &Path) -> io::Result<()> {
    for name in tree::attributes(path)? {
        rustix::fs::lremovexattr(path, &*name)?;
    }
    Ok(())
}

/// Removes whatever is there, if anything is.
fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => remove_tree(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::store::Store;
    use crate::tree::{Member, TreeItem};

    /// A tree of one file, laid out.
    fn laid_out(root: &Path) -> (Store, std::path::PathBuf, Manifest, Owner) {
        let store = Store::open(&root.join("store")).unwrap();
        let mut writer = store.write_tree();
        let member = |path: &str, kind| {
            TreeItem::Member(Member {
                path: path.into(),
                kind,
                mode: 0o755,
                mtime_ns: 0,
            })
        };
        let file = Kind::File {
            size: 5,
            content: (),
        };
        for path in ["data", "data/sub", "data/sub/deep"] {
            writer.take(member(path, Kind::Directory)).unwrap();
        }
        writer.take(member("data/file", file)).unwrap();
        writer.take(TreeItem::Content(b"alpha".to_vec())).unwrap();
        let tree = writer.finish().unwrap().digest;
        let members = store.read_tree(tree).unwrap().entries;
        let directory = root.join("data");
        let owner = Owner {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        };
        let manifest = store
            .lay_out(&members, &directory, owner, &AtomicU64::new(0))
            .unwrap();
        (store, directory, manifest, owner)
    }

    #[test]
    fn nothing_is_opened_up_behind_a_link() {
        let root = tempfile::tempdir().unwrap();
        let (store, directory, manifest, owner) = laid_out(root.path());
        let deep = root.path().join("outside/deep");
        fs::create_dir_all(&deep).unwrap();
        fs::set_permissions(&deep, Permissions::from_mode(0o300)).unwrap();
        fs::remove_dir_all(directory.join("sub")).unwrap();
        std::os::unix::fs::symlink("../outside", directory.join("sub")).unwrap();
        tidy(&store, &directory, manifest, owner).unwrap().unwrap();
        assert!(directory.join("sub/deep").is_dir());
        assert_eq!(deep.metadata().unwrap().mode() & 0o777, 0o300);
    }

    #[test]
    fn where_times_of_change_prove_nothing_the_content_does() {
        let root = tempfile::tempdir().unwrap();
        let (store, directory, mut manifest, owner) = laid_out(root.path());
        let inode = || fs::metadata(directory.join("file")).unwrap().ino();
        let first = inode();
        manifest.certain_before = 0;
        manifest = tidy(&store, &directory, manifest, owner).unwrap().unwrap();
        assert_eq!(inode(), first, "the content is the same");
        // As a change within one tick of a coarse clock looks, or one of a clock set back.
        fs::write(directory.join("file"), "ALPHA").unwrap();
        let opened = inspect::open(&directory).unwrap();
        let stats = inspect::stats(&opened, &manifest.parts).unwrap();
        for (part, stat) in manifest.parts.iter_mut().zip(stats) {
            part.stat = stat;
        }
        manifest.certain_before = 0;
        tidy(&store, &directory, manifest, owner).unwrap().unwrap();
        assert_eq!(fs::read_to_string(directory.join("file")).unwrap(), "alpha");
    }
}
