//! `lrun hash-files`: what `hashFiles(…)` gives for a directory.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::exit::ExitCode;
use super::failure::{Failure, printed, tell};
use crate::config::Environment;
use crate::report::diagnostics::harmless;
use crate::tree::{HashedFiles, hash_files_arguments};

/// The text of `--help` behind the options.
const HELP: &str = "\
The hash is the SHA-256 over the SHA-256 of each file, in the order of the walk: the beginnings of
the patterns in their order, from each depth first by name. It is an empty line where nothing
matched. Patterns are those of @actions/glob: * ? [abc] ** and a leading !, later ones win; a
directory stands for all below it; `/a` is the root of the file system, `~` the home directory.

Files are hashed as they are here: a key of a run sees what its checkout and its steps made.

With --explain each file comes first, a line `DIGEST  PATH`, in the order of the walk.
With --json there is one line:
  {\"hash\":\"…\",\"files\":[{\"path\":\"…\",\"digest\":\"…\"},…]}      files with --explain only
  {\"error\":\"…\"}

Exit codes: 0 there is a hash or nothing matched, 1 hashFiles would fail, 2 wrong usage.

Examples:
  lrun hash-files -- '**/Cargo.lock' '!vendor/**'
  lrun hash-files --explain -- --follow-symbolic-links '**/package-lock.json'";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct HashFilesArguments {
    /// The directory that stands for GITHUB_WORKSPACE.
    #[arg(long, value_name = "DIR", default_value = ".")]
    workspace: PathBuf,
    /// Each file and its digest, in the order they are hashed.
    #[arg(long)]
    explain: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// The arguments of hashFiles, at most 255; put them behind --. The first one may be
    /// --follow-symbolic-links.
    #[arg(value_name = "PATTERN", required = true)]
    patterns: Vec<String>,
}

/// The most arguments a function takes.
const MAX_PATTERNS: usize = 255;

/// Hashes and prints.
pub(super) fn hash_files(arguments: &HashFilesArguments) -> Result<ExitCode, Failure> {
    if arguments.patterns.len() > MAX_PATTERNS {
        return Err(Failure::usage(format!(
            "hashFiles takes {MAX_PATTERNS} patterns at most, here are {}",
            arguments.patterns.len()
        )));
    }
    let workspace = arguments.workspace.canonicalize().map_err(|error| {
        Failure::usage(format!(
            "cannot use the workspace {}: {error}",
            arguments.workspace.display()
        ))
    })?;
    let mut out = io::stdout().lock();
    let (code, written) = match hash(&workspace, &arguments.patterns) {
        Ok(hashed) => (ExitCode::Success, write(&mut out, arguments, &hashed)),
        Err(error) if arguments.json => {
            let written = writeln!(out, "{}", json!({ "error": error }));
            (ExitCode::NO, written)
        }
        Err(error) => {
            tell(format!("error: {error}"));
            (ExitCode::NO, Ok(()))
        }
    };
    printed(written).map(|_| code)
}

fn hash(workspace: &Path, arguments: &[String]) -> Result<HashedFiles, String> {
    let (links, patterns) = hash_files_arguments(arguments).map_err(|error| error.to_string())?;
    let environment = Environment::of_process();
    let home = Path::new(environment.get("HOME").unwrap_or("/"));
    crate::tree::hash_files(patterns, workspace, home, links).map_err(|error| error.to_string())
}

fn write(
    out: &mut impl io::Write,
    arguments: &HashFilesArguments,
    hashed: &HashedFiles,
) -> io::Result<()> {
    let hash = hashed.digest.map(|digest| digest.to_string());
    let hash = hash.unwrap_or_default();
    if arguments.json {
        let mut line = json!({ "hash": hash });
        if arguments.explain {
            let files = hashed.files.iter();
            line["files"] = files
                .map(|(path, digest)| json!({"path": path, "digest": digest.to_string()}))
                .collect();
        }
        return writeln!(out, "{line}");
    }
    if arguments.explain {
        for (path, digest) in &hashed.files {
            writeln!(out, "{digest}  {}", harmless(path))?;
        }
    }
    writeln!(out, "{hash}")
}
