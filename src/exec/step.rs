//! Whether and how one step runs: its environment, condition, name and limits are evaluated,
//! then it goes to its handler (runner `StepsRunner`).

use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

use super::action::{self, ActionWork, Turned};
use super::background::Ended;
use super::cancel::Cancellation;
use super::composite::Composite;
use super::contexts::GithubOfStep;
use super::effects::{Effects, Post};
use super::environment::{FileCommandPaths, OfStep};
use super::evaluate::{self, Evaluated, Seen};
use super::handler::{
    self, Inputs, Interrupt, Interruption, JavaScript, ProcessContext, Scope, Script, SetUp,
};
use super::job::{Leading, Place};
use super::left_out;
use super::log::StepLog;
use super::run::Run;
use super::services;
use crate::agent::AgentError;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::event::EventKind;
use crate::ids::Phase;
use crate::lookup::KeyOrigin;
use crate::outcome::{Outcome, SkipReason};
use crate::workflow::{ActionRef, BuiltIn, Condition, Defaults, Uses, Using};
use crate::workflow::{Step, StepAction, Token};

type Env = IndexMap<String, String>;

/// What a step's turn came to.
pub(super) enum Turn<'a> {
    /// Its condition was false.
    Skipped { name: String, reason: SkipReason },
    /// It runs.
    Runs(Box<Prepared<'a>>),
}

/// A step that runs, all that it says evaluated: nothing the job does meanwhile changes it.
pub(super) struct Prepared<'a> {
    /// Its name as GitHub shows it.
    pub(super) name: String,
    run: &'a Arc<Run>,
    place: &'a Place,
    address: String,
    limits: Limits,
    work: Work<'a>,
}

enum Work<'a> {
    Script {
        script: Script,
        process: ProcessContext,
        unique: String,
        digest: Digest,
    },
    BuiltIn {
        action: ActionRef,
        inputs: ActionInputs,
    },
    /// What stands in for an action that sets tools up.
    SetUp(Box<SetUp>),
    JavaScript(Box<JavaScript>),
    Composite(Box<Composite<'a>>),
    /// What it says has no value, or cannot be done here: the log says so, line by line.
    Failed(Vec<String>),
}

/// The inputs of an action, evaluated.
pub(super) struct ActionInputs {
    pub(super) values: Inputs,
    /// How `key` came about, for actions that have one.
    pub(super) key_origin: KeyOrigin,
    /// The step that asked for the key before, where `actions/cache/restore` did.
    pub(super) asked_by: Option<String>,
}

/// What is evaluated once it is known that a step runs.
#[derive(Default)]
pub(super) struct Limits {
    pub(super) continue_on_error: bool,
    /// The job's; none when the condition holds in a cancelled job too.
    cancellation: Option<Cancellation>,
    /// `timeout-minutes`; none is no limit.
    minutes: Option<u64>,
}

/// Finds out whether a step is to run, and with what.
///
/// # Errors
/// When the agent cannot be spoken to; all else is an outcome.
pub(super) async fn prepare<'a>(
    job: &Leading<'a>,
    step: &'a Step,
    log: &mut StepLog,
) -> Result<Turn<'a>, AgentError> {
    // The environment comes before the condition, which may look at it; an error in it fails
    // the step only if it was to run.
    let mut env = job.env();
    let github = job.frame.github_of(step);
    let own = job.text_map(step.env.as_ref(), seen(&env, &github)).await?;
    env.extend(own.clone().unwrap_or_default());
    let seen = seen(&env, &github);
    log.allow_by([&job.environment.base, &env]);
    let name = display_name(job, step, seen).await?;
    let reading = left_out::reading(job, step);
    // A condition about what was not run has no value that means anything.
    let by_condition = reading.as_ref().is_some_and(|reading| reading.by_condition);
    let holds = match by_condition {
        true => Ok(true),
        false => job.holds(&step.condition, job.job_status(), seen).await?,
    };
    if holds == Ok(false) {
        return Ok(Turn::Skipped {
            name,
            reason: SkipReason::Condition {
                condition: step.condition.text.clone(),
            },
        });
    }
    let left_out = match reading {
        Some(reading) => Some(reading.why),
        None => left_out::side_effect(job, step, seen).await?,
    };
    if let Some(obstacle) = left_out {
        let reason = SkipReason::NotRunHere { obstacle };
        return Ok(Turn::Skipped { name, reason });
    }
    log.send(EventKind::StepStarted {
        step: log.step().clone(),
        name: name.clone(),
        named: step.is_named(),
        id: step.explicit_id.then(|| step.id.clone()),
    });
    let limits = match (&own, holds) {
        (Err(message), _) => Err(message.clone()),
        (_, Err(message)) => Err(message),
        _ => limits(job, step, Some(&step.condition), seen).await?,
    };
    let (limits, work) = match (limits, own) {
        (Ok(limits), Ok(own)) => {
            let turned = Turned {
                step,
                index: log.step().index,
                phase: Phase::Main,
                env: &env,
                own: &own,
            };
            (limits, work(job, turned, log).await?)
        }
        (Err(message), _) | (_, Err(message)) => (Limits::default(), Work::Failed(vec![message])),
    };
    Ok(Turn::Runs(Box::new(Prepared {
        name,
        run: job.run,
        place: job.place,
        address: job.frame.address_of(step),
        limits,
        work,
    })))
}

