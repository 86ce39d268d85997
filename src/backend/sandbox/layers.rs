//! What the root file system of a place is put together from, and what is laid over it.
//!
//! A *survey* lists the pieces: directories of this machine that get an overlay, and,
//! where an overlay would have to cross a mount (the kernel refuses that in a user
//! namespace), what stands around them. *Uppers* are filled before anything is mounted.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown, symlink,
};
use std::path::{Path, PathBuf};

use nix::mount::MsFlags;

use super::error::{During, SandboxError};
use super::kernel;
use super::recipe::Recipe;
use super::skeleton::Skeleton;
use super::system::mount_tmpfs;
use crate::agent::protocol::FileSpec;

/// Top directories that are never this machine's: each is made anew or stays away.
pub(super) const APART: &[&str] = &[
    "/boot",
    "/dev",
    "/home",
    "/lost+found",
    "/media",
    "/mnt",
    "/proc",
    "/root",
    "/run",
    "/snap",
    "/srv",
    "/sys",
    "/tmp",
];

/// What an id is shown as that a user namespace does not have.
pub(super) const NOBODY: u32 = 65_534;

/// File systems that hold a part of the system rather than the state of some program.
const ON_DISK: &[&str] = &[
    "9p", "bcachefs", "btrfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "nfs", "nfs4", "overlay",
    "squashfs", "virtiofs", "xfs", "zfs",
];

/// A piece of the root file system; all paths are as on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// An overlay over this directory.
    Overlay(PathBuf),
    /// A directory with other pieces in it.
    Directory(PathBuf),
    /// The same file, read-only.
    File(PathBuf),
    /// The same link.
    Link(PathBuf),
}

struct MountPoint {
    path: PathBuf,
    kind: String,
}

/// The pieces of a place of this recipe, parents before what is in them.
pub(super) fn survey(recipe: Recipe) -> Result<Vec<Piece>, SandboxError> {
    let info = Path::new("/proc/self/mountinfo");
    let text = fs::read_to_string(info).during("read", info)?;
    let mut mounts: Vec<MountPoint> = text.lines().filter_map(parse_mount).collect();
    mounts.retain(|mount| mount.path != Path::new("/") && !is_apart(&mount.path));
    match recipe {
        Recipe::Root => {
            let below = mounts
                .into_iter()
                .filter(|mount| ON_DISK.contains(&mount.kind.as_str()) && is_public(&mount.path))
                .map(|mount| Piece::Overlay(mount.path));
            Ok([Piece::Overlay("/".into())]
                .into_iter()
                .chain(below)
                .collect())
        }
        Recipe::Range(_) | Recipe::User => {
            let mut pieces = Vec::new();
            for entry in fs::read_dir("/").during("list", "/")?.flatten() {
                if !is_apart(&entry.path()) {
                    survey_tree(&entry.path(), &mounts, &mut pieces);
                }
            }
            Ok(pieces)
        }
    }
}

fn survey_tree(path: &Path, mounts: &[MountPoint], pieces: &mut Vec<Piece>) {
    let Ok(kind) = fs::symlink_metadata(path).map(|metadata| metadata.file_type()) else {
        return;
    };
    if kind.is_symlink() {
        pieces.push(Piece::Link(path.to_owned()));
    } else if kind.is_file() {
        pieces.push(Piece::File(path.to_owned()));
    } else if kind.is_dir() {
        let crosses = |mount: &MountPoint| mount.path != path && mount.path.starts_with(path);
        // A directory that cannot be listed would be an empty one.
        let Ok(entries) = fs::read_dir(path) else {
            return;
        };
        if !mounts.iter().any(crosses) {
            pieces.push(Piece::Overlay(path.to_owned()));
            return;
        }
        pieces.push(Piece::Directory(path.to_owned()));
        for entry in entries.flatten() {
            survey_tree(&entry.path(), mounts, pieces);
        }
    }
}

/// proc_pid_mountinfo(5): fields by spaces, the mount point is the fifth; after a `-` the
/// type comes first.
fn parse_mount(line: &str) -> Option<MountPoint> {
    let (fixed, rest) = line.split_once(" - ")?;
    Some(MountPoint {
        path: PathBuf::from(unescape(fixed.split(' ').nth(4)?)),
        kind: rest.split(' ').next()?.to_owned(),
    })
}

/// Blanks, tabs, line ends and backslashes stand as `\040` and so on.
fn unescape(field: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(field.to_owned(), |text, (escaped, plain)| {
        text.replace(escaped, plain)
    })
}

