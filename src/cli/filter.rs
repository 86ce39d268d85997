//! `lrun filter`: whether a trigger's patterns take branches, tags or paths.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};
use serde_json::json;

use super::exit::ExitCode;
use super::failure::{Failure, printed};
use crate::plan::Filter;
use crate::report::diagnostics::harmless;

/// The text of `--help` behind the options of both subcommands.
const HELP: &str = "\
Patterns are those of GitHub's cheat sheet, not those of hashFiles: * is anything but a slash, **
anything, ? and + quantify what stands before them, [a-z0-9] is one such character, \\ takes the
meaning away; the whole name is matched, with regard to case. Of the patterns that match a name the
last one decides; one that begins with ! takes the name out again.

`include` answers for branches:, tags: and paths: - yes where some input is taken. `ignore` answers
for their -ignore forms - yes, the workflow is kept from running, where every input is taken.

For each input a line says whether it is taken and by which pattern; the last line is yes or no.
With --json there is one line:
  {\"answer\":true,\"inputs\":[{\"input\":\"…\",\"taken\":true,\"pattern\":\"…\"|null},…]}

Exit codes: 0 yes, 1 no, 2 wrong usage or a pattern that is none: for that there is no answer.

Examples:
  lrun filter include --pattern 'releases/**' --pattern '!**-alpha' -- releases/10-alpha
  git diff --name-only main | xargs lrun filter ignore --pattern '**.md' --";

#[derive(Debug, Args)]
pub(super) struct FilterArguments {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Does a workflow with these branches, tags or paths run for the inputs?
    #[command(after_help = HELP)]
    Include(Patterns),
    /// Do these patterns, as branches-ignore, tags-ignore or paths-ignore, keep it from running?
    #[command(after_help = HELP)]
    Ignore(Patterns),
}

#[derive(Debug, Args)]
struct Patterns {
    /// Patterns, in their order; may be given several times. One that begins with a dash is
    /// written --pattern=-x.
    #[arg(long = "pattern", value_name = "PATTERN", required = true, num_args = 1..)]
    patterns: Vec<String>,
    /// One JSON object instead of a line an input.
    #[arg(long)]
    json: bool,
    /// The names of branches or tags, or the paths of the changed files; behind --.
    #[arg(value_name = "INPUT", last = true)]
    inputs: Vec<String>,
}

/// Answers the question.
pub(super) fn filter(arguments: &FilterArguments) -> Result<ExitCode, Failure> {
    let (patterns, ignore) = match &arguments.question {
        Question::Include(patterns) => (patterns, false),
        Question::Ignore(patterns) => (patterns, true),
    };
    let filter = Filter::new(&patterns.patterns).map_err(Failure::usage)?;
    let answer = match ignore {
        true => filter.ignores(&patterns.inputs),
        false => filter.includes(&patterns.inputs),
    };
    let deciding = |input: &str| {
        let index = filter.deciding(input)?;
        patterns.patterns.get(index).map(String::as_str)
    };
    let decided = patterns.inputs.iter();
    let decided: Vec<_> = decided.map(|input| (input, deciding(input))).collect();
    let mut out = io::stdout().lock();
    let written = match patterns.json {
        true => {
            let inputs: Vec<_> = decided
                .iter()
                .map(|(input, pattern)| {
                    json!({"input": input, "taken": is_taken(*pattern), "pattern": pattern})
                })
                .collect();
            writeln!(out, "{}", json!({"answer": answer, "inputs": inputs}))
        }
        false => decided
            .iter()
            .try_for_each(|(input, pattern)| {
                writeln!(out, "{}: {}", harmless(input), told(*pattern))
            })
            .and_then(|()| writeln!(out, "{}", if answer { "yes" } else { "no" })),
    };
    let code = if answer {
        ExitCode::Success
    } else {
        ExitCode::NO
    };
    printed(written).map(|_| code)
}

fn is_taken(pattern: Option<&str>) -> bool {
    pattern.is_some_and(|pattern| !pattern.starts_with('!'))
}

fn told(pattern: Option<&str>) -> String {
    match pattern {
        None => "no pattern matches it".to_owned(),
        Some(pattern) if is_taken(Some(pattern)) => format!("taken by {pattern}"),
        Some(pattern) => format!("taken out by {pattern}"),
    }
}