fn seen<'s>(env: &'s Env, github: &'s GithubOfStep) -> Seen<'s> {
    Seen {
        env,
        github: Some(github),
        source: None,
    }
}

/// What is evaluated of a step that runs under this condition; none is one that always holds.
pub(super) async fn limits(
    job: &Leading<'_>,
    step: &Step,
    condition: Option<&Condition>,
    seen: impl Into<Seen<'_>>,
) -> Evaluated<Limits> {
    let seen = seen.into();
    // A condition that holds in a cancelled job too keeps the step running then.
    let outlives = match condition {
        Some(condition) => job.holds(condition, Outcome::Cancelled, seen).await? == Ok(true),
        None => true,
    };
    let cancellation = (!outlives).then(|| job.cancellation.clone());
    job.evaluate(seen, |contexts| {
        let continue_on_error = match &step.continue_on_error {
            Some(token) => token.evaluate_bool(contexts)?,
            None => false,
        };
        let minutes = match &step.timeout_minutes {
            Some(token) => token.evaluate_number(contexts)?,
            None => 0.0,
        };
        Ok(Limits {
            continue_on_error,
            cancellation: cancellation.clone(),
            // Fractions are dropped, and nothing or less is no limit (StepsRunner).
            minutes: (minutes >= 1.0).then_some(minutes as u64),
        })
    })
    .await
}

async fn work<'a>(
    job: &Leading<'a>,
    turned: Turned<'_>,
    log: &mut StepLog,
) -> Result<Work<'a>, AgentError> {
    let (step, env) = (turned.step, turned.env);
    let work = match &step.action {
        StepAction::Run { .. } => script(job, step, env).await?,
        StepAction::Uses { reference, .. } => match Uses::parse(&reference.value) {
            Uses::BuiltIn(action) if !job.run.actions.is_mapped(&reference.value) => {
                inputs(job, step, env)
                    .await?
                    .map(|inputs| Work::BuiltIn { action, inputs })
            }
            _ => match job.run.actions.stand_in(&reference.value) {
                Some(action) => set_up(job, step, env, action).await?,
                None => return other_action(job, turned, log).await,
            },
        },
        // The job's own, which knows what is in the background.
        StepAction::Wait { .. } | StepAction::WaitAll | StepAction::Cancel { .. } => {
            Err("this step does nothing".to_owned())
        }
    };
    Ok(work.unwrap_or_else(|message| Work::Failed(vec![message])))
}

async fn other_action<'a>(
    job: &Leading<'a>,
    turned: Turned<'_>,
    log: &mut StepLog,
) -> Result<Work<'a>, AgentError> {
    let found = match action::load(job, turned.step).await? {
        Ok(action) => action::work(job, turned, &action, log).await?,
        Err(messages) => Err(messages),
    };
    Ok(match found {
        Ok(ActionWork::JavaScript(script)) => Work::JavaScript(script),
        Ok(ActionWork::Composite(composite)) => Work::Composite(composite),
        Err(messages) => Work::Failed(messages),
    })
}

async fn set_up<'a>(
    job: &Leading<'a>,
    step: &Step,
    env: &Env,
    action: ActionRef,
) -> Evaluated<Work<'a>> {
    let inputs = inputs(job, step, env).await?;
    let github = job.frame.github_of(step).of(None);
    let own = OfStep {
        github: &github,
        files: &FileCommandPaths::new(&Uuid::new_v4().simple().to_string()),
        action: Vec::new(),
        services: services::of_every_step(job),
    };
    let process = job.environment.of_step(env, &job.state.path, own);
    Ok(inputs.map(|inputs| {
        Work::SetUp(Box::new(SetUp {
            action,
            inputs,
            env: process,
            label: job.label.cloned(),
        }))
    }))
}

