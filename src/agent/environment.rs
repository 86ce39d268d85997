//! What a place is to be, and what a backend can make of that. Data only.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::protocol::FileSpec;

/// An isolated place to be made for one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentSpec {
    /// A directory of this machine that the backend makes, fills and removes again: what
    /// the job changes outside its home is kept here. Must not exist yet; its parent must.
    pub state: PathBuf,
    /// A directory of this machine in which a backend may keep what its places share; made
    /// if it is not there. None: each place does without.
    pub shared: Option<PathBuf>,
    /// The directory of this machine that becomes `/home`; `runner/` in it is the job's
    /// home and belongs to the job's user. Stays when the place goes.
    pub home: PathBuf,
    /// Directories in the job's home, as paths inside, that are kept in memory: for small files
    /// that come and go quickly. They are the job's.
    pub in_memory: Vec<PathBuf>,
    /// What else of this machine is to be seen inside.
    pub mounts: Vec<Mount>,
    /// Files to write into the place's root file system, as root, before anything starts.
    pub files: Vec<FileSpec>,
    /// Directories of this machine that must look empty inside, beside `state`, `/home`,
    /// `/root`, `/srv` and `/snap`, which always do.
    pub hidden: Vec<PathBuf>,
    /// The name of the machine inside.
    pub hostname: String,
    /// What of the network there is.
    pub network: Network,
    /// A file of this machine on which the backend holds a shared lock as long as the place
    /// may have processes. Where the lock cannot be had, no place is made.
    pub lock: Option<PathBuf>,
}

/// A file or directory of this machine that a job sees, read-only with all below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is on this machine.
    pub source: PathBuf,
    /// Where the job sees it: an absolute path; made if it is not there.
    pub target: PathBuf,
}

/// The network of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// This machine's.
    Host,
    /// Loopback only.
    None,
}

/// What a backend can do on this machine, known before anything starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The job's user can become root by `sudo`.
    pub sudo: bool,
    /// Job containers, services and docker actions can run.
    pub containers: bool,
    /// The networks a place can be given.
    pub networks: Vec<Network>,
}
