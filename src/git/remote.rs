//! Repositories of others: their commits, by the user's own git, in bare repositories of lrun's own.
//!
//! Everything the user's configuration says of URLs holds (`url.….insteadOf`, credential helpers,
//! proxies, certificates); nobody is prompted. What was fetched once is kept.
//!
//! Any number of processes may use one directory: a lock per repository lets one fetch at a time, and
//! git itself holds it, so that it lasts as long as the git of an lrun that was killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::clock::Moment;
use crate::digest::Digest;

use super::contents::archive;
use super::{Git, GitError};

/// How long one fetch may take.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// How often somebody who waits for the lock looks.
const PAUSE: Duration = Duration::from_millis(20);

/// How much history is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// So many commits from the tip.
    Commits(u32),
    /// All of it.
    Whole,
}

/// A repository at a URL, and the bare one of lrun's own that keeps what was fetched of it.
#[derive(Debug, Clone)]
pub struct Remote {
    url: String,
    directory: PathBuf,
    limit: Duration,
}

/// Why a commit of another repository cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The server knows no such repository, or does not show it to whoever asks.
    #[error(
        "there is no repository at {url}, or git has no credentials for it: {words}; \
         `git ls-remote {url}` must work without a question"
    )]
    NoRepository {
        /// Where it was looked for.
        url: String,
        /// Git's own words.
        words: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("{url} has no branch, tag or commit '{revision}'")]
    NoRevision {
        /// The repository.
        url: String,
        /// What was asked for.
        revision: String,
    },
    /// The server was not reached.
    #[error("{url} cannot be reached: {words}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Git's own words.
        words: String,
    },
    /// It took too long.
    #[error("git was not done with {url} after {} s; try `git ls-remote {url}`", limit.as_secs())]
    TimedOut {
        /// Where it was looked for.
        url: String,
        /// How long git was given.
        limit: Duration,
    },
    /// Git failed for another reason.
    #[error("git cannot fetch '{revision}' of {url}: {words}")]
    Failed {
        /// The repository.
        url: String,
        /// What was asked for.
        revision: String,
        /// Git's own words.
        words: String,
    },
    /// A git command on lrun's own repository failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl RemoteError {
    /// Whether GitHub would not find it either: not this machine is at fault, nor the network.
    pub fn is_not_there(&self) -> bool {
        matches!(self, Self::NoRepository { .. } | Self::NoRevision { .. })
    }
}

impl Remote {
    /// The repository at `url`; what is fetched is kept in a directory of its own below `kept`. Nothing
    /// is done yet.
    pub fn new(kept: &Path, url: impl Into<String>) -> Self {
        let url = url.into();
        Self::kept_as(kept, &url.clone(), url)
    }

    /// The repository `owner/name` on GitHub, where letter case makes no other: it is kept once, and asked
    /// for as it is written.
    pub fn on_github(kept: &Path, repository: &str) -> Self {
        let url = |repository: &str| format!("https://github.com/{repository}");
        let known_as = url(&repository.to_ascii_lowercase());
        Self::kept_as(kept, &known_as, url(repository))
    }

    fn kept_as(kept: &Path, known_as: &str, url: String) -> Self {
        let digest = Digest::of(known_as).to_string();
        let last = known_as.rsplit(['/', ':']).next().unwrap_or_default();
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String = last.chars().filter(is_plain).take(40).collect();
        Self {
            directory: kept.join(format!("{name}-{}.git", &digest[..16])),
            url,
            limit: LIMIT,
        }
    }

    /// The same, with another limit for each fetch than ten minutes.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Where it is fetched from, before the user's configuration names another place.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bare repository; it is made by the first fetch.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A command on what was fetched, under no configuration of the user's. It must be one that only
    /// reads.
    pub fn git(&self) -> Git {
        Git::isolated(&self.directory).env("GIT_DIR", &self.directory)
    }

    /// The files of a commit that is here, below the folder `root`, as `git archive` writes them and
    /// GitHub delivers them.
    pub fn archive(&self, commit: &str, root: &str) -> Result<Vec<u8>, GitError> {
        archive(self.git(), commit, root)
    }

