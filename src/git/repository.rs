//! Finding the user's repository and the places in it, all absolute.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::command::{OLDEST, joined};
use super::{Git, GitError};

/// A repository of the user's with a working tree: the main one, or one of `git worktree`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The top of the working tree.
    pub root: PathBuf,
    /// The object directory, shared by all worktrees of the repository.
    pub objects: PathBuf,
    /// The index of this working tree; need not exist.
    pub(super) index: PathBuf,
    /// The list of commits whose parents are not here; exists in a shallow clone only.
    shallow: PathBuf,
    /// `sha1` or `sha256`.
    pub object_format: String,
    /// The version of the git command, such as `2.47.3`.
    pub git_version: String,
}

impl Repository {
    /// The repository that `directory` is in.
    pub fn discover(directory: &Path) -> Result<Self, GitError> {
        let (git_version, output) = std::thread::scope(|scope| {
            let version = scope.spawn(|| installed_version(directory));
            let output = Git::in_repository(directory)
                .args(["rev-parse", "--path-format=absolute", "--show-toplevel"])
                .args(["--show-object-format", "--git-path", "index"])
                .args(["--git-path", "objects", "--git-path", "shallow"])
                .output();
            (joined(version), output)
        });
        let (git_version, output) = (git_version?, output?);
        let mut lines = output.split(|&byte| byte == b'\n');
        let mut next = || OsString::from_vec(lines.next().unwrap_or_default().to_vec());
        let root = PathBuf::from(next());
        let object_format = next().to_string_lossy().into_owned();
        Ok(Self {
            git_version,
            root,
            index: next().into(),
            objects: next().into(),
            shallow: next().into(),
            object_format,
        })
    }

    /// The commits whose parents this clone does not have; none unless it is shallow.
    pub fn shallow_commits(&self) -> Result<Vec<String>, GitError> {
        match std::fs::read_to_string(&self.shallow) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(GitError::io("read", &self.shallow)(error)),
        }
    }

    /// An error unless the git command is `needed` or newer: for what only newer ones can do.
    pub(super) fn require_git(&self, needed: &'static str) -> Result<(), GitError> {
        require(&self.git_version, needed)
    }
}

/// The version of git; an error unless it is there and new enough.
fn installed_version(directory: &Path) -> Result<String, GitError> {
    let line = Git::in_repository(directory).arg("version").line()?;
    let found = line.strip_prefix("git version ").unwrap_or(&line);
    require(found, OLDEST)?;
    Ok(found.to_owned())
}

/// An error unless the version is `needed` or newer.
fn require(found: &str, needed: &'static str) -> Result<(), GitError> {
    let number = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    if number(found) >= number(needed) {
        return Ok(());
    }
    Err(GitError::TooOld {
        found: found.to_owned(),
        needed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(require("2.9.5", "2.32").is_err());
        assert!(require("2.32.0", "2.32").is_ok());
        assert!(require("2.47.3 (Apple Git-1)", "2.38").is_ok());
        assert!(require("3.0.rc1", "2.38").is_ok());
    }
}
