//! `steps`, of jobs and of composite actions.

use serde_json::{Value, json};

use super::Members;
use super::token::Tokens;
use crate::source::Located;
use crate::workflow::{Step, StepAction};

/// Steps in order; a `parallel` group is one step, with its own in it.
pub(super) fn steps(steps: &[Step], tokens: &Tokens<'_>) -> Value {
    let mut shown = Vec::new();
    let mut group = Vec::new();
    for step in steps {
        let is_member = step.group.is_some() && step.background.is_some();
        let members = self::step(step, tokens);
        match step.group {
            None => shown.push(members.into_value()),
            Some(_) if is_member => group.push(members.into_value()),
            Some(_) => shown.push(closed(members, std::mem::take(&mut group))),
        }
    }
    Value::Array(shown)
}

/// The step of a whole group, in the place of the wait that closes it.
fn closed(mut wait: Members, group: Vec<Value>) -> Value {
    wait.0.shift_remove("wait");
    wait.put("parallel", Value::Array(group));
    wait.into_value()
}

fn step(step: &Step, tokens: &Tokens<'_>) -> Members {
    let mut members = Members::default();
    members.put("id", json!(step.listed_id));
    for (key, token) in [
        ("name", &step.name),
        ("continue-on-error", &step.continue_on_error),
        ("timeout-minutes", &step.timeout_minutes),
        ("env", &step.env),
    ] {
        members.put(key, tokens.optional(token.as_ref()));
    }
    let background = step.background.filter(|_| step.group.is_none());
    members.put("background", background.map(Value::Bool));
    let condition = || tokens.condition(&step.condition, step.span);
    match &step.action {
        StepAction::Run {
            script,
            shell,
            working_directory,
        } => {
            members.put("if", condition());
            members.put("run", tokens.token(script));
            members.put("shell", tokens.optional(shell.as_ref()));
            let directory = working_directory.as_ref();
            members.put("working-directory", tokens.optional(directory));
        }
        StepAction::Uses { reference, with } => {
            members.put("if", condition());
            members.put("uses", tokens.located(reference));
            members.put("with", tokens.optional(with.as_ref()));
        }
        StepAction::Wait { targets } => members.put("wait", ids(targets)),
        StepAction::WaitAll => members.put("wait-all", json!(true)),
        StepAction::Cancel { target } => members.put("cancel", json!(target.value)),
    }
    members
}

fn ids(targets: &[Located<String>]) -> Value {
    targets.iter().map(|target| json!(target.value)).collect()
}
