//! What a repository holds at a ref: from the store, else fetched; or a folder in its place.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::mapping::Mapping;
use super::missing::MissingReason;
use super::own::Own;
use super::records::{Asked, Kept, Records};
use super::reference::ActionReference;
use super::{TREE_ROOT, archived, folder};
use crate::clock;
use crate::event::ResolvedAction;
use crate::git::{Depth, Remote, RemoteError, is_commit_id};
use crate::store::Store;

/// How long it is not asked again which commit a branch or a tag is.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// What of a file is read alone at most.
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// What a ref came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// `owner/repository`, as written.
    pub repository: String,
    /// The branch, tag or commit.
    pub git_ref: String,
    /// The commit; of a folder the word `folder`.
    pub commit: String,
    /// The folder that is taken instead.
    pub folder: Option<PathBuf>,
    /// The commit that it was before, where the ref has moved since.
    pub before: Option<String>,
    /// Why it could not be asked whether the ref has moved, where that was due.
    pub unasked: Option<String>,
}

impl Resolved {
    /// As a fact of the run.
    pub fn fact(&self) -> ResolvedAction {
        let folder = self.folder.as_ref();
        ResolvedAction {
            repository: self.repository.clone(),
            git_ref: self.git_ref.clone(),
            commit: folder.is_none().then(|| self.commit.clone()),
            folder: folder.map(|folder| folder.display().to_string()),
        }
    }
}

/// A repository at a commit.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) resolved: Resolved,
    pub(super) kept: Kept,
}

/// Where contents come from.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) store: Store,
    pub(super) mapped: Vec<Mapping>,
    /// Nothing is fetched.
    pub(super) offline: bool,
    /// lrun stands in for the actions that set tools up.
    pub(super) tools_of_host: bool,
    /// What every ref is now is asked.
    pub(super) update: bool,
    /// The run's own commit, once there is one.
    pub(super) own: OnceLock<Own>,
    /// Told of each fetch before it begins.
    pub(super) tell: fn(&str),
}

impl Library {
    /// What a reference leads to; at `pinned` where a lock names the commit.
    pub(super) fn content(
        &self,
        reference: &ActionReference,
        pinned: Option<&str>,
    ) -> Result<Content, MissingReason> {
        match Mapping::of(&self.mapped, reference) {
            Some(mapping) => self.of_folder(reference, mapping),
            None => self.of_repository(reference, pinned),
        }
    }

    /// The run's own commit.
    pub(super) fn own_content(&self) -> Result<Content, MissingReason> {
        let own = self.own.get().ok_or(MissingReason::NoCommit)?;
        let records = Records::of_store(self.store.root());
        let kept = match records.kept(&own.name, &own.commit) {
            Some(kept) => kept,
            None => {
                let archive = own
                    .archive(TREE_ROOT)
                    .map_err(|error| MissingReason::Git(Arc::new(error)))?;
                let kept = archived::keep(&self.store, &archive).map_err(|error| kept(&error))?;
                // The next run makes it again.
                let _ = records.note_kept(&own.name, &own.commit, &kept);
                kept
            }
        };
        Ok(Content {
            resolved: Resolved {
                repository: own.name.clone(),
                git_ref: own.commit.clone(),
                commit: own.commit.clone(),
                folder: None,
                before: None,
                unasked: None,
            },
            kept,
        })
    }

    /// A file of a content that is read alone.
    pub(super) fn file(&self, content: &Content, path: &str) -> Result<Vec<u8>, MissingReason> {
        let digest = content.kept.files.get(path);
        let found = digest.and_then(|digest| self.store.kept(*digest, MOST_BYTES));
        found.ok_or_else(|| {
            let Resolved {
                repository, commit, ..
            } = &content.resolved;
            // The next run fetches it again.
            Records::of_store(self.store.root()).forget(repository, commit);
            kept(&format!(
                "{path} of {repository} is damaged in the store, or longer than {MOST_BYTES} bytes"
            ))
        })
    }

    fn of_folder(
        &self,
        reference: &ActionReference,
        mapping: &Mapping,
    ) -> Result<Content, MissingReason> {
        let kept = folder::keep(&self.store, &mapping.folder, mapping.path())
            .map_err(|error| kept(&error))?;
        Ok(Content {
            resolved: Resolved {
                repository: reference.repository.clone(),
                git_ref: reference.git_ref.clone(),
                commit: "folder".to_owned(),
                folder: Some(mapping.folder.clone()),
                before: None,
                unasked: None,
            },
            kept,
        })
    }

