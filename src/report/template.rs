//! A workflow or an action as GitHub's own readers write what they have read: the shape of `tests/conformance/reader`.
//!
//! Literals stand for themselves, `{"type": 3, "expr": …}` is an expression, `{"type": 2, "map": […]}` a mapping,
//! `{"type": 1, "seq": […]}` a sequence. With places, every token is an object with its file, line and column; the number of a
//! file is its place in the file table. GitHub's readers differ in what they write; this has what any of them has.

mod action;
mod call;
mod events;
mod job;
mod step;
mod token;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::source::{Diagnostic, Scope, Source};
use crate::workflow::{Called, JobBody, Workflow};

pub use action::action_template;

use token::Tokens;

/// A JSON object in the making: what is absent is left out.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn put(&mut self, key: &str, value: impl Into<Option<Value>>) {
        if let Some(value) = value.into() {
            self.0.insert(key.to_owned(), value);
        }
    }

    fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// The template of a workflow; `with_places` adds the place of every token, and the file table.
pub fn workflow_template(workflow: &Workflow, with_places: bool) -> Value {
    let mut files = Vec::new();
    if with_places {
        list_files(workflow, &mut files);
    }
    let shape = Shape { with_places, files };
    let tokens = shape.tokens(&workflow.source);
    let mut members = Members::default();
    members.put("input-types", events::input_types(workflow));
    members.put("events", events::events(workflow));
    members.put("env", tokens.optional(workflow.env.as_ref()));
    members.put(
        "permissions",
        workflow.permissions.as_ref().map(job::permissions),
    );
    let defaults = workflow.defaults.written.as_ref();
    members.put("defaults", tokens.optional(defaults));
    members.put(
        "concurrency",
        tokens.optional(workflow.concurrency.as_ref()),
    );
    members.put("jobs", job::jobs(workflow, &shape));
    if with_places {
        members.put("file-table", json!(shape.files));
    }
    members.into_value()
}

/// Errors as `{"errors": […]}`: the message without its place, line and column from one (null where GitHub names none), and
/// the file they are in. An error in a called file has the place of the call, as GitHub's text has, and its own in `called`.
pub fn errors_template(errors: &[Diagnostic]) -> Value {
    let errors: Vec<Value> = errors.iter().map(error).collect();
    json!({ "errors": errors })
}

fn error(error: &Diagnostic) -> Value {
    let own = error.position();
    let mut members = Members::default();
    let Some(call) = &error.call else {
        let (line, column) = match error.scope {
            Scope::Place => (json!(own.line), json!(own.column)),
            Scope::File | Scope::Whole => (Value::Null, Value::Null),
        };
        members.put("message", json!(error.message));
        members.put("line", line);
        members.put("col", column);
        members.put("file", json!(error.source.path));
        return members.into_value();
    };
    let place = call.source.position(call.span.start);
    let whole = error.to_string();
    let prefix = format!(
        "In {} (Line: {}, Col: {}): ",
        call.source.path, place.line, place.column
    );
    members.put(
        "message",
        json!(whole.strip_prefix(&prefix).unwrap_or(&whole)),
    );
    members.put("line", json!(place.line));
    members.put("col", json!(place.column));
    members.put("file", json!(call.source.path));
    let path = &error.source.path;
    members.put(
        "called",
        json!({"file": path, "line": own.line, "col": own.column}),
    );
    members.into_value()
}

/// The files in the order in which they were first read.
fn list_files(workflow: &Workflow, files: &mut Vec<String>) {
    let path = &workflow.source.path;
    if !files.contains(path) {
        files.push(path.clone());
    }
    for job in workflow.jobs.values() {
        if let JobBody::Calls(call) = &job.body
            && let Called::Workflow(called) = &call.called
        {
            list_files(called, files);
        }
    }
}

/// How the whole is written.
struct Shape {
    with_places: bool,
    files: Vec<String>,
}

impl Shape {
    /// The writer of one file's tokens.
    fn tokens<'s>(&self, source: &'s Arc<Source>) -> Tokens<'s> {
        let path = &source.path;
        let known = self.files.iter().position(|file| file == path);
        Tokens {
            source,
            file: known.map(|index| index + 1).filter(|_| self.with_places),
        }
    }
}
