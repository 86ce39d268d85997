//! `lrun run`: from arguments to a run and its exit code.

use std::path::Path;
use std::rc::Rc;

use super::actions::Elsewhere;
use super::args::{OutputArguments, RunArguments};
use super::document;
use super::exit::ExitCode;
use super::failure::{Failure, printed, tell};
use super::find;
use super::prepare::{self, Prepared, Wiring};
use super::signals;
use super::terminal;
use crate::backend::sandbox::Sandbox;
use crate::config::Settings;
use crate::difference::Verdict;
use crate::event::{EventKind, Events, Received, Transfers};
use crate::exec::{self, Canceller};
use crate::report::{self, Json, Live, Plain, Record, Reporter, Wiper};

/// Runs a workflow.
pub(super) fn run(arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let name = arguments
        .workflow
        .as_deref()
        .or(arguments.workflows.as_deref());
    let found = find::workflow(&arguments.directory, name)?;
    let settings = Settings::of_process().map_err(Failure::usage)?;
    let elsewhere = match arguments.list {
        true => Elsewhere::stored(),
        false => Elsewhere::of_run(
            &arguments.actions,
            &arguments.directory,
            &settings.store.value,
        )?,
    };
    let elsewhere = Rc::new(elsewhere);
    let workflow = document::in_folder(&found, &elsewhere)?;
    if arguments.list {
        return printed(report::list(&workflow, &mut std::io::stdout().lock()));
    }
    let (events, received) = Events::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let backend = Sandbox::default();
    {
        let _inside = runtime.enter();
        backend.start_early();
    }
    let wiring = Wiring {
        events,
        backend,
        elsewhere,
    };
    let prepared = prepare::prepare(arguments, &settings, &found, workflow, wiring)?;
    let ended = runtime.block_on(carry_out(arguments, &settings, prepared, received));
    // What still waits for the end of a place does it for the janitor, who waits as well.
    runtime.shutdown_background();
    ended
}

async fn carry_out(
    arguments: &RunArguments,
    settings: &Settings,
    prepared: Prepared,
    received: Received,
) -> Result<ExitCode, Failure> {
    let Prepared {
        run,
        plan,
        record,
        alive,
        summary,
        actions,
        differences,
    } = prepared;
    let (canceller, cancellation) = Canceller::new();
    let transfers = run.events.transfers().clone();
    let (reporters, wiper) = reporters(&arguments.output, settings, &record, transfers)?;
    signals::cancel_on_interrupt(canceller, wiper);
    let consuming = {
        // Beside the record, not in the run's directory: that goes before all is told.
        let directory = record.parent().unwrap_or(Path::new(".")).to_owned();
        tokio::spawn(async move { report::consume(received, reporters, &directory).await })
    };
    let events = run.events.clone();
    events.send(EventKind::RunStarted(Box::new(summary)));
    actions.send(&events);
    for difference in differences {
        events.send(EventKind::Differs(difference));
    }
    let jobs = arguments.jobs.map_or_else(processors, usize::from);
    let ended = exec::execute(run, plan, jobs, cancellation).await;
    events.send(EventKind::RunFinished {
        verdict: ended.verdict,
        timing: ended.timing,
    });
    drop(events);
    let failed = consuming.await.map_err(Failure::internal)?;
    for reporter in failed {
        tell(format!("warning: {reporter}"));
    }
    // From here on the janitor may clear up.
    drop(alive);
    Ok(exit_code(ended.verdict, arguments.output.strict))
}

fn exit_code(verdict: Verdict, strict: bool) -> ExitCode {
    match verdict {
        Verdict::Passed { differences } if strict && differences > 0 => ExitCode::Gate,
        Verdict::Passed { .. } => ExitCode::Success,
        Verdict::Failed => ExitCode::JobFailed,
        Verdict::Cancelled => ExitCode::Interrupted,
        Verdict::NotRun => ExitCode::CannotRun,
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Those who are told of the run, and what takes the live report off the terminal.
type Reporters = (Vec<Box<dyn Reporter + Send>>, Option<Wiper>);

fn reporters(
    output: &OutputArguments,
    settings: &Settings,
    record: &Path,
    transfers: Transfers,
) -> Result<Reporters, Failure> {
    let stdout = std::io::stdout();
    let options = terminal::plain_options(output, settings);
    let mut wiper = None;
    let shown: Box<dyn Reporter + Send> = if output.json {
        Box::new(Json::new(stdout))
    } else if terminal::is_live(settings) {
        let size = Box::new(terminal::size_now);
        let live = Live::new(Box::new(stdout), options, transfers, size);
        wiper = Some(live.wiper());
        Box::new(live)
    } else {
        Box::new(Plain::new(stdout, options))
    };
    let record = Record::create(record).map_err(|error| {
        Failure::cannot_run(format!(
            "cannot write the record {}: {error}",
            record.display()
        ))
    })?;
    Ok((vec![shown, Box::new(record)], wiper))
}
