//! `lrun replay`: a recorded run printed again.

use super::args::ReplayArguments;
use super::exit::ExitCode;
use super::failure::{Failure, printed};
use super::recorded;
use super::terminal::plain_options;
use crate::config::Settings;
use crate::report::{Json, Plain, Reporter};
use crate::store::Store;

/// Prints a recorded run as it was printed then.
pub(super) fn replay(arguments: &ReplayArguments) -> Result<ExitCode, Failure> {
    let settings = Settings::of_process().map_err(Failure::usage)?;
    let store = Store::open(&settings.store.value).map_err(Failure::cannot_run)?;
    let events = recorded::find(&store, arguments.run)?.events;
    let stdout = std::io::stdout();
    let mut reporter: Box<dyn Reporter> = match arguments.output.json {
        true => Box::new(Json::new(stdout)),
        false => Box::new(Plain::new(
            stdout,
            plain_options(&arguments.output, &settings),
        )),
    };
    let told = events.iter().try_for_each(|event| reporter.event(event));
    printed(told.and_then(|()| reporter.finish()))
}
