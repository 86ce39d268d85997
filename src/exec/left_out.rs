//! Steps that GitHub would run and lrun does not, found when it is their turn: by then all that decides
//! is known. What the plan said of them before was found by the same rules.

use std::sync::Arc;

use indexmap::IndexMap;

use super::called::Called;
use super::job::{Leading, LegSpec};
use super::run::Run;
use crate::agent::AgentError;
use crate::plan::{self, Circumstances, Input, Judged, Permitted};
use crate::workflow::{Step, StepAction, Token};

type Env = IndexMap<String, String>;

/// What a step reads of those that were not run.
pub(super) struct Reading {
    /// Why it is not run either.
    pub(super) why: String,
    /// Whether its condition is what reads it, so that it has no value.
    pub(super) by_condition: bool,
}

/// Whether a step reads one that was not run here.
pub(super) fn reading(job: &Leading<'_>, step: &Step) -> Option<Reading> {
    let mut without = job
        .state
        .steps
        .iter()
        .filter_map(|(id, record)| Some((id, record.left_out.as_ref()?)))
        .peekable();
    without.peek()?;
    let references = plan::references_of_step(step);
    let (id, why) = without.find(|(id, _)| plan::read_member(&references, "steps", id))?;
    let of_condition = step.condition.expression.references();
    Some(Reading {
        why: plan::why_reader(id, why),
        by_condition: plan::read_member(&of_condition, "steps", id),
    })
}

/// What a step that is to run does beyond this machine, if that is why it is not run.
///
/// # Errors
/// When the agent cannot be spoken to.
pub(super) async fn side_effect(
    job: &Leading<'_>,
    step: &Step,
    env: &Env,
) -> Result<Option<String>, AgentError> {
    let judged = match &step.action {
        StepAction::Uses { reference, with } => {
            let with = job.text_map(with.as_ref(), env).await?;
            // What has no value fails the step.
            let with = with.unwrap_or_default();
            let input = |name: &str| {
                let mut given = with.iter();
                match given.find(|(key, _)| key.eq_ignore_ascii_case(name)) {
                    Some((_, value)) => Input::Known(value.clone()),
                    None => Input::Absent,
                }
            };
            plan::of_action(&reference.value, &input, circumstances(job))
        }
        StepAction::Run { script, shell, .. } => {
            let shell = shell.as_ref().or(job.job.defaults.shell());
            let shell = shell.or(job.of.workflow.defaults.shell());
            script_of(job, (script, shell), step, env).await?
        }
        _ => Judged::Harmless,
    };
    Ok(match judged {
        Judged::Does(effect) => Some(effect.to_string()),
        Judged::Harmless | Judged::Open => None,
    })
}

async fn script_of(
    job: &Leading<'_>,
    (script, shell): (&Token, Option<&Token>),
    step: &Step,
    env: &Env,
) -> Result<Judged, AgentError> {
    let texts = job
        .evaluate(env, |contexts| {
            let shell = shell.map(|shell| shell.evaluate_string(contexts));
            Ok((script.evaluate_string(contexts)?, shell.transpose()?))
        })
        .await?;
    let Ok((script, shell)) = texts else {
        return Ok(Judged::Harmless);
    };
    if !plan::is_read(shell.as_deref()) {
        return Ok(Judged::Harmless);
    }
    let effect = plan::of_script(&script, reads_empty(job, step), job.run.given.publish);
    Ok(effect.map_or(Judged::Harmless, Judged::Does))
}

fn circumstances<'a>(job: &'a Leading<'_>) -> Circumstances<'a> {
    let token = job.of.secrets.get("GITHUB_TOKEN");
    Circumstances {
        event: &job.run.github.event_name,
        has_token: token.is_some_and(|token| !token.is_empty()),
        allowed: job.run.given.publish,
    }
}

/// Whether a secret that a step reads, itself or by the environment, has no value.
fn reads_empty(job: &Leading<'_>, step: &Step) -> bool {
    let permitted = permitted(&job.of, job.run.given.publish);
    let around = job.of.workflow.env.iter().chain(&job.job.env);
    let mut references = plan::references_of_step(step);
    references.extend(around.flat_map(plan::references_of_token));
    let mut secrets = references.iter().filter_map(|one| plan::secret(one));
    secrets.any(|secret| !permitted.has(secret))
}

fn permitted(of: &Called, publish: bool) -> Permitted {
    Permitted {
        secrets: of.secrets.clone(),
        environments: IndexMap::new(),
        publish,
    }
}

/// The same leg without secrets, where its job could deploy or write with them and nobody allowed that.
pub(super) fn without_secrets(run: &Run, spec: LegSpec) -> LegSpec {
    let permitted = permitted(&spec.of, run.given.publish);
    let withheld = spec
        .of
        .job(&spec.leg.key)
        .is_some_and(|job| permitted.withheld(job, &run.facts()).is_some());
    if !withheld || spec.of.secrets.is_empty() {
        return spec;
    }
    let of = Arc::new(Called {
        secrets: IndexMap::new(),
        ..Called::clone(&spec.of)
    });
    LegSpec { of, ..spec }
}
