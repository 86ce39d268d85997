//! Whether and how one step runs: its environment, condition, name and limits are evaluated,
//! then it goes to its handler (runner `StepsRunner`).

use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

use super::background::Ended;
use super::cancel::Cancellation;
use super::effects::Effects;
use super::environment::FileCommandPaths;
use super::evaluate::{self, Evaluated};
use super::handler::{self, Inputs, Interrupt, Interruption, ProcessContext, Scope, Script};
use super::job::{Leading, Place};
use super::left_out;
use super::log::StepLog;
use super::run::Run;
use crate::agent::AgentError;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::event::EventKind;
use crate::lookup::KeyOrigin;
use crate::outcome::{Outcome, SkipReason};
use crate::workflow::{ActionRef, BuiltIn, Uses};
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
    step: &'a Step,
    limits: Limits,
    work: Work,
}

enum Work {
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
    /// What it says has no value, or cannot be done here.
    Failed(String),
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
struct Limits {
    continue_on_error: bool,
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
    let mut env = job.state.env.clone();
    let own = job.text_map(step.env.as_ref(), &env).await?;
    env.extend(own.clone().unwrap_or_default());
    let name = display_name(job, step, &env).await?;
    log.allow_by([&job.environment.base, &env]);
    let reading = left_out::reading(job, step);
    // A condition about what was not run has no value that means anything.
    let by_condition = reading.as_ref().is_some_and(|reading| reading.by_condition);
    let holds = match by_condition {
        true => Ok(true),
        false => job.holds(&step.condition, job.state.status, &env).await?,
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
        None => left_out::side_effect(job, step, &env).await?,
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
    let limits = match (own, holds) {
        (Err(message), _) | (_, Err(message)) => Err(message),
        _ => limits(job, step, &env).await?,
    };
    let (limits, work) = match limits {
        Ok(limits) => (limits, work(job, step, &env).await?),
        Err(message) => (Limits::default(), Work::Failed(message)),
    };
    Ok(Turn::Runs(Box::new(Prepared {
        name,
        run: job.run,
        place: job.place,
        step,
        limits,
        work,
    })))
}

async fn limits(job: &Leading<'_>, step: &Step, env: &Env) -> Evaluated<Limits> {
    // A condition that holds in a cancelled job too keeps the step running then.
    let outlives = job.holds(&step.condition, Outcome::Cancelled, env).await? == Ok(true);
    let cancellation = (!outlives).then(|| job.cancellation.clone());
    job.evaluate(env, |contexts| {
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

async fn work(job: &Leading<'_>, step: &Step, env: &Env) -> Result<Work, AgentError> {
    let work = match &step.action {
        StepAction::Run { .. } => script(job, step, env).await?,
        StepAction::Uses { reference, .. } => match Uses::parse(&reference.value) {
            Uses::BuiltIn(action) => inputs(job, step, env)
                .await?
                .map(|inputs| Work::BuiltIn { action, inputs }),
            // The plan refuses these unless their condition was false from the start.
            _ => Err(format!("{} cannot run here", reference.value)),
        },
        // The job's own, which knows what is in the background.
        StepAction::Wait { .. } | StepAction::WaitAll | StepAction::Cancel { .. } => {
            Err("this step does nothing".to_owned())
        }
    };
    Ok(work.unwrap_or_else(Work::Failed))
}

async fn script(job: &Leading<'_>, step: &Step, env: &Env) -> Evaluated<Work> {
    let script = match evaluated_script(job, step, env).await? {
        Ok(script) => script,
        Err(message) => return Ok(Err(message)),
    };
    let unique = Uuid::new_v4().simple().to_string();
    let files = FileCommandPaths::new(&unique);
    let environment = &job.environment;
    let process = ProcessContext {
        env: environment.of_step(env, &job.state.path, &step.id, &files),
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

impl Prepared<'_> {
    /// What ends the step early; its time runs from now on. `stopped` is that of a step in the
    /// background.
    pub(super) fn interrupt(&self, stopped: Option<Cancellation>) -> Interrupt {
        Interrupt {
            cancellation: self.limits.cancellation.clone(),
            stopped,
            limit: self.limits.minutes.map(|minutes| (Moment::now(), minutes)),
        }
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
            step: self.step,
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
            Work::Failed(message) => {
                scope.log.error(message);
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
        }
    };
    let interruption = tokio::select! {
        effects = work => return effects,
        interruption = interrupt.raised() => interruption,
    };
    Ok(Effects::of(interruption.outcome(name, scope.log)))
}

async fn evaluated_script(job: &Leading<'_>, step: &Step, env: &Env) -> Evaluated<Script> {
    let StepAction::Run {
        script,
        shell,
        working_directory,
    } = &step.action
    else {
        return Ok(Err("this step has no script".to_owned()));
    };
    let workflow = &job.of.workflow.defaults;
    let defaults = &job.job.defaults;
    let shell = [shell.as_ref(), defaults.shell(), workflow.shell()];
    let directory = [
        working_directory.as_ref(),
        defaults.working_directory(),
        workflow.working_directory(),
    ];
    job.evaluate(env, |contexts| {
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
            env: env.clone(),
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
async fn display_name(job: &Leading<'_>, step: &Step, env: &Env) -> Result<String, AgentError> {
    let text = async |token: &Token| -> Result<Option<String>, AgentError> {
        let text = job
            .evaluate(env, |contexts| token.evaluate_string(contexts))
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
