//! Runs that are over, by the names a user has for them.

use std::str::FromStr;

use super::failure::{Failure, tell};
use crate::event::{Event, EventKind};
use crate::ids::RunId;
use crate::report::read_record;
use crate::store::Store;

/// Runs named when one that is asked for does not exist.
const NAMED: usize = 5;

/// Which run: its number, or `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunName {
    /// The one that was started last.
    Last,
    /// The one of this number.
    Number(RunId),
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse()) {
            ("last", _) => Ok(Self::Last),
            (_, Ok(number)) => Ok(Self::Number(RunId(number))),
            _ => Err("it is neither a number nor `last`".to_owned()),
        }
    }
}

/// What is recorded of a run.
pub(super) struct Found {
    /// Its events.
    pub(super) events: Vec<Event>,
    /// Whether something still works for it.
    pub(super) alive: bool,
}

/// The record of a run. Of one that was killed, and of one that goes on, it warns that there is
/// more to the run than its record has.
pub(super) fn find(store: &Store, name: RunName) -> Result<Found, Failure> {
    let runs = store.recorded_runs().map_err(Failure::cannot_run)?;
    let found = match name {
        RunName::Last => runs.first(),
        RunName::Number(number) => runs.iter().find(|run| **run == number),
    };
    let run = found.ok_or_else(|| unknown(name, &runs))?;
    let path = store.record(*run);
    // Asked first: a run that ends in between has its end in the record.
    let alive = store.is_alive(*run);
    let events = read_record(&path).map_err(|error| {
        let directory = store.run_directory(*run);
        let directory = directory.display();
        Failure::usage(format!(
            "{error}\n  = `lrun runs` lists the others; delete {directory} to forget this one"
        ))
    })?;
    let is_end = |event: &Event| matches!(event.kind, EventKind::RunFinished { .. });
    if !events.iter().any(is_end) {
        let why = match alive {
            true => "the run is not over",
            false => "the run was killed, or its record was cut",
        };
        tell(format!(
            "warning: {} ends early: {why}; this is what it has",
            path.display()
        ));
    }
    Ok(Found { events, alive })
}

fn unknown(name: RunName, runs: &[RunId]) -> Failure {
    let asked = match name {
        _ if runs.is_empty() => return Failure::usage("no run is recorded yet"),
        RunName::Last => return Failure::internal("the last run is not the first of all"),
        RunName::Number(number) => number,
    };
    let known: Vec<String> = runs.iter().take(NAMED).map(RunId::to_string).collect();
    Failure::usage(format!(
        "there is no run {asked}; the last ones are {} (`lrun runs` lists them)",
        known.join(", ")
    ))
}