    /// Whether a commit is here with its files.
    pub fn has(&self, commit: &str) -> bool {
        self.directory.is_dir() && {
            let tree = format!("{commit}^{{tree}}");
            self.git().args(["cat-file", "-e", &tree]).output().is_ok()
        }
    }

    /// Fetches a branch, a tag or a commit by its whole id, and gives the id of the commit. A tag goes
    /// before a branch of the same name. A commit that is here is not asked for again, unless more than
    /// one commit's history is wanted.
    pub fn fetch(&self, revision: &str, depth: Depth) -> Result<String, RemoteError> {
        let id = is_commit_id(revision).then(|| revision.to_ascii_lowercase());
        let is_here = |id: &String| depth == Depth::Commits(1) && self.has(id);
        if let Some(id) = id.as_ref().filter(|id| is_here(id)) {
            return Ok(id.clone());
        }
        if !is_revision(revision) {
            return Err(self.no_revision(revision));
        }
        let lock = self.lock()?;
        self.fetch_locked(&lock, &[revision], depth)?;
        let commit = self
            .git()
            .args(["rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}"])
            .line()
            .map_err(|_| self.no_revision(revision))?;
        // What no ref names might be cleared away by whoever runs `git gc` there.
        self.git()
            .args(["update-ref", &format!("refs/kept/{commit}"), &commit])
            .output()?;
        Ok(commit)
    }

    /// Fetches by git's own refspecs, such as `+refs/heads/*:refs/remotes/origin/*`.
    pub fn fetch_refs(&self, refspecs: &[&str], depth: Depth) -> Result<(), RemoteError> {
        let lock = self.lock()?;
        self.fetch_locked(&lock, refspecs, depth)
    }

    /// The refs that the repository says it has, `HEAD` too, with their ids; of annotated tags also
    /// what they point to, as `refs/tags/NAME^{}`.
    pub fn advertised(&self) -> Result<Vec<(String, String)>, RemoteError> {
        let lock = self.lock()?;
        let asked = self.asking().args(["ls-remote", "--quiet", &self.url]);
        let answer = self.answer(asked, &lock, "HEAD")?;
        let text = String::from_utf8_lossy(&answer.stdout);
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        Ok(pairs
            .map(|(id, name)| (name.to_owned(), id.to_owned()))
            .collect())
    }

    /// The full name of the branch that the repository's `HEAD` names.
    pub fn head_branch(&self) -> Result<Option<String>, RemoteError> {
        let lock = self.lock()?;
        let asked = ["ls-remote", "--quiet", "--symref", &self.url, "HEAD"];
        let answer = self.answer(self.asking().args(asked), &lock, "HEAD")?;
        let text = String::from_utf8_lossy(&answer.stdout);
        let named = text.lines().find_map(|line| line.strip_prefix("ref: "));
        Ok(named.and_then(|line| Some(line.split_once('\t')?.0.to_owned())))
    }

    fn asking(&self) -> Git {
        Git::asking(&self.directory).env("GIT_DIR", &self.directory)
    }

    fn fetch_locked(
        &self,
        lock: &File,
        refspecs: &[&str],
        depth: Depth,
    ) -> Result<(), RemoteError> {
        let depth = match depth {
            Depth::Commits(commits) => commits,
            // What `--unshallow` stands for, which fails where nothing is shallow.
            Depth::Whole => 0x7fff_ffff,
        };
        let fetch = self
            .asking()
            .args(["fetch", "--quiet", "--no-tags", "--force"])
            .args(["--no-recurse-submodules", &format!("--depth={depth}")])
            .arg(&self.url)
            .args(refspecs);
        self.answer(fetch, lock, &refspecs.join(" ")).map(drop)
    }

    fn answer(&self, git: Git, lock: &File, revision: &str) -> Result<Output, RemoteError> {
        let held = lock
            .try_clone()
            .map_err(GitError::io("use the lock of", &self.directory))?;
        match git.within(self.limit, held)? {
            Some(output) if output.status.success() => Ok(output),
            Some(output) => Err(self.failed(revision, &String::from_utf8_lossy(&output.stderr))),
            None => Err(RemoteError::TimedOut {
                url: self.url.clone(),
                limit: self.limit,
            }),
        }
    }

