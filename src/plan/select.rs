//! Which jobs a run is asked for, and the order they are listed in.

use std::collections::BTreeSet;

use crate::workflow::{Job, Workflow};

/// The jobs asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Keys under `jobs:`; empty asks for all.
    pub jobs: Vec<String>,
}

/// `--job` names a job that the workflow does not have.
#[derive(Debug, thiserror::Error)]
#[error("{path} has no job '{name}'; it has {}", .known.join(", "))]
pub struct UnknownJob {
    /// The workflow's file.
    pub path: String,
    /// What was asked for.
    pub name: String,
    /// The jobs there are.
    pub known: Vec<String>,
}

impl Selection {
    /// The selected jobs and all they need, in the file's order.
    pub(super) fn jobs<'w>(&self, workflow: &'w Workflow) -> Result<Vec<&'w Job>, UnknownJob> {
        if self.jobs.is_empty() {
            return Ok(workflow.jobs.values().collect());
        }
        let mut wanted = BTreeSet::new();
        for name in &self.jobs {
            let job = find(workflow, name).ok_or_else(|| UnknownJob {
                path: workflow.source.path.clone(),
                name: name.clone(),
                known: workflow.jobs.keys().cloned().collect(),
            })?;
            add_with_needs(workflow, job, &mut wanted);
        }
        Ok(workflow
            .jobs
            .values()
            .filter(|job| wanted.contains(&job.id.value))
            .collect())
    }
}

fn add_with_needs(workflow: &Workflow, job: &Job, wanted: &mut BTreeSet<String>) {
    if !wanted.insert(job.id.value.clone()) {
        return;
    }
    for need in &job.needs {
        if let Some(needed) = find(workflow, &need.value) {
            add_with_needs(workflow, needed, wanted);
        }
    }
}

/// Job ids match without regard to letter case (runner `WorkflowTemplateConverter`).
fn find<'w>(workflow: &'w Workflow, name: &str) -> Option<&'w Job> {
    workflow
        .jobs
        .values()
        .find(|job| job.id.value.eq_ignore_ascii_case(name))
}

/// The ids a job needs, spelled as under `jobs:`.
pub(super) fn canonical_needs(workflow: &Workflow, job: &Job) -> Vec<String> {
    job.needs
        .iter()
        .filter_map(|need| find(workflow, &need.value))
        .map(|needed| needed.id.value.clone())
        .collect()
}
