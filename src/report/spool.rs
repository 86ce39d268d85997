//! The events that a reporter has not read yet: in memory as long as they are few, beyond that on
//! disk.
//!
//! Whoever writes to a pager or a stopped terminal may be behind by all that a run says; neither
//! the run nor lrun's memory feels it.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::event::{Event, EventKind};

/// Bytes of output that one reporter may have waiting in memory.
const IN_MEMORY: usize = 8 << 20;

/// A queue of events with one writer and one reader, on threads of their own.
///
/// A mutex and a condition: no channel can be asked how much waits in it, nor be continued in a
/// file.
#[derive(Debug)]
pub(super) struct Spool {
    state: Mutex<State>,
    /// Something came, or nothing will.
    came: Condvar,
    /// Something was read.
    went: Notify,
    /// Where the file is made, once one is needed; none: whoever fills the queue waits instead.
    directory: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct State {
    /// The next ones.
    first: VecDeque<Arc<Event>>,
    /// Those after them.
    disk: Option<Disk>,
    /// Those after them again, where the disk took no more.
    last: VecDeque<Arc<Event>>,
    /// Bytes of output that are in memory.
    bytes: usize,
    is_closed: bool,
    is_abandoned: bool,
}

/// What the reader finds.
#[derive(Debug)]
pub(super) enum Next {
    /// The next event.
    Event(Arc<Event>),
    /// None for now.
    None,
    /// None any more.
    End,
}

impl Spool {
    /// An empty queue.
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self {
            state: Mutex::default(),
            came: Condvar::new(),
            went: Notify::new(),
            directory,
        }
    }

    /// Puts an event at the end. Never waits for the reader.
    pub(super) fn push(&self, event: &Arc<Event>) {
        let mut state = self.state();
        if state.is_abandoned {
            return;
        }
        if state.bytes < IN_MEMORY && state.disk.is_none() && state.last.is_empty() {
            state.bytes += bytes(event);
            state.first.push_back(Arc::clone(event));
        } else {
            state.push_behind(event, self.directory.as_ref());
        }
        drop(state);
        self.came.notify_one();
    }

    /// Returns once the reader is not far behind, where it is to be waited for.
    pub(super) async fn room(&self) {
        if self.directory.is_some() {
            return;
        }
        loop {
            let mut went = std::pin::pin!(self.went.notified());
            went.as_mut().enable();
            if !self.is_full() {
                return;
            }
            went.await;
        }
    }

    /// Nothing will come any more.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.came.notify_one();
    }

    /// Nobody reads any more: what is here and what comes is thrown away.
    pub(super) fn abandon(&self) {
        *self.state() = State {
            is_abandoned: true,
            ..State::default()
        };
        self.went.notify_waiters();
    }

    /// The next event; without one waits so long, for ever where no time is given.
    pub(super) fn next(&self, wait: Option<Duration>) -> io::Result<Next> {
        let mut state = self.state();
        loop {
            if let Some(event) = state.pop()? {
                drop(state);
                self.went.notify_waiters();
                return Ok(Next::Event(event));
            }
            if state.is_closed {
                return Ok(Next::End);
            }
            state = match wait {
                Some(Duration::ZERO) => return Ok(Next::None),
                None => self
                    .came
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let waited = self.came.wait_timeout(state, wait);
                    let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() {
                        return Ok(Next::None);
                    }
                    state
                }
            };
        }
    }

    fn is_full(&self) -> bool {
        self.state().bytes >= IN_MEMORY
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push_behind(&mut self, event: &Arc<Event>, directory: Option<&PathBuf>) {
        if self.last.is_empty()
            && let Some(directory) = directory
        {
            if self.disk.is_none() {
                self.disk = tempfile::tempfile_in(directory).ok().map(Disk::new);
            }
            if let Some(disk) = &mut self.disk
                && disk.write(event).is_ok()
            {
                return;
            }
        }
        // A disk that is full costs memory, never events.
        self.bytes += bytes(event);
        self.last.push_back(Arc::clone(event));
    }

    fn pop(&mut self) -> io::Result<Option<Arc<Event>>> {
        if let Some(event) = self.first.pop_front() {
            self.bytes -= bytes(&event);
            return Ok(Some(event));
        }
        if let Some(disk) = &mut self.disk {
            if let Some(event) = disk.read()? {
                return Ok(Some(Arc::new(event)));
            }
            self.disk = None;
        }
        // All of them are in memory: they are the next ones.
        std::mem::swap(&mut self.first, &mut self.last);
        let event = self.first.pop_front();
        self.bytes -= event.as_deref().map_or(0, bytes);
        Ok(event)
    }
}

