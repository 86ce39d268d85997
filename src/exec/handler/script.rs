//! `run:` steps (runner `ScriptHandler`, `ProcessInvoker`, `FileCommandManager`).

use std::time::Duration;

use indexmap::IndexMap;

use super::{Interruption, ProcessContext, Scope};
use crate::agent::protocol::{Ended, Exit, FileSpec, FoundFile, ProcessSpec, Signal, User};
use crate::agent::{AgentError, Process};
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::EventKind;
use crate::exec::effects::Effects;
use crate::exec::file_command::{self, FileCommandError, Pairs};
use crate::exec::log::StepLog;
use crate::exec::paths;
use crate::outcome::Outcome;

/// Grace between the interrupt and the terminate signal, and from there to the kill
/// (runner `ProcessInvoker`).
const INTERRUPT_GRACE: Duration = Duration::from_millis(7500);
const TERMINATE_GRACE: Duration = Duration::from_millis(2500);
/// A larger summary is dropped with an error line.
const SUMMARY_BYTES: usize = 1 << 20;

/// A `run:` step with everything evaluated.
#[derive(Debug)]
pub(in crate::exec) struct Script {
    /// The script's text.
    pub(in crate::exec) text: String,
    /// `shell:`, from the step or from `defaults`.
    pub(in crate::exec) shell: Option<String>,
    /// Working directory, a path inside the place.
    pub(in crate::exec) directory: String,
}

/// A shell as a command line: the script's path stands where `{0}` is.
struct Shell {
    command: Vec<String>,
    extension: &'static str,
    /// What the log calls it.
    shown: String,
}

/// Runs a script and reads what it wrote to its command files.
///
/// # Errors
/// When the agent cannot be spoken to. A script that fails is no error but an outcome.
pub(in crate::exec) async fn run(
    scope: Scope<'_>,
    script: &Script,
    process: ProcessContext,
    unique: &str,
) -> Result<Effects, AgentError> {
    let Some(shell) = Shell::parse(script.shell.as_deref()) else {
        scope.log.error(
            "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) \
             or a format string containing '{0}'",
        );
        return Ok(Effects::of(Outcome::Failure));
    };
    let path = format!("{}/{unique}{}", paths::TEMP, shell.extension);
    announce(&scope, script, &shell);
    let files = files_to_write(&path, &shell, script, &process);
    let spec = ProcessSpec {
        argv: shell.argv(&path),
        env: process.env.clone(),
        cwd: script.directory.clone(),
        user: User::Job,
    };
    let Scope {
        place,
        name,
        log,
        mut interrupt,
        ..
    } = scope;
    if place.root_lacks.is_some() {
        log.look_for_refusals();
    }
    let results = process.files.all().map(str::to_owned).to_vec();
    let mut started = match place.agent.spawn_with(files, spec, results).await {
        Ok(started) => started,
        // A disk that the job filled fails this step; later ones may make room.
        Err(error @ AgentError::File { .. }) => {
            log.error(error.to_string());
            return Ok(Effects::of(Outcome::Failure));
        }
        Err(error @ AgentError::NotStarted { .. }) => {
            log.error(format!(
                "An error occurred trying to start process '{}' with working directory '{}'. {error}",
                shell.command[0], script.directory
            ));
            return Ok(Effects::of(Outcome::Failure));
        }
        Err(error) => return Err(error),
    };
    let interruption = tokio::select! {
        () = forward_output(&mut started, log) => None,
        interruption = interrupt.raised() => Some(interruption),
    };
    if interruption.is_some() {
        end_with_grace(&mut started, log).await?;
    }
    let Ended {
        exit,
        results,
        opened,
    } = started.ended().await?;
    let mut effects = Effects::of(outcome(exit, interruption, name, log));
    effects.cost = exit.timing;
    let used_sudo = opened.iter().any(|path| path.ends_with("/sudo"));
    effects.opened = Some(opened);
    take_results(results, log, &mut effects);
    if let (Outcome::Failure, Some(lacks), true) = (
        effects.outcome,
        &place.root_lacks,
        used_sudo && log.was_refused(),
    ) {
        name_limit(log, lacks);
    }
    Ok(effects)
}

