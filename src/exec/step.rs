//! Whether and how one step runs: its environment, condition, name and limits are evaluated,
//! then it goes to its handler (runner `StepsRunner`).

use indexmap::IndexMap;
use uuid::Uuid;

use super::effects::Effects;
use super::environment::FileCommandPaths;
use super::evaluate::{self, Evaluated};
use super::handler::{self, Inputs, Interrupt, ProcessContext, Scope, Script};
use super::job::Leading;
use super::log::StepLog;
use crate::agent::AgentError;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::event::EventKind;
use crate::lookup::KeyOrigin;
use crate::outcome::{Outcome, SkipReason};
use crate::workflow::{ActionRef, BuiltIn, Uses};
use crate::workflow::{Step, StepAction, Token};

type Env = IndexMap<String, String>;

/// What became of a step.
pub(super) enum Ran {
    /// Its condition was false.
    Skipped { name: String, reason: SkipReason },
    /// It ran.
    Ended {
        effects: Box<Effects>,
        name: String,
        continue_on_error: bool,
    },
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
struct Limits {
    continue_on_error: bool,
    interrupt: Interrupt,
}

/// Runs a step, or finds that it is not to run.
///
/// # Errors
/// When the agent cannot be spoken to; all else is an outcome.
pub(super) async fn run(
    job: &Leading<'_>,
    step: &Step,
    log: &mut StepLog,
) -> Result<Ran, AgentError> {
    // The environment comes before the condition, which may look at it; an error in it fails
    // the step only if it was to run.
    let mut env = job.state.env.clone();
    let own = job.text_map(step.env.as_ref(), &env).await?;
    env.extend(own.clone().unwrap_or_default());
    let name = display_name(job, step, &env).await?;
    let holds = job.holds(&step.condition, job.state.status, &env).await?;
    if holds == Ok(false) {
        return Ok(Ran::Skipped {
            name,
            reason: SkipReason::Condition {
                condition: step.condition.text.clone(),
            },
        });
    }
    log.send(EventKind::StepStarted {
        step: log.step().clone(),
        name: name.clone(),
        named: step.name.is_some(),
        id: step.explicit_id.then(|| step.id.clone()),
    });
    let limits = match (own, holds) {
        (Err(message), _) | (_, Err(message)) => Err(message),
        _ => limits(job, step, &env).await?,
    };
    let (effects, continue_on_error) = match limits {
        Ok(limits) => {
            let scope = Scope {
                run: job.run,
                place: job.place,
                step,
                name: &name,
                log,
                interrupt: limits.interrupt,
            };
            let effects = hand_over(job, &env, scope).await?;
            (effects, limits.continue_on_error)
        }
        Err(message) => {
            log.error(message);
            (Effects::of(Outcome::Failure), false)
        }
    };
    Ok(Ran::Ended {
        effects: Box::new(effects),
        name,
        continue_on_error,
    })
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
            interrupt: Interrupt {
                cancellation: cancellation.clone(),
                // Fractions are dropped, and nothing or less is no limit (StepsRunner).
                limit: (minutes >= 1.0).then(|| (Moment::now(), minutes as u64)),
            },
        })
    })
    .await
}

async fn hand_over(job: &Leading<'_>, env: &Env, scope: Scope<'_>) -> Result<Effects, AgentError> {
    match &scope.step.action {
        StepAction::Run { .. } => script(job, env, scope).await,
        StepAction::Uses { reference, .. } => match Uses::parse(&reference.value) {
            Uses::BuiltIn(action) => built_in(job, env, scope, &action).await,
            // The plan refuses these unless their condition was false from the start.
            _ => Ok(refuse(
                scope.log,
                &format!("{} cannot run here", reference.value),
            )),
        },
        StepAction::Wait { .. } | StepAction::WaitAll | StepAction::Cancel { .. } => {
            Ok(refuse(scope.log, "background steps cannot run here"))
        }
    }
}

fn refuse(log: &mut StepLog, message: &str) -> Effects {
    log.error(message);
    Effects::of(Outcome::Failure)
}

async fn built_in(
    job: &Leading<'_>,
    env: &Env,
    mut scope: Scope<'_>,
    action: &ActionRef,
) -> Result<Effects, AgentError> {
    let inputs = match inputs(job, scope.step, env).await? {
        Ok(inputs) => inputs,
        Err(message) => return Ok(refuse(scope.log, &message)),
    };
    let mut interrupt = scope.interrupt.clone();
    let name = scope.name;
    let work = async {
        match action.action {
            BuiltIn::Checkout => handler::checkout(&mut scope, action, &inputs.values).await,
            BuiltIn::Cache | BuiltIn::CacheRestore => {
                handler::restore_cache(&mut scope, action, &inputs).await
            }
            BuiltIn::CacheSave => handler::save_cache(&mut scope, &inputs, None).await,
            BuiltIn::UploadArtifact => {
                handler::upload_artifact(&mut scope, action, &inputs.values).await
            }
        }
    };
    let interruption = tokio::select! {
        effects = work => return effects,
        interruption = interrupt.raised() => interruption,
    };
    Ok(Effects::of(interruption.outcome(name, scope.log)))
}

async fn script(job: &Leading<'_>, env: &Env, scope: Scope<'_>) -> Result<Effects, AgentError> {
    let script = match evaluated_script(job, scope.step, env).await? {
        Ok(script) => script,
        Err(message) => return Ok(refuse(scope.log, &message)),
    };
    let unique = Uuid::new_v4().simple().to_string();
    let files = FileCommandPaths::new(&unique);
    let process = ProcessContext {
        env: job
            .environment
            .of_step(env, &job.state.path, &scope.step.id, &files),
        files,
    };
    let work = serde_json::json!([script.text, script.shell, script.directory, env]);
    let mut effects = handler::run_script(scope, &script, process, &unique).await?;
    effects.work = Some(Digest::of(work.to_string()));
    Ok(effects)
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
    let workflow = &job.run.workflow.defaults;
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
