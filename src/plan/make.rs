//! The plan of a run, made of its parts.

use std::cell::Cell;

use indexmap::IndexMap;

use super::calls::{CalledJobs, PlannedCall, plan_call};
use super::checkouts::{self, OtherCheckout};
use super::decided::{Facts, decided_false};
use super::ends::{self, Decision, End};
use super::expand::{ExpandError, PlannedLeg, expand};
use super::failing::{self, JobFailure};
use super::left_out::{self, LeftOut};
use super::obstacle::{self, Obstacle, ObstacleKind};
use super::placement::Placement;
use super::reads;
use super::select::{self, Selection, UnknownJob};
use super::uses::{self, Used};
use crate::outcome::{Outcome, SkipReason};
use crate::source::Diagnostic;
use crate::workflow::{
    self, ActionRef, BuiltIn, Job, JobBody, Step, StepAction, Token, TokenKind, Uses, Workflow,
};

/// Everything a run will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The selected jobs and those they need, in the file's order.
    pub jobs: Vec<PlannedJob>,
    /// What lrun cannot do here at all: a run with one of these is refused before it starts.
    pub refusals: Vec<Obstacle>,
    /// See [`Plan::uses`]; those of called workflows are in their own plans.
    pub(super) used: Vec<Used>,
    /// See [`Plan::other_checkouts`]; likewise.
    pub(super) checkouts: Vec<OtherCheckout>,
}

impl Plan {
    /// What a job is made of that cannot be had, so that a run would fail before its first step.
    pub fn unstartable(&self) -> Option<&Diagnostic> {
        self.jobs.iter().find_map(|job| match &job.fails {
            Some(JobFailure::Key { error, .. }) => Some(&**error),
            _ => None,
        })
    }
}

/// One key under `jobs:`.
#[derive(Debug, Clone)]
pub struct PlannedJob {
    /// The key as it is written.
    pub id: String,
    /// The jobs it needs, spelled as they are under `jobs:`.
    pub needs: Vec<String>,
    /// How many jobs stand before it where every job starts as soon as it may.
    pub wave: usize,
    /// Its legs in GitHub's order; none while the matrix depends on outputs of other jobs.
    pub legs: Option<Vec<PlannedLeg>>,
    /// Why it will not run, where that is known already.
    pub skip: Option<SkipReason>,
    /// Why it fails instead of running, where that is known already.
    pub fails: Option<JobFailure>,
    /// Those of its steps that will not run, where that is known already.
    pub skipped_steps: Vec<SkippedStep>,
    /// What it calls as far as that is known while its legs are not: what is in the way there, and what
    /// is used.
    pub late: Option<Box<PlannedCall>>,
    /// Of the jobs that it calls those that were asked for.
    pub selection: Selection,
    /// Those of its steps that GitHub would run and lrun does not, as far as that is known.
    pub left_out: Vec<LeftOut>,
    /// What lrun cannot do of it here.
    pub obstacles: Vec<Obstacle>,
    /// The outputs it has not here because of the steps left out, each with the reason.
    pub(super) missing_outputs: IndexMap<String, String>,
}

/// A step that will not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedStep {
    /// Counted from zero.
    pub index: usize,
    /// Its name, or what it does.
    pub name: String,
    /// The condition that is false.
    pub condition: String,
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
/// When the selection names a job that does not exist, or GitHub takes the whole for invalid. A
/// matrix that cannot be expanded fails its job alone: [`PlannedJob::fails`].
pub fn plan(workflow: &Workflow, selection: &Selection, facts: &Facts) -> Result<Plan, PlanError> {
    selection.check(workflow)?;
    Ok(plan_jobs(workflow, selection, facts, &Budget::default())?)
}

/// How many workflows a run may still call, counted for each leg. GitHub allows 50 different ones, ten
/// levels deep, and a matrix at each; nobody reads a plan of all that makes.
#[derive(Debug)]
pub(super) struct Budget(Cell<u32>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(1000))
    }
}

