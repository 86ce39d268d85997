//! What steps are told of GitHub's services: `ACTIONS_*`, by the kind of step.

use super::job::Leading;
use crate::workflow::{Job, Workflow};

/// Of a JavaScript action. lrun has no services of GitHub's as yet: their addresses and the token are
/// not set, and the toolkit finds that there is no cache.
pub(super) fn of_action(job: &Leading<'_>) -> Vec<(String, String)> {
    let mut all = of_every_step(job);
    let mode = cache_mode(&job.of.workflow, Some(job.job)).to_owned();
    all.push(("ACTIONS_CACHE_MODE".to_owned(), mode));
    all
}

/// Of every step. A script never sees the token of the services.
pub(super) fn of_every_step(job: &Leading<'_>) -> Vec<(String, String)> {
    let (run, key) = (job.run.id, &job.place.key);
    let id = format!("{run}.{}.{}", key.id, key.leg);
    vec![("ACTIONS_ORCHESTRATION_ID".to_owned(), id)]
}

/// The `cache-mode` in force: the job's over the workflow's.
pub(super) fn cache_mode<'w>(workflow: &'w Workflow, job: Option<&'w Job>) -> &'w str {
    let of_job = job.and_then(|job| job.cache_mode.as_ref());
    let mode = of_job.or(workflow.cache_mode.as_ref());
    mode.map_or("write", |mode| &mode.value)
}
