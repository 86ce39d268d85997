//! `lrun explain`: why the caches of a recorded run did what they did.

use super::args::ExplainArguments;
use super::exit::ExitCode;
use super::failure::{Failure, printed};
use super::{recorded, terminal};
use crate::config::Settings;
use crate::explain::RecordedRun;
use crate::report;
use crate::store::Store;

/// Explains the lookups and saves of a run, or of one of its steps, from its record alone.
pub(super) fn explain(arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let settings = Settings::of_process().map_err(Failure::usage)?;
    let store = Store::open(&settings.store.value).map_err(Failure::cannot_run)?;
    let found = recorded::find(&store, arguments.run)?;
    let run = RecordedRun::new(&found.events, found.alive);
    let steps: Vec<_> = match &arguments.step {
        Some(step) => run.find(step).map_err(Failure::usage)?,
        None => run.cached().collect(),
    };
    let mut out = std::io::stdout().lock();
    let color = terminal::has_color(&settings);
    printed(match arguments.json {
        true => report::explained_json(&mut out, &run, &steps),
        false => report::explained(&mut out, &run, &steps, color),
    })
}
