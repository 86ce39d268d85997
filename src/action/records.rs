//! What is known of repositories from earlier fetches: which commit a ref was, and what a commit holds.
//!
//! Small files below the store's `actions/resolved`, each written whole and renamed into place, so that
//! any number of processes may read and write them. What is lost is fetched again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Which commit a branch or a tag was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The branch or tag.
    #[serde(rename = "ref")]
    pub(super) git_ref: String,
    /// The commit.
    pub(super) commit: String,
    /// When the repository said so, in milliseconds since 1970.
    pub(super) asked_ms: u64,
}

/// What a commit holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// All of it, as a tree of the store.
    pub(super) tree: Digest,
    /// What is read without the tree: manifests of actions, workflows, the lock file.
    pub(super) files: BTreeMap<String, Digest>,
}

/// The files with what is known.
#[derive(Debug, Clone)]
pub(super) struct Records {
    root: PathBuf,
}

impl Records {
    /// Those of the store at `root`.
    pub(super) fn of_store(root: &Path) -> Self {
        Self {
            root: root.join("actions").join("resolved"),
        }
    }

    pub(super) fn asked(&self, repository: &str, git_ref: &str) -> Option<Asked> {
        let found: Asked = read(&self.ref_path(repository, git_ref))?;
        (found.git_ref == git_ref).then_some(found)
    }

    pub(super) fn kept(&self, repository: &str, commit: &str) -> Option<Kept> {
        read(&self.commit_path(repository, commit))
    }

    pub(super) fn note_asked(&self, repository: &str, asked: &Asked) -> std::io::Result<()> {
        write(&self.ref_path(repository, &asked.git_ref), asked)
    }

    pub(super) fn note_kept(
        &self,
        repository: &str,
        commit: &str,
        kept: &Kept,
    ) -> std::io::Result<()> {
        write(&self.commit_path(repository, commit), kept)
    }

    /// Has a commit fetched and stored anew.
    pub(super) fn forget(&self, repository: &str, commit: &str) {
        // What cannot be removed is found damaged again.
        let _ = fs::remove_file(self.commit_path(repository, commit));
    }

    /// A ref may be longer than a file's name, and have slashes.
    fn ref_path(&self, repository: &str, git_ref: &str) -> PathBuf {
        let name = Digest::of(git_ref).to_string();
        self.repository_path(repository).join("refs").join(name)
    }

    fn commit_path(&self, repository: &str, commit: &str) -> PathBuf {
        self.repository_path(repository)
            .join("commits")
            .join(commit.to_ascii_lowercase())
    }

    /// Owners and names have no letter case.
    fn repository_path(&self, repository: &str) -> PathBuf {
        self.root.join(repository.to_ascii_lowercase())
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    // What cannot be read is not known.
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write(path: &Path, value: &impl Serialize) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)?;
    let mut beside = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer(&mut beside, value)?;
    beside.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again_in_any_letter_case_of_the_repository() {
        let store = tempfile::tempdir().expect("a directory");
        let records = Records::of_store(store.path());
        let asked = Asked {
            git_ref: "releases/v1".into(),
            commit: "c".repeat(40),
            asked_ms: 7,
        };
        assert_eq!(records.asked("O/R", "releases/v1"), None);
        records.note_asked("O/R", &asked).expect("written");
        assert_eq!(records.asked("o/r", "releases/v1"), Some(asked));
        assert_eq!(records.asked("o/r", "releases"), None);
        let kept = Kept {
            tree: Digest::of("tree"),
            files: [("action.yml".to_owned(), Digest::of("x"))].into(),
        };
        let commit = "a".repeat(40);
        records.note_kept("o/r", &commit, &kept).expect("written");
        assert_eq!(records.kept("O/r", &commit), Some(kept));
        records.forget("o/r", &commit);
        assert_eq!(records.kept("o/r", &commit), None);
    }
}
