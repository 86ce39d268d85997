//! Why an action cannot be had.

use std::fmt;
use std::sync::Arc;

use crate::git::{GitError, RemoteError};
use crate::source::Diagnostic;
use crate::workflow::LOCK_FILE;

/// An action that cannot be had.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The `uses:` text, which may stand in an action that is used.
    pub uses: String,
    /// The actions that it is used by, the outermost first; none for one of a job's own steps.
    pub through: Vec<String>,
    /// Why.
    pub why: MissingReason,
}

/// Why an action cannot be had.
#[derive(Debug, Clone)]
pub enum MissingReason {
    /// It is not in the store, and nothing is to be fetched.
    Offline,
    /// Its repository cannot be fetched.
    Remote(Arc<RemoteError>),
    /// The repository has no such action.
    NoManifest,
    /// There is a reusable workflow: a job can call it, no step.
    Workflow,
    /// Everything that is wrong with its manifest.
    Invalid(Arc<Vec<Diagnostic>>),
    /// It runs in a container.
    Docker,
    /// Its manifest names a part of GitHub's own runner.
    Plugin,
    /// It is no `owner/repository[/path]@ref`.
    NoReference,
    /// It is used by an action that it uses itself, or ten deep.
    TooDeep,
    /// The workflow is bound by the lock file, which does not pin it.
    Unpinned,
    /// Only a run has a commit of its own.
    NoCommit,
    /// The user's repository could not be read.
    Git(Arc<GitError>),
    /// The store or a folder could not be read or written.
    Kept(Arc<str>),
}

impl MissingReason {
    /// Whether GitHub would not have it either: the user's mistake, which nothing on this machine mends.
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Remote(error) => error.is_not_there(),
            Self::NoManifest
            | Self::Workflow
            | Self::Invalid(_)
            | Self::Plugin
            | Self::NoReference
            | Self::TooDeep
            | Self::Unpinned => true,
            Self::Offline | Self::Docker | Self::NoCommit | Self::Git(_) | Self::Kept(_) => false,
        }
    }

    /// Whether GitHub fails the job for certain when it sets it up, whatever the `if` of the step says.
    pub fn fails_on_github(&self) -> bool {
        match self {
            Self::Remote(error) => matches!(**error, RemoteError::NoRevision { .. }),
            _ => self.is_mistake(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uses = &self.uses;
        if !self.through.is_empty() {
            write!(f, "{} uses {uses}: ", self.through.join(" uses "))?;
        }
        self.why.write(f, uses)
    }
}

impl fmt::Display for MissingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}

impl MissingReason {
    /// With GitHub's words where it has some (runner `ActionManager.cs`).
    fn write(&self, f: &mut fmt::Formatter<'_>, uses: &str) -> fmt::Result {
        match self {
            MissingReason::Offline => write!(
                f,
                "it is not in the store, and --offline fetches nothing; `lrun vendor` gets it"
            ),
            MissingReason::Remote(error) => match &**error {
                RemoteError::NoRevision { revision, .. } => write!(
                    f,
                    "Unable to resolve action `{uses}`, unable to find version `{revision}`{}",
                    short_commit(revision)
                ),
                RemoteError::NoRepository { .. } => {
                    write!(
                        f,
                        "Unable to resolve action `{uses}`, repository not found: {error}"
                    )
                }
                error => write!(f, "{error}"),
            },
            MissingReason::NoManifest => write!(
                f,
                "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action '{uses}'."
            ),
            MissingReason::Workflow => write!(
                f,
                "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action '{uses}': \
                 that is a reusable workflow, which a job calls by `jobs.<id>.uses`"
            ),
            MissingReason::Invalid(found) => {
                write!(f, "its manifest is not valid")?;
                found.iter().try_for_each(|found| write!(f, "; {found}"))
            }
            MissingReason::Docker => {
                write!(
                    f,
                    "docker actions need an engine, and this version of lrun has none"
                )
            }
            MissingReason::Plugin => {
                write!(f, "`runs.plugin` names a part of GitHub's own runner")
            }
            MissingReason::NoReference => write!(
                f,
                "Expected format {{org}}/{{repo}}[/path]@ref. Actual '{uses}'"
            ),
            MissingReason::TooDeep => {
                write!(f, "Composite action depth exceeded max depth 9")
            }
            MissingReason::Unpinned => {
                write!(
                    f,
                    "{LOCK_FILE} does not pin it; run `gh actions-lock` to write it anew"
                )
            }
            MissingReason::NoCommit => write!(f, "it is in a commit that is not at hand"),
            MissingReason::Git(error) => write!(f, "{error}"),
            MissingReason::Kept(error) => write!(f, "{error}"),
        }
    }
}

/// GitHub takes no shortened commit.
fn short_commit(revision: &str) -> &'static str {
    let is_short =
        (7..40).contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_short {
        true => ": a commit must have all its 40 digits",
        false => "",
    }
}
