//! Which command names stand for which files of a place.
//!
//! A watch on a directory names the file that was opened, which for a command behind symbolic
//! links is the end of the chain: `gcc` is seen as `x86_64-linux-gnu-gcc-12`. So the links of
//! all PATH directories are followed once, before the first step.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::toolchains::Toolchains;

/// Longer chains are loops (path_resolution(7)).
const MAX_LINKS: u32 = 40;

/// Directories of this machine that are not in a place.
const HIDDEN: [&str; 4] = ["/home", "/root", "/srv", "/snap"];

/// The names of a place's commands, by the file that each one is.
#[derive(Debug, Default)]
pub(super) struct Commands {
    /// Paths without links, `.` and `..`: equal ones have equal bytes.
    by_file: HashMap<OsString, Vec<Name>>,
    directories: BTreeSet<PathBuf>,
    /// Files that links lead to in none of the directories. They are watched one by one: the
    /// directories around them may be opened all the time, such as that of the C library.
    files: BTreeSet<PathBuf>,
}

/// A name by which a file can be started.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// Symbolic links between the name and the file.
    links: u32,
    /// The name's own path.
    pub(super) path: PathBuf,
}

impl Name {
    /// What one types.
    pub(super) fn command(&self) -> &str {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
    }
}

impl Commands {
    /// The commands in these directories of a place on the machine below `root`.
    pub(super) fn scan(root: &Path, tools: &Toolchains, directories: &[String]) -> Self {
        let mut view = View {
            root,
            tools,
            links: links(tools),
            resolved: HashMap::new(),
        };
        let directories: BTreeSet<_> = directories
            .iter()
            .filter_map(|directory| view.resolve_directory(Path::new(directory), MAX_LINKS))
            .collect();
        let mut commands = Self {
            directories: directories.clone(),
            ..Self::default()
        };
        for directory in &directories {
            commands.add_directory(&mut view, directory);
        }
        for names in commands.by_file.values_mut() {
            names.sort();
        }
        commands
    }

    /// The directories and files whose openings tell which commands are used.
    pub(super) fn watched(&self) -> impl Iterator<Item = &Path> {
        self.directories
            .iter()
            .chain(&self.files)
            .map(PathBuf::as_path)
    }

    /// The names of an opened file, the one with the fewest links first; none when it was no
    /// command before the job began.
    pub(super) fn names(&self, opened: &str) -> &[Name] {
        self.by_file
            .get(OsStr::new(opened))
            .map_or(&[], Vec::as_slice)
    }

    fn add_directory(&mut self, view: &mut View<'_>, directory: &Path) {
        for (path, is_link) in view.entries(directory) {
            let (file, links) = match is_link {
                false => (path.clone(), 0),
                true => match view.resolve(&path, MAX_LINKS) {
                    Some(found) => found,
                    None => continue,
                },
            };
            let is_covered = !is_link
                || file
                    .parent()
                    .is_some_and(|parent| self.directories.contains(parent));
            if !is_covered {
                if is_loader(&file) || !view.is_file(&file) {
                    continue;
                }
                self.files.insert(file.clone());
            }
            self.by_file
                .entry(file.into_os_string())
                .or_default()
                .push(Name { links, path });
        }
    }
}

/// Whether this is the C library's loader, which has a name among the commands too (`ld.so`): the
/// kernel opens it for every program, so that its opening tells nothing.
fn is_loader(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    ["ld-linux", "ld-musl", "ld64.so"]
        .iter()
        .any(|loader| name.starts_with(loader))
}

/// A place's files as this machine has them: its root, under what is mounted and linked there.
struct View<'a> {
    root: &'a Path,
    tools: &'a Toolchains,
    /// What the links of the tools lead to, by their paths.
    links: HashMap<&'a OsStr, &'a str>,
    /// Directories by the paths they were asked for: most links lead into a few of them.
    resolved: HashMap<PathBuf, PathBuf>,
}

fn links(tools: &Toolchains) -> HashMap<&OsStr, &str> {
    let links = tools.links.iter();
    links
        .map(|link| (OsStr::new(&link.at), link.target.as_str()))
        .collect()
}

impl View<'_> {
    /// Where this process finds a path of the place.
    fn on_host(&self, path: &Path) -> Option<PathBuf> {
        for mount in &self.tools.mounts {
            if let Ok(rest) = path.strip_prefix(&mount.at) {
                return Some(mount.from.join(rest));
            }
        }
        if HIDDEN.iter().any(|hidden| path.starts_with(hidden)) {
            return None;
        }
        Some(self.root.join(path.strip_prefix("/").ok()?))
    }

    /// Files and links in a directory of the place, and which of them are links.
    fn entries(&self, directory: &Path) -> Vec<(PathBuf, bool)> {
        let listed = self
            .on_host(directory)
            .and_then(|host| fs::read_dir(host).ok())
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let kind = entry.file_type().ok()?;
                let path = directory.join(entry.file_name());
                (!kind.is_dir()).then_some((path, kind.is_symlink()))
            });
        let linked = self
            .tools
            .links
            .iter()
            .map(|link| PathBuf::from(&link.at))
            .filter(|at| at.parent() == Some(directory))
            .map(|at| (at, true));
        listed.chain(linked).collect()
    }

    fn is_file(&self, path: &Path) -> bool {
        self.on_host(path).is_some_and(|host| host.is_file())
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        match self.links.get(path.as_os_str()) {
            Some(target) => Some(PathBuf::from(target)),
            None => fs::read_link(self.on_host(path)?).ok(),
        }
    }

    /// The path without symbolic links, and how many there were in place of its last component;
    /// none for a loop. What is in no directory of this machine resolves to itself.
    fn resolve(&mut self, path: &Path, links_left: u32) -> Option<(PathBuf, u32)> {
        let Some(parent) = path.parent() else {
            return Some((PathBuf::from("/"), 0));
        };
        let parent = self.resolve_directory(parent, links_left)?;
        // A path ends in no name only where it ends in `..`.
        let Some(name) = path.file_name() else {
            return Some((parent.parent().unwrap_or(&parent).to_owned(), 0));
        };
        let next = parent.join(name);
        match self.read_link(&next) {
            None => Some((next, 0)),
            Some(_) if links_left == 0 => None,
            Some(target) => {
                let (file, links) = self.resolve(&parent.join(target), links_left - 1)?;
                Some((file, links + 1))
            }
        }
    }

    fn resolve_directory(&mut self, path: &Path, links_left: u32) -> Option<PathBuf> {
        if let Some(known) = self.resolved.get(path) {
            return Some(known.clone());
        }
        let (directory, _) = self.resolve(path, links_left)?;
        self.resolved.insert(path.to_owned(), directory.clone());
        Some(directory)
    }
}
