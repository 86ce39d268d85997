//! Objects over the user's: trees of a folder, commits, merges.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Commit, Facts, Git, GitError, Repository, lfs};

/// Git on the user's repository with an object directory of ours to write to.
pub(super) struct Writer<'a> {
    pub(super) repository: &'a Repository,
    pub(super) objects: &'a Path,
}

impl Writer<'_> {
    fn git(&self) -> Git {
        Git::in_repository(&self.repository.root)
            .env("GIT_OBJECT_DIRECTORY", self.objects)
            .alternates(&[&self.repository.objects])
    }

    /// Reads a commit, one of ours or of the user's.
    pub(super) fn commit(&self, id: &str) -> Result<Commit, GitError> {
        Commit::read(self.git(), id)
    }

    /// Writes a commit whose id depends on nothing but its content and its parents.
    pub(super) fn write_commit(
        &self,
        tree: &str,
        parents: &[&str],
        seconds: i64,
        message: &str,
    ) -> Result<String, GitError> {
        let date = format!("{seconds} +0000");
        let mut git = self.git().args(["commit-tree", "--no-gpg-sign", tree]);
        for parent in parents {
            git = git.args(["-p", parent]);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            git = git
                .env(&format!("GIT_{role}_NAME"), "lrun")
                .env(&format!("GIT_{role}_EMAIL"), "lrun@localhost")
                .env(&format!("GIT_{role}_DATE"), &date);
        }
        git.stdin(format!("{message}\n")).line()
    }

    /// The tree of the merge, or the paths in conflict.
    pub(super) fn merge(
        &self,
        base: &str,
        head: &str,
    ) -> Result<Result<String, Vec<String>>, GitError> {
        // The first that merges without a working tree.
        self.repository.require_git("2.38")?;
        let (code, output) = self
            .git()
            .args(["merge-tree", "--write-tree", "--no-messages", "--name-only"])
            .args(["-z", base, head])
            .output_or(&[1])?;
        let mut fields = output
            .split(|&byte| byte == 0)
            .filter(|field| !field.is_empty())
            .map(|field| String::from_utf8_lossy(field).into_owned());
        let tree = fields.next().unwrap_or_default();
        Ok(match code {
            0 => Ok(tree),
            _ => Err(fields.collect()),
        })
    }

    /// The tree that `git add --all` and a commit would make of the folder.
    pub(super) fn write_folder(&self, facts: &Facts) -> Result<String, GitError> {
        let scratch = tempfile::Builder::new()
            .prefix("lrun-index-")
            .tempdir_in(self.objects)
            .map_err(GitError::io("make a directory in", self.objects))?;
        let index = scratch.path().join("index");
        copy_index(&self.repository.index, &index)?;
        let git = || self.git().env("GIT_INDEX_FILE", &index);

        let mut paths: Vec<_> = facts.changed.iter().chain(&facts.untracked).collect();
        let pointers = self.write_pointers(&paths, scratch.path())?;
        if !pointers.is_empty() {
            let written: HashSet<_> = pointers.iter().map(|pointer| &pointer.path).collect();
            paths.retain(|path| !written.contains(path));
            git()
                .args(["update-index", "-z", "--add", "--replace", "--index-info"])
                .stdin(index_info(&pointers))
                .output()?;
        }
        git()
            .args(["update-index", "-z", "--add", "--remove", "--replace"])
            .arg("--stdin")
            .stdin(nul_separated(paths))
            .output()?;
        git().arg("write-tree").line()
    }

    /// Stores the pointers of those files among `paths` that are under `filter=lfs`.
    fn write_pointers(&self, paths: &[&Vec<u8>], scratch: &Path) -> Result<Vec<Pointer>, GitError> {
        let output = self
            .git()
            .args(["check-attr", "-z", "--stdin", "filter"])
            .stdin(nul_separated(paths.iter().copied()))
            .output()?;
        let fields: Vec<_> = output.split(|&byte| byte == 0).collect();
        let mut pointers = Vec::new();
        for (number, record) in fields.chunks_exact(3).enumerate() {
            let path = self.repository.root.join(OsStr::from_bytes(record[0]));
            if record[2] != b"lfs" || !path.is_file() || path.is_symlink() {
                continue;
            }
            let content = scratch.join(number.to_string());
            std::fs::write(&content, lfs::pointer(&path)?)
                .map_err(GitError::io("write", &content))?;
            let metadata = path.metadata().map_err(GitError::io("read", &path))?;
            let hash = Git::in_repository(&self.repository.root)
                .env("GIT_OBJECT_DIRECTORY", self.objects)
                .args(["hash-object", "-w", "--no-filters", "--"])
                .arg(&content)
                .line()?;
            pointers.push(Pointer {
                path: record[0].to_vec(),
                executable: metadata.permissions().mode() & 0o100 != 0,
                blob: hash,
            });
        }
        Ok(pointers)
    }

    /// Paths in which two trees differ.
    pub(super) fn differing(&self, old: &str, new: &str) -> Result<HashSet<Vec<u8>>, GitError> {
        let output = self
            .git()
            .args(["diff-tree", "-r", "-z", "--name-only", old, new])
            .output()?;
        Ok(output
            .split(|&byte| byte == 0)
            .filter(|path| !path.is_empty())
            .map(<[u8]>::to_vec)
            .collect())
    }
}

