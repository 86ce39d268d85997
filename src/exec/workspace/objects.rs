//! The objects of a checkout.
//!
//! A checkout of depth 1 has the commit as a loose object and all else in packs: trees and blobs
//! may stay in the clone when it is brought to another commit, the commit itself must not. More
//! history than that comes in one pack of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::WorkspaceError;
use super::dot_git::{make_directory, write_file};
use super::fetch::Fetch;
use super::served::Served;
use crate::git::{Git, GitError};

/// The object directory of a clone.
pub(super) struct Objects<'a> {
    pub(super) served: &'a Served<'a>,
    /// The clone.
    pub(super) clone: &'a Path,
}

impl Objects<'_> {
    /// Adds the tree of a commit, but for what is in another tree that the clone has already, and
    /// the commit itself.
    pub(super) fn add_commit(
        &self,
        commit: &str,
        tree: &str,
        has: Option<&str>,
    ) -> Result<(), WorkspaceError> {
        if has != Some(tree) {
            let without = has.map_or_else(String::new, |has| format!("^{has}\n"));
            self.pack(&format!("{tree}\n{without}"))?;
        }
        let raw = self.served.git();
        let raw = raw.args(["cat-file", "commit", commit]).output()?;
        let path = self.clone.join(loose(commit));
        self.write_loose(&path, "commit", &raw)
            .map_err(WorkspaceError::io("write", &path))
    }

    /// Adds all that a fetch brings.
    pub(super) fn add_history(&self, fetch: &Fetch) -> Result<(), WorkspaceError> {
        let tips = fetch.tips();
        self.pack(&tips.iter().map(|id| format!("{id}\n")).collect::<String>())
    }

    fn pack(&self, revisions: &str) -> Result<(), WorkspaceError> {
        Git::isolated(self.clone)
            .alternates(&self.served.alternates())
            // Deltas are taken over as they are: finding better ones costs more than they save.
            .args(["pack-objects", "--revs", "--quiet", "--window=0"])
            .args(["--compression=1", ".git/objects/pack/pack"])
            .stdin(revisions)
            .output()
            .map_err(|error| self.missing_objects(error))?;
        Ok(())
    }

    fn write_loose(&self, path: &Path, kind: &str, raw: &[u8]) -> std::io::Result<()> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        write!(encoder, "{kind} {}\0", raw.len())?;
        encoder.write_all(raw)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            make_directory(parent)?;
        }
        write_file(path, &encoder.finish()?, 0o444)
    }

    /// Objects are missing in partial clones only: lrun lets git fetch nothing.
    fn missing_objects(&self, error: GitError) -> WorkspaceError {
        match error {
            GitError::Failed { words, .. } if words.contains("unable to read") => {
                WorkspaceError::PartialClone {
                    root: self.served.place().to_owned(),
                    words,
                }
            }
            error => error.into(),
        }
    }
}

/// Where a loose object is in a clone.
pub(super) fn loose(id: &str) -> PathBuf {
    let (directory, name) = id.split_at(2);
    Path::new(".git/objects").join(directory).join(name)
}