    fn of_repository(
        &self,
        reference: &ActionReference,
        pinned: Option<&str>,
    ) -> Result<Content, MissingReason> {
        let ActionReference {
            repository,
            git_ref,
            ..
        } = reference;
        let records = Records::of_store(self.store.root());
        let remote = Remote::on_github(&self.store.root().join("actions/repositories"), repository);
        let named = pinned.or_else(|| is_commit_id(git_ref).then_some(git_ref));
        let resolved = Resolved {
            repository: repository.clone(),
            git_ref: git_ref.clone(),
            commit: String::new(),
            folder: None,
            before: None,
            unasked: None,
        };
        let resolved = match named {
            Some(commit) => Resolved {
                commit: commit.to_ascii_lowercase(),
                ..resolved
            },
            None => self.ask(&records, &remote, resolved)?,
        };
        let commit = &resolved.commit;
        let kept = match records.kept(repository, commit) {
            Some(kept) => kept,
            None => {
                if !remote.has(commit) {
                    self.fetch(&remote, repository, commit)?;
                }
                let archive = remote
                    .archive(commit, TREE_ROOT)
                    .map_err(|error| MissingReason::Git(Arc::new(error)))?;
                let kept = archived::keep(&self.store, &archive).map_err(|error| kept(&error))?;
                // Where it cannot be written down, it is stored again.
                let _ = records.note_kept(repository, commit, &kept);
                kept
            }
        };
        Ok(Content { resolved, kept })
    }

    /// Which commit a branch or tag is: what was written down of it in the last day, else what its
    /// repository says.
    fn ask(
        &self,
        records: &Records,
        remote: &Remote,
        resolved: Resolved,
    ) -> Result<Resolved, MissingReason> {
        let Resolved {
            repository,
            git_ref,
            ..
        } = &resolved;
        let before = records.asked(repository, git_ref);
        let age = |asked: &Asked| {
            clock::since_epoch().saturating_sub(Duration::from_millis(asked.asked_ms))
        };
        let fresh = before
            .as_ref()
            .filter(|asked| !self.update && age(asked) < FRESH);
        if let Some(asked) = fresh {
            let commit = asked.commit.clone();
            return Ok(Resolved { commit, ..resolved });
        }
        match (self.fetch(remote, repository, git_ref), before) {
            (Ok(commit), before) => {
                let asked = Asked {
                    git_ref: git_ref.clone(),
                    commit: commit.clone(),
                    asked_ms: u64::try_from(clock::since_epoch().as_millis()).unwrap_or(0),
                };
                // Where it cannot be written down, it is asked again.
                let _ = records.note_asked(repository, &asked);
                let before = before.map(|before| before.commit);
                Ok(Resolved {
                    before: before.filter(|before| *before != commit),
                    commit,
                    ..resolved
                })
            }
            (Err(error), Some(before)) if !is_certain(&error) => Ok(Resolved {
                commit: before.commit,
                unasked: Some(match error {
                    MissingReason::Offline => "--offline".to_owned(),
                    MissingReason::Remote(error) => error.to_string(),
                    other => format!("{other:?}"),
                }),
                ..resolved
            }),
            (Err(error), _) => Err(error),
        }
    }

    fn fetch(
        &self,
        remote: &Remote,
        repository: &str,
        revision: &str,
    ) -> Result<String, MissingReason> {
        if self.offline {
            return Err(MissingReason::Offline);
        }
        (self.tell)(&format!("fetching {repository}@{revision}"));
        let fetched = remote.fetch(revision, Depth::Commits(1));
        fetched.map_err(|error| MissingReason::Remote(Arc::new(error)))
    }
}

/// Whether asking again would not help.
fn is_certain(error: &MissingReason) -> bool {
    matches!(error, MissingReason::Remote(error) if error.is_not_there())
        || matches!(error, MissingReason::Remote(error) if matches!(**error, RemoteError::Git(_)))
}

fn kept(error: &impl ToString) -> MissingReason {
    MissingReason::Kept(error.to_string().into())
}
