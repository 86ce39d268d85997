//! What `actions/checkout` does: the run's commit laid out as a hosted runner would have it.
//!
//! A checkout is *staged* in a private directory on the store's file system, outside the job's
//! place, and *installed* by one rename. After the job it waits on the shelf for the next one, which
//! has to change only what differs then. The source is the user's repository, only ever read; the
//! result has a `.git` of its own with the refs the action fetches and no commit beyond the depth.
//! Nothing of the user's or the machine's git configuration reaches it.
//!
//! Blocks on child processes and the file system: call it from a blocking task.

mod credentials;
mod dot_git;
mod error;
mod fetch;
mod index;
mod install;
mod lfs;
mod log;
mod objects;
mod others;
mod renewal;
mod served;
mod shelved;
mod sparse;
mod stage;
mod stamp;
mod stand_in;
mod submodules;
mod target;

use crate::git::{Facts, GitError, Repository, Snapshot};
use crate::plan::CheckoutInputs;
use crate::plan::github_event::{GithubContext, Trigger};

pub use credentials::Credentials;
pub use error::WorkspaceError;
pub use install::install;
pub use others::Others;
pub use renewal::{ANEW, COMMAND_MARK, GROUP_MARKS, Renewal, origin_url, renew, wanted_url};
pub use shelved::Shelving;
pub use stage::{Staged, Staging, stage};
pub use target::target;

/// What checkouts of a run are made from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The user's repository.
    pub repository: &'a Repository,
    /// What it was like when the run began.
    pub facts: &'a Facts,
    /// The commit that runs.
    pub snapshot: &'a Snapshot,
    /// The ref and the repository the run pretends.
    pub context: &'a GithubContext,
    /// How other repositories are had.
    pub others: &'a Others,
}

/// Has what the inputs ask for of another repository fetched, so that a checkout finds it.
pub fn fetch_ahead(source: &Source<'_>, inputs: &CheckoutInputs) -> Result<(), WorkspaceError> {
    let served = served::Served::new(source, inputs)?;
    fetch::Fetch::new(&served, inputs).map(drop)
}

/// Takes the snapshot that the trigger asks for; a pull request's is the merge into its base.
/// Objects of lrun's own go to `objects`, a directory per repository.
pub fn take_snapshot(
    repository: &Repository,
    facts: &Facts,
    trigger: &Trigger,
    objects: &std::path::Path,
) -> Result<Snapshot, GitError> {
    let snapshot = Snapshot::take(repository, facts, &trigger.content, objects)?;
    match (&trigger.base, &trigger.pull_request) {
        (Some(base), Some((head, _))) if trigger.runs_merge() => {
            snapshot.merged_into(repository, (&base.branch, &base.commit), head)
        }
        _ => Ok(snapshot),
    }
}
