//! Which command names stand for which files of a place.
//!
//! A watch on a directory names the file that was opened, which for a command behind symbolic
//! links is the end of the chain: `gcc` is seen as `x86_64-linux-gnu-gcc-12`. So the links of
//! all PATH directories are followed once, before the first step.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::toolchains::Toolchains;

/// Longer chains are loops (path_resolution(7)).
const MAX_LINKS: u32 = 40;

/// Directories of this machine that are not in a place.
const HIDDEN: [&str; 4] = ["/home", "/root", "/srv", "/snap"];

/// The names of a place's commands, by the file that each one is.
#[derive(Debug, Default)]
pub(super) struct Commands {
    by_file: HashMap<PathBuf, Vec<Name>>,
    directories: BTreeSet<PathBuf>,
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
        let view = View { root, tools };
        let mut commands = Self::default();
        for directory in directories {
            if let Some((directory, _)) = view.resolve(Path::new(directory)) {
                commands.add_directory(&view, &directory);
            }
        }
        for names in commands.by_file.values_mut() {
            names.sort();
        }
        commands
    }

    /// The directories whose files tell which commands are opened.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(PathBuf::as_path)
    }

    /// The names of an opened file, the one with the fewest links first; none when it was no
    /// command before the job began.
    pub(super) fn names(&self, opened: &str) -> &[Name] {
        self.by_file
            .get(Path::new(opened))
            .map_or(&[], Vec::as_slice)
    }

    fn add_directory(&mut self, view: &View<'_>, directory: &Path) {
        if !self.directories.insert(directory.to_owned()) {
            return;
        }
        for (path, is_link) in view.entries(directory) {
            let (file, links) = match is_link {
                false => (path.clone(), 0),
                true => match view.resolve(&path) {
                    Some(found) => found,
                    None => continue,
                },
            };
            if let Some(parent) = file.parent() {
                self.directories.insert(parent.to_owned());
            }
            self.by_file
                .entry(file)
                .or_default()
                .push(Name { links, path });
        }
    }
}

/// A place's files as this machine has them: its root, under what is mounted and linked there.
struct View<'a> {
    root: &'a Path,
    tools: &'a Toolchains,
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

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        let link = self
            .tools
            .links
            .iter()
            .find(|link| path == Path::new(&link.at));
        match link {
            Some(link) => Some(PathBuf::from(&link.target)),
            None => fs::read_link(self.on_host(path)?).ok(),
        }
    }

    /// The path without symbolic links, and how many there were; none for a loop. Paths that
    /// are in no directory of this machine, such as the job's home, resolve to themselves.
    fn resolve(&self, path: &Path) -> Option<(PathBuf, u32)> {
        let mut links = 0;
        let mut resolved = PathBuf::from("/");
        let mut rest: Vec<_> = reversed(path);
        while let Some(name) = rest.pop() {
            if name == ".." {
                resolved.pop();
                continue;
            }
            let next = resolved.join(&name);
            match self.read_link(&next) {
                None => resolved = next,
                Some(_) if links == MAX_LINKS => return None,
                Some(target) => {
                    links += 1;
                    if target.is_absolute() {
                        resolved = PathBuf::from("/");
                    }
                    rest.extend(reversed(&target));
                }
            }
        }
        Some((resolved, links))
    }
}

/// The components of a path, the last one first.
fn reversed(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir))
        .map(|component| component.as_os_str().to_owned())
        .collect()
}
