//! Runs that are over, by the names a user has for them.

use std::str::FromStr;

use super::failure::Failure;
use crate::event::Event;
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

/// The events of a run.
pub(super) fn events(store: &Store, name: RunName) -> Result<Vec<Event>, Failure> {
    let runs = store.recorded_runs().map_err(Failure::cannot_run)?;
    let found = match name {
        RunName::Last => runs.first(),
        RunName::Number(number) => runs.iter().find(|run| **run == number),
    };
    let run = found.ok_or_else(|| unknown(name, &runs))?;
    read_record(&store.record(*run)).map_err(Failure::usage)
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
