//! A place that is up, and why one could not be made.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use super::sandbox::SandboxError;
use crate::agent::protocol::Orphan;
use crate::agent::{Agent, AgentError};

/// Why a place could not be made, or not be taken down.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The launcher could not be started or spoken to.
    #[error("cannot start the sandbox's launcher {program}: {source}")]
    Launcher {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The launcher ended without a word: a fault of lrun's own.
    #[error("the sandbox's launcher {program} ended without an answer")]
    Silent {
        /// The program.
        program: PathBuf,
    },
    /// This machine does not let the sandbox be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The agent failed.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The place was taken down, but its directory is still there.
    #[error("cannot remove what is left of a job's place in {path}")]
    LeftBehind {
        /// The directory.
        path: PathBuf,
    },
}

/// Something a place should have and this machine does not give it: a difference of the
/// runs in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "shortcoming")]
pub enum Shortcoming {
    /// A directory is this machine's own, read-only: nothing can be installed into it.
    ReadOnly {
        /// The directory inside the place.
        path: PathBuf,
    },
    /// A file that belongs into the place could not be put there.
    NotPlaced {
        /// The file inside the place.
        path: PathBuf,
    },
    /// Nothing of this machine's directories can be added to, replaced or removed.
    NotPrepared {
        /// Why not.
        reason: String,
    },
    /// Root of a `sudo` has a single id, and changes no file of this machine in place.
    SingleId {
        /// Why there are no more.
        reason: String,
        /// What would give more.
        remedy: String,
    },
    /// Root of a `sudo` changes no file of this machine in place.
    ForeignFiles,
    /// The job's processes are not in a process namespace of their own.
    SharedProcesses,
    /// What a job writes outside its home is kept in memory.
    InMemory,
    /// No process may have as many open files as on a hosted runner.
    OpenFiles {
        /// How many it may have.
        limit: u64,
    },
}

impl fmt::Display for Shortcoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly { path } => write!(
                f,
                "{} is read-only: this machine allows no overlay there",
                path.display()
            ),
            Self::NotPlaced { path } => write!(f, "{} could not be put in place", path.display()),
            Self::NotPrepared { reason } => write!(
                f,
                "no packages can be installed: the layer over this machine's directories could \
                 not be made: {reason}"
            ),
            Self::SingleId { reason, remedy } => write!(
                f,
                "`sudo` is root with a single user id here ({reason}): owners cannot be changed, \
                 packages with users of their own fail, and this machine's files can be replaced \
                 but not changed in place; for more ids: {remedy}"
            ),
            Self::ForeignFiles => f.write_str(
                "`sudo` is root of a user namespace here: this machine's files outside /etc can \
                 be replaced and removed, but not changed in place; lrun as root has no such limit",
            ),
            Self::SharedProcesses => f.write_str(
                "processes of this machine are visible in /proc, and the job's are ended by \
                 descent only: /proc is masked here, as in a container",
            ),
            Self::InMemory => f.write_str(
                "what the job writes outside its home is kept in memory: the state directory is \
                 on an overlay itself",
            ),
            Self::OpenFiles { limit } => {
                write!(
                    f,
                    "no more than {limit} open files; hosted runners allow 65536"
                )
            }
        }
    }
}

type Gone = Pin<Box<dyn Future<Output = Result<(), BackendError>> + Send>>;

/// An isolated place with an agent in it. When it is dropped without having been taken
/// down, its agent's channel closes and it ends on its own.
pub struct Place {
    /// What acts inside.
    pub agent: Agent,
    /// In what the place falls short of what was asked.
    pub shortcomings: Vec<Shortcoming>,
    gone: Gone,
}

/// What is left of a place whose processes have ended: mounts and a directory, which go by
/// themselves, whether or not somebody waits for it.
pub struct Remains {
    /// The processes that had to be ended, by their ids inside.
    pub orphans: Vec<Orphan>,
    gone: Gone,
}

impl Place {
    /// A place whose agent is ready. `gone` waits until nothing is left of the place, after
    /// the agent was told to close.
    pub fn new(
        agent: Agent,
        shortcomings: Vec<Shortcoming>,
        gone: impl Future<Output = Result<(), BackendError>> + Send + 'static,
    ) -> Self {
        Self {
            agent,
            shortcomings,
            gone: Box::pin(gone),
        }
    }

    /// Ends everything in the place and waits until no process of the job is left. A place
    /// whose agent is gone already is taken down just as well.
    pub async fn take_down(self) -> Result<Remains, BackendError> {
        let closed = self.agent.close().await;
        drop(self.agent);
        match closed {
            Ok(orphans) => Ok(Remains {
                orphans,
                gone: self.gone,
            }),
            // It can say nothing of its processes any more: they have ended when all has.
            Err(AgentError::Gone) => {
                let gone = self.gone.await;
                Ok(Remains {
                    orphans: Vec::new(),
                    gone: Box::pin(std::future::ready(gone)),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Remains {
    /// Waits until no mount and no directory of the place is left.
    pub async fn gone(self) -> Result<(), BackendError> {
        self.gone.await
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("shortcomings", &self.shortcomings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remains").finish_non_exhaustive()
    }
}
