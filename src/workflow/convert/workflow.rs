//! The whole file, and where reading begins.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::source::{Code, Diagnostic, Located, Scope, Source};
use crate::yaml::{self, Node, Problem};

use super::fields::Fields;
use super::ids::Ids;
use super::job::job;
use super::{calls, names, needs, triggers};
use crate::workflow::documents::Documents;
use crate::workflow::limits::{Budget, Limits};
use crate::workflow::location::Location;
use crate::workflow::model::{Defaults, Job, Workflow};
use crate::workflow::permissions::{Permissions, PermissionsPolicy};
use crate::workflow::problems::Problems;
use crate::workflow::reader;
use crate::workflow::schema::Schema;
use crate::workflow::token::{Key, Token, TokenKind};

/// How a workflow is read.
#[derive(Clone, Copy, Default)]
pub struct ReadOptions<'d> {
    /// What it may cost, with all it calls.
    pub limits: Limits,
    /// What jobs may do where no file says it: the most that a called workflow may ask for then.
    pub policy: PermissionsPolicy,
    /// Where called workflows come from; without, no call is followed.
    pub documents: Option<&'d dyn Documents>,
}

/// Reads a workflow file under GitHub's limits; calls are not followed.
///
/// # Errors
/// Everything wrong with the file, at most ten, in GitHub's order; what cannot be told before earlier errors are mended
/// is not among them.
pub fn read_workflow(source: Arc<Source>) -> Result<Workflow, Vec<Diagnostic>> {
    read_workflow_with(source, &ReadOptions::default())
}

/// Reads a workflow file of the repository whose event starts it, and the workflows it calls.
///
/// # Errors
/// As [`read_workflow`]; what is wrong with a called file is told with that file's name. Called files are looked at when
/// nothing is wrong with the first.
pub fn read_workflow_with(
    source: Arc<Source>,
    options: &ReadOptions,
) -> Result<Workflow, Vec<Diagnostic>> {
    let location = Location::own(source.path.clone());
    let mut problems = Problems::new(source);
    let mut budget = Budget::new(&options.limits);
    let nodes = yaml::read(problems.source(), &options.limits.file);
    let mut workflow = workflow(location, &nodes, &mut budget, &mut problems);
    if let Some(workflow) = workflow.as_mut().filter(|_| problems.is_empty()) {
        calls::follow(workflow, options, budget, &mut problems);
    }
    problems.finish(workflow)
}

/// What the YAML of a file comes to.
pub(super) type Nodes = Result<Node, yaml::Error>;

/// Reads the nodes of one file, whose errors `problems` collect.
pub(super) fn workflow(
    location: Location,
    nodes: &Nodes,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Option<Workflow> {
    let schema = Schema::workflow();
    let root = read_tokens(schema, "workflow-root-strict", nodes, budget, problems)?;
    Some(convert(root, location, problems))
}

/// The tokens of a file; none if anything is wrong with it.
pub(super) fn read_tokens(
    schema: &'static Schema,
    root: &str,
    nodes: &Nodes,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Option<Token> {
    match nodes {
        Ok(node) => {
            problems.enter(Code::Schema);
            let token = reader::read(node, schema, root, budget, problems);
            problems.enter(Code::Rule);
            problems.is_empty().then_some(token)
        }
        Err(error) => {
            let scope = match error.problem {
                Problem::TooLong { .. } | Problem::TooDeep | Problem::TooManyNodes { .. } => {
                    Scope::File
                }
                _ => Scope::Place,
            };
            let help = help(error, problems.source());
            problems.add_scoped(scope, error.span, error.to_string(), help);
            None
        }
    }
}

/// Most YAML that is none has an expression in braces or brackets: `[${{ matrix.os }}]` begins two mappings.
fn help(error: &yaml::Error, source: &Source) -> Option<String> {
    let line = source.line(source.position(error.span.start).line);
    let is_syntax = matches!(error.problem, Problem::Syntax(_));
    let help = "put quotes around values with ${{ }} that stand in braces or brackets";
    (is_syntax && line.contains("${{")).then(|| help.to_owned())
}

fn convert(root: Token, location: Location, problems: &mut Problems) -> Workflow {
    let (found, keys) = (problems.len(), root.key_starts());
    let mut fields = Fields::of(root, problems);
    let on = fields.take("on").map(|on| triggers::triggers(on, problems));
    let defaults = Defaults {
        written: fields.take("defaults"),
    };
    let jobs = fields
        .take("jobs")
        .map(|token| jobs(token, &location, problems));
    let concurrency = fields.take("concurrency");
    names::check(concurrency.as_ref(), "concurrency group key", problems);
    problems.order_by_key(found, &keys);
    Workflow {
        source: Arc::clone(problems.source()),
        location,
        name: fields
            .take_string("name")
            .filter(|name| !name.value.is_empty()),
        run_name: fields.take_filled("run-name"),
        on: on.unwrap_or_default(),
        env: fields.take("env"),
        defaults,
        permissions: fields.take("permissions").as_ref().map(Permissions::read),
        concurrency,
        cache_mode: fields.take_string("cache-mode"),
        jobs: jobs.unwrap_or_default(),
    }
}

fn jobs(token: Token, from: &Location, problems: &mut Problems) -> IndexMap<String, Job> {
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
        let (found, keys) = (problems.len(), pair.value.key_starts());
        match job(id.clone(), pair.value, from, problems) {
            Some(job) => drop(jobs.insert(id.value, job)),
            None => complete = false,
        }
        problems.order_by_key(found, &keys);
    }
    // A job that could not be converted would be missed by those that need it.
    if complete {
        needs::check(&mut jobs, span, problems);
    }
    jobs
}
