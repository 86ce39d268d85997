//! The one task that reads the events of a run.

use std::io;

use tokio::sync::mpsc::UnboundedReceiver;

use super::Reporter;
use crate::clock::{Moment, since_epoch};
use crate::event::{Event, EventKind};

/// A reporter that could not go on.
#[derive(Debug, thiserror::Error)]
#[error("{reporter} stopped: {source}")]
pub struct FailedReporter {
    /// Its name.
    pub reporter: &'static str,
    /// Why.
    pub source: io::Error,
}

/// Stamps each event with its number and both clocks and hands it to all reporters, until every
/// sender is gone. A reporter that fails is left out from then on and named at the end; the run
/// does not feel it.
pub async fn consume(
    mut events: UnboundedReceiver<EventKind>,
    mut reporters: Vec<Box<dyn Reporter + Send>>,
) -> Vec<FailedReporter> {
    let started = Moment::now();
    let mut failed = Vec::new();
    let mut sequence = 0;
    while let Some(kind) = events.recv().await {
        let event = Event {
            sequence,
            at_ms: u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX),
            elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            kind,
        };
        sequence += 1;
        keep_those_that(&mut reporters, &mut failed, |reporter| {
            reporter.event(&event)
        });
    }
    keep_those_that(&mut reporters, &mut failed, |reporter| reporter.finish());
    failed
}

fn keep_those_that(
    reporters: &mut Vec<Box<dyn Reporter + Send>>,
    failed: &mut Vec<FailedReporter>,
    mut succeed: impl FnMut(&mut dyn Reporter) -> io::Result<()>,
) {
    reporters.retain_mut(|reporter| {
        let reporter = reporter.as_mut();
        match succeed(reporter) {
            Ok(()) => true,
            Err(source) => {
                failed.push(FailedReporter {
                    reporter: reporter.name(),
                    source,
                });
                false
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::event::Events;
    use crate::ids::JobKey;

    /// Remembers sequence numbers, for as long as it may. The lock is for the test, which reads
    /// them after the task is done.
    struct Remembers {
        seen: Arc<Mutex<Vec<u64>>>,
        at_most: usize,
    }

    impl Reporter for Remembers {
        fn name(&self) -> &'static str {
            "memory"
        }

        fn event(&mut self, event: &Event) -> io::Result<()> {
            let mut seen = self.seen.lock().expect("nobody panicked");
            if seen.len() == self.at_most {
                return Err(io::Error::other("full"));
            }
            seen.push(event.sequence);
            Ok(())
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_failing_reporter_does_not_stop_the_others() {
        let (good, bad) = (Arc::default(), Arc::default());
        let remembers = |seen: &Arc<Mutex<Vec<u64>>>, at_most| -> Box<dyn Reporter + Send> {
            let seen = Arc::clone(seen);
            Box::new(Remembers { seen, at_most })
        };
        let reporters = vec![remembers(&bad, 1), remembers(&good, 9)];
        let (events, receiver) = Events::channel();
        for leg in 0..3 {
            events.send(EventKind::JobStarted {
                job: JobKey::new("build", leg),
                place: "host".to_owned(),
            });
        }
        drop(events);
        let failed = consume(receiver, reporters).await;
        assert_eq!(*good.lock().expect("nobody panicked"), [0, 1, 2]);
        assert_eq!(*bad.lock().expect("nobody panicked"), [0]);
        let failed: Vec<_> = failed.iter().map(ToString::to_string).collect();
        assert_eq!(failed, ["memory stopped: full"]);
    }
}
