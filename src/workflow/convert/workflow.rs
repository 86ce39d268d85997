//! The whole file.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::source::{Code, Diagnostic, Located, Source};
use crate::yaml;

use super::fields::Fields;
use super::ids::Ids;
use super::job::{defaults, job};
use super::{needs, triggers};
use crate::workflow::limits::Limits;
use crate::workflow::model::{Job, Workflow};
use crate::workflow::problems::Problems;
use crate::workflow::reader;
use crate::workflow::schema::Schema;
use crate::workflow::token::{Key, Token, TokenKind};

/// Reads a workflow file under GitHub's limits.
///
/// # Errors
/// Everything wrong with the file, at most ten, in GitHub's order; what cannot be told before earlier errors are mended
/// is not among them.
pub fn read_workflow(source: Arc<Source>) -> Result<Workflow, Vec<Diagnostic>> {
    read_workflow_within(source, &Limits::default())
}

/// As [`read_workflow`], under other limits.
///
/// # Errors
/// As [`read_workflow`].
pub fn read_workflow_within(
    source: Arc<Source>,
    limits: &Limits,
) -> Result<Workflow, Vec<Diagnostic>> {
    let mut problems = Problems::new(Arc::clone(&source));
    let root = read_tokens(
        Schema::workflow(),
        "workflow-root-strict",
        limits,
        &mut problems,
    );
    let workflow = root.map(|root| workflow(root, source, &mut problems));
    problems.finish(workflow)
}

/// The tokens of a file; none if anything is wrong with it.
pub(super) fn read_tokens(
    schema: &'static Schema,
    root: &str,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<Token> {
    match yaml::read(problems.source(), &limits.file) {
        Ok(node) => {
            problems.enter(Code::Schema);
            let token = reader::read(&node, schema, root, limits, problems);
            problems.enter(Code::Rule);
            problems.is_empty().then_some(token)
        }
        Err(error) => {
            let help = help(&error, problems.source());
            problems.add_with_help(error.span, error.to_string(), help);
            None
        }
    }
}

/// Most YAML that is none has an expression in braces or brackets: `[${{ matrix.os }}]` begins two mappings.
fn help(error: &yaml::Error, source: &Source) -> Option<String> {
    let line = source.line(source.position(error.span.start).line);
    let is_syntax = matches!(error.problem, yaml::Problem::Syntax(_));
    let help = "put quotes around values with ${{ }} that stand in braces or brackets";
    (is_syntax && line.contains("${{")).then(|| help.to_owned())
}

fn workflow(root: Token, source: Arc<Source>, problems: &mut Problems) -> Workflow {
    let mut fields = Fields::of(root, problems);
    let on = fields.take("on").map(|on| triggers::triggers(on, problems));
    let defaults = defaults(fields.take("defaults"), problems);
    let jobs = fields.take("jobs").map(|token| jobs(token, problems));
    Workflow {
        source,
        name: fields
            .take_string("name")
            .filter(|name| !name.value.is_empty()),
        run_name: fields.take_filled("run-name"),
        on: on.unwrap_or_default(),
        env: fields.take("env"),
        defaults,
        permissions: fields.take("permissions"),
        concurrency: fields.take("concurrency"),
        cache_mode: fields.take_string("cache-mode"),
        jobs: jobs.unwrap_or_default(),
    }
}

fn jobs(token: Token, problems: &mut Problems) -> IndexMap<String, Job> {
    let span = token.span;
    let mut ids = Ids::default();
    let mut jobs = IndexMap::new();
    let TokenKind::Mapping(pairs) = token.kind else {
        return jobs;
    };
    let mut complete = true;
    for pair in pairs {
        let Key::Name(name) = pair.key else {
            continue;
        };
        let id = Located::new(name.value.to_string(), name.span);
        if let Err(error) = ids.take(&id.value) {
            problems.add(id.span, error.to_string());
        }
        match job(id.clone(), pair.value, problems) {
            Some(job) => drop(jobs.insert(id.value, job)),
            None => complete = false,
        }
    }
    // A job that could not be converted would be missed by those that need it.
    if complete {
        needs::check(&mut jobs, span, problems);
    }
    jobs
}
