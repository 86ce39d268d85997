//! Called workflows: found, read, and compared with what their callers give and allow (`ReusableWorkflowsLoader.cs` and
//! `PermissionsHelper.cs` in actions/runner).
//!
//! A file is checked anew for each job that calls it, as on GitHub: its jobs' permissions are the caller's, and its size counts
//! each time. Depth, number of files and size bound the whole.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::workflow::{Nodes, ReadOptions, workflow};
use crate::source::{CallSite, Scope, Source, Span};
use crate::workflow::call::{Call, Called, InputDefinition, InputKind, Interface};
use crate::workflow::documents::{Document, Documents, Reference};
use crate::workflow::limits::Budget;
use crate::workflow::location::Location;
use crate::workflow::model::{Job, JobBody, Workflow};
use crate::workflow::permissions::Permissions;
use crate::workflow::problems::Problems;
use crate::workflow::token::{Key, Token, TokenKind};
use crate::yaml;

/// Follows the calls of a whole workflow and gives every job its permissions.
pub(super) fn follow(
    workflow: &mut Workflow,
    options: &ReadOptions,
    budget: Budget,
    problems: &mut Problems,
) {
    let mut follower = Follower {
        options,
        budget,
        files: HashSet::new(),
        nodes: HashMap::new(),
        jobs: 0,
        depth: 0,
        is_over: false,
    };
    let workflow_wide = workflow.permissions.clone();
    let unsaid = workflow
        .jobs
        .values_mut()
        .filter(|job| job.permissions.is_none());
    unsaid.for_each(|job| job.permissions.clone_from(&workflow_wide));
    follower.calls_of(workflow, problems);
}

struct Follower<'o> {
    options: &'o ReadOptions<'o>,
    budget: Budget,
    /// The called files: each counts once, letter case aside.
    files: HashSet<String>,
    /// What is in those that were read.
    nodes: HashMap<Location, Rc<Nodes>>,
    jobs: usize,
    /// How many calls lead to the file whose jobs are looked at.
    depth: usize,
    /// A limit was exceeded: what follows would only exceed it again.
    is_over: bool,
}

impl Follower<'_> {
    fn calls_of(&mut self, workflow: &mut Workflow, problems: &mut Problems) {
        self.jobs += workflow.jobs.len();
        if let Some(most) = self.options.limits.jobs.filter(|&most| self.jobs > most) {
            let span = workflow.jobs.values().next_back().map(|job| job.id.span);
            let message = format!("The workflow may not contain more than {most} jobs");
            problems.add_scoped(Scope::Whole, span.unwrap_or_default(), message, None);
            self.is_over = true;
        }
        for job in workflow.jobs.values_mut() {
            if self.is_over || problems.is_full() {
                return;
            }
            if let Some(documents) = self.options.documents {
                self.call(job, documents, problems);
            }
        }
    }

    fn call(&mut self, job: &mut Job, documents: &dyn Documents, problems: &mut Problems) {
        let JobBody::Calls(call) = &mut job.body else {
            return;
        };
        let Called::NotFollowed { reference, why } = &mut call.called else {
            return;
        };
        let span = call.uses.span;
        if let Err(message) = self.count(reference) {
            problems.add_scoped(Scope::Whole, span, message, None);
            self.is_over = true;
            return;
        }
        match documents.find(reference) {
            Document::Found(source) => {
                let location = reference.location.clone();
                let caller = Caller {
                    id: job.id.span,
                    permissions: job.permissions.as_ref(),
                    call,
                };
                if let Some(workflow) = self.enter(&caller, location, source, problems) {
                    call.called = Called::Workflow(Arc::new(workflow));
                }
            }
            Document::Missing { why } => {
                let caller = &problems.source().path;
                let message = format!(
                    "error parsing called workflow \"{caller}\" -> \"{}\": {why}",
                    reference.text
                );
                problems.add(span, message);
            }
            Document::NotHere { why: reason } => *why = reason,
        }
    }

    /// Counts a call, unless it is one too many.
    fn count(&mut self, reference: &Reference) -> Result<(), String> {
        let limits = &self.options.limits;
        if self.depth >= limits.nested_calls {
            let most = limits.nested_calls;
            return Err(format!("Nested reusable workflow depth exceeded {most}."));
        }
        self.files
            .insert(reference.location.to_string().to_uppercase());
        match self.files.len() + 1 > limits.files {
            true => Err(format!(
                "The maximum file count of {} has been exceeded",
                limits.files
            )),
            false => Ok(()),
        }
    }

    /// Reads a called file for a job, with all that it calls; none if it cannot be read.
    fn enter(
        &mut self,
        caller: &Caller<'_>,
        location: Location,
        source: Arc<Source>,
        problems: &mut Problems,
    ) -> Option<Workflow> {
        let span = caller.call.uses.span;
        let site = CallSite {
            source: Arc::clone(problems.source()),
            span,
        };
        let mut inner = Problems::of_called(source, site);
        let nodes = self.nodes_of(&location, inner.source());
        let mut read = workflow(location, &nodes, &mut self.budget, &mut inner);
        inner.forget_call();
        if let Some(workflow) = &mut read {
            match workflow.interface() {
                Some(interface) => check_call(caller.call, &interface, problems),
                None => {
                    let message = "workflow_call key is not defined in the referenced workflow.";
                    problems.add(span, message);
                }
            }
            self.grant(workflow, caller, problems);
            if inner.is_empty() {
                self.depth += 1;
                self.calls_of(workflow, &mut inner);
                self.depth -= 1;
            }
        }
        self.is_over |= self.budget.is_exceeded();
        problems.absorb(inner);
        read
    }

    /// A file's YAML is read once: what is in it counts each time, and its comments never.
    fn nodes_of(&mut self, location: &Location, source: &Source) -> Rc<Nodes> {
        let limits = &self.options.limits.file;
        let read = || Rc::new(yaml::read(source, limits));
        let known = self.nodes.entry(location.clone());
        Rc::clone(known.or_insert_with(read))
    }

    /// Gives a called workflow's jobs their permissions and reports what is asked for beyond the caller's.
    fn grant(&self, workflow: &mut Workflow, caller: &Caller<'_>, problems: &mut Problems) {
        let policy = || Permissions::of_policy(self.options.policy);
        let most = caller.permissions.cloned().unwrap_or_else(policy);
        let uses = &caller.call.uses.value;
        let mut check = |asked: &Permissions, who: &str| {
            if let Some(excess) = asked.excess(&most) {
                let message = format!("Error calling workflow '{uses}'. {who} {excess}.");
                problems.add(caller.id, message);
            }
        };
        if let Some(asked) = &workflow.permissions {
            check(asked, &format!("The workflow '{uses}'"));
        }
        let unsaid = workflow.permissions.as_ref().or(caller.permissions);
        for job in workflow.jobs.values_mut() {
            match &job.permissions {
                Some(asked) => check(asked, &format!("The nested job '{}'", shown_name(job))),
                None => job.permissions = unsaid.cloned(),
            }
        }
    }
}

