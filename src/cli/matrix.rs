//! `lrun matrix`: the jobs that a `strategy.matrix` makes.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::exit::ExitCode;
use super::failure::{Failure, printed, tell};
use super::read;
use crate::expr::{Case, Object, Value};
use crate::plan::{Leg, expand_matrix};
use crate::report::diagnostics::harmless;
use crate::source::Source;
use crate::yaml::{self, Node, NodeKind, Scalar};

const HELP: &str = "\
With --json one object is printed:
  {\"jobs\":[{\"os\":\"a\",…},…],\"names\":[\"job (a)\",…]}   the `matrix` context of each job, and its name
  {\"error\":\"…\"}                                      what GitHub says of such a matrix

Exit codes: 0 it makes jobs, perhaps none; 1 it is not acceptable; 2 it cannot be read.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct MatrixArguments {
    /// A file with the value of `strategy.matrix`, as JSON or YAML; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// What the names of the jobs begin with: the job's id, or its `name`.
    #[arg(short, long, value_name = "ID", default_value = "job")]
    job: String,
    /// One JSON object instead of a line a job.
    #[arg(long)]
    json: bool,
}

/// Expands the matrix.
pub(super) fn matrix(arguments: &MatrixArguments) -> Result<ExitCode, Failure> {
    let text = read::text(&arguments.file)?;
    // Not every JSON is YAML: surrogate pairs are not.
    let value = match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(json) => Ok(Value::from(json)),
        Err(_) => of_yaml(&arguments.file, text),
    };
    let legs = value.and_then(|value| expand_matrix(&value).map_err(|error| error.to_string()));
    match legs {
        Ok(legs) => print(arguments, &legs),
        Err(error) if arguments.json => {
            let line = json!({ "error": error });
            printed(writeln!(io::stdout(), "{line}")).map(|_| ExitCode::NO)
        }
        Err(error) => {
            tell(format!("error: {error}"));
            Ok(ExitCode::NO)
        }
    }
}

fn print(arguments: &MatrixArguments, legs: &[Leg]) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    let names = legs.iter().map(|leg| leg.name(&arguments.job));
    if !arguments.json {
        let mut names = names;
        return printed(names.try_for_each(|name| writeln!(out, "{}", harmless(&name))));
    }
    let contexts = legs.iter().map(|leg| Value::Object(leg.matrix.clone()));
    let jobs: Vec<_> = contexts.map(|context| context.to_json()).collect();
    let line = json!({ "jobs": jobs, "names": names.collect::<Vec<_>>() });
    printed(writeln!(out, "{line}"))
}

/// The value of a YAML document; the error has its place.
fn of_yaml(file: &Path, text: String) -> Result<Value, String> {
    let source = Source::new(read::name(file), text);
    let placed = |start, error: &dyn std::fmt::Display| {
        let place = source.position(start);
        format!("{}:{}:{}: {error}", source.path, place.line, place.column)
    };
    let node = yaml::read(&source, &yaml::Limits::default())
        .map_err(|error| placed(error.span.start, &error))?;
    of_node(&node).map_err(|(start, error)| placed(start, &error))
}

/// The value of a node, or where two keys of one mapping are the same.
fn of_node(node: &Node) -> Result<Value, (usize, String)> {
    match &node.kind {
        NodeKind::Scalar(scalar) => Ok(of_scalar(scalar)),
        NodeKind::Sequence(items) => items.iter().map(of_node).collect(),
        NodeKind::Mapping(entries) => {
            let mut object = Object::new(Case::Insensitive);
            for entry in &**entries {
                let name = of_scalar(&entry.key.value).to_text();
                if object.insert(&*name, of_node(&entry.value)?).is_some() {
                    let error = format!("'{name}' is already defined");
                    return Err((entry.key.span.start, error));
                }
            }
            Ok(object.into())
        }
    }
}

fn of_scalar(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Number(number) => Value::Number(*number),
        Scalar::String(text) => Value::String(text.clone()),
    }
}