async fn script<'a>(job: &Leading<'a>, step: &Step, env: &Env) -> Evaluated<Work<'a>> {
    // A script comes from no repository, whatever the action it stands in.
    let github = job.frame.github_of(step).of(None);
    let script = match evaluated_script(job, step, seen(env, &github)).await? {
        Ok(script) => script,
        Err(message) => return Ok(Err(message)),
    };
    let unique = Uuid::new_v4().simple().to_string();
    let files = FileCommandPaths::new(&unique);
    let own = OfStep {
        github: &github,
        files: &files,
        action: Vec::new(),
        services: services::of_every_step(job),
    };
    let process = ProcessContext {
        env: job.environment.of_step(env, &job.state.path, own),
        files,
    };
    let asked = serde_json::json!([script.text, script.shell, script.directory, env]);
    Ok(Ok(Work::Script {
        script,
        process,
        unique,
        digest: Digest::of(asked.to_string()),
    }))
}

impl Limits {
    /// What ends a step early; its time runs from now on.
    pub(super) fn interrupt(&self, stopped: Option<Cancellation>) -> Interrupt {
        Interrupt {
            cancellation: self.cancellation.clone(),
            stopped,
            limit: self.minutes.map(|minutes| (Moment::now(), minutes)),
            outer: None,
        }
    }
}

impl Prepared<'_> {
    /// What ends the step early; its time runs from now on. `stopped` is that of a step in the
    /// background.
    pub(super) fn interrupt(&self, stopped: Option<Cancellation>) -> Interrupt {
        self.limits.interrupt(stopped)
    }

    /// What became of the step that was interrupted before it started.
    pub(super) fn ended_before(self, interruption: Interruption, mut log: StepLog) -> Ended {
        let outcome = interruption.outcome(&self.name, &mut log);
        Ended {
            index: log.step().index as usize,
            name: self.name,
            effects: Box::new(Effects::of(outcome)),
            conclusion: conclude(outcome, self.limits.continue_on_error),
        }
    }

    /// Runs the step to its end; gives what came of it, and what it ends as after its
    /// `continue-on-error`.
    ///
    /// # Errors
    /// When the agent cannot be spoken to; all else is an outcome.
    pub(super) async fn carry_out(
        self,
        mut log: StepLog,
        interrupt: Interrupt,
    ) -> Result<Ended, AgentError> {
        let index = log.step().index as usize;
        let scope = Scope {
            run: self.run,
            place: self.place,
            address: self.address,
            name: &self.name,
            log: &mut log,
            interrupt,
        };
        let mut effects = match self.work {
            Work::Script {
                script,
                process,
                unique,
                digest,
            } => {
                let mut effects = handler::run_script(scope, &script, process, &unique).await?;
                effects.work = Some(digest);
                effects
            }
            Work::BuiltIn { action, inputs } => built_in(scope, &action, &inputs).await?,
            Work::SetUp(set_up) => stand_in(scope, &set_up).await?,
            Work::JavaScript(script) => javascript(scope, *script).await?,
            Work::Composite(composite) => {
                let digest = composite.digest;
                let mut effects = composite.run(scope.log, scope.interrupt).await?;
                effects.work = Some(digest);
                effects
            }
            Work::Failed(messages) => {
                messages.iter().for_each(|message| scope.log.error(message));
                Effects::of(Outcome::Failure)
            }
        };
        effects.take_over(log.finish());
        Ok(Ended {
            index,
            name: self.name,
            conclusion: conclude(effects.outcome, self.limits.continue_on_error),
            effects: Box::new(effects),
        })
    }
}

/// What a step or a job counts as: a failure may be forgiven.
pub(super) fn conclude(outcome: Outcome, continue_on_error: bool) -> Outcome {
    match outcome {
        Outcome::Failure if continue_on_error => Outcome::Success,
        outcome => outcome,
    }
}

/// The main part of a JavaScript action: its post part will run, however this one ends.
async fn javascript(scope: Scope<'_>, script: JavaScript) -> Result<Effects, AgentError> {
    let action = Arc::clone(&script.action);
    let given = serde_json::json!([script.argv, script.inputs, action.manifest.source.text]);
    let mut effects = handler::run_javascript(scope, script).await?;
    effects.work = Some(Digest::of(given.to_string()));
    if let Using::Node { post: Some(_), .. } = &action.manifest.runs.using {
        effects.post = Some(Post::JavaScript(action));
    }
    Ok(effects)
}