impl Budget {
    /// Whether one more may be called; that is counted.
    pub(super) fn allows_a_call(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// Plans jobs of a workflow, with all that they need among them.
pub(super) fn plan_jobs(
    workflow: &Workflow,
    selection: &Selection,
    facts: &Facts,
    budget: &Budget,
) -> Result<Plan, ExpandError> {
    let selected = selection.jobs(workflow);
    let mut planned: Vec<PlannedJob> = Vec::new();
    // A job that is skipped may take those with it that need it.
    while planned.len() < selected.len() {
        let done = planned.len();
        for job in &selected {
            let is_planned = |id: &str| planned.iter().any(|planned| planned.id == id);
            let needs = select::canonical_needs(workflow, job);
            if !is_planned(&job.id.value) && needs.iter().all(|need| is_planned(need)) {
                let mut next = plan_job(workflow, job, needs, &planned, facts)?;
                next.selection = selection.within(&job.id.value);
                add_calls(workflow, job, &mut next, facts, budget)?;
                next.look_around(workflow, job, facts);
                planned.push(next);
            }
        }
        // The reader lets no cycle pass.
        if planned.len() == done {
            break;
        }
    }
    planned.sort_by_key(|planned| selected.iter().position(|job| job.id.value == planned.id));
    let mut refusals = Vec::new();
    let mut used = Vec::new();
    let mut others = Vec::new();
    for (job, planned) in selected.iter().zip(&planned) {
        used.extend(uses::used(workflow, job, planned));
        others.extend(checkouts::of_job(workflow, job, planned, facts));
        let own = planned.obstacles.iter();
        refusals.extend(own.filter(|one| one.kind.refuses_all()).cloned());
        refusals.extend(refusals_of_calls(planned));
    }
    Ok(Plan {
        jobs: planned,
        refusals,
        used,
        checkouts: others,
    })
}

/// Plans what each leg of a calling job calls.
fn add_calls(
    workflow: &Workflow,
    job: &Job,
    planned: &mut PlannedJob,
    facts: &Facts,
    budget: &Budget,
) -> Result<(), ExpandError> {
    let JobBody::Calls(call) = &job.body else {
        return Ok(());
    };
    if planned.legs.is_none() {
        let leg = PlannedLeg::unknown(job);
        let selection = &planned.selection;
        let late = plan_call((workflow, call), &leg, (facts, facts), selection, budget);
        // What is wrong with it fails the job when it runs.
        planned.late = late.ok().map(Box::new);
    }
    for leg in planned.legs.iter_mut().flatten() {
        let of_leg = leg.facts(facts);
        let selection = &planned.selection;
        match plan_call((workflow, call), leg, (facts, &of_leg), selection, budget) {
            Ok(planned) => leg.call = Some(Box::new(planned)),
            Err(ExpandError::Invalid(error)) => {
                planned.fails = Some(failing::of_key(job, *error));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if planned.fails_to_start() {
        planned.legs = Some(Vec::new());
    }
    Ok(())
}

fn plan_job(
    workflow: &Workflow,
    job: &Job,
    needs: Vec<String>,
    before: &[PlannedJob],
    facts: &Facts,
) -> Result<PlannedJob, ExpandError> {
    if let Some(refused) = workflow::job_refused_by_service(workflow, job) {
        return Err(ExpandError::Refused(Box::new(refused)));
    }
    let needed = before.iter().filter(|job| needs.contains(&job.id));
    let wave = needed.map(|job| job.wave + job.waves()).max();
    let (skip, mut fails) = match decided(workflow, job, &needs, before, facts) {
        Decided::Open => (None, None),
        Decided::Skipped(reason) => (Some(reason), None),
        Decided::Fails(failure) => (None, Some(failure)),
    };
    let legs = match &skip {
        Some(_) => Some(Vec::new()),
        None => match expand(workflow, job, facts) {
            Ok(legs) => Some(legs),
            Err(ExpandError::Pending) => None,
            Err(ExpandError::Invalid(error)) => {
                fails = fails.or_else(|| Some(failing::of_key(job, *error)));
                Some(Vec::new())
            }
            Err(error) => return Err(error),
        },
    };
    Ok(PlannedJob {
        id: job.id.value.clone(),
        wave: wave.unwrap_or(0),
        legs,
        skipped_steps: match (&skip, &fails) {
            (None, None) => skipped_steps(job, facts),
            _ => Vec::new(),
        },
        skip,
        fails,
        needs,
        late: None,
        left_out: Vec::new(),
        obstacles: Vec::new(),
        missing_outputs: IndexMap::new(),
        selection: Selection::default(),
    })
}

/// What is known of a job's start.
enum Decided {
    Open,
    Skipped(SkipReason),
    Fails(JobFailure),
}

/// Whether a job will not run or fail at once, where its condition says so already.
fn decided(
    workflow: &Workflow,
    job: &Job,
    needs: &[String],
    before: &[PlannedJob],
    facts: &Facts,
) -> Decided {
    let condition = &job.condition;
    if decided_false(&condition.expression, facts) {
        let condition = condition.text.clone();
        return Decided::Skipped(SkipReason::Condition { condition });
    }
    let on_github = ends::ancestors(needs, before, PlannedJob::end_on_github);
    let first = on_github
        .iter()
        .find_map(|(need, end)| Some((need, end.unsuccessful()?)));
    match ends::decide(&condition.expression, needs, &on_github, facts) {
        Decision::False => {
            return Decided::Skipped(match first {
                Some((need, result)) => SkipReason::Needs {
                    job: need.id.clone(),
                    result,
                },
                None => SkipReason::Condition {
                    condition: condition.text.clone(),
                },
            });
        }
        Decision::Fails { error, always } => {
            return Decided::Fails(failing::of_condition(workflow, job, &error, always));
        }
        Decision::Open => {}
    }
    let here = ends::ancestors(needs, before, PlannedJob::end_here);
    let elsewhere = here.iter().find(|(job, _)| job.is_not_here());
    let decision = ends::decide(&condition.expression, needs, &here, facts);
    if let (Some((need, _)), Decision::False) = (elsewhere, decision) {
        return Decided::Skipped(SkipReason::NotRunHere {
            obstacle: format!("it needs {}, which does not run here", need.id),
        });
    }
    let mut needed = before.iter().filter(|planned| needs.contains(&planned.id));
    if needed.clone().all(PlannedJob::gives_all) {
        return Decided::Open;
    }
    let references = reads::of_job(job);
    match needed.find_map(|planned| left_out::why_needing(planned, &references)) {
        Some(obstacle) => Decided::Skipped(SkipReason::NotRunHere { obstacle }),
        None => Decided::Open,
    }
}

impl PlannedJob {
    /// Looks for what of it lrun does not run here or cannot do; a job with something that it cannot do is
    /// not run.
    fn look_around(&mut self, workflow: &Workflow, job: &Job, facts: &Facts) {
        if self.skip.is_some() || self.fails_to_start() {
            return;
        }
        let is_skipped = |index| self.skipped_steps.iter().any(|step| step.index == index);
        let not_here = match &job.body {
            JobBody::Steps(steps) => left_out::of_steps(workflow, (job, steps), is_skipped, facts),
            JobBody::Calls(call) => left_out::of_call(call, self.legs.iter().flatten()),
        };
        self.left_out = not_here.steps;
        self.missing_outputs = not_here.outputs;
        self.obstacles = refusals_of(workflow, job, self, facts);
        let first = self.obstacles.iter().find(|one| !one.kind.refuses_all());
        if let Some(obstacle) = first {
            let obstacle = obstacle.kind.to_string();
            self.do_not_run(job, &obstacle);
        }
    }

    /// Has none of it run here.
    fn do_not_run(&mut self, job: &Job, obstacle: &str) {
        let obstacle = obstacle.to_owned();
        match (&job.body, &mut self.legs) {
            (JobBody::Steps(_), Some(legs)) => {
                let here = legs.iter_mut().filter(|leg| leg.placement.runs_here());
                for leg in here {
                    let obstacle = obstacle.clone();
                    leg.placement = Placement::Elsewhere { obstacle };
                }
            }
            _ => {
                self.skip = Some(SkipReason::NotRunHere { obstacle });
                self.legs = Some(Vec::new());
            }
        }
        self.left_out.clear();
    }

    /// Whether it may run here, as far as that is known.
    pub(super) fn may_run_here(&self) -> bool {
        self.skip.is_none()
            && !self.is_not_here()
            && self.legs.as_ref().is_none_or(|legs| !legs.is_empty())
    }

    /// Whether those that need it find all that it gives.
    pub(super) fn gives_all(&self) -> bool {
        self.missing_outputs.is_empty() && !self.is_not_here()
    }

    /// Whether a step does not run: its condition is false, or it is left out.
    pub fn excludes(&self, index: usize) -> bool {
        self.skipped_steps.iter().any(|step| step.index == index)
            || self.left_out.iter().any(|step| step.index == index)
    }

    /// How many waves it takes: with all that it calls.
    fn waves(&self) -> usize {
        let legs = self.legs.iter().flatten();
        let called = legs.filter_map(|leg| match &leg.call.as_deref()?.called {
            CalledJobs::Planned(plan) => Some(&plan.jobs),
            CalledJobs::NotFollowed { .. } => None,
        });
        let last = called.flatten().map(|job| job.wave + job.waves());
        last.max().unwrap_or(1)
    }

    /// Whether what it is made of cannot be had: it has no legs to run.
    fn fails_to_start(&self) -> bool {
        matches!(self.fails, Some(JobFailure::Key { .. }))
    }

    /// How it is certain to end on GitHub.
    fn end_on_github(&self) -> End {
        match (&self.fails, &self.skip, &self.legs) {
            (Some(failure), ..) if failure.is_certain() => End::Certain(Outcome::Failure),
            (Some(_), ..) => End::Unsuccessful,
            (None, Some(SkipReason::NotRunHere { .. }), _) => End::Open,
            (None, Some(_), _) => End::Certain(Outcome::Skipped),
            (None, None, Some(legs)) if legs.is_empty() => End::Certain(Outcome::Skipped),
            (None, None, _) => End::Open,
        }
    }

    /// The same on this machine.
    fn end_here(&self) -> End {
        match self.is_not_here() {
            true => End::Certain(Outcome::Skipped),
            false => self.end_on_github(),
        }
    }

    /// Whether nothing of it runs on this machine, but on GitHub.
    pub(super) fn is_not_here(&self) -> bool {
        match (&self.fails, &self.skip, &self.legs) {
            (None, Some(SkipReason::NotRunHere { .. }), _) => true,
            (None, None, Some(legs)) => {
                let is_elsewhere = |leg: &PlannedLeg| match leg.call.as_deref() {
                    Some(call) => call.is_not_here(),
                    // A job that calls a workflow has no labels of its own.
                    None => !leg.labels.is_empty() && !leg.placement.runs_here(),
                };
                !legs.is_empty() && legs.iter().all(is_elsewhere)
            }
            _ => false,
        }
    }
}

fn skipped_steps(job: &Job, facts: &Facts) -> Vec<SkippedStep> {
    let JobBody::Steps(steps) = &job.body else {
        return Vec::new();
    };
    let steps = steps.iter().enumerate();
    steps
        .filter(|(_, step)| decided_false(&step.condition.expression, facts))
        .map(|(index, step)| SkippedStep {
            index,
            name: step_name(step, facts),
            condition: step.condition.text.clone(),
        })
        .collect()
}

/// What a step is called before it runs: its name as far as that is known, else what it does.
pub(super) fn step_name(step: &Step, facts: &Facts) -> String {
    let named = step
        .name
        .as_ref()
        .and_then(|name| name.evaluate_string(facts).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| match &step.action {
            StepAction::Uses { reference, .. } => reference.value.clone(),
            StepAction::Run { script, .. } => {
                let text = match &script.kind {
                    TokenKind::Expression(template) => Some(template.text()),
                    _ => script.as_str(),
                };
                let first = text.and_then(|script| script.trim().lines().next());
                format!("Run {}", first.unwrap_or(&step.id))
            }
            _ => step.id.clone(),
        })
}

/// What of a job lrun cannot do here, leaving out what conditions already exclude and
/// legs that do not run here anyway.
fn refusals_of(
    workflow: &Workflow,
    job: &Job,
    planned: &PlannedJob,
    facts: &Facts,
) -> Vec<Obstacle> {
    let nothing_runs_here = planned
        .legs
        .as_ref()
        .is_some_and(|legs| legs.iter().all(|leg| !leg.placement.runs_here()));
    if nothing_runs_here && matches!(job.body, JobBody::Steps(_)) {
        return Vec::new();
    }
    let mut found = obstacle::of_job(workflow, job);
    if let JobBody::Steps(steps) = &job.body {
        let running = steps.iter().enumerate();
        let running = running.filter(|(index, _)| !planned.excludes(*index));
        found.extend(running.filter_map(|(_, step)| of_step(workflow, job, step, facts)));
    }
    found
}

/// What lrun cannot do of the jobs that a job calls; of several legs each thing once.
fn refusals_of_calls(planned: &PlannedJob) -> Vec<Obstacle> {
    let legs = planned.legs.iter().flatten();
    let calls = legs.filter_map(|leg| Some((leg.key.to_string(), leg.call.as_ref()?)));
    let late = planned.late.iter().map(|call| (planned.id.clone(), call));
    let called = calls
        .chain(late)
        .filter_map(|(key, call)| match &call.called {
            CalledJobs::Planned(plan) => Some((key, plan)),
            CalledJobs::NotFollowed { .. } => None,
        });
    let mut found: Vec<Obstacle> = Vec::new();
    for (key, plan) in called {
        for refusal in &plan.refusals {
            let is_same = |other: &Obstacle| {
                other.span == refusal.span && other.source.path == refusal.source.path
            };
            if !found.iter().any(is_same) {
                let job = format!("{key}/{}", refusal.job);
                found.push(Obstacle {
                    job,
                    ..refusal.clone()
                });
            }
        }
    }
    found
}

fn of_step(workflow: &Workflow, job: &Job, step: &Step, facts: &Facts) -> Option<Obstacle> {
    let kind = match &step.action {
        StepAction::Uses { reference, with } => {
            let uses = &reference.value;
            let through = facts.in_containers.through(&workflow.location, uses);
            match (through, Uses::parse(uses)) {
                (Some(through), _) => ObstacleKind::DockerAction {
                    reference: through.to_owned(),
                },
                (None, Uses::Docker) => ObstacleKind::DockerAction {
                    reference: uses.clone(),
                },
                (None, Uses::BuiltIn(action)) => match action.why_not() {
                    Some(why) => ObstacleKind::Action {
                        reference: uses.clone(),
                        why: why.to_owned(),
                    },
                    None => of_inputs(&action, with.as_ref()?, facts)?,
                },
                // Whether these can be had is found out before the run: `Plan::uses`.
                (None, Uses::Remote | Uses::Local | Uses::SelfRepository) => return None,
            }
        }
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
    if action.action != BuiltIn::DownloadArtifact {
        return None;
    }
    let known: Vec<(&str, String)> = with
        .as_mapping()?
        .iter()
        .filter_map(|pair| Some((pair.key.name()?, pair.value.evaluate_string(facts).ok()?)))
        .collect();
    let github = facts.contexts.get("github")?.as_object()?;
    let repository = github.get("repository")?.to_text();
    with.get("github-token")?;
    let what = other_run(&known, &repository)?;
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

#[cfg(test)]
mod tests;
