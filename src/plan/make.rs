//! The plan of a run, made of its parts.

use super::checkout::CheckoutInputs;
use super::decided::{Facts, decided_false};
use super::expand::{ExpandError, PlannedLeg, expand};
use super::obstacle::{self, Obstacle, ObstacleKind};
use super::select::{self, Selection, UnknownJob};
use crate::outcome::SkipReason;
use crate::workflow::{
    self, ActionRef, BuiltIn, Job, JobBody, Step, StepAction, Token, Uses, Workflow,
};

/// Everything a run will do.
#[derive(Debug)]
pub struct Plan {
    /// The selected jobs and those they need, in the file's order.
    pub jobs: Vec<PlannedJob>,
    /// What lrun cannot do here at all: a run with one of these is refused before it starts.
    pub refusals: Vec<Obstacle>,
}

/// One key under `jobs:`.
#[derive(Debug)]
pub struct PlannedJob {
    /// The key as it is written.
    pub id: String,
    /// The jobs it needs, spelled as they are under `jobs:`.
    pub needs: Vec<String>,
    /// Its legs in GitHub's order; none while the matrix depends on outputs of other jobs.
    pub legs: Option<Vec<PlannedLeg>>,
    /// Why it will not run, where that is known already.
    pub skip: Option<SkipReason>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// `--job` names a job that is not there.
    #[error(transparent)]
    UnknownJob(#[from] UnknownJob),
    /// A matrix or `runs-on` cannot be expanded.
    #[error(transparent)]
    Expand(#[from] ExpandError),
}

/// Makes the plan of a run.
///
/// # Errors
/// When the selection names a job that does not exist, or a matrix that depends on
/// nothing but known facts cannot be expanded.
pub fn plan(workflow: &Workflow, selection: &Selection, facts: &Facts) -> Result<Plan, PlanError> {
    let mut plan = Plan {
        jobs: Vec::new(),
        refusals: Vec::new(),
    };
    for job in selection.jobs(workflow)? {
        let planned = plan_job(workflow, job, facts)?;
        if planned.skip.is_none() {
            plan.refusals
                .extend(refusals(workflow, job, &planned, facts));
        }
        plan.jobs.push(planned);
    }
    Ok(plan)
}

fn plan_job(workflow: &Workflow, job: &Job, facts: &Facts) -> Result<PlannedJob, ExpandError> {
    if let Some(refused) = workflow::job_refused_by_service(workflow, job) {
        return Err(ExpandError::Invalid(refused));
    }
    let excluded = decided_false(&job.condition.expression, facts);
    let legs = match excluded {
        true => Some(Vec::new()),
        false => match expand(workflow, job, facts) {
            Ok(legs) => Some(legs),
            Err(ExpandError::Pending) => None,
            Err(error) => return Err(error),
        },
    };
    Ok(PlannedJob {
        id: job.id.value.clone(),
        needs: select::canonical_needs(workflow, job),
        legs,
        skip: excluded.then(|| SkipReason::Condition {
            condition: job.condition.text.clone(),
        }),
    })
}

/// What of a job lrun cannot do here, leaving out what conditions already exclude and
/// legs that do not run here anyway.
fn refusals(workflow: &Workflow, job: &Job, planned: &PlannedJob, facts: &Facts) -> Vec<Obstacle> {
    let nothing_runs_here = planned
        .legs
        .as_ref()
        .is_some_and(|legs| legs.iter().all(|leg| !leg.placement.runs_here()));
    if nothing_runs_here && matches!(job.body, JobBody::Steps(_)) {
        return Vec::new();
    }
    let mut found = obstacle::of_job(workflow, job);
    if let JobBody::Steps(steps) = &job.body {
        let running = steps
            .iter()
            .filter(|step| !decided_false(&step.condition.expression, facts));
        found.extend(running.filter_map(|step| of_step(workflow, job, step, facts)));
    }
    found
}

fn of_step(workflow: &Workflow, job: &Job, step: &Step, facts: &Facts) -> Option<Obstacle> {
    let kind = match &step.action {
        StepAction::Uses { reference, with } => match Uses::parse(&reference.value) {
            Uses::BuiltIn(action) => match action.why_not() {
                Some(why) => ObstacleKind::Action {
                    reference: reference.value.clone(),
                    why,
                },
                None => of_inputs(&action, with.as_ref()?, facts)?,
            },
            other => ObstacleKind::Action {
                reference: reference.value.clone(),
                why: other.why_not(),
            },
        },
        StepAction::Run { .. }
        | StepAction::Wait { .. }
        | StepAction::WaitAll
        | StepAction::Cancel { .. } => return None,
    };
    Some(Obstacle {
        source: workflow.source.clone(),
        span: step.span,
        job: job.id.value.clone(),
        kind,
    })
}

/// What a built-in action cannot do of its inputs, as far as they are known already.
fn of_inputs(action: &ActionRef, with: &Token, facts: &Facts) -> Option<ObstacleKind> {
    if !matches!(action.action, BuiltIn::Checkout | BuiltIn::DownloadArtifact) {
        return None;
    }
    let known: Vec<(&str, String)> = with
        .as_mapping()?
        .iter()
        .filter_map(|pair| Some((pair.key.name()?, pair.value.evaluate_string(facts).ok()?)))
        .collect();
    let github = facts.contexts.get("github")?.as_object()?;
    let repository = github.get("repository")?.to_text();
    let what = if action.action == BuiltIn::Checkout {
        let pairs = known.iter().map(|(name, value)| (*name, value.as_str()));
        let (inputs, _) = CheckoutInputs::read(pairs, None);
        inputs.obstacle(&repository)?
    } else {
        with.get("github-token")?;
        other_run(&known, &repository)?
    };
    Some(ObstacleKind::Inputs { what })
}

/// Only with a token does download-artifact look at another run or repository.
fn other_run(with: &[(&str, String)], repository: &str) -> Option<String> {
    let given = |name: &str| {
        let mut found = with
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    };
    if let Some(other) = given("repository").filter(|other| !other.eq_ignore_ascii_case(repository))
    {
        return Some(format!(
            "artifacts of another repository ({other}) are not supported"
        ));
    }
    let run = given("run-id").filter(|run| !run.is_empty())?;
    Some(format!(
        "artifacts of another run ({run}) are not supported"
    ))
}
