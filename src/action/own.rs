//! The run's own commit: what `$/` is in, and what `./` is expected to be.

use std::path::{Path, PathBuf};

use crate::git::{GitError, Repository};

/// Bytes of a manifest that are read at most; the reader refuses fewer.
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// The commit of a run in the user's repository.
#[derive(Debug, Clone)]
pub struct Own {
    /// The user's repository; only read.
    pub repository: Repository,
    /// Where objects are that only the run has.
    pub objects: PathBuf,
    /// `owner/name` of the repository that the run pretends to be of.
    pub name: String,
    /// The commit.
    pub commit: String,
}

impl Own {
    /// The first of these files that the commit has.
    pub(super) fn first(&self, paths: &[String]) -> Result<Option<(usize, Vec<u8>)>, GitError> {
        let names: Vec<_> = paths
            .iter()
            .map(|path| format!("{}:{path}", self.commit))
            .collect();
        let found = self
            .repository
            .contents(&self.objects, &names, MOST_BYTES)?;
        let mut found = found.into_iter().enumerate();
        Ok(found.find_map(|(index, content)| Some((index, content?))))
    }

    /// A file of the commit.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let found = self.first(&[path.to_owned()])?;
        Ok(found.map(|(_, content)| content))
    }

    /// All files of the commit, as GitHub delivers them.
    pub(super) fn archive(&self, root: &str) -> Result<Vec<u8>, GitError> {
        self.repository
            .archive(Path::new(&self.objects), &self.commit, root)
    }
}
