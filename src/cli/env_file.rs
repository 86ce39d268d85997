//! `lrun env-file`: what the runner reads in a file of a step's variables or outputs.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::exit::ExitCode;
use super::failure::{Failure, printed, tell};
use super::read;
use crate::exec::file_command::{self, FileCommandError, Pairs};
use crate::report::diagnostics::harmless;

/// The text of `--help` behind the options.
const HELP: &str = "\
The file is read as on Linux: a line NAME=VALUE, or NAME<<DELIMITER and lines up to DELIMITER; the
first of = and << decides; nothing is trimmed. It is UTF-8, with U+FFFD for what is none. That
GITHUB_ENV may not set NODE_OPTIONS is a rule of the step, not of the file. A file that begins with
the byte order mark of UTF-16 is read as that, as .NET does.

Without --json each pair is a line NAME=VALUE, the value as a JSON text where it is not plain.
With --json there is one line:
  {\"pairs\":[[\"NAME\",\"VALUE\"],…]}      in their order; a name may come again
  {\"error\":\"…\"}                       in the runner's words, of which 500 characters at most

Exit codes: 0 the file is good, 1 it is not, 2 wrong usage or no such file.

Example:
  printf 'A<<E\\none\\ntwo\\nE\\n' | lrun env-file --json -";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct EnvFileArguments {
    /// One JSON object instead of a line a pair.
    #[arg(long)]
    json: bool,
    /// What a step wrote to $GITHUB_ENV, $GITHUB_OUTPUT or $GITHUB_STATE; - for standard input.
    file: PathBuf,
}

/// Reads the file and prints its pairs.
pub(super) fn env_file(arguments: &EnvFileArguments) -> Result<ExitCode, Failure> {
    let text = file_command::text(&read::bytes(&arguments.file)?);
    let Pairs { pairs, error } = file_command::parse_pairs(&text);
    let mut out = io::stdout().lock();
    let code = match error {
        None => ExitCode::Success,
        Some(_) => ExitCode::NO,
    };
    let written = match (&error, arguments.json) {
        (None, true) => writeln!(out, "{}", json!({ "pairs": pairs })),
        (Some(error), true) => writeln!(out, "{}", json!({"error": shortened(error, MOST_TOLD)})),
        (_, false) => pairs
            .iter()
            .try_for_each(|(name, value)| writeln!(out, "{}={}", harmless(name), shown(value))),
    };
    if let (Some(error), false) = (error, arguments.json) {
        let error = shortened(&error, MOST_SHOWN);
        tell(format!("error: {}: {error}", read::name(&arguments.file)));
    }
    printed(written).map(|_| code)
}

/// As many characters of an error people are shown: it may quote a line that has no end.
const MOST_SHOWN: usize = 200;

/// As many programs are told.
const MOST_TOLD: usize = 500;

fn shortened(error: &FileCommandError, most: usize) -> String {
    let mut text = error.to_string();
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push_str("[...]");
    }
    text
}

/// A value on one line, quoted where it would not be told from another.
fn shown(value: &str) -> String {
    match value.contains(|c: char| c.is_control()) || value.starts_with('"') {
        true => json!(value).to_string(),
        false => value.to_owned(),
    }
}