    /// What a failed fetch means, judged by git's own words.
    fn failed(&self, revision: &str, words: &str) -> RemoteError {
        let has = |texts: &[&str]| {
            let words = words.to_ascii_lowercase();
            texts.iter().any(|text| words.contains(text))
        };
        let url = self.url.clone();
        let revision = revision.to_owned();
        let told = told(words);
        if has(NO_REVISION) {
            RemoteError::NoRevision { url, revision }
        } else if has(UNREACHABLE) {
            RemoteError::Unreachable { url, words: told }
        } else if has(NO_REPOSITORY) {
            RemoteError::NoRepository { url, words: told }
        } else {
            RemoteError::Failed {
                url,
                revision,
                words: told,
            }
        }
    }

    fn no_revision(&self, revision: &str) -> RemoteError {
        RemoteError::NoRevision {
            url: self.url.clone(),
            revision: revision.to_owned(),
        }
    }

    /// Makes the bare repository where there is none, and has it for itself as long as the file is open
    /// here or in a git that it was given to.
    fn lock(&self) -> Result<File, RemoteError> {
        let kept = self.directory.parent().unwrap_or(&self.directory);
        fs::create_dir_all(kept).map_err(GitError::io("make", kept))?;
        let path = self.directory.with_extension("lock");
        let lock = File::create(&path).map_err(GitError::io("make", &path))?;
        let start = Moment::now();
        while let Err(error) = lock.try_lock() {
            match error {
                fs::TryLockError::WouldBlock if start.elapsed() < self.limit => {
                    std::thread::sleep(PAUSE);
                }
                fs::TryLockError::WouldBlock => {
                    return Err(RemoteError::TimedOut {
                        url: self.url.clone(),
                        limit: self.limit,
                    });
                }
                fs::TryLockError::Error(error) => {
                    return Err(GitError::io("lock", &path)(error).into());
                }
            }
        }
        match self.directory.is_dir() {
            true => self.clear_locks(),
            false => self.make(kept)?,
        }
        Ok(lock)
    }

    /// A git that was killed leaves its lock files; whose turn it is knows that none is at work.
    fn clear_locks(&self) {
        for name in ["shallow.lock", "packed-refs.lock", "config.lock"] {
            let _ = fs::remove_file(self.directory.join(name));
        }
    }

    fn make(&self, kept: &Path) -> Result<(), GitError> {
        let beside = tempfile::Builder::new()
            .prefix("new-")
            .tempdir_in(kept)
            .map_err(GitError::io("make a directory in", kept))?;
        Git::isolated(kept)
            .args(["init", "--quiet", "--bare", "--template="])
            .arg(beside.path())
            .output()?;
        fs::rename(beside.keep(), &self.directory).map_err(GitError::io("make", &self.directory))
    }
}

const NO_REVISION: &[&str] = &[
    "couldn't find remote ref",
    "could not find remote ref",
    "not our ref",
    "unadvertised object",
    "no such remote ref",
    "invalid refspec",
];

const UNREACHABLE: &[&str] = &[
    "could not resolve",
    "couldn't resolve",
    "failed to connect",
    "couldn't connect",
    "could not connect",
    "connection refused",
    "connection reset",
    "connection timed out",
    "network is unreachable",
    "no route to host",
    "timed out",
    "too slow",
    "name or service not known",
    "temporary failure in name resolution",
    "proxy",
    "certificate",
    "requested url returned error: 5",
    "requested url returned error: 429",
];

const NO_REPOSITORY: &[&str] = &[
    "repository not found",
    "does not appear to be a git repository",
    "does not exist",
    "not found",
    "could not read username",
    "could not read password",
    "authentication failed",
    "permission denied",
    "access denied",
    "requested url returned error: 4",
];

/// Git's words on one line, without what a URL may have before its host: that may be a password.
fn told(words: &str) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join("; ");
    let mut told = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        told.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace());
        let host = &after[..end.unwrap_or(after.len())];
        rest = match host.rfind('@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    told.push_str(rest);
    told
}

/// Whether a text is the whole id of a commit.
pub fn is_commit_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether it can be the name of a ref (git-check-ref-format(1)); to git, other texts mean more.
fn is_revision(text: &str) -> bool {
    let refused = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.ends_with(".lock")
    };
    !text.contains(refused)
        && !text.starts_with(['-', '+', '@'])
        && !text.contains("..")
        && !text.contains("@{")
        && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests;