/// The job that calls.
struct Caller<'c> {
    /// The place of its id.
    id: Span,
    /// What it has, if a file says it.
    permissions: Option<&'c Permissions>,
    call: &'c Call,
}

fn shown_name(job: &Job) -> &str {
    let name = job.name.as_ref().and_then(Token::as_str);
    name.unwrap_or(&job.id.value)
}

/// Compares what a job gives with what a workflow takes.
fn check_call(call: &Call, interface: &Interface, problems: &mut Problems) {
    let uses = &call.uses;
    let given = Given::of(call.with.as_ref());
    for input in interface.inputs.iter().filter(|input| input.required) {
        if given.lacks(&input.name.value) {
            let name = &input.name.value;
            let message = format!("Input {name} is required, but not provided while calling.");
            problems.add(uses.span, message);
        }
    }
    let inputs = interface.inputs.iter();
    let inputs: HashMap<String, &InputDefinition> = inputs
        .map(|input| (folded(&input.name.value), input))
        .collect();
    for (name, value) in &given.values {
        match inputs.get(&folded(name)) {
            Some(input) => check_type(input.kind, value, problems),
            None => {
                let message =
                    format!("Invalid input, {name} is not defined in the referenced workflow.");
                problems.add(value.span, message);
            }
        }
    }
    if call.inherits_secrets() {
        return;
    }
    let given = Given::of(call.secrets.as_ref());
    for secret in interface.secrets.iter().filter(|secret| secret.required) {
        if given.lacks(&secret.name.value) {
            let name = &secret.name.value;
            let message = format!("Secret {name} is required, but not provided while calling.");
            problems.add(uses.span, message);
        }
    }
    let secrets = interface.secrets.iter();
    let secrets: HashSet<String> = secrets.map(|secret| folded(&secret.name.value)).collect();
    for (name, value) in &given.values {
        if !secrets.contains(&folded(name)) {
            let message =
                format!("Invalid secret, {name} is not defined in the referenced workflow.");
            problems.add(value.span, message);
        }
    }
}

/// What a job gives under `with` or `secrets`.
struct Given<'t> {
    values: Vec<(&'t str, &'t Token)>,
    /// Their names in lower case.
    names: HashSet<String>,
    /// Some names are known when the job runs only.
    is_open: bool,
}

impl<'t> Given<'t> {
    fn of(token: Option<&'t Token>) -> Self {
        let pairs = token.and_then(Token::as_mapping).unwrap_or_default();
        let is_whole = token.is_none_or(|token| token.as_mapping().is_some());
        let is_literal = pairs.iter().all(|pair| matches!(pair.key, Key::Name(_)));
        let values = pairs
            .iter()
            .filter_map(|pair| Some((pair.key.name()?, &pair.value)));
        let values: Vec<_> = values.collect();
        Self {
            names: values.iter().map(|(name, _)| folded(name)).collect(),
            values,
            is_open: !is_whole || !is_literal,
        }
    }

    fn lacks(&self, name: &str) -> bool {
        !self.is_open && !self.names.contains(&folded(name))
    }
}

/// A name as it is compared: letter case does not count.
fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// A literal has the input's own type: what is evaluated later is checked in the same way then
/// (`WorkflowTemplateEvaluator.cs`). Any scalar is text.
fn check_type(kind: InputKind, value: &Token, problems: &mut Problems) {
    let fits = match kind {
        InputKind::String => true,
        InputKind::Boolean => matches!(value.kind, TokenKind::Bool(_) | TokenKind::Expression(_)),
        InputKind::Number => matches!(value.kind, TokenKind::Number(_) | TokenKind::Expression(_)),
    };
    if !fits {
        let text = value.scalar().map(|value| value.to_text());
        let message = format!("Unexpected value '{}'", text.as_deref().unwrap_or_default());
        let wanted = match kind {
            InputKind::Boolean => "the called workflow wants true or false here",
            InputKind::Number => "the called workflow wants a number here",
            InputKind::String => "the called workflow wants a text here",
        };
        problems.add_with_help(value.span, message, Some(wanted.to_owned()));
    }
}

#[cfg(test)]
mod tests;
