//! What users and programs see of a run: one consumer of events per file.
//!
//! Events in, bytes out: a reporter knows nothing of the run but its events, so that a recorded
//! run prints the same bytes again. None of them can change how a run ends.

mod consume;
pub mod diagnostics;
mod explained;
#[cfg(test)]
mod fixture;
mod forecast;
mod json;
mod layout;
mod list;
mod live;
mod outline;
mod plain;
mod record;
mod runs;
mod spool;
mod template;
mod wire;

use std::io;
use std::time::Duration;

use crate::event::Event;

pub use consume::{FailedReporter, consume};
pub use explained::{explained, explained_json};
pub use forecast::{Forecast, ForecastOptions, Forecasted, forecast, forecasts, forecasts_json};
pub use json::Json;
pub use layout::Room;
pub use list::list;
pub use live::{Live, Size, Wiper};
pub use outline::{action_outline, outline};
pub use plain::{Plain, PlainOptions};
pub use record::{Record, RecordError, read_ends, read_record};
pub use runs::{ListedRun, runs, runs_json};
pub use template::{action_template, errors_template, workflow_template};

/// Somebody who is told of every event, in order.
pub trait Reporter {
    /// What it is called when it fails.
    fn name(&self) -> &'static str;

    /// Whether it waits for nobody but this machine's disk: then whoever writes more than it can
    /// take waits for it. All others may be behind as far as they like.
    fn is_waited_for(&self) -> bool {
        false
    }

    /// Takes in the next event.
    ///
    /// # Errors
    /// When it cannot be written; it is told of no other event then.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// No event waits to be told: what is held back is written. Gives after how long this is to
    /// be asked again if no event comes before; none when it need not be.
    ///
    /// # Errors
    /// When it cannot be written.
    fn rest(&mut self) -> io::Result<Option<Duration>>;

    /// No other event will come: what is held back is written.
    ///
    /// # Errors
    /// When it cannot be written.
    fn finish(&mut self) -> io::Result<()>;
}
