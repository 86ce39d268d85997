//! What can be wrong with a repository, in git's own words where it has some.

use std::path::{Path, PathBuf};

/// Why git could not be asked, or what it answered.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git command.
    #[error("git is not installed or not in PATH: install it (version {needed} or newer)")]
    NotInstalled {
        /// The oldest version lrun works with.
        needed: &'static str,
    },
    /// The git command is too old.
    #[error("git {found} is too old: lrun needs {needed} or newer")]
    TooOld {
        /// Its version.
        found: String,
        /// The oldest version lrun works with.
        needed: &'static str,
    },
    /// No repository here or above.
    #[error(
        "'{}' is not in a git repository: run lrun in one, or make one with `git init` and a first commit",
        path.display()
    )]
    NotARepository {
        /// Where lrun looked.
        path: PathBuf,
    },
    /// A bare repository, or the inside of a `.git` directory.
    #[error(
        "'{}' has no files checked out (a bare repository or a .git directory): run lrun in a working tree, such as one made with `git worktree add`",
        path.display()
    )]
    NoWorkTree {
        /// Where lrun looked.
        path: PathBuf,
    },
    /// Git refuses a repository that belongs to somebody else.
    #[error(
        "git does not trust '{}' because another user owns it: `git config --global --add safe.directory '{}'` allows it",
        path.display(), path.display()
    )]
    DubiousOwnership {
        /// The repository.
        path: PathBuf,
    },
    /// HEAD names a branch without a commit.
    #[error(
        "'{}' has no commit yet: GitHub runs commits, so make a first one with `git commit`",
        root.display()
    )]
    NoCommits {
        /// The repository.
        root: PathBuf,
    },
    /// A merge, rebase or cherry-pick stopped at conflicts.
    #[error(
        "'{}' has unmerged files ({}): resolve them and `git add` them, or run HEAD with --committed",
        root.display(), paths.join(", ")
    )]
    Unmerged {
        /// The repository.
        root: PathBuf,
        /// The files, from its root.
        paths: Vec<String>,
    },
    /// Base and head of a pull request do not merge.
    #[error(
        "{head} conflicts with {base} in {}: GitHub starts nothing for a pull request with conflicts; merge {base} first",
        paths.join(", ")
    )]
    MergeConflict {
        /// The base as it was named.
        base: String,
        /// The head as it was named.
        head: String,
        /// The files in conflict.
        paths: Vec<String>,
    },
    /// A file or directory of the repository cannot be read.
    #[error(
        "'{}' cannot be read whole: {words}; make it readable, or ignore it in .gitignore",
        root.display()
    )]
    Unreadable {
        /// The repository.
        root: PathBuf,
        /// Git's own words.
        words: String,
    },
    /// A git command failed for another reason.
    #[error("`{command}` failed in '{}': {words}", directory.display())]
    Failed {
        /// The command, without lrun's fixed settings.
        command: String,
        /// Where it ran.
        directory: PathBuf,
        /// Its exit code; none when a signal ended it.
        code: Option<i32>,
        /// What it wrote to standard error.
        words: String,
    },
    /// A git command answered in a form lrun does not know.
    #[error("`{command}` gave an answer that lrun cannot read: '{answer}'")]
    Unexpected {
        /// The command.
        command: String,
        /// The part that is not understood.
        answer: String,
    },
    /// A file of lrun's own could not be read or written.
    #[error("cannot {action} '{}': {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl GitError {
    /// An [`GitError::Io`] on `path`, for `map_err`.
    pub(super) fn io(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// What a failed command means, judged by git's own words (they are always in the C locale).
    pub(super) fn classify(
        command: String,
        directory: &Path,
        code: Option<i32>,
        words: String,
    ) -> Self {
        let path = directory.to_owned();
        if words.contains("not a git repository") {
            Self::NotARepository { path }
        } else if words.contains("must be run in a work tree") {
            Self::NoWorkTree { path }
        } else if words.contains("dubious ownership") {
            Self::DubiousOwnership { path }
        } else if words.contains("Permission denied") {
            Self::Unreadable { root: path, words }
        } else {
            Self::Failed {
                command,
                directory: path,
                code,
                words,
            }
        }
    }
}
