//! Jobs as they are told before they run.

use crate::event::JobSummary;
use crate::plan::{CalledJobs, Plan, PlannedJob, PlannedLeg};

/// The legs of a plan in GitHub's order, those of called workflows in the place of their callers.
pub fn job_summaries(plan: &Plan) -> Vec<JobSummary> {
    of_plan(plan, "")
}

/// The same of a called workflow's: `before` is what stands before the ids of its jobs.
pub(super) fn of_plan(plan: &Plan, before: &str) -> Vec<JobSummary> {
    let jobs = plan.jobs.iter();
    jobs.flat_map(|job| of_legs(job, job.legs.as_deref().unwrap_or_default(), before))
        .collect()
}

/// The same of legs of a job.
pub(super) fn of_legs(job: &PlannedJob, legs: &[PlannedLeg], before: &str) -> Vec<JobSummary> {
    let of_leg = |leg: &PlannedLeg| match leg.call.as_deref().map(|call| &call.called) {
        Some(CalledJobs::Planned(plan)) => of_plan(plan, &format!("{}/", leg.key)),
        Some(CalledJobs::NotFollowed { .. }) => Vec::new(),
        None => vec![JobSummary {
            job: leg.key.clone(),
            name: leg.name.clone(),
            label: leg.labels.join(", "),
            needs: job
                .needs
                .iter()
                .map(|need| format!("{before}{need}"))
                .collect(),
        }],
    };
    legs.iter().flat_map(of_leg).collect()
}
