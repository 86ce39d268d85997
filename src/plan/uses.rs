//! The actions that the jobs of a plan use.

use std::sync::Arc;

use super::calls::CalledJobs;
use super::make::{Plan, PlannedJob};
use crate::source::{Source, Span};
use crate::workflow::{Job, JobBody, Location, StepAction, Workflow};

/// A `uses:` of a step of a job that runs here.
#[derive(Debug, Clone)]
pub struct Used {
    /// The text.
    pub uses: String,
    /// The workflow that it stands in.
    pub location: Location,
    /// Its file.
    pub source: Arc<Source>,
    /// Where it stands there.
    pub span: Span,
    /// The job.
    pub job: String,
    /// Whether it is certain that the step is skipped or left out. GitHub sets its action up all the same.
    pub excluded: bool,
}

impl Plan {
    /// Every action that a step of a job that runs here uses, of called workflows too, whatever the
    /// step's `if`: GitHub has all of them before a job's first step. In the order of the files.
    pub fn uses(&self) -> Vec<&Used> {
        let legs = self.jobs.iter().flat_map(|job| job.legs.iter().flatten());
        let called = legs.filter_map(|leg| match &leg.call.as_deref()?.called {
            CalledJobs::Planned(plan) => Some(plan.uses()),
            CalledJobs::NotFollowed { .. } => None,
        });
        let mut found: Vec<&Used> = self.used.iter().chain(called.flatten()).collect();
        // Each leg of a matrix calls the same workflow.
        let mut seen = std::collections::HashSet::new();
        found.retain(|used| seen.insert((&used.location, used.span.start, used.excluded)));
        found
    }
}

/// What a job uses, if anything of it runs here.
pub(super) fn used(workflow: &Workflow, job: &Job, planned: &PlannedJob) -> Vec<Used> {
    let JobBody::Steps(steps) = &job.body else {
        return Vec::new();
    };
    let runs_here = planned
        .legs
        .as_ref()
        .is_none_or(|legs| legs.iter().any(|leg| leg.placement.runs_here()));
    if planned.skip.is_some() || planned.fails.is_some() || !runs_here {
        return Vec::new();
    }
    let is_left_out = |index: usize| planned.left_out.iter().any(|step| step.index == index);
    let steps = steps.iter().enumerate();
    // What is not run here anyway need not be had here.
    let steps = steps.filter(|(index, _)| !is_left_out(*index));
    let used = steps.filter_map(|(index, step)| match &step.action {
        StepAction::Uses { reference, .. } => Some(Used {
            uses: reference.value.clone(),
            location: workflow.location.clone(),
            source: Arc::clone(&workflow.source),
            span: reference.span,
            job: job.id.value.clone(),
            excluded: planned.excludes(index),
        }),
        _ => None,
    });
    used.collect()
}
