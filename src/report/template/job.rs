//! `jobs`

use serde_json::{Value, json};

use super::token::Tokens;
use super::{Members, Shape, call, step};
use crate::workflow::{Job, JobBody, Permissions, Strategy, Workflow};

/// The jobs of a workflow in its order.
pub(super) fn jobs(workflow: &Workflow, shape: &Shape) -> Value {
    let tokens = shape.tokens(&workflow.source);
    let jobs = workflow.jobs.values();
    jobs.map(|job| self::job(job, &tokens, shape)).collect()
}

/// What is given, by name: what is `none` is not there.
pub(super) fn permissions(permissions: &Permissions) -> Value {
    let given = permissions.given();
    let given = given.map(|(name, level)| (name.to_owned(), json!(level.as_str())));
    Value::Object(given.collect())
}

fn job(job: &Job, tokens: &Tokens<'_>, shape: &Shape) -> Value {
    let mut members = Members::default();
    let id = tokens.located(&job.id);
    let needs: Vec<Value> = job.needs.iter().map(|need| tokens.located(need)).collect();
    let is_call = matches!(job.body, JobBody::Calls { .. });
    let kind = match is_call {
        true => "reusableWorkflowJob",
        false => "job",
    };
    members.put("type", json!(kind));
    let name = tokens.optional(job.name.as_ref());
    members.put("name", name.unwrap_or_else(|| id.clone()));
    members.put("id", id);
    let has_needs = is_call || !needs.is_empty();
    members.put("needs", has_needs.then(|| json!(needs)));
    members.put("if", tokens.condition(&job.condition, job.id.span));
    let strategy = job.strategy.as_ref();
    let strategy = strategy.map(|Strategy { written }| tokens.token(written));
    members.put("strategy", strategy);
    members.put("permissions", job.permissions.as_ref().map(permissions));
    for (key, token) in [
        ("continue-on-error", &job.continue_on_error),
        ("timeout-minutes", &job.timeout_minutes),
        ("cancel-timeout-minutes", &job.cancel_timeout_minutes),
        ("concurrency", &job.concurrency),
        ("env", &job.env),
        ("environment", &job.environment),
        ("defaults", &job.defaults.written),
        ("runs-on", &job.runs_on),
        ("container", &job.container),
        ("services", &job.services),
        ("outputs", &job.outputs),
        ("snapshot", &job.snapshot),
    ] {
        members.put(key, tokens.optional(token.as_ref()));
    }
    match &job.body {
        JobBody::Steps(steps) if steps.is_empty() => {}
        JobBody::Steps(steps) => members.put("steps", step::steps(steps, tokens)),
        JobBody::Calls(call) => call::call(call, tokens, shape, &mut members),
    }
    members.into_value()
}
