//! Who reads the events of a run: one task that stamps them, and each reporter on a thread of
//! its own.
//!
//! A reporter may wait for whom it writes to, a pager or a stopped terminal, for as long as that
//! takes: neither the run nor the other reporters wait with it. What it has not written yet is
//! kept for it ([`super::spool`]). The record alone is waited for.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Reporter;
use super::spool::{Next, Spool};
use crate::clock::{Moment, since_epoch};
use crate::event::{Event, EventKind, Received};

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
/// sender is gone; returns once every reporter has written all of it. A reporter that fails is
/// left out from then on and named at the end; the run does not feel it. What slow ones have not
/// read is kept in `directory` as soon as it is much.
pub async fn consume(
    mut events: Received,
    reporters: Vec<Box<dyn Reporter + Send>>,
    directory: &Path,
) -> Vec<FailedReporter> {
    let started = Moment::now();
    let mut failed = Vec::new();
    let mut working = Vec::new();
    for reporter in reporters {
        match Working::start(reporter, directory) {
            Ok(at_work) => working.push(at_work),
            Err(reporter) => failed.push(reporter),
        }
    }
    let mut sequence = 0;
    while let Some(kind) = events.recv().await {
        let event = Arc::new(Event {
            sequence,
            at_ms: u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX),
            elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            kind,
        });
        sequence += lines(&event.kind);
        for reporter in &working {
            reporter.events.push(&event);
            reporter.events.room().await;
        }
    }
    // Not on the runtime's thread: it has signals to listen to while a reader is slow.
    let ends =
        tokio::task::spawn_blocking(|| working.into_iter().filter_map(Working::end).collect());
    let ends: Result<Vec<_>, _> = ends.await;
    match ends {
        Ok(ends) => failed.extend(ends),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
    failed
}

/// How many numbers an event takes: each line of output has one of its own.
fn lines(kind: &EventKind) -> u64 {
    match kind {
        EventKind::StepOutput { text, line, .. } if line.is_many() => {
            1 + memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
        }
        _ => 1,
    }
}

/// A reporter on its thread.
struct Working {
    name: &'static str,
    events: Arc<Spool>,
    thread: JoinHandle<io::Result<()>>,
}

impl Working {
    fn start(
        mut reporter: Box<dyn Reporter + Send>,
        directory: &Path,
    ) -> Result<Self, FailedReporter> {
        let name = reporter.name();
        let spilled = (!reporter.is_waited_for()).then(|| directory.to_owned());
        let events = Arc::new(Spool::new(spilled));
        let read = Arc::clone(&events);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || report(reporter.as_mut(), &read))
            .map_err(|source| FailedReporter {
                reporter: name,
                source,
            })?;
        Ok(Self {
            name,
            events,
            thread,
        })
    }

    /// Waits until it has written everything.
    fn end(self) -> Option<FailedReporter> {
        self.events.close();
        // The panic hook has told what it was.
        let panicked = |_| Err(io::Error::other("it panicked"));
        let source = self.thread.join().unwrap_or_else(panicked).err()?;
        Some(FailedReporter {
            reporter: self.name,
            source,
        })
    }
}

/// Tells a reporter of every event until no other can come.
fn report(reporter: &mut dyn Reporter, events: &Spool) -> io::Result<()> {
    let told = tell(reporter, events);
    if told.is_err() {
        // Nobody is to keep anything for it, or wait for it.
        events.abandon();
    }
    told
}

fn tell(reporter: &mut dyn Reporter, events: &Spool) -> io::Result<()> {
    loop {
        let next = match events.next(Some(Duration::ZERO))? {
            Next::None => events.next(reporter.rest()?)?,
            next => next,
        };
        match next {
            Next::Event(event) => reporter.event(&event)?,
            Next::None => {}
            Next::End => return reporter.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{self, Receiver};

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

        fn rest(&mut self) -> io::Result<Option<Duration>> {
            Ok(None)
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Waits at the first event until it is let go.
    struct Waits {
        let_go: Receiver<()>,
    }

    impl Reporter for Waits {
        fn name(&self) -> &'static str {
            "a pager"
        }

        fn event(&mut self, _: &Event) -> io::Result<()> {
            self.let_go.recv().map_err(io::Error::other)
        }

        fn rest(&mut self) -> io::Result<Option<Duration>> {
            Ok(None)
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn job_started(leg: u32) -> EventKind {
        EventKind::JobStarted {
            job: JobKey::new("build", leg),
            place: "host".to_owned(),
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
            events.send(job_started(leg));
        }
        drop(events);
        let failed = consume(receiver, reporters, Path::new("/tmp")).await;
        assert_eq!(*good.lock().expect("nobody panicked"), [0, 1, 2]);
        assert_eq!(*bad.lock().expect("nobody panicked"), [0]);
        let failed: Vec<_> = failed.iter().map(ToString::to_string).collect();
        assert_eq!(failed, ["memory stopped: full"]);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reporter_that_waits() {
        let seen = Arc::default();
        let (let_go, wait) = mpsc::channel();
        let others = Remembers {
            seen: Arc::clone(&seen),
            at_most: 9,
        };
        let reporters: Vec<Box<dyn Reporter + Send>> =
            vec![Box::new(Waits { let_go: wait }), Box::new(others)];
        let (events, receiver) = Events::channel();
        let consuming = tokio::spawn(consume(receiver, reporters, Path::new("/tmp")));
        events.send(job_started(0));
        events.send(job_started(1));
        while seen.lock().expect("nobody panicked").len() < 2 {
            tokio::task::yield_now().await;
        }
        let_go.send(()).expect("it waits");
        drop(events);
        // Nobody lets it go a second time: it fails, and is the only one.
        drop(let_go);
        let failed = consuming.await.expect("nobody panicked");
        let failed: Vec<_> = failed.iter().map(|failed| failed.reporter).collect();
        assert_eq!(failed, ["a pager"]);
    }
}
