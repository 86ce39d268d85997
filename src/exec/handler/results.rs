//! What a step wrote to its command files (runner `FileCommandManager`).

use indexmap::IndexMap;

use crate::agent::protocol::FoundFile;
use crate::exec::effects::Effects;
use crate::exec::environment::FileCommandPaths;
use crate::exec::file_command::{self, FileCommandError, Pairs};
use crate::exec::log::StepLog;
use crate::outcome::Outcome;

/// A larger summary is dropped with an error line.
const SUMMARY_BYTES: u64 = 1 << 20;

/// Takes over what the command files say; they come in the order in which `files` names them.
/// One that cannot be taken fails the step, and the others are taken all the same.
pub(super) fn take(
    files: &FileCommandPaths,
    results: Vec<FoundFile>,
    log: &mut StepLog,
    effects: &mut Effects,
) {
    let mut results = files.all().into_iter().zip(results);
    let mut next = || {
        let (path, found) = results.next().unwrap_or(("", FoundFile::Missing));
        Found { path, found }
    };
    let [env, output, path, state, summary] = [next(), next(), next(), next(), next()];
    let mut reading = Reading { log, failed: false };
    effects.path = reading.text("path", path).unwrap_or_default();
    let env = reading.pairs("env", env, true);
    let outputs = reading.pairs("output", output, true);
    let state = reading.pairs("state", state, false);
    reading.summary(summary);
    if reading.failed && effects.outcome == Outcome::Success {
        effects.outcome = Outcome::Failure;
    }
    for (name, value) in env {
        match file_command::blocked_variable(&name) {
            Some(message) => log.error(message),
            None => effects.env.push((name, value)),
        }
    }
    effects.outputs = outputs.into_iter().collect::<IndexMap<_, _>>();
    effects.state = state.into_iter().collect();
}

/// A command file as it was found.
struct Found<'p> {
    path: &'p str,
    found: FoundFile,
}

struct Reading<'l> {
    log: &'l mut StepLog,
    failed: bool,
}

impl Reading<'_> {
    /// The text of a file; none when it cannot be taken. One that is gone says nothing.
    fn text(&mut self, name: &str, file: Found<'_>) -> Option<String> {
        let path = file.path;
        match file.found {
            FoundFile::Content(bytes) => Some(file_command::text(&bytes)),
            FoundFile::Missing => Some(String::new()),
            FoundFile::Unreadable => {
                self.refuse(name, &format!("Access to the path '{path}' is denied."));
                None
            }
            FoundFile::TooLarge { size } => {
                let why = format!("lrun reads 8 MiB of '{path}' at most, and it has {size} bytes.");
                self.refuse(name, &why);
                None
            }
        }
    }

    fn pairs(&mut self, name: &str, file: Found<'_>, need_names: bool) -> Vec<(String, String)> {
        let text = self.text(name, file).unwrap_or_default();
        let Pairs { mut pairs, error } = file_command::parse_pairs(&text);
        let nameless = pairs.iter().position(|(name, _)| name.is_empty());
        if let Some(nameless) = nameless.filter(|_| need_names) {
            // What stands behind it is not read any more.
            let line = format!("={}", pairs[nameless].1);
            self.refuse(name, &FileCommandError::EmptyName { line });
            pairs.truncate(nameless);
        } else if let Some(error) = error {
            self.refuse(name, &error);
        }
        pairs
    }

    /// A summary that is too large does not fail the step.
    fn summary(&mut self, file: Found<'_>) {
        let size = match &file.found {
            FoundFile::Content(bytes) => bytes.len() as u64,
            FoundFile::TooLarge { size } => *size,
            FoundFile::Missing | FoundFile::Unreadable => 0,
        };
        if size > SUMMARY_BYTES {
            return self.log.error(format!(
                "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {}k, got {}k. \
                 For more information see: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-markdown-summary",
                SUMMARY_BYTES / 1024,
                size / 1024,
            ));
        }
        if let Some(text) = self
            .text("step_summary", file)
            .filter(|text| !text.is_empty())
        {
            self.log.summary(&text);
        }
    }

    fn refuse(&mut self, name: &str, why: &dyn std::fmt::Display) {
        self.failed = true;
        self.log.error(format!(
            "Unable to process file command '{name}' successfully."
        ));
        self.log.error(why.to_string());
    }
}
