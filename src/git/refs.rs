//! The refs of a repository.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Git, GitError};

/// What a ref names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// The object itself; for an annotated tag not a commit.
    pub object: String,
    /// The commit: the object, or what an annotated tag is about.
    pub commit: String,
}

/// Refs by their full names, such as `refs/heads/main`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refs(pub BTreeMap<String, Ref>);

impl Refs {
    /// Branches, remote branches and tags of the repository, and the branch `origin/HEAD` names.
    pub(super) fn read(directory: &Path) -> Result<(Self, Option<String>), GitError> {
        let format = "%(refname)%00%(objectname)%00%(*objectname)%00%(symref)";
        let output = Git::in_repository(directory)
            .args(["for-each-ref", "--format", format])
            .args(["refs/heads", "refs/remotes/origin", "refs/tags"])
            .output()?;
        let mut refs = BTreeMap::new();
        let mut origin_head = None;
        for line in String::from_utf8_lossy(&output).lines() {
            let mut fields = line.split('\0');
            let mut field = || fields.next().unwrap_or_default();
            let (name, object, peeled, symref) = (field(), field(), field(), field());
            if name == "refs/remotes/origin/HEAD" {
                origin_head = symref
                    .strip_prefix("refs/remotes/origin/")
                    .map(str::to_owned);
                continue;
            }
            let commit = if peeled.is_empty() { object } else { peeled };
            let target = Ref {
                object: object.to_owned(),
                commit: commit.to_owned(),
            };
            refs.insert(name.to_owned(), target);
        }
        Ok((Self(refs), origin_head))
    }

    /// What the full name stands for.
    pub fn get(&self, name: &str) -> Option<&Ref> {
        self.0.get(name)
    }

    /// The refs below a prefix such as `refs/tags/`, by the rest of their names.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Ref)> {
        self.0
            .range(prefix.to_owned()..)
            .map_while(move |(name, target)| Some((name.strip_prefix(prefix)?, target)))
    }

    /// The commit of a branch as GitHub has it: where `origin` was when last seen, else the
    /// local branch.
    pub fn branch(&self, name: &str) -> Option<&str> {
        self.get(&format!("refs/remotes/origin/{name}"))
            .or_else(|| self.get(&format!("refs/heads/{name}")))
            .map(|target| target.commit.as_str())
    }
}
