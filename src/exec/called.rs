//! One workflow of a run: the file, or one that a job calls, with what it was given.

use std::sync::Arc;

use indexmap::IndexMap;

use super::run::Run;
use crate::expr::Value;
use crate::git;
use crate::ids::JobKey;
use crate::plan::Facts;
use crate::workflow::{Job, Location, Workflow};

/// A workflow whose jobs run, and what is its own beside what the whole run has.
#[derive(Debug, Clone)]
pub(super) struct Called {
    /// What it says.
    pub(super) workflow: Arc<Workflow>,
    /// The `inputs` context of its jobs.
    pub(super) inputs: Value,
    /// The secrets its jobs see.
    pub(super) secrets: IndexMap<String, String>,
    /// The leg that calls it; none is the run's own file.
    pub(super) caller: Option<JobKey>,
    /// The `cache-mode` of each job that leads to it: its jobs get no more than all permit.
    pub(super) cache_modes: Vec<String>,
    /// The concurrency groups that it runs in.
    pub(super) groups: Vec<HeldGroup>,
}

/// A concurrency group that a workflow runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeldGroup {
    /// Its name as it is compared.
    pub(super) folded: String,
    /// Who asked for it, in GitHub's words.
    pub(super) by: String,
}

/// The file of a workflow, as the `job` context has it.
pub(super) struct File {
    /// `owner/name/path@ref`
    pub(super) reference: String,
    /// Its commit, if it is known.
    pub(super) sha: Option<String>,
    /// `owner/name`
    pub(super) repository: String,
    /// From the repository's root.
    pub(super) path: String,
}

impl Called {
    /// The workflow that the run is of.
    pub(super) fn of_run(run: &Run) -> Self {
        Self {
            workflow: Arc::clone(&run.workflow),
            inputs: run.given.inputs.clone(),
            secrets: run.given.secrets.clone(),
            caller: None,
            cache_modes: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// What it says of one of its jobs.
    pub(super) fn job(&self, key: &JobKey) -> Option<&Job> {
        self.workflow.jobs.get(key.local_id())
    }

    /// The id of one of its jobs in the whole run.
    pub(super) fn id_of(&self, job: &str) -> String {
        match &self.caller {
            Some(caller) => format!("{caller}/{job}"),
            None => job.to_owned(),
        }
    }

    /// Which file it is: `job.workflow_ref` and its kin. The `github` context has the run's own.
    pub(super) fn file(&self, run: &Run) -> File {
        match &self.workflow.location {
            Location::Own { path } => {
                let repository = run.github.identity.repository();
                File {
                    reference: format!("{repository}/{path}@{}", run.github.git_ref),
                    sha: Some(run.github.sha.clone()),
                    repository,
                    path: path.clone(),
                }
            }
            Location::Remote {
                repository,
                path,
                git_ref,
            } => File {
                reference: format!("{repository}/{path}@{git_ref}"),
                // A tag or a branch was resolved by whoever fetched the file.
                sha: git::is_commit_id(git_ref).then(|| git_ref.clone()),
                repository: repository.clone(),
                path: path.clone(),
            },
        }
    }

    /// What the keys of its jobs may use: `github`, its `inputs`, `vars`.
    pub(super) fn facts(&self, run: &Run) -> Facts {
        let vars = run.given.vars.clone();
        Facts::of_run(&run.github, self.inputs.clone(), vars)
    }

    /// The first `cache-mode` that does not permit a job to `read` or to `write`: its own, else its
    /// workflow's, or that of a caller.
    pub(super) fn forbidding_cache_mode(&self, key: &JobKey, access: &str) -> Option<&str> {
        let own = self.job(key).and_then(|job| self.cache_mode(job));
        let callers = self.cache_modes.iter().map(String::as_str);
        own.into_iter().chain(callers).find(|&mode| {
            let permits =
                mode == access || mode == "write" || (mode == "write-only" && access == "write");
            !permits
        })
    }

    /// The `cache-mode` of a job of it, before those of its callers.
    pub(super) fn cache_mode<'c>(&'c self, job: &'c Job) -> Option<&'c str> {
        let mode = job.cache_mode.as_ref();
        let mode = mode.or(self.workflow.cache_mode.as_ref());
        mode.map(|mode| mode.value.as_str())
    }
}
