//! Steps that GitHub would run and lrun does not, found when it is their turn: by then all that decides
//! is known. What the plan said of them before was found by the same rules.

use super::evaluate::Seen;
use super::job::Leading;
use crate::agent::AgentError;
use crate::expr::Value;
use crate::plan::{self, Circumstances, Input, Judged};
use crate::workflow::{ActionOutput, Step, StepAction, Token};

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

/// Why outputs of an action are not here: they read steps of it that were not run.
pub(super) fn of_outputs(job: &Leading<'_>, outputs: &[ActionOutput]) -> Option<String> {
    let records = job.state.steps.iter();
    let mut without = records.filter_map(|(id, record)| Some((id, record.left_out.as_ref()?)));
    let values = outputs.iter().filter_map(|output| output.value.as_ref());
    let references: Vec<_> = values.flat_map(plan::references_of_token).collect();
    let (_, why) = without.find(|(id, _)| plan::read_member(&references, "steps", id))?;
    Some(why.clone())
}

/// What a step that is to run does beyond this machine, if that is why it is not run.
///
/// # Errors
/// When the agent cannot be spoken to.
pub(super) async fn side_effect(
    job: &Leading<'_>,
    step: &Step,
    seen: Seen<'_>,
) -> Result<Option<String>, AgentError> {
    let judged = match &step.action {
        StepAction::Uses { reference, with } => {
            let with = job.text_map(with.as_ref(), seen).await?;
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
            script_of(job, (script, shell), step, seen).await?
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
    seen: Seen<'_>,
) -> Result<Judged, AgentError> {
    let texts = job
        .evaluate(seen, |contexts| {
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
    Circumstances {
        event: &job.run.github.event_name,
        has_token: has_secret(job, "GITHUB_TOKEN"),
        allowed: job.run.given.publish,
    }
}

/// Whether a secret that a step reads, itself or by the environment, has no value.
fn reads_empty(job: &Leading<'_>, step: &Step) -> bool {
    let around = job.of.workflow.env.iter().chain(&job.job.env);
    let mut references = plan::references_of_step(step);
    references.extend(around.flat_map(plan::references_of_token));
    let mut secrets = references.iter().filter_map(|one| plan::secret(one));
    secrets.any(|secret| !has_secret(job, secret))
}

/// Whether a secret has a value that is not empty, for this job.
fn has_secret(job: &Leading<'_>, name: &str) -> bool {
    let (context, name) = match name.eq_ignore_ascii_case("GITHUB_TOKEN") {
        true => ("github", "token"),
        false => ("secrets", name),
    };
    // Steps of actions do not see secrets: what they read is given to them as inputs.
    let Some(members) = job.contexts.0.get(context).and_then(Value::as_object) else {
        return true;
    };
    let value = members.get(name);
    value.is_some_and(|value| !value.to_text().is_empty())
}
