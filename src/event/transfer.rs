//! How far saves and restores have come: for whoever looks on while they run.
//!
//! Counters rather than events: they move thousands of times a second, only where they stand
//! counts, and nothing of them belongs into a record.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::StepKey;

/// The saves and restores of a run that are under way. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Transfers {
    /// Locked to begin, to end or to look; never while bytes are counted.
    running: Arc<Mutex<Running>>,
}

type Running = BTreeMap<StepKey, Arc<Counter>>;

#[derive(Debug)]
struct Counter {
    bytes: AtomicU64,
    total: Option<u64>,
}

/// A save or a restore under way; over once this is dropped.
#[derive(Debug)]
pub struct Transfer {
    step: StepKey,
    counter: Arc<Counter>,
    all: Transfers,
}

/// How far one has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Bytes of file content moved.
    pub bytes: u64,
    /// Bytes there are to move, where that is known.
    pub total: Option<u64>,
}

impl Transfers {
    /// Begins a step's transfer.
    pub fn begin(&self, step: StepKey, total: Option<u64>) -> Transfer {
        let counter = Arc::new(Counter {
            bytes: AtomicU64::new(0),
            total,
        });
        self.running().insert(step.clone(), Arc::clone(&counter));
        Transfer {
            step,
            counter,
            all: self.clone(),
        }
    }

    /// How far a step's transfer has come; none when it has none under way.
    pub fn of(&self, step: &StepKey) -> Option<Moved> {
        let running = self.running();
        let counter = running.get(step)?;
        Some(Moved {
            bytes: counter.bytes.load(Ordering::Relaxed),
            total: counter.total,
        })
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        // Nothing that could panic happens under the lock.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transfer {
    /// Counts bytes that were moved.
    pub fn add(&self, bytes: usize) {
        self.bytes().fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The bytes that were moved, for whoever is to count them.
    pub fn bytes(&self) -> &AtomicU64 {
        &self.counter.bytes
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.all.running().remove(&self.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{JobKey, Phase};

    #[test]
    fn a_transfer_is_seen_from_its_beginning_to_its_end() {
        let step = StepKey {
            job: JobKey::new("build", 0),
            within: Vec::new(),
            index: 1,
            phase: Phase::Post,
        };
        let transfers = Transfers::default();
        assert_eq!(transfers.of(&step), None);
        let transfer = transfers.begin(step.clone(), Some(9));
        transfer.add(3);
        transfer.add(4);
        let (bytes, total) = (7, Some(9));
        assert_eq!(transfers.of(&step), Some(Moved { bytes, total }));
        drop(transfer);
        assert_eq!(transfers.of(&step), None);
    }
}
