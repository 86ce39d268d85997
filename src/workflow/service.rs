//! What GitHub's service refuses although its readers in the open let it pass.
//!
//! [`super::read_workflow`] answers as those readers do; whoever says what GitHub makes of a file asks here too.

use crate::source::{Code, Diagnostic};

use super::filter_pattern;
use super::model::{Job, JobBody, Trigger, Workflow};
use super::problems;
use super::token::{Pair, Token};

/// The filters that have an `-ignore` form.
const FILTERS: [&str; 3] = ["branches", "tags", "paths"];

/// What of a valid workflow the service refuses: as much as it names of a file.
pub fn refused_by_service(workflow: &Workflow) -> Vec<Diagnostic> {
    let jobs = workflow.jobs.values();
    let jobs = jobs.filter_map(|job| job_refused_by_service(workflow, job));
    let triggers = workflow.on.iter();
    triggers
        .flat_map(|trigger| {
            trigger_refused(workflow, trigger)
                .chain(patterns_refused(workflow, trigger))
                .chain(secrets_refused(workflow, trigger))
        })
        .chain(jobs)
        .take(problems::MOST)
        .collect()
}

/// A job that does nothing.
pub fn job_refused_by_service(workflow: &Workflow, job: &Job) -> Option<Diagnostic> {
    let is_empty = matches!(&job.body, JobBody::Steps(steps) if steps.is_empty());
    let message = "No steps defined in `steps` and no workflow called in `uses`";
    is_empty.then(|| Diagnostic::new(&workflow.source, job.id.span, Code::Rule, message))
}

/// Both forms of one filter (docs.github.com, workflow syntax, `on.<push>.<branches|tags>-ignore`).
fn trigger_refused<'t>(
    workflow: &'t Workflow,
    trigger: &'t Trigger,
) -> impl Iterator<Item = Diagnostic> + 't {
    let pairs = trigger.configuration.iter().filter_map(Token::as_mapping);
    let pairs: Vec<&Pair> = pairs.flatten().collect();
    FILTERS.iter().filter_map(move |filter| {
        let ignore = format!("{filter}-ignore");
        let has = |name: &str| pairs.iter().find(|pair| pair.key.name() == Some(name));
        let (_, second) = (has(filter)?, has(&ignore)?);
        let message =
            format!("you may only define one of `{filter}` and `{ignore}` for a single event");
        let help = format!("keep `{filter}` and exclude with patterns that begin with '!'");
        let found = Diagnostic::new(&workflow.source, second.key.span(), Code::Rule, message);
        Some(found.with_help(Some(help)))
    })
}

/// Patterns that are none.
fn patterns_refused<'t>(
    workflow: &'t Workflow,
    trigger: &'t Trigger,
) -> impl Iterator<Item = Diagnostic> + 't {
    let pairs = trigger.configuration.iter().filter_map(Token::as_mapping);
    let is_filter = |pair: &&Pair| {
        let name = pair.key.name().unwrap_or_default();
        FILTERS.contains(&name.strip_suffix("-ignore").unwrap_or(name))
    };
    let patterns = pairs.flatten().filter(is_filter);
    patterns
        .flat_map(|pair| pair.value.items())
        .filter_map(|item| {
            let pattern = item.as_str()?;
            let wrong = filter_pattern::wrong_with(pattern)?;
            let message = format!("Invalid filter pattern '{pattern}': {wrong}");
            let found = Diagnostic::new(&workflow.source, item.span, Code::Rule, message);
            let help = "a backslash before a character takes its meaning away";
            Some(found.with_help(Some(help.to_owned())))
        })
}

/// Secrets of `workflow_call` with the name of the one that every job has.
fn secrets_refused<'t>(
    workflow: &'t Workflow,
    trigger: &'t Trigger,
) -> impl Iterator<Item = Diagnostic> + 't {
    let configuration = trigger.configuration.iter();
    let calls = configuration.filter(|_| trigger.name == "workflow_call");
    let secrets = calls.filter_map(|call| call.get("secrets")?.as_mapping());
    secrets.flatten().filter_map(|pair| {
        let name = pair.key.name()?;
        let is_reserved = name.eq_ignore_ascii_case("github_token");
        let message = format!(
            "secret name `{name}` within `workflow_call` can not be used since it would collide with system reserved name"
        );
        let found = Diagnostic::new(&workflow.source, pair.key.span(), Code::Rule, message);
        let help = "every job has secrets.GITHUB_TOKEN; a token of another name can be given";
        is_reserved.then(|| found.with_help(Some(help.to_owned())))
    })
}
