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
        let git = || {
            // A name is a line, whatever is in it.
            let asked: String = names
                .iter()
                .map(|name| format!("{}\n", name.replace('\n', "?")))
                .collect();
            Git::in_repository(&self.root)
                .env("GIT_OBJECT_DIRECTORY", objects)
                .alternates(&[&self.objects])
                .arg("cat-file")
                .stdin(asked)
        };
        let sizes = git()
            .arg("--batch-check=%(objecttype) %(objectsize)")
            .output()?;
        let sizes = String::from_utf8_lossy(&sizes);
        let blobs: Vec<_> = sizes.lines().map(|line| blob_size(line, limit)).collect();
        if blobs.iter().all(Option::is_none) {
            return Ok(vec![None; names.len()]);
        }
        let wanted: String = names
            .iter()
            .zip(&blobs)
            .filter(|(_, size)| size.is_some())
            .map(|(name, _)| format!("{name}\n"))
            .collect();
        let output = git().stdin(wanted).arg("--batch=%(objecttype)").output()?;
        let mut rest = &output[..];
        let contents = blobs.into_iter().map(|size| {
            let size = size?;
            let content = rest.strip_prefix(b"blob\n")?.get(..size)?;
            // A line end follows.
            rest = rest.get(HEADER + size + 1..)?;
            Some(content.to_vec())
        });
        Ok(contents.collect())
    }
}

/// The size of a blob that is short enough, as `git cat-file` tells it.
fn blob_size(line: &str, limit: u64) -> Option<usize> {
    let size: u64 = line.strip_prefix("blob ")?.parse().ok()?;
    (size <= limit).then_some(usize::try_from(size).ok()?)
}
