//! Contents of files in commits.

use std::path::Path;

use super::{Git, GitError, Repository};

/// Bytes of the line before a content.
const HEADER: usize = b"blob\n".len();

impl Repository {
    /// The contents of these files, each named `COMMIT:PATH`, as git keeps them; none where there
    /// is no such file, or it is longer than `limit` bytes. Commits of lrun's own are found in
    /// the object directory `objects`.
    pub fn contents(
        &self,
        objects: &Path,
        names: &[String],
        limit: u64,
    ) -> Result<Vec<Option<Vec<u8>>>, GitError> {
        let sizes = self.sizes(objects, names)?;
        let is_short = |size: Option<u64>| size.filter(|&size| size <= limit);
        let blobs: Vec<_> = sizes.into_iter().map(is_short).collect();
        if blobs.iter().all(Option::is_none) {
            return Ok(vec![None; names.len()]);
        }
        let wanted: String = names
            .iter()
            .zip(&blobs)
            .filter(|(_, size)| size.is_some())
            .map(|(name, _)| format!("{name}\n"))
            .collect();
        let output = self
            .batch(objects, wanted)
            .arg("--batch=%(objecttype)")
            .output()?;
        let mut rest = &output[..];
        let contents = blobs.into_iter().map(|size| {
            let size = usize::try_from(size?).ok()?;
            let content = rest.strip_prefix(b"blob\n")?.get(..size)?;
            // A line end follows.
            rest = rest.get(HEADER + size + 1..)?;
            Some(content.to_vec())
        });
        Ok(contents.collect())
    }

    /// The sizes of these files in bytes, named as for [`Self::contents`]; none where there is no
    /// such file.
    pub fn sizes(&self, objects: &Path, names: &[String]) -> Result<Vec<Option<u64>>, GitError> {
        // A name is a line, whatever is in it.
        let asked: String = names
            .iter()
            .map(|name| format!("{}\n", name.replace('\n', "?")))
            .collect();
        let sizes = self
            .batch(objects, asked)
            .arg("--batch-check=%(objecttype) %(objectsize)")
            .output()?;
        let sizes = String::from_utf8_lossy(&sizes);
        let size = |line: &str| line.strip_prefix("blob ")?.parse().ok();
        Ok(sizes.lines().map(size).collect())
    }

    /// Whether there is a file of this path, from the root on, in a commit of the repository's own.
    pub fn has_file(&self, commit: &str, path: &str) -> Result<bool, GitError> {
        let sizes = self.sizes(&self.objects, &[format!("{commit}:{path}")])?;
        Ok(sizes.first().is_some_and(Option::is_some))
    }

    /// The files of a commit below `root`, as `git archive` writes them and GitHub delivers them: without
    /// what `.gitattributes` leaves out, and nothing of the user's configuration in force.
    pub fn archive(&self, objects: &Path, commit: &str, root: &str) -> Result<Vec<u8>, GitError> {
        let git = Git::isolated(&self.root)
            .env("GIT_OBJECT_DIRECTORY", objects)
            .alternates(&[&self.objects]);
        archive(git, commit, root)
    }

    fn batch(&self, objects: &Path, asked: String) -> Git {
        Git::in_repository(&self.root)
            .env("GIT_OBJECT_DIRECTORY", objects)
            .alternates(&[&self.objects])
            .arg("cat-file")
            .stdin(asked)
    }
}

/// What `git archive` writes of a commit, below the folder `root`.
pub(super) fn archive(git: Git, commit: &str, root: &str) -> Result<Vec<u8>, GitError> {
    git.args(["archive", "--format=tar", &format!("--prefix={root}/")])
        .arg(commit)
        .output()
}
