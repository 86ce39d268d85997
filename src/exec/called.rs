//! One workflow of a run: the file, or one that a job calls, with what it was given.

use std::sync::Arc;

use indexmap::IndexMap;

use super::run::Run;
use crate::expr::Value;
use crate::ids::JobKey;
use crate::workflow::{Job, Workflow};

/// A workflow whose jobs run, and what is its own beside what the whole run has.
#[derive(Debug, Clone)]
pub(super) struct Called {
    /// What it says.
    pub(super) workflow: Arc<Workflow>,
    /// The `inputs` context of its jobs.
    pub(super) inputs: Value,
    /// The secrets its jobs see.
    pub(super) secrets: IndexMap<String, String>,
    #[expect(dead_code, reason = "calls are refused before a run as yet")]
    /// The leg that calls it; none is the run's own file.
    pub(super) caller: Option<JobKey>,
}

impl Called {
    /// The workflow that the run is of.
    pub(super) fn of_run(run: &Run) -> Arc<Self> {
        Arc::new(Self {
            workflow: Arc::clone(&run.workflow),
            inputs: run.given.inputs.clone(),
            secrets: run.given.secrets.clone(),
            caller: None,
        })
    }

    /// What it says of one of its jobs.
    pub(super) fn job(&self, key: &JobKey) -> Option<&Job> {
        self.workflow.jobs.get(key.local_id())
    }
}
