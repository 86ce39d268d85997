//! A folder of a repository, run as if it were a repository of its own: an example in a larger
//! project, with a `.github/workflows` that GitHub would not look at.

use std::path::Path;

use super::writer::Writer;
use super::{Facts, Git, GitError, Head, Refs, Repository, Snapshot};

/// 2020-01-01: fixed, so that the commit's id depends on content alone, and late enough for
/// zip files, whose dates begin in 1980.
const DATE: i64 = 1_577_836_800;

impl Facts {
    /// The facts of `folder`, a path from the repository's root, taken for a whole repository:
    /// without a remote, with the current branch as the default one and no other ref.
    #[must_use]
    pub fn of_folder(&self, folder: &Path) -> Self {
        let within = |paths: &[Vec<u8>]| paths.iter().filter_map(|p| below(p, folder)).collect();
        Self {
            root: self.root.join(folder),
            refs: Refs::default(),
            origin: None,
            origin_head: match &self.head {
                Head::Branch(name) => Some(name.clone()),
                Head::Tag(_) | Head::Detached => None,
            },
            changed: within(&self.changed),
            untracked: within(&self.untracked),
            unmerged: within(&self.unmerged),
            ..self.clone()
        }
    }
}

impl Snapshot {
    /// The part of the snapshot in `folder`, as a commit without parents whose id depends on
    /// content alone. `folder` is a path from the repository's root.
    ///
    /// # Errors
    /// When no file in it is tracked, or could be.
    pub fn of_folder(self, repository: &Repository, folder: &Path) -> Result<Self, GitError> {
        let objects = self.objects.clone();
        let writer = Writer {
            repository,
            objects: &objects,
        };
        let name = format!("{}:{}", self.commit.id, folder.display());
        let tree = Git::in_repository(&repository.root)
            .env("GIT_OBJECT_DIRECTORY", &objects)
            .alternates(&[&repository.objects])
            .args(["rev-parse", "--verify", &name])
            .line()?;
        let id = writer.write_commit(&tree, &[], DATE, "The folder alone")?;
        let within = |paths: &[String]| {
            let parts = paths
                .iter()
                .filter_map(|path| below(path.as_bytes(), folder));
            parts
                .map(|path| String::from_utf8_lossy(&path).into_owned())
                .collect()
        };
        Ok(Self {
            commit: writer.commit(&id)?,
            merge: None,
            changed: within(&self.changed),
            untracked: within(&self.untracked),
            ..self
        })
    }
}

/// The rest of a path below a folder.
fn below(path: &[u8], folder: &Path) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(folder.as_os_str().as_encoded_bytes())?;
    rest.strip_prefix(b"/").map(<[u8]>::to_vec)
}