async fn built_in(
    mut scope: Scope<'_>,
    action: &ActionRef,
    inputs: &ActionInputs,
) -> Result<Effects, AgentError> {
    let mut interrupt = scope.interrupt.clone();
    let name = scope.name;
    let work = async {
        match action.action {
            BuiltIn::Checkout => handler::checkout(&mut scope, action, &inputs.values).await,
            BuiltIn::Cache | BuiltIn::CacheRestore => {
                handler::restore_cache(&mut scope, action, inputs).await
            }
            BuiltIn::CacheSave => handler::save_cache(&mut scope, inputs, None).await,
            BuiltIn::UploadArtifact => {
                handler::upload_artifact(&mut scope, action, &inputs.values).await
            }
            BuiltIn::DownloadArtifact => {
                handler::download_artifact(&mut scope, action, &inputs.values).await
            }
            // These come as a `SetUp`.
            _ => Ok(Effects::of(Outcome::Success)),
        }
    };
    let interruption = tokio::select! {
        effects = work => return effects,
        interruption = interrupt.raised() => interruption,
    };
    Ok(Effects::of(interruption.outcome(name, scope.log)))
}

async fn stand_in(mut scope: Scope<'_>, set_up: &SetUp) -> Result<Effects, AgentError> {
    let mut interrupt = scope.interrupt.clone();
    let name = scope.name;
    let interruption = tokio::select! {
        effects = handler::set_up(&mut scope, set_up) => return effects,
        interruption = interrupt.raised() => interruption,
    };
    Ok(Effects::of(interruption.outcome(name, scope.log)))
}

async fn evaluated_script(job: &Leading<'_>, step: &Step, seen: Seen<'_>) -> Evaluated<Script> {
    let StepAction::Run {
        script,
        shell,
        working_directory,
    } = &step.action
    else {
        return Ok(Err("this step has no script".to_owned()));
    };
    // Defaults are for the job's own steps.
    let own = job.frame.composite.is_none();
    let defaults = [&job.job.defaults, &job.of.workflow.defaults].map(|all| own.then_some(all));
    let [of_job, of_workflow] = defaults;
    let shell = [
        shell.as_ref(),
        of_job.and_then(Defaults::shell),
        of_workflow.and_then(Defaults::shell),
    ];
    let directory = [
        working_directory.as_ref(),
        of_job.and_then(Defaults::working_directory),
        of_workflow.and_then(Defaults::working_directory),
    ];
    job.evaluate(seen, |contexts| {
        let nearest = |tokens: [Option<&Token>; 3]| {
            let token = tokens.into_iter().flatten().next();
            token
                .map(|token| token.evaluate_string(contexts))
                .transpose()
        };
        Ok(Script {
            text: script.evaluate_string(contexts)?,
            shell: nearest(shell)?,
            directory: job
                .place
                .paths
                .in_workspace(&nearest(directory)?.unwrap_or_default()),
            env: action::header(&Inputs::new(), seen.env),
        })
    })
    .await
}

/// The inputs of a step's action. A post part evaluates them again, under the job's own
/// environment.
pub(super) async fn inputs(job: &Leading<'_>, step: &Step, env: &Env) -> Evaluated<ActionInputs> {
    let StepAction::Uses {
        with: Some(with), ..
    } = &step.action
    else {
        return Ok(Ok(ActionInputs {
            values: Inputs::new(),
            key_origin: KeyOrigin::default(),
            asked_by: None,
        }));
    };
    let sources = job.sources(step);
    job.evaluate(env, |contexts| {
        let key_origin = match with.get("key") {
            Some(token) => evaluate::origin(token, contexts, sources)?,
            None => KeyOrigin::default(),
        };
        let values = evaluate::text_map(with, contexts)?;
        let asked = job.state.asked.get(handler::input(&values, "key"));
        let (asked_by, key_origin) = match asked {
            Some((step, origin)) => (Some(step.clone()), origin.clone()),
            None => (None, key_origin),
        };
        Ok(ActionInputs {
            values,
            key_origin,
            asked_by,
        })
    })
    .await
}

/// The name GitHub shows: the step's own, or one made up from what it does.
pub(super) async fn display_name(
    job: &Leading<'_>,
    step: &Step,
    seen: Seen<'_>,
) -> Result<String, AgentError> {
    let text = async |token: &Token| -> Result<Option<String>, AgentError> {
        let text = job
            .evaluate(seen, |contexts| token.evaluate_string(contexts))
            .await?;
        Ok(text.ok().filter(|text| !text.trim().is_empty()))
    };
    if let Some(token) = &step.name
        && let Some(name) = text(token).await?
    {
        return Ok(name);
    }
    Ok(match &step.action {
        StepAction::Uses { reference, .. } => format!("Run {}", reference.value),
        StepAction::Run { script, .. } => {
            let script = text(script).await?.unwrap_or_else(|| step.id.clone());
            format!("Run {}", script.trim().lines().next().unwrap_or_default())
        }
        StepAction::Wait { .. } => "Wait".to_owned(),
        StepAction::WaitAll => "Wait for all".to_owned(),
        StepAction::Cancel { .. } => "Cancel".to_owned(),
    })
}
