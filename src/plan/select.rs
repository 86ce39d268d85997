//! Which jobs a run is asked for, and the order they are listed in.

use std::collections::BTreeSet;

use crate::workflow::{Called, Job, JobBody, Workflow};

/// The jobs asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Keys under `jobs:`, or `CALLER/ID` of a called workflow's; empty asks for all.
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
    /// Whether every job that is named is there.
    pub(super) fn check(&self, workflow: &Workflow) -> Result<(), UnknownJob> {
        for name in &self.jobs {
            let (own, called) = parts(name);
            let job = find(workflow, own).ok_or_else(|| UnknownJob {
                path: workflow.source.path.clone(),
                name: own.to_owned(),
                known: workflow.jobs.keys().cloned().collect(),
            })?;
            let Some(called) = called else { continue };
            match &job.body {
                JobBody::Calls(call) => {
                    if let Called::Workflow(workflow) = &call.called {
                        let jobs = vec![called.to_owned()];
                        Self { jobs }.check(workflow)?;
                    }
                }
                JobBody::Steps(_) => {
                    return Err(UnknownJob {
                        path: workflow.source.path.clone(),
                        name: name.clone(),
                        known: workflow.jobs.keys().cloned().collect(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The selected jobs and all they need, in the file's order.
    pub(super) fn jobs<'w>(&self, workflow: &'w Workflow) -> Vec<&'w Job> {
        if self.jobs.is_empty() {
            return workflow.jobs.values().collect();
        }
        let mut wanted = BTreeSet::new();
        for name in &self.jobs {
            if let Some(job) = find(workflow, parts(name).0) {
                add_with_needs(workflow, job, &mut wanted);
            }
        }
        let jobs = workflow.jobs.values();
        jobs.filter(|job| wanted.contains(&job.id.value)).collect()
    }

    /// What is asked for of the workflow that a job calls: all, if the job itself is named, or only
    /// needed.
    pub(super) fn within(&self, job: &str) -> Self {
        let named = self.jobs.iter().map(|name| parts(name));
        let named: Vec<_> = named
            .filter(|(own, _)| own.eq_ignore_ascii_case(job))
            .collect();
        match named.iter().any(|(_, called)| called.is_none()) {
            true => Self::default(),
            false => {
                let called = named.iter().filter_map(|(_, called)| *called);
                let jobs = called.map(str::to_owned).collect();
                Self { jobs }
            }
        }
    }
}

/// A job of the workflow itself, and what of the jobs that it calls. All its legs are meant.
fn parts(name: &str) -> (&str, Option<&str>) {
    match name.split_once('/') {
        Some((caller, called)) => {
            let leg = caller.rsplit_once('.');
            let of_leg = leg.filter(|(_, leg)| leg.parse::<u32>().is_ok());
            (of_leg.map_or(caller, |(id, _)| id), Some(called))
        }
        None => (name, None),
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
