//! All that a run would not do here as GitHub does: what `--refuse-any` refuses.

use std::sync::Arc;

use super::calls::CalledJobs;
use super::make::{Plan, PlannedJob};
use super::obstacle::{Obstacle, ObstacleKind};
use super::placement::Placement;
use crate::outcome::SkipReason;
use crate::source::Span;
use crate::workflow::{Called, Job, JobBody, Workflow};

impl Plan {
    /// Every job, leg and step that does not run here although GitHub would run it, with those of called
    /// workflows, and what is in the way.
    pub fn in_the_way(&self, workflow: &Workflow) -> Vec<Obstacle> {
        let mut found = Vec::new();
        for planned in &self.jobs {
            if let Some(job) = workflow.jobs.get(&planned.id) {
                add(workflow, job, planned, &mut found);
            }
        }
        found
    }

    /// Whether nothing of it can run here, because of what lrun cannot do.
    pub fn cannot_run(&self) -> bool {
        let something_runs = self.jobs.iter().any(PlannedJob::may_run_here);
        !something_runs && self.jobs.iter().any(|job| !job.obstacles.is_empty())
    }
}

fn add(workflow: &Workflow, job: &Job, planned: &PlannedJob, found: &mut Vec<Obstacle>) {
    let obstacle = |span: Span, what: &str| Obstacle {
        source: Arc::clone(&workflow.source),
        span,
        job: planned.id.clone(),
        kind: ObstacleKind::NotRun {
            what: what.to_owned(),
        },
    };
    found.extend(planned.obstacles.iter().cloned());
    if let (Some(SkipReason::NotRunHere { obstacle: what }), true) =
        (&planned.skip, planned.obstacles.is_empty())
    {
        found.push(obstacle(job.id.span, what));
    }
    for step in &planned.left_out {
        let what = format!("step {} ({}): {}", step.index + 1, step.name, step.why);
        found.push(obstacle(step.span, &what));
    }
    let labels = job.runs_on.as_ref().map_or(job.id.span, |token| token.span);
    for leg in planned.legs.iter().flatten() {
        match (&job.body, &leg.placement, leg.call.as_deref()) {
            (JobBody::Calls(call), _, Some(planned)) => {
                if let (Called::Workflow(called), CalledJobs::Planned(plan)) =
                    (&call.called, &planned.called)
                {
                    found.extend(plan.in_the_way(called));
                }
            }
            (JobBody::Steps(_), Placement::Elsewhere { obstacle: what }, _)
                if planned.obstacles.is_empty() =>
            {
                found.push(obstacle(labels, &format!("{}: {what}", leg.name)));
            }
            _ => {}
        }
    }
}
