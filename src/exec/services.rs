//! What steps are told of GitHub's services: `ACTIONS_*`, by the kind of step.

use super::job::Leading;

/// Of a JavaScript action. lrun has no services of GitHub's as yet: their addresses and the token are
/// not set, and the toolkit finds that there is no cache.
pub(super) fn of_action(job: &Leading<'_>) -> Vec<(String, String)> {
    let mut all = of_every_step(job);
    let mode = job.of.cache_mode(job.job).unwrap_or("write").to_owned();
    all.push(("ACTIONS_CACHE_MODE".to_owned(), mode));
    all
}

/// Of every step. A script never sees the token of the services.
pub(super) fn of_every_step(job: &Leading<'_>) -> Vec<(String, String)> {
    let (run, key) = (job.run.id, &job.place.key);
    let id = format!("{run}.{}.{}", key.id, key.leg);
    vec![("ACTIONS_ORCHESTRATION_ID".to_owned(), id)]
}
