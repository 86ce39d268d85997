//! The commit a run is of: one of the user's, or a synthetic one over what is not committed.
//!
//! Synthetic commits have a fixed author and a date taken from their parents, so that their ids
//! depend on content alone. Their objects go to a directory of lrun's own.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::writer::Writer;
use super::{Facts, Git, GitError, Repository};

/// What of a repository runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The folder as it is: tracked changes and untracked files that are not ignored.
    Folder,
    /// The commit with this id.
    Commit(String),
}

/// The message of the commit of what is not committed.
const UNCOMMITTED: &str = "Uncommitted changes";

/// A commit as git has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Its tree's id.
    pub tree: String,
    /// Its parents' ids.
    pub parents: Vec<String>,
    /// Name of the author.
    pub author_name: String,
    /// Mail address of the author.
    pub author_email: String,
    /// Name of the committer.
    pub committer_name: String,
    /// Mail address of the committer.
    pub committer_email: String,
    /// When it was committed, in seconds since 1970.
    pub seconds: i64,
    /// The same as RFC 3339 in the committer's zone.
    pub timestamp: String,
    /// The whole message, without trailing line ends.
    pub message: String,
}

impl Commit {
    /// Reads the commit that `id` names.
    pub(super) fn read(git: Git, id: &str) -> Result<Commit, GitError> {
        let format = "%H%x00%T%x00%P%x00%an%x00%ae%x00%cn%x00%ce%x00%ct%x00%cI%x00%B";
        let output = git
            .args(["log", "-1", "--no-show-signature", "--no-color"])
            .args(["--encoding=UTF-8", &format!("--format={format}"), id, "--"])
            .output()?;
        let text = String::from_utf8_lossy(&output);
        let fields: Vec<_> = text.trim_end().splitn(10, '\0').collect();
        let unexpected = || GitError::Unexpected {
            command: format!("git log -1 {id}"),
            answer: text.clone().into_owned(),
        };
        let &[
            id,
            tree,
            parents,
            author,
            mail,
            committer,
            committer_mail,
            seconds,
            timestamp,
            message,
        ] = fields.as_slice()
        else {
            return Err(unexpected());
        };
        Ok(Self {
            id: id.to_owned(),
            tree: tree.to_owned(),
            parents: parents.split_whitespace().map(str::to_owned).collect(),
            author_name: author.to_owned(),
            author_email: mail.to_owned(),
            committer_name: committer.to_owned(),
            committer_email: committer_mail.to_owned(),
            seconds: seconds.parse().map_err(|_| unexpected())?,
            timestamp: timestamp.to_owned(),
            message: message.to_owned(),
        })
    }
}

/// The two sides of a pull request's merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The base's commit.
    pub base: String,
    /// The head's commit, which may be a synthetic one.
    pub head: String,
}

/// The commit a run is of, and what it has beyond the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The commit; `GITHUB_SHA` is its id.
    pub commit: Commit,
    /// The user's own commit, where [`Self::commit`] is a synthetic one on top of it.
    pub head_sha: String,
    /// The sides, where the commit is a pull request's merge.
    pub merge: Option<Merge>,
    /// Tracked paths that differ from the user's commit.
    pub changed: Vec<String>,
    /// Paths that a push would not have: not tracked, not ignored.
    pub untracked: Vec<String>,
    /// An object directory of lrun's own with what the user's does not have.
    pub objects: PathBuf,
}

impl Snapshot {
    /// Takes the content; synthetic objects are added to `objects`, which is made if need be. A
    /// folder without changes is the user's commit itself.
    pub fn take(
        repository: &Repository,
        facts: &Facts,
        content: &Content,
        objects: &Path,
    ) -> Result<Self, GitError> {
        std::fs::create_dir_all(objects).map_err(GitError::io("create", objects))?;
        let writer = Writer {
            repository,
            objects,
        };
        let id = match content {
            Content::Commit(id) => id,
            Content::Folder => &facts.commit,
        };
        let mut snapshot = Self {
            commit: match &facts.head_commit {
                Some(head) if head.id == *id => head.clone(),
                _ => writer.commit(id)?,
            },
            head_sha: id.clone(),
            merge: None,
            changed: Vec::new(),
            untracked: Vec::new(),
            objects: objects.to_owned(),
        };
        if *content == Content::Folder {
            snapshot.add_changes(&writer, facts)?;
        }
        Ok(snapshot)
    }

