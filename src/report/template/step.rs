//! `steps`, of jobs and of composite actions.

use serde_json::{Value, json};

use super::Members;
use super::token::Tokens;
use crate::source::Located;
use crate::workflow::{Step, StepAction};

/// Steps in order.
pub(super) fn steps(steps: &[Step], tokens: &Tokens<'_>) -> Value {
    steps.iter().map(|step| self::step(step, tokens)).collect()
}

fn step(step: &Step, tokens: &Tokens<'_>) -> Value {
    let mut members = Members::default();
    members.put("id", json!(step.id));
    for (key, token) in [
        ("name", &step.name),
        ("continue-on-error", &step.continue_on_error),
        ("timeout-minutes", &step.timeout_minutes),
        ("env", &step.env),
    ] {
        members.put(key, tokens.optional(token.as_ref()));
    }
    if step.background {
        members.put("background", json!(true));
    }
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
    members.into_value()
}

fn ids(targets: &[Located<String>]) -> Value {
    targets.iter().map(|target| json!(target.value)).collect()
}
