//! Repositories beside the run's own, which a checkout names or a submodule is: fetched by the
//! user's own git, kept in the store.
//!
//! What a repository has is asked for when what is known of it is older than a day. Commits are
//! fetched by their ids, so that what was listed is what is checked out. Each depth has a repository
//! of its own: git would cut the history of another one off.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::served::{HEADS, Held, Served};
use super::{Source, WorkspaceError};
use crate::clock;
use crate::digest::Digest;
use crate::git::{Depth, Ref, Remote};
use crate::plan::CheckoutInputs;

/// How long a list of refs is taken for true.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How other repositories are had.
#[derive(Debug, Clone)]
pub struct Others {
    /// Where they are kept, a directory of lrun's own.
    pub kept: PathBuf,
    /// Whether only what is kept may be used.
    pub offline: bool,
    /// Whether every repository is asked again for its branches and tags, however young the answer.
    pub update: bool,
}

/// A repository that lrun keeps.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) remote: Remote,
    pub(super) offline: bool,
    update: bool,
    /// How long ago it was asked for its branches, where it was not just now.
    pub(super) asked: Option<Duration>,
}

/// What a repository has.
#[derive(Debug, Default)]
struct Listed {
    /// The full name of its default branch.
    default: Option<String>,
    refs: BTreeMap<String, Ref>,
}

impl Kept {
    /// The repository at `url`, as a server shows it.
    pub(super) fn served<'a>(
        source: &Source<'a>,
        repository: String,
        url: String,
        inputs: &CheckoutInputs,
    ) -> Result<Served<'a>, WorkspaceError> {
        let mut kept = Self::new(source.others, &url, inputs.depth);
        let (listed, asked) = kept.listed(&source.others.kept)?;
        kept.asked = asked;
        let default = listed
            .default
            .unwrap_or_else(|| format!("{HEADS}{}", source.context.identity.default_branch));
        Ok(Served {
            repository,
            url,
            refs: listed.refs,
            default,
            run: None,
            object_format: "sha1".to_owned(),
            git_version: source.repository.git_version.clone(),
            objects: vec![kept.remote.directory().join("objects")],
            held: Held::Store(kept),
        })
    }

    fn new(others: &Others, url: &str, depth: Option<NonZeroU32>) -> Self {
        let of_depth = match depth {
            Some(depth) => format!("depth-{depth}"),
            None => "whole".to_owned(),
        };
        Self {
            remote: Remote::new(&others.kept.join(of_depth), url),
            offline: others.offline,
            update: others.update,
            asked: None,
        }
    }

    /// Fetches those of the objects that are not here as tips of so much history.
    pub(super) fn bring(
        &self,
        ids: &BTreeSet<&str>,
        depth: Option<NonZeroU32>,
    ) -> Result<(), WorkspaceError> {
        // What was fetched since may have cut off the history of what was fetched before.
        let is_sure = self.offline || depth.is_none_or(|depth| depth.get() == 1);
        let is_missing = |id: &&str| !(is_sure && self.has(id));
        let missing: Vec<&str> = ids.iter().copied().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if self.offline {
            return Err(WorkspaceError::Offline {
                what: format!("{} of {}", missing.join(", "), self.remote.url()),
            });
        }
        let refspecs: Vec<_> = missing
            .iter()
            .map(|id| format!("+{id}:{}", tip(id)))
            .collect();
        let refspecs: Vec<_> = refspecs.iter().map(String::as_str).collect();
        let depth = depth.map_or(Depth::Whole, |depth| Depth::Commits(depth.get()));
        Ok(self.remote.fetch_refs(&refspecs, depth)?)
    }

    /// Whether an object was fetched for itself: as a parent of another its history may be cut.
    fn has(&self, id: &str) -> bool {
        let asked = ["rev-parse", "--verify", "--quiet", &tip(id)];
        self.remote.directory().is_dir()
            && matches!(self.remote.git().args(asked).line(), Ok(found) if found == *id)
    }

    /// What the repository has, as it said within the last day, and how long ago that was.
    fn listed(&self, kept: &Path) -> Result<(Listed, Option<Duration>), WorkspaceError> {
        let digest = Digest::of(self.remote.url()).to_string();
        let path = kept.join("refs").join(&digest[..32]);
        let age = path.metadata().and_then(|data| data.modified()).ok();
        let age = age.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let age = age.map(|time| clock::since_epoch().saturating_sub(time));
        if self.offline && age.is_none() {
            return Err(WorkspaceError::Offline {
                what: self.remote.url().to_owned(),
            });
        }
        if self.offline || !self.update && age.is_some_and(|age| age < A_DAY) {
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(WorkspaceError::io("read", &path))?;
            return Ok((parse(&text), age));
        }
        let mut text = String::new();
        if let Some(branch) = self.remote.head_branch()? {
            text = format!("ref: {branch}\tHEAD\n");
        }
        for (name, id) in self.remote.advertised()? {
            text.push_str(&format!("{id}\t{name}\n"));
        }
        keep(&path, &text)?;
        Ok((parse(&text), None))
    }

    /// A repository of a submodule that has one commit of it, with the branches of the repository
    /// where all history is asked for and the default one else.
    pub(super) fn of_submodule<'a>(
        source: &Source<'a>,
        url: &str,
        commit: &str,
        inputs: &CheckoutInputs,
    ) -> Result<Served<'a>, WorkspaceError> {
        let mut served = Self::served(source, url.to_owned(), url.to_owned(), inputs)?;
        if inputs.depth.is_some() {
            let default = served.default.clone();
            served.refs.retain(|name, _| *name == default);
        }
        served
            .refs
            .retain(|name, _| name.starts_with("refs/heads/") || name.starts_with("refs/tags/"));
        let mut ids: BTreeSet<_> = served
            .refs
            .values()
            .map(|target| target.object.as_str())
            .collect();
        ids.insert(commit);
        served.bring(&ids, inputs.depth)?;
        Ok(served)
    }
}

/// The ref that keeps an object which was fetched for itself.
fn tip(id: &str) -> String {
    format!("refs/tips/{id}")
}

/// Reads what `git ls-remote --symref` writes.
fn parse(text: &str) -> Listed {
    let mut listed = Listed::default();
    for (id, name) in text.lines().filter_map(|line| line.split_once('\t')) {
        if let Some(branch) = id.strip_prefix("ref: ") {
            listed.default = Some(branch.to_owned());
        } else if let Some(tag) = name.strip_suffix("^{}") {
            if let Some(target) = listed.refs.get_mut(tag) {
                id.clone_into(&mut target.commit);
            }
        } else if name.starts_with("refs/") {
            let target = Ref {
                object: id.to_owned(),
                commit: id.to_owned(),
            };
            listed.refs.insert(name.to_owned(), target);
        }
    }
    listed
}

/// Writes a file that others may be reading.
fn keep(path: &Path, text: &str) -> Result<(), WorkspaceError> {
    let directory = path.parent().unwrap_or(path);
    let written = || -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(WorkspaceError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_refs_has_the_default_branch_and_what_tags_are_about() {
        let listed = parse(
            "ref: refs/heads/trunk\tHEAD\naa\tHEAD\naa\trefs/heads/trunk\n\
             bb\trefs/tags/v1\ncc\trefs/tags/v1^{}\n",
        );
        assert_eq!(listed.default.as_deref(), Some("refs/heads/trunk"));
        let tag = &listed.refs["refs/tags/v1"];
        assert_eq!((tag.object.as_str(), tag.commit.as_str()), ("bb", "cc"));
        assert_eq!(listed.refs.len(), 2);
    }
}
