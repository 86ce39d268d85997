//! What a repository is like at this moment.

use std::path::{Path, PathBuf};

use super::command::joined;
use super::{Commit, Git, GitError, Origin, Ref, Refs, Repository};

/// What HEAD names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch.
    Branch(String),
    /// No branch, but a commit that this tag names.
    Tag(String),
    /// A commit alone.
    Detached,
}

/// The state of a repository as one look at it gave; no part of it changes later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The top of the working tree.
    pub root: PathBuf,
    /// The commit that HEAD names.
    pub commit: String,
    /// That commit, where it was read with the rest.
    pub head_commit: Option<Commit>,
    /// How it names it.
    pub head: Head,
    /// Every branch, remote branch of `origin`, and tag.
    pub refs: Refs,
    /// What the URL of `origin` names; none without such a remote, or when it is no server's.
    pub origin: Option<Origin>,
    /// The branch `origin/HEAD` names.
    pub origin_head: Option<String>,
    /// Tracked paths that differ from the commit, in the index or in the folder; sorted.
    pub changed: Vec<Vec<u8>>,
    /// Paths that are neither tracked nor ignored; sorted. Repositories inside are left out: a
    /// commit cannot have their files.
    pub untracked: Vec<Vec<u8>>,
    /// Paths with merge conflicts.
    pub unmerged: Vec<Vec<u8>>,
}

impl Facts {
    /// Finds the repository that `directory` is in, and looks at it meanwhile.
    pub fn discover(directory: &Path) -> Result<(Repository, Self), GitError> {
        let (repository, seen) = std::thread::scope(|scope| {
            let repository = scope.spawn(|| Repository::discover(directory));
            // What git says is the same from everywhere in a repository.
            let seen = Seen::look(directory);
            (joined(repository), seen)
        });
        let repository = repository?;
        let facts = match seen.and_then(|seen| Self::new(&repository, seen)) {
            Ok(facts) => facts,
            // An error names the repository, not where in it lrun looked.
            Err(_) => Self::gather(&repository)?,
        };
        Ok((repository, facts))
    }

    /// Looks at the repository. An unborn HEAD and a folder that may not be read are errors.
    pub fn gather(repository: &Repository) -> Result<Self, GitError> {
        Self::new(repository, Seen::look(&repository.root)?)
    }

    fn new(repository: &Repository, seen: Seen) -> Result<Self, GitError> {
        let Seen {
            status,
            refs: (refs, origin_head),
            head_commit,
            url,
        } = seen;
        let commit = status.commit.ok_or_else(|| GitError::NoCommits {
            root: repository.root.clone(),
        })?;
        let head = match status.branch {
            Some(branch) => Head::Branch(branch),
            None => tag_of(&refs, &commit).map_or(Head::Detached, Head::Tag),
        };
        Ok(Self {
            root: repository.root.clone(),
            // HEAD may have been moved in between.
            head_commit: head_commit.filter(|head| head.id == commit),
            commit,
            head,
            refs,
            origin: Origin::parse(&url),
            origin_head,
            changed: status.changed,
            untracked: status.untracked,
            unmerged: status.unmerged,
        })
    }

    /// Whether nothing differs from the commit.
    pub fn is_clean(&self) -> bool {
        self.changed.is_empty() && self.untracked.is_empty()
    }
}

/// The last tag by name that names the commit.
fn tag_of(refs: &Refs, commit: &str) -> Option<String> {
    refs.below("refs/tags/")
        .filter(|(_, Ref { commit: tagged, .. })| tagged == commit)
        .map(|(name, _)| name.to_owned())
        .last()
}

/// What the commands say that are asked at once.
struct Seen {
    status: Status,
    /// With the branch `origin/HEAD` names.
    refs: (Refs, Option<String>),
    /// None where HEAD names no commit.
    head_commit: Option<Commit>,
    url: String,
}