/// Below one of the directories that are made anew.
pub(super) fn is_apart(path: &Path) -> bool {
    APART.iter().any(|apart| path.starts_with(apart))
}

/// Every directory on the way can be searched by anybody.
fn is_public(path: &Path) -> bool {
    path.ancestors()
        .all(|directory| fs::metadata(directory).is_ok_and(|metadata| metadata.mode() & 0o001 != 0))
}

/// The upper layers of the overlays, while they are being filled.
pub(super) struct Uppers<'a> {
    recipe: Recipe,
    skeleton: Option<&'a Skeleton>,
    overlays: Vec<Upper>,
}

struct Upper {
    over: PathBuf,
    /// What is put into it before it is mounted.
    directory: PathBuf,
    /// What takes the job's changes: the same directory, or an empty one above it.
    changes: PathBuf,
}

/// Where what is put into the layers is kept in memory, in the state directory. Hundreds of small
/// files are made in no time there, and go with the mount.
const IN_MEMORY: &str = "layers";

impl<'a> Uppers<'a> {
    /// Makes the upper directories of all overlays among `pieces` in `state`.
    pub(super) fn create(
        recipe: Recipe,
        skeleton: Option<&'a Skeleton>,
        state: &Path,
        pieces: &[Piece],
    ) -> Result<Self, SandboxError> {
        let mut uppers = Self {
            recipe,
            skeleton,
            overlays: Vec::new(),
        };
        // An ordinary user's memory does not keep the attributes of an overlay everywhere.
        let memory = match recipe {
            Recipe::Root => Some(state.join(IN_MEMORY)),
            Recipe::Range(_) | Recipe::User => None,
        };
        if let Some(memory) = &memory {
            fs::create_dir(memory).during("make", memory)?;
            mount_tmpfs(memory, MsFlags::MS_NODEV, 0o755)?;
        }
        for piece in pieces {
            let Piece::Overlay(over) = piece else {
                continue;
            };
            let name = format!("upper-{}", uppers.overlays.len());
            let changes = state.join(&name);
            let directory = memory
                .as_ref()
                .map_or(changes.clone(), |in_memory| in_memory.join(&name));
            for layer in BTreeSet::from([&changes, &directory]) {
                uppers.mirror(over, layer).during("make the layer", layer)?;
            }
            uppers.overlays.push(Upper {
                over: over.clone(),
                directory,
                changes,
            });
        }
        Ok(uppers)
    }

    /// The directory that takes the changes of the overlay that is mounted there, and the layer
    /// below it, above this machine's directory, if there is one.
    pub(super) fn of(&self, over: &Path) -> Option<(&Path, Option<&Path>)> {
        let upper = self.overlays.iter().find(|upper| upper.over == over)?;
        let between = (upper.directory != upper.changes).then_some(upper.directory.as_path());
        Some((&upper.changes, between))
    }

    /// Where a path's changes are kept; `None` if no overlay covers it.
    pub(super) fn locate(&self, path: &Path) -> Option<PathBuf> {
        if is_apart(path) {
            return None;
        }
        let upper = self.upper_of(path)?;
        let below = path.strip_prefix(&upper.over).ok()?;
        Some(upper.directory.join(below))
    }

    fn upper_of(&self, path: &Path) -> Option<&Upper> {
        self.overlays
            .iter()
            .filter(|upper| path.starts_with(&upper.over))
            .max_by_key(|upper| upper.over.as_os_str().len())
    }

    /// Puts a file over whatever this machine has there. False: no overlay covers it.
    pub(super) fn put(&self, file: &FileSpec) -> Result<bool, SandboxError> {
        let path = Path::new(&file.path);
        let Some(place) = self.prepare(path)? else {
            return Ok(false);
        };
        fs::write(&place, &file.content).during("write", &place)?;
        self.set_mode(&place, file.mode)
            .during("set the mode of", &place)?;
        Ok(true)
    }

    /// Puts a symbolic link over whatever this machine has there.
    pub(super) fn put_link(&self, path: &Path, target: &str) -> Result<(), SandboxError> {
        if let Some(place) = self.prepare(path)? {
            symlink(target, &place).during("link", &place)?;
        }
        Ok(())
    }

    /// Makes a directory, merged with what this machine has there. With a mode: its own,
    /// else this machine's or 0755.
    pub(super) fn put_directory(
        &self,
        path: &Path,
        mode: Option<u32>,
    ) -> Result<bool, SandboxError> {
        let Some(place) = self.locate(path) else {
            return Ok(false);
        };
        self.mirror_all(path).during("make the layer of", path)?;
        if let Some(mode) = mode {
            self.set_mode(&place, mode)
                .during("set the mode of", &place)?;
        }
        Ok(true)
    }