/// GitHub's `sudo` may be allowed what this one was not.
fn name_limit(log: &StepLog, lacks: &str) {
    log.runner(format!("lrun: {lacks}"));
    log.send(EventKind::Differs(Difference {
        kind: DifferenceKind::Other {
            text: lacks.to_owned(),
        },
        site: Site::Step(log.step().clone()),
        effect: Effect::MayFlip,
    }));
}

async fn forward_output(process: &mut Process, log: &mut StepLog) {
    while let Some((stream, bytes)) = process.output.recv().await {
        log.feed(stream, &bytes);
    }
}

/// SIGINT, 7.5 s, SIGTERM, 2.5 s, SIGKILL; output goes on being read meanwhile.
async fn end_with_grace(process: &mut Process, log: &mut StepLog) -> Result<(), AgentError> {
    let grace = [
        (Signal::Interrupt, INTERRUPT_GRACE),
        (Signal::Terminate, TERMINATE_GRACE),
    ];
    for (signal, grace) in grace {
        process.signal(signal)?;
        if tokio::time::timeout(grace, forward_output(process, log))
            .await
            .is_ok()
        {
            return Ok(());
        }
    }
    process.signal(Signal::Kill)?;
    forward_output(process, log).await;
    Ok(())
}

fn outcome(
    exit: Exit,
    interruption: Option<Interruption>,
    name: &str,
    log: &mut StepLog,
) -> Outcome {
    match interruption {
        Some(interruption) => interruption.outcome(name, log),
        None if exit.code == 0 => Outcome::Success,
        None => {
            log.error(format!("Process completed with exit code {}.", exit.code));
            Outcome::Failure
        }
    }
}

/// The script and the empty files behind `GITHUB_ENV` and the like: one round trip.
fn files_to_write(
    path: &str,
    shell: &Shell,
    script: &Script,
    process: &ProcessContext,
) -> Vec<FileSpec> {
    let empty = process.files.all().map(|path| FileSpec {
        path: path.to_owned(),
        content: Vec::new(),
        mode: 0o644,
    });
    let script = FileSpec {
        path: path.to_owned(),
        content: shell.wrap(&script.text).into_bytes(),
        mode: 0o644,
    };
    empty.into_iter().chain([script]).collect()
}

/// The runner's own lines before a script's output.
fn announce(scope: &Scope<'_>, script: &Script, shell: &Shell) {
    let first = script.text.lines().next().unwrap_or_default();
    let mut lines: Vec<String> = script.text.lines().map(str::to_owned).collect();
    lines.push(format!("shell: {}", shell.shown));
    scope.log.group(&format!("Run {first}"), lines);
}

/// What the command files say; they come in the order in which they were named.
fn take_results(results: Vec<FoundFile>, log: &mut StepLog, effects: &mut Effects) {
    let mut failed = false;
    let mut results = results.into_iter();
    let mut text = |name: &str| match results.next() {
        Some(FoundFile::Content(bytes)) => file_command::text(&bytes),
        // One that is gone says nothing.
        Some(FoundFile::Missing) | None => String::new(),
        Some(FoundFile::Unreadable) => {
            refuse_file(log, name, &"the file cannot be read, or is too large");
            failed = true;
            String::new()
        }
    };
    let [env, output, path, state, summary] = [
        text("env"),
        text("output"),
        text("path"),
        text("state"),
        text("summary"),
    ];
    let mut take = |name: &str, text: &str| {
        let Pairs { mut pairs, error } = file_command::parse_pairs(text);
        if let Some(error) = error {
            refuse_file(log, name, &error);
            failed = true;
        }
        if let Some(nameless) = pairs.iter().position(|(name, _)| name.is_empty()) {
            let line = format!("={}", pairs[nameless].1);
            refuse_file(log, name, &FileCommandError::EmptyName { line });
            pairs.truncate(nameless);
            failed = true;
        }
        pairs
    };
    let env = take("env", &env);
    let outputs = take("output", &output);
    take("state", &state);
    if failed && effects.outcome == Outcome::Success {
        effects.outcome = Outcome::Failure;
    }
    for (name, value) in env {
        match file_command::blocked_variable(&name) {
            Some(message) => log.error(message),
            None => effects.env.push((name, value)),
        }
    }
    effects.outputs = outputs.into_iter().collect::<IndexMap<_, _>>();
    effects.path = path;
    if summary.len() > SUMMARY_BYTES {
        log.error("$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k.");
    }
}

