//! The process of a step, whatever kind of step it is: started with its files, its output read as
//! it comes, ended early with the runner's graces, and what it wrote to its command files
//! (runner `Handler`, `ProcessInvoker`, `FileCommandManager`).

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use super::{Interruption, ProcessContext, Scope, results};
use crate::agent::protocol::{Ended, Exit, FileSpec, ProcessSpec, Signal, User};
use crate::agent::{AgentError, Process};
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::EventKind;
use crate::exec::effects::Effects;
use crate::exec::log::StepLog;
use crate::outcome::Outcome;

/// Grace between the interrupt and the terminate signal, and from there to the kill
/// (runner `ProcessInvoker`).
const INTERRUPT_GRACE: Duration = Duration::from_millis(7500);
const TERMINATE_GRACE: Duration = Duration::from_millis(2500);

/// What a step starts.
pub(super) struct Command {
    /// Files that have to be there, or the step fails.
    pub(super) needs: Vec<String>,
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
        needs,
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
    let found = process.files.all().map(str::to_owned).to_vec();
    let mut started = match place.agent.spawn_with(needs, files, spec, found).await {
        Ok(started) => started,
        // A disk that the job filled fails this step; later ones may make room.
        Err(error @ (AgentError::File { .. } | AgentError::Missing { .. })) => {
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
    let interruption = forward_output(&mut started, log, interrupt.raised()).await;
    if interruption.is_some() {
        end_with_grace(&mut started, log).await?;
    }
    log.end_output().await;
    let Ended {
        exit,
        results,
        opened,
    } = started.ended().await?;
    let mut effects = Effects::of(outcome(exit, interruption, says_exit, name, log));
    effects.cost = exit.timing;
    let used_sudo = opened.iter().any(|path| path.ends_with("/sudo"));
    effects.opened = Some(opened);
    results::take(&process.files, results, log, &mut effects);
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

/// Reads output to its end, unless something else happens before.
async fn forward_output<T>(
    process: &mut Process,
    log: &mut StepLog,
    other: impl Future<Output = T>,
) -> Option<T> {
    let mut other = pin!(other);
    loop {
        let (stream, bytes) = tokio::select! {
            biased;
            happened = &mut other => return Some(happened),
            piece = process.output.recv() => piece?,
        };
        // Not beside the other: what is read is told.
        log.feed(stream, &bytes).await;
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
        let over = forward_output(process, log, tokio::time::sleep(grace)).await;
        if over.is_none() {
            return Ok(());
        }
    }
    process.signal(Signal::Kill)?;
    forward_output(process, log, std::future::pending::<()>()).await;
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
