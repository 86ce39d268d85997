//! `lrun runs`: what was run.

use super::args::RunsArguments;
use super::exit::ExitCode;
use super::failure::{Failure, printed};
use crate::config::Settings;
use crate::event::EventKind;
use crate::report::{self, ListedRun, read_ends};
use crate::store::Store;

/// Lists recorded runs, the last one first.
pub(super) fn runs(arguments: &RunsArguments) -> Result<ExitCode, Failure> {
    let settings = Settings::of_process().map_err(Failure::usage)?;
    let store = Store::open(&settings.store.value).map_err(Failure::cannot_run)?;
    let numbers = store.recorded_runs().map_err(Failure::cannot_run)?;
    // A record of another lrun, or cut off before the run began, is none to list.
    let records = numbers.iter().filter_map(|&run| {
        // Asked first: a run that ends in between has its end in the record.
        let alive = store.is_alive(run);
        let (first, last) = read_ends(&store.record(run)).ok()?;
        Some((alive, first, last))
    });
    let listed = records.filter_map(|(alive, first, last)| {
        let EventKind::RunStarted(summary) = first.kind else {
            return None;
        };
        Some(ListedRun {
            summary: *summary,
            began_ms: first.at_ms,
            verdict: match last.map(|last| last.kind) {
                Some(EventKind::RunFinished { verdict, .. }) => Some(verdict),
                _ => None,
            },
            alive,
        })
    });
    let listed: Vec<ListedRun> = listed.take(arguments.limit).collect();
    let mut out = std::io::stdout().lock();
    printed(match arguments.json {
        true => report::runs_json(&mut out, &listed),
        false => report::runs(&mut out, &listed),
    })
}