    /// Hides what this machine has in a directory; owner and mode stay.
    pub(super) fn empty_directory(&self, path: &Path) -> Result<(), SandboxError> {
        if self.put_directory(path, None)?
            && let Some(place) = self.locate(path)
            && path.is_dir()
        {
            kernel::set_attribute(&place, self.recipe.opaque_attribute(), b"y")
                .during("hide the content of", path)?;
        }
        Ok(())
    }

    /// Hides the content of a file; owner and mode stay.
    pub(super) fn empty_file(&self, path: &Path, metadata: &Metadata) -> Result<(), SandboxError> {
        if let Some(place) = self.prepare(path)? {
            fs::write(&place, b"").during("write", &place)?;
            self.take_over(metadata, &place)
                .during("set owner and mode of", &place)?;
        }
        Ok(())
    }

    /// Makes the parents of a path in its upper; the path itself is free afterwards.
    fn prepare(&self, path: &Path) -> Result<Option<PathBuf>, SandboxError> {
        let Some(place) = self.locate(path) else {
            return Ok(None);
        };
        if let Some(parent) = path.parent() {
            self.mirror_all(parent)
                .during("make the layer of", parent)?;
        }
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).during("replace", &place)
            }
            _ => Ok(Some(place)),
        }
    }

    /// Makes the directory and its parents in the upper as this machine has them: what is
    /// uppermost gives a merged directory its owner and mode.
    fn mirror_all(&self, path: &Path) -> io::Result<()> {
        let Some(upper) = self.upper_of(path) else {
            return Ok(());
        };
        let below = path.strip_prefix(&upper.over).unwrap_or(path);
        let (mut here, mut place) = (upper.over.clone(), upper.directory.clone());
        for name in below {
            here.push(name);
            place.push(name);
            if !place.is_dir() {
                self.mirror(&here, &place)?;
            }
        }
        Ok(())
    }

    fn mirror(&self, here: &Path, place: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o755).create(place)?;
        let over = self.skeleton.and_then(|skeleton| skeleton.over(here));
        match fs::metadata(over.as_deref().unwrap_or(here)) {
            Ok(metadata) => self.take_over(&metadata, place),
            Err(_) => self.set_mode(place, 0o755),
        }
    }

    fn take_over(&self, metadata: &Metadata, place: &Path) -> io::Result<()> {
        let (user, group) = (metadata.uid(), metadata.gid());
        match self.recipe {
            Recipe::Root => chown(place, Some(user), Some(group))?,
            // Nobody: what this machine has there is its root's.
            Recipe::Range(_) if user != NOBODY => chown(place, Some(user), Some(group))?,
            _ => {}
        }
        self.set_mode(place, metadata.mode() & 0o7777)
    }

    fn set_mode(&self, place: &Path, mode: u32) -> io::Result<()> {
        let mode = self.recipe.mode_of_roots(mode);
        fs::set_permissions(place, fs::Permissions::from_mode(mode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_blanks_in_their_names() {
        let line = "36 35 98:0 /m /mnt/my\\040disk rw,noatime master:1 - ext3 /dev/root rw";
        let mount = parse_mount(line).unwrap();
        assert_eq!(mount.path, Path::new("/mnt/my disk"));
        assert_eq!(mount.kind, "ext3");
    }

    #[test]
    fn a_directory_with_a_mount_below_is_put_together_from_its_entries() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir_all(path("lib/mounted")).unwrap();
        fs::create_dir_all(path("cache")).unwrap();
        fs::write(path("file"), "").unwrap();
        symlink("cache", path("link")).unwrap();
        let mounts = [MountPoint {
            path: path("lib/mounted"),
            kind: "ext4".to_owned(),
        }];
        let mut pieces = Vec::new();
        survey_tree(root.path(), &mounts, &mut pieces);
        assert_eq!(pieces.remove(0), Piece::Directory(root.path().to_owned()));
        for piece in [
            Piece::Overlay(path("cache")),
            Piece::File(path("file")),
            Piece::Link(path("link")),
            Piece::Directory(path("lib")),
            Piece::Overlay(path("lib/mounted")),
        ] {
            assert!(pieces.contains(&piece), "{piece:?} in {pieces:?}");
        }
    }
}
