//! What a job calls.

use serde_json::{Value, json};

use super::token::Tokens;
use super::{Members, Shape, job};
use crate::workflow::{Call, Called, Workflow};

/// What a job says that calls, and what the called file adds; a call that was not followed has no jobs.
pub(super) fn call(call: &Call, tokens: &Tokens<'_>, shape: &Shape, members: &mut Members) {
    members.put("ref", tokens.located(&call.uses));
    members.put("input-values", tokens.optional(call.with.as_ref()));
    match call.inherits_secrets() {
        true => members.put("inherit-secrets", json!(true)),
        false => members.put("secret-values", tokens.optional(call.secrets.as_ref())),
    }
    match &call.called {
        Called::Workflow(workflow) => called(workflow, shape, members),
        Called::NotFollowed { .. } => members.put("jobs", Value::Array(Vec::new())),
    }
}

fn called(workflow: &Workflow, shape: &Shape, members: &mut Members) {
    let tokens = shape.tokens(&workflow.source);
    let mut triggers = workflow.on.iter();
    let trigger = triggers.find(|trigger| trigger.name == "workflow_call");
    let configuration = trigger.and_then(|trigger| trigger.configuration.as_ref());
    for (key, part) in [
        ("input-definitions", "inputs"),
        ("secret-definitions", "secrets"),
        ("outputs", "outputs"),
    ] {
        let part = configuration.and_then(|configuration| configuration.get(part));
        members.put(key, tokens.optional(part));
    }
    // The file's own permissions take the place of the caller's.
    let permissions = workflow.permissions.as_ref().map(job::permissions);
    members.put("permissions", permissions);
    let defaults = workflow.defaults.written.as_ref();
    members.put("defaults", tokens.optional(defaults));
    members.put("env", tokens.optional(workflow.env.as_ref()));
    let concurrency = workflow.concurrency.as_ref();
    members.put("embedded-concurrency", tokens.optional(concurrency));
    members.put("jobs", job::jobs(workflow, shape));
}
