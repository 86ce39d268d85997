//! What a push or a pull request changes: the paths that GitHub's `paths` filters look at.

use std::path::Path;

use super::command::joined;
use super::writer::ScratchIndex;
use super::{Content, Facts, Git, GitError, Repository};

/// Two states of a repository, compared as GitHub compares them (docs: workflow syntax, "Git diff
/// comparisons").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub start: RangeStart,
    /// Where it ends.
    pub end: Content,
}

/// The state that the end of a [`Range`] is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeStart {
    /// This revision itself: two dots, as for a push to a branch that is there.
    Commit(String),
    /// What this commit and the end have in common: three dots, as for a pull request.
    MergeBase(String),
    /// The parent of the deepest commit that neither a branch of `origin` nor these commits have,
    /// as for a push of a new branch.
    NewBranch {
        /// Commits that are there already.
        known: Vec<String>,
    },
    /// Nothing: every path is new.
    Nothing,
}

/// What lies between the two ends of a [`Range`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The paths that differ, in git's order; of a rename both names.
    pub paths: Vec<String>,
    /// The commit that the end was compared with; none where everything is new.
    pub base: Option<String>,
    /// How many commits there are, [`MOST_COMMITS`] and one at most; not counted for three dots.
    pub commits: Option<usize>,
}

/// Commits of a push that are still compared (docs: workflow syntax, "Git diff comparisons").
pub const MOST_COMMITS: usize = 1000;

/// The id of a tree without entries, which git knows without having it.
const EMPTY_TREE: [&str; 2] = [
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
];

impl Range {
    /// The paths that differ, from `facts.root` on and in it alone; for the folder with what is not
    /// committed. None where the two ends have nothing in common.
    pub fn changes(
        &self,
        repository: &Repository,
        facts: &Facts,
    ) -> Result<Option<Changes>, GitError> {
        let end = match &self.end {
            Content::Commit(id) => id,
            Content::Folder => &facts.commit,
        };
        let (base, commits) = match &self.start {
            RangeStart::Nothing => (None, None),
            RangeStart::Commit(base) => (Some(base.clone()), None),
            RangeStart::MergeBase(with) => match merge_base(&facts.root, with, end)? {
                None => return Ok(None),
                base => (base, Some(None)),
            },
            RangeStart::NewBranch { known } => {
                let (base, commits) = fork(&facts.root, end, known)?;
                (base, Some(Some(commits)))
            }
        };
        std::thread::scope(|scope| {
            let counted = scope.spawn(|| match commits {
                Some(known) => Ok(known),
                None => count(&facts.root, base.as_deref(), end).map(Some),
            });
            let paths = self.differing(repository, facts, base.as_deref());
            let commits = joined(counted)?;
            Ok(Some(Changes {
                paths: paths?,
                base: base.clone(),
                commits,
            }))
        })
    }

    fn differing(
        &self,
        repository: &Repository,
        facts: &Facts,
        base: Option<&str>,
    ) -> Result<Vec<String>, GitError> {
        let is_sha256 = facts.commit.len() == EMPTY_TREE[1].len();
        let git = Git::in_repository(&facts.root)
            .args(["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff"])
            .args(["--relative", "--ignore-submodules=dirty"])
            .arg(base.unwrap_or(EMPTY_TREE[usize::from(is_sha256)]));
        let output = match &self.end {
            Content::Commit(id) => git.args([id, "--"]).output()?,
            Content::Folder => {
                // What git finds out about the times of files it writes into the index.
                let index = ScratchIndex::of(repository)?;
                git.env("GIT_INDEX_FILE", index.path()).arg("--").output()?
            }
        };
        let mut paths: Vec<&[u8]> = output
            .split(|&byte| byte == 0)
            .filter(|path| !path.is_empty())
            .collect();
        if self.end == Content::Folder {
            paths.extend(facts.untracked.iter().map(Vec::as_slice));
        }
        paths.sort_unstable();
        paths.dedup();
        let text = |path| String::from_utf8_lossy(path).into_owned();
        Ok(paths.into_iter().map(text).collect())
    }
}

/// The id of the commit that a revision names; none where it names none.
pub fn commit_named(directory: &Path, revision: &str) -> Result<Option<String>, GitError> {
    let (code, output) = Git::in_repository(directory)
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
        .arg(format!("{revision}^{{commit}}"))
        .output_or(&[1, 128])?;
    let id = String::from_utf8_lossy(&output).trim().to_owned();
    Ok((code == 0).then_some(id))
}

/// The best of what two commits have in common.
fn merge_base(directory: &Path, one: &str, other: &str) -> Result<Option<String>, GitError> {
    let (code, output) = Git::in_repository(directory)
        .args(["merge-base", one, other])
        .output_or(&[1])?;
    let id = String::from_utf8_lossy(&output).trim().to_owned();
    Ok((code == 0).then_some(id))
}

/// Where the commits begin that only `end` has, and how many they are.
fn fork(
    directory: &Path,
    end: &str,
    known: &[String],
) -> Result<(Option<String>, usize), GitError> {
    let output = Git::in_repository(directory)
        .args(["rev-list", "--topo-order", "--parents"])
        .arg(format!("--max-count={}", MOST_COMMITS + 1))
        .args([end, "--not", "--remotes=origin"])
        .args(known)
        .arg("--")
        .output()?;
    let text = String::from_utf8_lossy(&output);
    let base = match text.lines().last() {
        // There is no commit of its own: only what is not committed is new.
        None => Some(end.to_owned()),
        Some(deepest) => deepest.split(' ').nth(1).map(str::to_owned),
    };
    Ok((base, text.lines().count()))
}

fn count(directory: &Path, base: Option<&str>, end: &str) -> Result<usize, GitError> {
    let line = Git::in_repository(directory)
        .args(["rev-list", "--count"])
        .arg(format!("--max-count={}", MOST_COMMITS + 1))
        .arg(end)
        .args(base.map(|base| format!("^{base}")))
        .arg("--")
        .line()?;
    line.parse().map_err(|_| GitError::Unexpected {
        command: "git rev-list --count".to_owned(),
        answer: line,
    })
}