    /// The same as far as it is known without writing anything: what is not committed has the id
    /// of the commit below it, and there is no merge.
    pub fn outlined(facts: &Facts, content: &Content) -> Result<Self, GitError> {
        let id = match content {
            Content::Commit(id) => id,
            Content::Folder => &facts.commit,
        };
        let mut commit = match &facts.head_commit {
            Some(head) if head.id == *id => head.clone(),
            _ => Commit::read(Git::in_repository(&facts.root), id)?,
        };
        let (mut changed, mut untracked) = (Vec::new(), Vec::new());
        if *content == Content::Folder && !facts.is_clean() {
            UNCOMMITTED.clone_into(&mut commit.message);
            commit.parents = vec![id.clone()];
            changed = facts.changed.iter().map(lossy).collect();
            untracked = facts.untracked.iter().map(lossy).collect();
        }
        Ok(Self {
            commit,
            head_sha: id.clone(),
            merge: None,
            changed,
            untracked,
            objects: PathBuf::new(),
        })
    }

    /// The id of the commit: `GITHUB_SHA`.
    pub fn sha(&self) -> &str {
        &self.commit.id
    }

    /// The merge of this snapshot, named `head`, into the base's commit, as GitHub makes it for a
    /// pull request. A conflict is [`GitError::MergeConflict`]: GitHub starts nothing then.
    pub fn merged_into(
        self,
        repository: &Repository,
        (base_name, base): (&str, &str),
        head_name: &str,
    ) -> Result<Self, GitError> {
        let objects = self.objects.clone();
        let writer = Writer {
            repository,
            objects: &objects,
        };
        let head = self.sha().to_owned();
        let tree = writer
            .merge(base, &head)?
            .map_err(|paths| GitError::MergeConflict {
                base: base_name.to_owned(),
                head: head_name.to_owned(),
                paths,
            })?;
        let seconds = self.commit.seconds.max(writer.commit(base)?.seconds);
        let message = format!("Merge {head} into {base}");
        let id = writer.write_commit(&tree, &[base, &head], seconds, &message)?;
        Ok(Self {
            commit: writer.commit(&id)?,
            merge: Some(Merge {
                base: base.to_owned(),
                head,
            }),
            ..self
        })
    }

    fn add_changes(&mut self, writer: &Writer<'_>, facts: &Facts) -> Result<(), GitError> {
        if !facts.unmerged.is_empty() {
            return Err(GitError::Unmerged {
                root: writer.repository.root.clone(),
                paths: facts.unmerged.iter().map(lossy).collect(),
            });
        }
        if facts.is_clean() {
            return Ok(());
        }
        let tree = writer.write_folder(facts)?;
        if tree == self.commit.tree {
            return Ok(());
        }
        let differing = writer.differing(&self.commit.tree, &tree)?;
        let is_new = |path: &&Vec<u8>| differing.contains(*path);
        self.untracked = facts.untracked.iter().filter(is_new).map(lossy).collect();
        let untracked: HashSet<_> = facts.untracked.iter().collect();
        let mut changed: Vec<_> = differing
            .iter()
            .filter(|path| !untracked.contains(path))
            .map(lossy)
            .collect();
        changed.sort_unstable();
        self.changed = changed;
        let parent = &self.commit;
        let id = writer.write_commit(&tree, &[&parent.id], parent.seconds, UNCOMMITTED)?;
        self.commit = writer.commit(&id)?;
        Ok(())
    }
}

fn lossy(path: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(path.as_ref()).into_owned()
}