impl Repository {
    /// The paths in conflict where these two commits are merged; what that writes is thrown away.
    pub fn conflicts(&self, base: &str, head: &str) -> Result<Vec<String>, GitError> {
        // What has the base is merged already. Git would set the times of the user's objects that a
        // merge writes again.
        let is_ancestor = ["merge-base", "--is-ancestor", base, head];
        let asked = Git::in_repository(&self.root).args(is_ancestor);
        if let (0, _) = asked.output_or(&[1])? {
            return Ok(Vec::new());
        }
        let scratch = scratch("lrun-merge-")?;
        let writer = Writer {
            repository: self,
            objects: scratch.path(),
        };
        Ok(writer.merge(base, head)?.err().unwrap_or_default())
    }
}

/// A file under LFS and the blob that stands for it.
struct Pointer {
    path: Vec<u8>,
    executable: bool,
    blob: String,
}

/// Input of `git update-index -z --index-info`.
fn index_info(pointers: &[Pointer]) -> Vec<u8> {
    let mut info = Vec::new();
    for pointer in pointers {
        let mode = if pointer.executable {
            "100755"
        } else {
            "100644"
        };
        info.extend(format!("{mode} {}\t", pointer.blob).bytes());
        info.extend(&pointer.path);
        info.push(0);
    }
    info
}

fn nul_separated<'a>(paths: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for path in paths {
        bytes.extend(path);
        bytes.push(0);
    }
    bytes
}

/// A copy of the user's index to work with; gone when this is dropped.
pub(super) struct ScratchIndex(tempfile::TempDir);

impl ScratchIndex {
    pub(super) fn of(repository: &Repository) -> Result<Self, GitError> {
        let scratch = Self(scratch("lrun-index-")?);
        copy_index(&repository.index, &scratch.path())?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("index")
    }
}

/// A directory that is gone when this is dropped, where temporary files go.
fn scratch(prefix: &str) -> Result<tempfile::TempDir, GitError> {
    let made = tempfile::Builder::new().prefix(prefix).tempdir();
    made.map_err(GitError::io("make a directory in", Path::new("TMPDIR")))
}

/// Copies the user's index with its time: a file as young as its index may have been changed
/// after git looked at it, and git judges that by this time.
fn copy_index(from: &Path, to: &Path) -> Result<(), GitError> {
    let mut source = match File::open(from) {
        Ok(source) => source,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(GitError::io("read", from)(error)),
    };
    let mut copy = || -> std::io::Result<()> {
        let mut target = File::create_new(to)?;
        std::io::copy(&mut source, &mut target)?;
        target.set_modified(source.metadata()?.modified()?)
    };
    copy().map_err(GitError::io("copy the index to", to))
}
