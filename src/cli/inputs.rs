//! Secrets that steps read and nobody gave.

use std::collections::{BTreeMap, BTreeSet};

use crate::exec::{GivenEnvironment, Run};
use crate::expr::Expression;
use crate::plan::Plan;
use crate::workflow::{Job, JobBody, Step, StepAction, Token};

/// Secrets that jobs of the plan read and that have no value, each with where it is read.
pub(super) fn missing_secrets(run: &Run, plan: &Plan) -> BTreeMap<String, String> {
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let planned = plan.jobs.iter().filter(|job| job.skip.is_none());
    let jobs = planned.filter_map(|job| run.workflow.jobs.get(&job.id));
    let of_workflow = run
        .workflow
        .env
        .iter()
        .map(|env| ("the workflow's env".to_owned(), env, None));
    let of_jobs = jobs.flat_map(|job| {
        let environment = environment_of(run, job);
        let tokens = tokens_of_job(job).into_iter();
        tokens.map(move |(place, token)| (place, token, environment))
    });
    for (place, token, environment) in of_workflow.chain(of_jobs) {
        for secret in secrets_in(token) {
            let of_environment = environment.iter().flat_map(|given| given.secrets.keys());
            let mut given = run.given.secrets.keys().chain(of_environment);
            if !given.any(|known| known.eq_ignore_ascii_case(&secret)) {
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

/// What the environment gives that a job names without an expression.
fn environment_of<'r>(run: &'r Run, job: &Job) -> Option<&'r GivenEnvironment> {
    let token = job.environment.as_ref()?;
    let name = token.get("name").unwrap_or(token).as_str()?;
    run.given.environments.get(&name.to_lowercase())
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