fn refuse_file(log: &mut StepLog, name: &str, error: &dyn std::fmt::Display) {
    log.error(format!(
        "Unable to process file command '{name}' successfully."
    ));
    log.error(error.to_string());
}

impl Shell {
    /// None for an option that is neither built in nor has a place for the script.
    fn parse(option: Option<&str>) -> Option<Self> {
        let built_in = |command: &str, extension| {
            Some(Self {
                command: words(command),
                extension,
                shown: command.to_owned(),
            })
        };
        match option.map(str::trim) {
            // A hosted image always has bash; without pipefail (ScriptHandlerHelpers).
            None | Some("") => built_in("bash -e {0}", ".sh"),
            Some("bash") => built_in("bash --noprofile --norc -e -o pipefail {0}", ".sh"),
            Some("sh") => built_in("sh -e {0}", ".sh"),
            Some("python") => built_in("python {0}", ".py"),
            Some(shell @ ("pwsh" | "powershell")) => Some(Self {
                command: vec![
                    shell.to_owned(),
                    "-command".to_owned(),
                    ". '{0}'".to_owned(),
                ],
                extension: ".ps1",
                shown: format!("{shell} -command \". '{{0}}'\""),
            }),
            Some(format) if format.contains("{0}") => {
                let (program, _) = format.split_once(' ').unwrap_or((format, ""));
                Some(Self {
                    extension: extension(program),
                    command: words(format),
                    shown: format.to_owned(),
                })
            }
            Some(_) => None,
        }
    }

    fn argv(&self, script: &str) -> Vec<String> {
        let place = |part: &String| part.replace("{0}", script);
        self.command.iter().map(place).collect()
    }

    /// PowerShell needs to be told to stop at errors and to hand on the last exit code.
    fn wrap(&self, text: &str) -> String {
        if self.extension != ".ps1" {
            return text.to_owned();
        }
        format!(
            "$ErrorActionPreference = 'stop'\n{text}\n\
             if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) {{ exit $LASTEXITCODE }}"
        )
    }
}

/// The words of a command line: blanks part them, double quotes keep them together and are
/// taken away (.NET's `ProcessStartInfo.Arguments`).
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut begun) = (false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, begun) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if std::mem::take(&mut begun) {
                    words.push(String::new());
                }
            }
            c => {
                begun = true;
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    if !begun {
        words.pop();
    }
    words
}

fn extension(program: &str) -> &'static str {
    match program {
        "bash" | "sh" => ".sh",
        "python" => ".py",
        "pwsh" | "powershell" => ".ps1",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(option: Option<&str>) -> Vec<String> {
        Shell::parse(option).expect("a shell").argv("/t/x")
    }

    #[test]
    fn only_an_explicit_bash_has_pipefail() {
        assert_eq!(argv(None), ["bash", "-e", "/t/x"]);
        assert_eq!(
            argv(Some("bash")),
            [
                "bash",
                "--noprofile",
                "--norc",
                "-e",
                "-o",
                "pipefail",
                "/t/x"
            ]
        );
    }

    #[test]
    fn a_format_string_is_split_and_filled() {
        assert_eq!(argv(Some("bash -l {0}")), ["bash", "-l", "/t/x"]);
        assert_eq!(argv(Some("perl {0}")), ["perl", "/t/x"]);
        assert!(Shell::parse(Some("perl")).is_none());
        assert_eq!(
            argv(Some("script -q  -c \"bash -e {0}\" ")),
            ["script", "-q", "-c", "bash -e /t/x"]
        );
    }
}
