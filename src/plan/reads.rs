//! What the expressions of steps and jobs refer to.

use crate::expr::Expression;
use crate::workflow::{Job, JobBody, Step, StepAction, Token};

/// The contexts that a token uses, with the names that follow as far as they are fixed.
pub fn of_token(token: &Token) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    token.for_each_template(&mut |template, _| {
        found.extend(template.expressions().flat_map(Expression::references));
    });
    found
}

/// Those of all that decides what a step does, or whether it does it.
pub fn of_step(step: &Step) -> Vec<Vec<String>> {
    let mut found = step.condition.expression.references();
    found.extend(tokens_of(step).into_iter().flat_map(of_token));
    found
}

/// What of a step may hold expressions, besides its name and condition.
pub(super) fn tokens_of(step: &Step) -> Vec<&Token> {
    let own = [&step.env, &step.continue_on_error, &step.timeout_minutes];
    let of_action = match &step.action {
        StepAction::Run {
            script,
            shell,
            working_directory,
        } => [Some(script), shell.as_ref(), working_directory.as_ref()],
        StepAction::Uses { with, .. } => [with.as_ref(), None, None],
        StepAction::Wait { .. } | StepAction::WaitAll | StepAction::Cancel { .. } => [None; 3],
    };
    let own = own.into_iter().filter_map(Option::as_ref);
    own.chain(of_action.into_iter().flatten()).collect()
}

/// Those of a job, of its steps and of what it gives to a workflow that it calls.
pub(super) fn of_job(job: &Job) -> Vec<Vec<String>> {
    let own = [
        &job.runs_on,
        &job.env,
        &job.timeout_minutes,
        &job.continue_on_error,
        &job.container,
        &job.services,
        &job.outputs,
        &job.environment,
        &job.concurrency,
        &job.defaults.written,
    ];
    let strategy = job.strategy.iter().map(|strategy| &strategy.written);
    let own = own.into_iter().filter_map(Option::as_ref).chain(strategy);
    let mut found = job.condition.expression.references();
    found.extend(own.flat_map(of_token));
    match &job.body {
        JobBody::Steps(steps) => found.extend(steps.iter().flat_map(of_step)),
        JobBody::Calls(call) => {
            let given = call.with.iter().chain(&call.secrets);
            found.extend(given.flat_map(of_token));
        }
    }
    found
}

/// Whether `references` look at a member of a context: by its name, or by one that is not fixed.
pub fn read_member(references: &[Vec<String>], context: &str, member: &str) -> bool {
    references
        .iter()
        .any(|reference| match reference.as_slice() {
            [first] => first.eq_ignore_ascii_case(context),
            [first, second, ..] => {
                first.eq_ignore_ascii_case(context) && second.eq_ignore_ascii_case(member)
            }
            [] => false,
        })
}

/// Whether `references` look at an output of a needed job: by its name, or with others.
pub(super) fn read_output(
    references: &[Vec<String>],
    context: &str,
    job: &str,
    output: &str,
) -> bool {
    let path = [context, job, "outputs", output];
    references.iter().any(|reference| {
        let mut both = reference.iter().zip(path);
        both.all(|(one, other)| one.eq_ignore_ascii_case(other))
    })
}

/// The secret that a reference reads: `github.token` is `GITHUB_TOKEN` under another name.
pub fn secret(reference: &[String]) -> Option<&str> {
    match reference {
        [context, name, ..] if context.eq_ignore_ascii_case("secrets") => Some(name),
        [context, name, ..]
            if context.eq_ignore_ascii_case("github") && name.eq_ignore_ascii_case("token") =>
        {
            Some("GITHUB_TOKEN")
        }
        _ => None,
    }
}
