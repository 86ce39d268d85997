//! The process of a step, whatever kind of step it is: started with its files, its output read as
//! it comes, ended early with the runner's graces, and what it wrote to its command files
//! (runner `Handler`, `ProcessInvoker`, `FileCommandManager`).

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
use crate::outcome::Outcome;

/// Grace between the interrupt and the terminate signal, and from there to the kill
/// (runner `ProcessInvoker`).
const INTERRUPT_GRACE: Duration = Duration::from_millis(7500);
const TERMINATE_GRACE: Duration = Duration::from_millis(2500);
/// A larger summary is dropped with an error line.
const SUMMARY_BYTES: usize = 1 << 20;

/// What a step starts.
pub(super) struct Command {
    /// Program and arguments.
    pub(super) argv: Vec<String>,
    /// Working directory, a path inside the place.
    pub(super) directory: String,
    /// Files of its own, written before it starts.
    pub(super) files: Vec<FileSpec>,
    /// Whether the log says with which code it failed: a script's does, an action's says it itself.
    pub(super) says_exit: bool,
}

/// Runs the process of a step and reads what it wrote to its command files.
///
/// # Errors
/// When the agent cannot be spoken to. A process that fails is no error but an outcome.
pub(super) async fn run(
    scope: Scope<'_>,
    command: Command,
    process: ProcessContext,
) -> Result<Effects, AgentError> {
    let Command {
        argv,
        directory,
        files,
        says_exit,
    } = command;
    let files = files_to_write(files, &process);
    let program = argv.first().cloned().unwrap_or_default();
    let spec = ProcessSpec {
        argv,
        env: process.env,
        cwd: directory.clone(),
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
                "An error occurred trying to start process '{program}' with working directory '{directory}'. {error}"
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
    let mut effects = Effects::of(outcome(exit, interruption, says_exit, name, log));
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
    says_exit: bool,
    name: &str,
    log: &mut StepLog,
) -> Outcome {
    match interruption {
        Some(interruption) => interruption.outcome(name, log),
        None if exit.code == 0 => Outcome::Success,
        None => {
            if says_exit {
                log.error(format!("Process completed with exit code {}.", exit.code));
            }
            Outcome::Failure
        }
    }
}

/// The files to start with and the empty ones behind `GITHUB_ENV` and the like: one round trip.
fn files_to_write(files: Vec<FileSpec>, process: &ProcessContext) -> Vec<FileSpec> {
    let empty = process.files.all().map(|path| FileSpec {
        path: path.to_owned(),
        content: Vec::new(),
        mode: 0o644,
    });
    empty.into_iter().chain(files).collect()
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
    let state = take("state", &state);
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
    effects.state = state.into_iter().collect();
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
