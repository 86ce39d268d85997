//! `lrun expr eval`: what an expression comes to.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::exit::ExitCode;
use super::failure::{Failure, printed, tell};
use super::read;
use crate::expr::{
    Available, CallError, Contexts, EvaluationError, Expression, ParseError, ParseErrorKind,
    Template, Value,
};

#[derive(Debug, Args)]
pub(super) struct ExprArguments {
    #[command(subcommand)]
    command: ExprCommand,
}

#[derive(Debug, Subcommand)]
enum ExprCommand {
    /// Evaluate an expression and print its value.
    #[command(after_help = EVAL_HELP)]
    Eval(EvalArguments),
}

const EVAL_HELP: &str = "\
The functions are those that every expression has: case, contains, endsWith, format, fromJSON,
join, startsWith and toJSON. hashFiles and the status functions belong to a run; see
`lrun hash-files`. Errors are GitHub's, with the position in the expression.

With --json the last line is one of
  {\"kind\":\"Number\",\"value\":1}
  {\"error\":{\"message\":\"…\",\"kind\":\"lexing\"|\"parsing\"|\"evaluation\",\"position\":1}}
The kinds are Null, Boolean, Number, String, Array and Object. NaN, Infinity and -Infinity, which
JSON does not have, are texts of these names. Only what does not compile has a position, counted
from one in UTF-16 units, as GitHub counts.

Exit codes: 0 there is a value, 1 there is an error, 2 wrong usage.

Examples:
  lrun expr eval -- \"1 == '1'\"
  lrun expr eval --context event.json -- \"github.event.labels.*.name\"
  lrun expr eval --template -- 'key-${{ format(\"{0}\", 1) }}'";

#[derive(Debug, Args)]
struct EvalArguments {
    /// One JSON object instead of the bare value.
    #[arg(long)]
    json: bool,
    /// A JSON file whose members are the contexts; - for standard input. Without it there are
    /// none, and naming one is an error.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// EXPR is a text with ${{ }} in it, as a workflow has it: values may take 10 MiB instead
    /// of the 1 MiB of an expression alone, and text around ${{ }} makes it a text.
    #[arg(long)]
    template: bool,
    /// The expression, without ${{ }}; put it behind -- for it may begin with a dash.
    #[arg(value_name = "EXPR")]
    expression: String,
}

/// Runs the subcommand.
pub(super) fn expr(arguments: &ExprArguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        ExprCommand::Eval(arguments) => eval(arguments),
    }
}

fn eval(arguments: &EvalArguments) -> Result<ExitCode, Failure> {
    let given = Given::read(arguments)?;
    let outcome = evaluate(arguments, &given);
    let mut out = io::stdout().lock();
    let code = match &outcome {
        Ok(_) => ExitCode::Success,
        Err(_) => ExitCode::NO,
    };
    let written = match (&outcome, arguments.json) {
        (Ok(value), true) => {
            let line = json!({"kind": value.kind(), "value": to_json(value)});
            writeln!(out, "{line}")
        }
        (Err(wrong), true) => writeln!(out, "{}", wrong.to_json()),
        // A text is printed as it is, everything else so that its kind is seen.
        (Ok(Value::String(text)), false) => writeln!(out, "{text}"),
        (Ok(value), false) => writeln!(out, "{}", value.write_json()),
        (Err(wrong), false) => {
            tell(wrong.render(&arguments.expression));
            Ok(())
        }
    };
    printed(written).map(|_| code)
}

fn evaluate(arguments: &EvalArguments, given: &Given) -> Result<Value, Wrong> {
    let text = &arguments.expression;
    let names: Vec<&str> = given.members().map(|(name, _)| name).collect();
    let available = Available::contexts(&names);
    if !arguments.template {
        let expression = Expression::parse(text, &available).map_err(Wrong::Parse)?;
        return expression.evaluate(given).map_err(Wrong::Evaluation);
    }
    match Template::parse(text, &available).map_err(Wrong::Parse)? {
        Some(template) => template.evaluate(given).map_err(Wrong::Evaluation),
        None => Ok(text.as_str().into()),
    }
}

/// Why there is no value.
#[derive(Debug)]
enum Wrong {
    Parse(ParseError),
    Evaluation(EvaluationError),
}

impl Wrong {
    fn to_json(&self) -> Json {
        match self {
            Self::Parse(error) => {
                let kind = match error.kind {
                    ParseErrorKind::Lexing => "lexing",
                    ParseErrorKind::Parsing => "parsing",
                };
                let mut found = json!({"message": error.message, "kind": kind});
                if let Some(position) = error.position {
                    found["position"] = position.into();
                }
                json!({ "error": found })
            }
            Self::Evaluation(error) => {
                json!({"error": {"message": error.to_string(), "kind": "evaluation"}})
            }
        }
    }

    /// For people: GitHub's words, and under the expression, if it is one line, a caret.
    fn render(&self, expression: &str) -> String {
        match self {
            Self::Evaluation(error) => format!("error: {error}"),
            Self::Parse(error) if error.position.is_none() || expression.contains('\n') => {
                format!("error: {error}")
            }
            Self::Parse(error) => {
                let before = expression.get(..error.offset).unwrap_or_default();
                // Tabs keep their width under the line they stand in.
                let indent: String = before
                    .chars()
                    .map(|c| if c == '\t' { '\t' } else { ' ' })
                    .collect();
                format!("error: {error}\n  {expression}\n  {indent}^")
            }
        }
    }
}

/// The value as JSON, with texts for numbers that JSON does not have.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Number(number) if !number.is_finite() => (&*value.to_text()).into(),
        Value::Array(elements) => elements.iter().map(to_json).collect(),
        Value::Object(object) => {
            let members = object.iter();
            let members = members.map(|(name, value)| (name.to_owned(), to_json(value)));
            Json::Object(members.collect())
        }
        primitive => primitive.to_json(),
    }
}

/// The contexts of the file.
struct Given(Value);

impl Given {
    fn read(arguments: &EvalArguments) -> Result<Self, Failure> {
        let Some(path) = &arguments.context else {
            return Ok(Self(Value::Null));
        };
        let name = read::name(path);
        let text = read::text(path)?;
        let value = Value::read_json(text.strip_prefix('\u{feff}').unwrap_or(&text))
            .map_err(|error| Failure::usage(format!("{name} is not JSON: {error}")))?;
        if value.as_object().is_none() {
            return Err(Failure::usage(format!(
                "{name} has no contexts: it must be a JSON object, such as {{\"github\": {{}}}}"
            )));
        }
        match same_names(&text) {
            None => Ok(Self(value)),
            Some((one, other)) => Err(Failure::usage(format!(
                "{name} has both '{one}' and '{other}': names of contexts have no letter case"
            ))),
        }
    }

    fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .as_object()
            .into_iter()
            .flat_map(|object| object.iter())
    }
}

/// Two members of a JSON object that would be one context.
fn same_names(text: &str) -> Option<(String, String)> {
    let members: serde_json::Map<String, Json> = serde_json::from_str(text).ok()?;
    let mut known = HashMap::new();
    members.into_iter().find_map(|(name, _)| {
        let earlier = known.insert(name.to_ascii_lowercase(), name.clone());
        earlier.map(|earlier| (earlier, name))
    })
}

impl Contexts for Given {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        let mut members = self.members();
        let member = members.find(|(known, _)| *known == name);
        Ok(member.map(|(_, value)| value.clone()).unwrap_or_default())
    }

    fn call(&self, function: &str, _: &[Value]) -> Result<Value, CallError> {
        Err(CallError::Failed(format!("{function} belongs to a run")))
    }
}
