//! The end of the channel that facts come out of, and how much is on the way in it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc};

use super::EventKind;

/// Bytes of steps' output that may be on the way before a step has to wait.
const MOST: usize = 4 << 20;

/// The facts of a run, for the one who reads them.
#[derive(Debug)]
pub struct Received {
    receiver: mpsc::UnboundedReceiver<EventKind>,
    unread: Unread,
    /// Bytes of the fact that was read last: it counts until the next one is asked for.
    last: usize,
}

impl Received {
    pub(super) fn new(receiver: mpsc::UnboundedReceiver<EventKind>, unread: Unread) -> Self {
        Self {
            receiver,
            unread,
            last: 0,
        }
    }

    /// The next fact; none once every sender is gone. Asking for it says that the one before
    /// is done with.
    pub async fn recv(&mut self) -> Option<EventKind> {
        self.unread.take(std::mem::take(&mut self.last));
        let kind = self.receiver.recv().await?;
        self.last = bytes(&kind);
        Some(kind)
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        // Nobody has to wait for a reader who is gone.
        self.unread.0.closed.store(1, Ordering::Release);
        self.unread.0.changed.notify_waiters();
    }
}

/// How many bytes of output were sent and not read. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<Counter>);

#[derive(Debug, Default)]
struct Counter {
    bytes: AtomicUsize,
    closed: AtomicUsize,
    changed: Notify,
}

impl Unread {
    pub(super) fn add(&self, kind: &EventKind) {
        self.0.bytes.fetch_add(bytes(kind), Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) {
        if bytes > 0 {
            self.0.bytes.fetch_sub(bytes, Ordering::Release);
            self.0.changed.notify_waiters();
        }
    }

    pub(super) async fn room(&self) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            // Before the look, or a change in between would be missed.
            changed.as_mut().enable();
            let is_closed = self.0.closed.load(Ordering::Acquire) == 1;
            if is_closed || self.0.bytes.load(Ordering::Acquire) < MOST {
                return;
            }
            changed.await;
        }
    }
}

/// Only output comes without end.
fn bytes(kind: &EventKind) -> usize {
    match kind {
        EventKind::StepOutput { text, .. } => text.len() + size_of::<EventKind>(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Events, LogLine};
    use crate::ids::{JobKey, Phase, StepKey};

    #[tokio::test]
    async fn who_writes_without_end_waits_for_who_reads() {
        let (events, mut received) = Events::channel();
        let output = || EventKind::StepOutput {
            step: StepKey {
                job: JobKey::new("build", 0),
                within: Vec::new(),
                index: 0,
                phase: Phase::Main,
            },
            line: LogLine::Output,
            text: "x".repeat(MOST),
        };
        events.room().await;
        events.send(output());
        let mut waiting = tokio::spawn({
            let events = events.clone();
            async move { events.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert!(received.recv().await.is_some());
        assert!(!waiting.is_finished());
        // Asking for the next one says that this one is done with.
        tokio::select! {
            biased;
            kind = received.recv() => panic!("there is no other: {kind:?}"),
            done = &mut waiting => done.expect("nobody panicked"),
        }
        events.send(output());
        drop(received);
        events.room().await;
    }
}