impl Seen {
    fn look(directory: &Path) -> Result<Self, GitError> {
        std::thread::scope(|scope| {
            let refs = scope.spawn(|| Refs::read(directory));
            let head = scope.spawn(|| Commit::read(Git::in_repository(directory), "HEAD"));
            let url = scope.spawn(|| url_of_origin(directory));
            let status = Status::read(directory);
            let (refs, head, url) = (joined(refs), joined(head), joined(url));
            Ok(Self {
                status: status?,
                refs: refs?,
                // What is wrong with it is told when it is needed.
                head_commit: head.ok(),
                url: url?,
            })
        })
    }
}

/// The URL of `origin`: as it was given where that names a server, because a mirror that `insteadOf` puts
/// in its place is none of GitHub's; else as git completes it.
fn url_of_origin(directory: &Path) -> Result<String, GitError> {
    let git = Git::in_repository(directory);
    let written = git.args(["config", "--get", "remote.origin.url"]).line();
    let names_server =
        |url: &String| Origin::parse(url).is_some_and(|origin| origin.host.contains('.'));
    match written.ok().filter(names_server) {
        Some(url) => Ok(url),
        None => {
            let git = Git::in_repository(directory);
            git.args(["ls-remote", "--get-url", "origin"]).line()
        }
    }
}

/// What `git status --porcelain=v2 --branch -z` says.
#[derive(Debug, Default)]
struct Status {
    commit: Option<String>,
    branch: Option<String>,
    changed: Vec<Vec<u8>>,
    untracked: Vec<Vec<u8>>,
    unmerged: Vec<Vec<u8>>,
}

impl Status {
    fn read(directory: &Path) -> Result<Self, GitError> {
        let output = Git::in_repository(directory)
            .args(["status", "--porcelain=v2", "--branch", "-z"])
            .args(["--untracked-files=all", "--no-renames"])
            // Of a submodule only the commit counts: its files are no part of ours.
            .arg("--ignore-submodules=dirty")
            .output()?;
        let mut status = Self::default();
        for record in output.split(|&byte| byte == 0) {
            status.take(record);
        }
        Ok(status)
    }

    /// Takes one record; git-status(1), "Porcelain Format Version 2". Renames are off.
    fn take(&mut self, record: &[u8]) {
        let after = |spaces: usize| {
            let mut fields = record.splitn(spaces + 1, |&byte| byte == b' ');
            fields.nth(spaces).unwrap_or_default().to_vec()
        };
        let text = || String::from_utf8_lossy(&after(2)).into_owned();
        match record.first() {
            Some(b'1') => self.changed.push(after(8)),
            Some(b'u') => self.unmerged.push(after(10)),
            Some(b'?') if !record.ends_with(b"/") => self.untracked.push(after(1)),
            Some(b'#') if record.starts_with(b"# branch.oid ") => {
                self.commit = Some(text()).filter(|oid| oid != "(initial)");
            }
            Some(b'#') if record.starts_with(b"# branch.head ") => {
                self.branch = Some(text()).filter(|head| head != "(detached)");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_records_keep_spaces_in_paths() {
        let mut status = Status::default();
        for record in [
            "# branch.oid 0123",
            "# branch.head topic",
            "1 .M N... 100644 100644 100644 aaaa aaaa a file",
            "u UU N... 100644 100644 100644 100644 a b c in conflict",
            "? new  file",
            "? nested/",
            "",
        ] {
            status.take(record.as_bytes());
        }
        assert_eq!(status.commit.as_deref(), Some("0123"));
        assert_eq!(status.branch.as_deref(), Some("topic"));
        assert_eq!(status.changed, [b"a file"]);
        assert_eq!(status.unmerged, [b"in conflict"]);
        assert_eq!(status.untracked, [b"new  file"]);
    }

    #[test]
    fn an_unborn_head_has_no_commit() {
        let mut status = Status::default();
        status.take(b"# branch.oid (initial)");
        status.take(b"# branch.head (detached)");
        assert_eq!((status.commit, status.branch), (None, None));
    }
}
