//! What a skeleton consists of: found out as the user who started lrun, who alone sees whom
//! things belong to, and made as root of the user namespace.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, DirBuilder, File, FileTimes, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};
use std::thread;

use super::kernel;
use super::recipe::Recipe;

/// The trees in which packages are installed.
const TREES: [&str; 4] = ["/usr", "/etc", "/var", "/opt"];

/// Whoever may make things here may do so without a copy, and there can be many.
const NOT_ENTERED: [&str; 1] = ["/var/tmp"];

/// How many directories below one such as `/usr/lib/jvm` may be a package's own: what lies
/// deeper in larger ones stays read-only. Making them all would take seconds.
const MOST_IN_ONE: usize = 1000;
const DEPTH_OF_ONE: usize = 4;

/// Larger files are no configuration and stay read-only.
const LARGEST_COPY: u64 = 64 << 20;

/// Everything of a skeleton, directories before what is in them.
pub(super) struct Blueprint {
    items: Vec<Item>,
}

struct Item {
    path: PathBuf,
    kind: Kind,
    metadata: Metadata,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Merged with this machine's.
    Directory,
    /// In place of this machine's, which not everybody can look into.
    EmptyDirectory,
    /// The same file, but root's to change.
    Copy,
    /// In place of this machine's, which not everybody can read, or nobody needs.
    EmptyFile,
}

impl Blueprint {
    /// Looks at this machine's trees. What cannot be looked at is left out; what is this
    /// user's own needs no copy.
    pub(super) fn draw() -> Self {
        let mut items = Vec::new();
        let mut open: VecDeque<_> = TREES.map(|tree| (PathBuf::from(tree), None)).into();
        let mut count: HashMap<PathBuf, usize> = HashMap::new();
        // Breadth first: where there is too much, what is deepest is left out.
        while let Some((path, device)) = open.pop_front() {
            let Some(directory) = Item::directory(path, device) else {
                continue;
            };
            let around: PathBuf = directory.path.iter().take(DEPTH_OF_ONE).collect();
            let count = count.entry(around).or_default();
            *count += 1;
            if *count > MOST_IN_ONE {
                continue;
            }
            if directory.kind == Kind::Directory {
                directory.enter(&mut items, &mut open);
            }
            items.push(directory);
        }
        // Setuid root once more, if it is root who makes the copy.
        let sudo = fs::canonicalize("/usr/bin/sudo").ok();
        items.extend(sudo.and_then(|sudo| Item::file(sudo, Files::Copied)));
        items.sort_by(|a, b| a.path.cmp(&b.path));
        Self { items }
    }

    /// Makes it in an empty directory.
    pub(super) fn make(&self, recipe: Recipe, skeleton: &Path) -> io::Result<()> {
        let trees = self
            .items
            .chunk_by(|a, b| a.path.iter().nth(1) == b.path.iter().nth(1));
        thread::scope(|scope| {
            let trees: Vec<_> = trees
                .map(|tree| {
                    scope.spawn(|| tree.iter().try_for_each(|item| item.make(recipe, skeleton)))
                })
                .collect();
            trees.into_iter().try_for_each(|tree| {
                tree.join()
                    .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
            })
        })
    }
}

impl Item {
    /// None for what is no directory, is this user's own, or is on another device than the
    /// directory around it.
    fn directory(path: PathBuf, device: Option<u64>) -> Option<Self> {
        let metadata = fs::symlink_metadata(&path).ok()?;
        let is_crossing = device.is_some_and(|device| device != metadata.dev());
        if !metadata.is_dir() || is_crossing || is_own(&metadata) {
            return None;
        }
        let kind = match metadata.mode() & 0o005 {
            0o005 => Kind::Directory,
            _ => Kind::EmptyDirectory,
        };
        Some(Self {
            path,
            kind,
            metadata,
        })
    }

    fn enter(&self, items: &mut Vec<Self>, open: &mut VecDeque<(PathBuf, Option<u64>)>) {
        if NOT_ENTERED.iter().any(|path| self.path == Path::new(path)) {
            return;
        }
        let files = Files::of(&self.path);
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    open.push_back((entry.path(), Some(self.metadata.dev())));
                }
                Ok(kind) if kind.is_file() && files != Files::LeftAlone => {
                    items.extend(Self::file(entry.path(), files));
                }
                _ => {}
            }
        }
    }

    fn file(path: PathBuf, files: Files) -> Option<Self> {
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !metadata.is_file() || is_own(&metadata) {
            return None;
        }
        let is_readable = metadata.mode() & 0o004 != 0;
        let kind = match files {
            _ if !is_readable => Kind::EmptyFile,
            Files::Emptied => Kind::EmptyFile,
            Files::Copied if metadata.len() <= LARGEST_COPY => Kind::Copy,
            _ => return None,
        };
        Some(Self {
            path,
            kind,
            metadata,
        })
    }

    fn make(&self, recipe: Recipe, skeleton: &Path) -> io::Result<()> {
        let place = skeleton.join(self.path.strip_prefix("/").unwrap_or(&self.path));
        match self.kind {
            Kind::Directory | Kind::EmptyDirectory => {
                DirBuilder::new().mode(0o755).create(&place)?;
                if self.kind == Kind::EmptyDirectory {
                    kernel::set_attribute(&place, recipe.opaque_attribute(), b"y")?;
                }
            }
            Kind::EmptyFile => drop(File::create(&place)?),
            Kind::Copy => match fs::copy(&self.path, &place) {
                // Whatever forbids to read it does so in the job too.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    File::create(&place)?;
                }
                // apt takes a file with another time for a changed one.
                copied => drop(copied.and_then(|_| self.set_times(&place))?),
            },
        }
        if let Recipe::Range(ids) = recipe {
            let (user, group) = ids.inside(self.metadata.uid(), self.metadata.gid());
            if (user, group) != (0, 0) {
                lchown(&place, Some(user), Some(group))?;
            }
        }
        let mode = recipe.mode_of_roots(self.metadata.mode() & 0o7777);
        // Nearly all there is.
        if (self.kind, mode) == (Kind::Directory, 0o755) {
            return Ok(());
        }
        fs::set_permissions(&place, fs::Permissions::from_mode(mode))
    }

    fn set_times(&self, place: &Path) -> io::Result<()> {
        let times = FileTimes::new().set_modified(self.metadata.modified()?);
        File::options().write(true).open(place)?.set_times(times)
    }
}

/// What becomes of the files in a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    /// All are copied: programs change them in place, link or rename them.
    Copied,
    /// Those that not everybody can read are emptied.
    Shown,
    /// All are emptied: they are written on, and what is in them is this machine's business.
    Emptied,
    /// They come from packages and are too many to be looked at.
    LeftAlone,
}

impl Files {
    fn of(directory: &Path) -> Self {
        let is_below = |tree: &str| directory.starts_with(tree);
        if is_below("/var/lib/dpkg/info") {
            Self::LeftAlone
        } else if [
            "/etc",
            "/usr/lib/sudo",
            "/usr/libexec/sudo",
            "/var/cache/debconf",
            "/var/cache/man",
            "/var/lib/dpkg",
        ]
        .into_iter()
        .any(is_below)
        {
            Self::Copied
        } else if is_below("/var/log") {
            Self::Emptied
        } else if is_below("/var") {
            Self::Shown
        } else {
            Self::LeftAlone
        }
    }
}

/// This user may change it without any help. Not so a root that is none of this machine's: what
/// is its own may be of a group that is not, and around what belongs to others.
fn is_own(metadata: &Metadata) -> bool {
    let user = nix::unistd::geteuid();
    !user.is_root() && metadata.uid() == user.as_raw()
}