/// Events in a file without a name, each as JSON behind its length.
#[derive(Debug)]
struct Disk {
    file: File,
    written: u64,
    read: u64,
}

impl Disk {
    fn new(file: File) -> Self {
        Self {
            file,
            written: 0,
            read: 0,
        }
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        let mut bytes = vec![0; size_of::<u64>()];
        serde_json::to_writer(&mut bytes, event)?;
        let length = (bytes.len() - size_of::<u64>()) as u64;
        bytes[..size_of::<u64>()].copy_from_slice(&length.to_le_bytes());
        self.file.write_all_at(&bytes, self.written)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn read(&mut self) -> io::Result<Option<Event>> {
        if self.read == self.written {
            return Ok(None);
        }
        let mut length = [0; size_of::<u64>()];
        self.file.read_exact_at(&mut length, self.read)?;
        let mut bytes = vec![0; u64::from_le_bytes(length) as usize];
        let start = self.read + length.len() as u64;
        self.file.read_exact_at(&mut bytes, start)?;
        self.read = start + bytes.len() as u64;
        Ok(Some(serde_json::from_slice(&bytes)?))
    }
}

/// Only output comes without end.
fn bytes(event: &Event) -> usize {
    match &event.kind {
        EventKind::StepOutput { text, .. } => text.len() + size_of::<Event>(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::LogLine;
    use crate::ids::Phase;
    use crate::report::fixture;

    fn output(sequence: u64, length: usize) -> Arc<Event> {
        let step = fixture::step("build", 0, Phase::Main);
        Arc::new(Event {
            sequence,
            at_ms: 0,
            elapsed_us: 0,
            kind: fixture::output(&step, LogLine::Output, &"x".repeat(length)),
        })
    }

    fn sequences(spool: &Spool) -> Vec<u64> {
        let mut sequences = Vec::new();
        while let Next::Event(event) = spool.next(None).expect("it can be read") {
            sequences.push(event.sequence);
        }
        sequences
    }

    #[test]
    fn what_is_too_much_for_memory_comes_from_disk_in_order() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let spool = Spool::new(Some(directory.path().to_owned()));
        for sequence in 0..40 {
            spool.push(&output(sequence, 1 << 20));
        }
        assert!(spool.state().first.len() < 10);
        assert!(spool.state().disk.is_some());
        spool.close();
        assert_eq!(sequences(&spool), (0..40).collect::<Vec<_>>());
        assert!(spool.state().disk.is_none());
    }

    #[test]
    fn where_there_is_no_disk_nothing_is_lost() {
        let spool = Spool::new(Some(PathBuf::from("/nowhere/at/all")));
        for sequence in 0..20 {
            spool.push(&output(sequence, 1 << 20));
        }
        spool.close();
        assert_eq!(sequences(&spool), (0..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn who_waits_for_the_reader_goes_on_when_it_has_read() {
        let spool = Arc::new(Spool::new(None));
        while spool.state().bytes < IN_MEMORY {
            spool.push(&output(0, 1 << 20));
        }
        let waiting = tokio::spawn({
            let spool = Arc::clone(&spool);
            async move { spool.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert!(matches!(spool.next(None), Ok(Next::Event(_))));
        waiting.await.expect("nobody panicked");
    }
}
