//! From PATHs to the workflow and action files they stand for.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::find::{WORKFLOWS, list, root_of};
use crate::git::Git;
use crate::workflow::{DOCKERFILES, LOCK_FILE, MANIFESTS};

/// Folders that hold what others wrote or programs made.
const PASSED_OVER: [&str; 5] = [".git", "node_modules", "target", "third_party", "vendor"];

/// A file to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sought {
    /// The file; absolute.
    pub(super) path: PathBuf,
    /// The repository it is in, which local references lead into.
    pub(super) root: Option<PathBuf>,
    /// What it is read as.
    pub(super) kind: Kind,
}

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A workflow.
    Workflow,
    /// An action's manifest.
    Action,
    /// The lock of a repository's workflows.
    Lock,
}

impl Kind {
    /// What a file is by its name.
    pub(super) fn of(path: &Path) -> Self {
        let is_named = |known: &str| path.file_name().is_some_and(|name| name == known);
        let mut actions = MANIFESTS.iter();
        match actions.any(|name| is_named(name)) {
            true => Self::Action,
            false if path.ends_with(LOCK_FILE) => Self::Lock,
            false => Self::Workflow,
        }
    }
}

/// The files that a PATH names: itself, the workflows and actions of a repository, or the YAML files of another folder.
pub(super) fn named(path: &Path) -> Result<Vec<Sought>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let is_folder = std::fs::metadata(path).map_err(unreadable)?.is_dir();
    let path = &without_dots(path, is_folder).map_err(unreadable)?;
    if !is_folder {
        return Ok(vec![file(path, Kind::of(path))]);
    }
    if is_root(path) {
        return repository(path);
    }
    // `.github` alone means the repository it is of: its other files are no workflows.
    if path.ends_with(".github")
        && let Some(root) = path.parent().filter(|root| is_root(root))
    {
        return repository(root);
    }
    let names = list(path)?.into_iter();
    let mut found: Vec<Sought> = names
        .filter(|name| !MANIFESTS.contains(&&**name))
        .map(|name| file(&path.join(name), Kind::Workflow))
        .collect();
    found.extend(actions(path).iter().map(|path| file(path, Kind::Action)));
    match found.is_empty() {
        false => Ok(found),
        true => Err(Failure::usage(format!(
            "there is nothing to check in {}: no {WORKFLOWS}, no YAML file, no action.yml below it",
            path.display()
        ))),
    }
}

/// The path without `.`, `..` and links on the way to it; a file that is a link stays what it is called.
fn without_dots(path: &Path, is_folder: bool) -> std::io::Result<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if !is_folder => Ok(folder.canonicalize()?.join(name)),
        _ => path.canonicalize(),
    }
}

/// A file of its own, in the repository that it stands in.
pub(super) fn file(path: &Path, kind: Kind) -> Sought {
    let folder = path.parent().unwrap_or(path);
    let root = root_of(path).or_else(|| root_above(folder));
    let path = path.to_path_buf();
    Sought { path, root, kind }
}

/// The repository that a folder is or stands in.
pub(super) fn root_above(folder: &Path) -> Option<PathBuf> {
    let found = folder.ancestors().find(|folder| is_root(folder));
    found.map(Path::to_path_buf)
}

/// Where the action of a local reference is, `path` as it follows `./` or `$/`; none where there is no such folder.
///
/// The runner takes a `Dockerfile` for an action too (`ActionManager.cs`): nothing of it is to be checked.
pub(super) fn local_action(root: &Path, path: &str) -> Option<LocalAction> {
    let folder = root.join(path);
    let manifest = MANIFESTS.iter().map(|name| folder.join(name));
    let manifest = manifest.into_iter().find(|path| path.is_file());
    let dockerfile = DOCKERFILES.map(|name| folder.join(name));
    match manifest {
        Some(path) => Some(LocalAction::Manifest(Sought {
            path,
            root: Some(root.to_path_buf()),
            kind: Kind::Action,
        })),
        None if dockerfile.iter().any(|path| path.is_file()) => Some(LocalAction::Dockerfile),
        None => None,
    }
}

/// What a local reference leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LocalAction {
    /// A file that says what to run.
    Manifest(Sought),
    /// An image to build and run.
    Dockerfile,
}

/// Whether a folder is the root of a repository.
fn is_root(folder: &Path) -> bool {
    folder.join(WORKFLOWS).is_dir() || folder.join(".git").exists()
}

/// The workflows and actions of a repository; it may have none.
fn repository(root: &Path) -> Result<Vec<Sought>, Failure> {
    let folder = root.join(WORKFLOWS);
    let workflows = match folder.is_dir() {
        true => list(&folder)?,
        false => Vec::new(),
    };
    let sought = |path: PathBuf, kind| Sought {
        path,
        root: Some(root.to_path_buf()),
        kind,
    };
    let workflows = workflows.into_iter();
    let workflows = workflows.map(|name| sought(folder.join(name), Kind::Workflow));
    let actions = actions(root).into_iter();
    Ok(workflows
        .chain(actions.map(|path| sought(path, Kind::Action)))
        .collect())
}

/// Every action below a folder but those that git ignores or that stand where others' files do.
fn actions(folder: &Path) -> Vec<PathBuf> {
    let mut found = tracked(folder).unwrap_or_else(|| below(folder));
    found.retain(|path| {
        let within = path.strip_prefix(folder).unwrap_or(path);
        let mut parts = within.iter();
        !parts.any(|part| PASSED_OVER.iter().any(|name| part == *name)) && path.is_file()
    });
    found.sort();
    found.dedup();
    found
}

/// As git knows them; none outside of a repository, or where there is no git.
fn tracked(folder: &Path) -> Option<Vec<PathBuf>> {
    let paths = Git::in_repository(folder)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
        ])
        .args(MANIFESTS.map(|name| format!(":(glob)**/{name}")))
        .output()
        .ok()?;
    let paths = paths
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty());
    let paths = paths.map(|path| folder.join(os_str(path)));
    Some(paths.collect())
}

fn os_str(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

/// As the file system has them; links to folders are not followed.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        // What cannot be read has nothing to check.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !PASSED_OVER.iter().any(|passed| name == *passed) {
                open.push(entry.path());
            } else if MANIFESTS.iter().any(|known| name == *known) {
                found.push(entry.path());
            }
        }
    }
    found
}
