//! The `inputs` context, and secrets that steps read and nobody gave.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::failure::Failure;
use crate::exec::Run;
use crate::expr::{Expression, Object, Value};
use crate::plan::Plan;
use crate::workflow::{Job, JobBody, Pair, Step, StepAction, Token, Workflow};

/// The `inputs` context of a run started by `event`: typed as declared, with defaults.
pub(super) fn context(
    workflow: &Workflow,
    event: &str,
    given: &IndexMap<String, String>,
) -> Result<Value, Failure> {
    let declared = declared(workflow, event);
    let known: Vec<&str> = declared.iter().filter_map(|pair| pair.key.name()).collect();
    if let Some(name) = given.keys().find(|name| !known.contains(&name.as_str())) {
        let have = match known.as_slice() {
            [] => "it has none".to_owned(),
            known => format!("it has {}", known.join(", ")),
        };
        return Err(Failure::usage(format!(
            "there is no input '{name}' of {event}; {have}"
        )));
    }
    let mut inputs = Object::default();
    for pair in declared {
        if let Some(name) = pair.key.name() {
            inputs.insert(name, input(name, &pair.value, given.get(name))?);
        }
    }
    Ok(Value::from(inputs))
}

/// The inputs of a dispatch as its payload has them: texts, with defaults.
pub(super) fn texts(
    workflow: &Workflow,
    event: &str,
    given: &IndexMap<String, String>,
) -> Vec<(String, String)> {
    let default = |name: &str, definition: &Token| {
        let value = definition.get("default").and_then(Token::scalar);
        given
            .get(name)
            .cloned()
            .or_else(|| Some(value?.to_text().to_string()))
    };
    declared(workflow, event)
        .iter()
        .filter_map(|pair| {
            let name = pair.key.name()?;
            Some((name.to_owned(), default(name, &pair.value)?))
        })
        .collect()
}

/// The inputs that a dispatch declares.
fn declared<'w>(workflow: &'w Workflow, event: &str) -> &'w [Pair] {
    let trigger = workflow.on.iter().find(|trigger| trigger.name == event);
    trigger
        .filter(|_| event == "workflow_dispatch")
        .and_then(|trigger| trigger.configuration.as_ref()?.get("inputs")?.as_mapping())
        .unwrap_or_default()
}

fn input(name: &str, definition: &Token, given: Option<&String>) -> Result<Value, Failure> {
    let field = |key: &str| definition.get(key).and_then(Token::scalar);
    let text = |key: &str| field(key).map(|value| value.to_text().to_string());
    let value = given.cloned().or_else(|| text("default"));
    let required = field("required").is_some_and(|value| value.is_truthy());
    if required && value.as_deref().unwrap_or_default().is_empty() {
        return Err(Failure::usage(format!(
            "input '{name}' is required: give it with --input {name}=VALUE"
        )));
    }
    let value = value.unwrap_or_default();
    match text("type").as_deref() {
        Some("boolean") => match value.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" | "" => Ok(Value::Bool(false)),
            other => Err(Failure::usage(format!(
                "input '{name}' is true or false, not '{other}'"
            ))),
        },
        Some("number") => match value.as_str() {
            "" => Ok(Value::from("")),
            text => text
                .parse::<f64>()
                .map(Value::Number)
                .map_err(|_| Failure::usage(format!("input '{name}' is a number, not '{text}'"))),
        },
        Some("choice") if given.is_some() => chosen(name, definition, value),
        _ => Ok(Value::from(value)),
    }
}

fn chosen(name: &str, definition: &Token, value: String) -> Result<Value, Failure> {
    let options = definition
        .get("options")
        .map(Token::items)
        .unwrap_or_default();
    let options: Vec<String> = options
        .iter()
        .filter_map(|option| Some(option.scalar()?.to_text().to_string()))
        .collect();
    match options.contains(&value) {
        true => Ok(Value::from(value)),
        false => Err(Failure::usage(format!(
            "input '{name}' is one of {}, not '{value}'",
            options.join(", ")
        ))),
    }
}

/// Secrets that jobs of the plan read and that have no value, each with where it is read.
pub(super) fn missing_secrets(run: &Run, plan: &Plan) -> BTreeMap<String, String> {
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let planned = plan.jobs.iter().filter(|job| job.skip.is_none());
    let jobs = planned.filter_map(|job| run.workflow.jobs.get(&job.id));
    let of_workflow = run
        .workflow
        .env
        .iter()
        .map(|env| ("the workflow's env".to_owned(), env));
    for (place, token) in of_workflow.chain(jobs.flat_map(tokens_of_job)) {
        for secret in secrets_in(token) {
            let given = run.given.secrets.keys();
            if !given
                .into_iter()
                .any(|known| known.eq_ignore_ascii_case(&secret))
            {
                missing.entry(secret).or_default().insert(place.clone());
            }
        }
    }
    let joined = |places: BTreeSet<String>| places.into_iter().collect::<Vec<_>>().join(", ");
    missing
        .into_iter()
        .map(|(secret, places)| (secret, joined(places)))
        .collect()
}

/// What of a job may read secrets, each with the name of its place.
fn tokens_of_job(job: &Job) -> Vec<(String, &Token)> {
    let own = job.env.iter().chain(&job.outputs);
    let mut tokens: Vec<_> = own
        .map(|token| (format!("job {}", job.id.value), token))
        .collect();
    if let JobBody::Steps(steps) = &job.body {
        for (index, step) in steps.iter().enumerate() {
            let place = format!("{}/{}", job.id.value, index + 1);
            tokens.extend(tokens_of(step).map(|token| (place.clone(), token)));
        }
    }
    tokens
}

fn tokens_of(step: &Step) -> impl Iterator<Item = &Token> {
    let of_action = match &step.action {
        StepAction::Run { script, .. } => Some(script),
        StepAction::Uses { with, .. } => with.as_ref(),
        _ => None,
    };
    step.env.iter().chain(of_action)
}

/// The names behind `secrets.` in a token.
fn secrets_in(token: &Token) -> Vec<String> {
    let mut names = Vec::new();
    token.for_each_template(&mut |template, _| {
        for reference in template.expressions().flat_map(Expression::references) {
            match reference.as_slice() {
                [context, name, ..] if context.eq_ignore_ascii_case("secrets") => {
                    names.push(name.clone());
                }
                [context, token, ..] if is_token(context, token) => {
                    names.push("GITHUB_TOKEN".to_owned());
                }
                _ => {}
            }
        }
    });
    names
}

/// Whether a reference is `github.token`, which is the secret under another name.
fn is_token(context: &str, property: &str) -> bool {
    context.eq_ignore_ascii_case("github") && property.eq_ignore_ascii_case("token")
}
