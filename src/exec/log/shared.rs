//! What the logs of a job's steps have in common.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::agent::Agent;
use crate::event::Events;
use crate::exec::mask::Masker;
use crate::exec::matcher::Definition;

/// What the logs of a job's steps have in common.
#[derive(Debug)]
pub(in crate::exec) struct JobLog {
    /// Where facts go.
    pub(in crate::exec) events: Events,
    /// What must not be shown.
    pub(in crate::exec) masker: Masker,
    /// `ACTIONS_STEP_DEBUG`: debug lines are shown, and commands are echoed.
    pub(in crate::exec) debug: bool,
    /// The problem matchers that steps added; all steps see them, those in the background too.
    pub(in crate::exec) matchers: Matchers,
    /// Whom to ask for files of the job.
    pub(in crate::exec) agent: Agent,
    /// `GITHUB_WORKSPACE`.
    pub(in crate::exec) workspace: String,
    /// `github.server_url`, without a slash at its end.
    pub(in crate::exec) server_url: String,
    /// `owner/name` of the repository of the workflow.
    pub(in crate::exec) repository: String,
}

/// The problem matchers of a job.
///
/// A lock: steps in the background add and remove matchers while others read lines by them. The
/// version spares a look at the list for each line.
#[derive(Debug, Default)]
pub(in crate::exec) struct Matchers {
    version: AtomicU64,
    all: RwLock<Vec<Arc<Definition>>>,
}

impl Matchers {
    /// Changes with each change of the list.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The matchers, the one that is asked first first.
    pub(super) fn all(&self) -> Vec<Arc<Definition>> {
        self.read().clone()
    }

    /// Puts a matcher in front; one of its name goes.
    pub(super) fn add(&self, definition: Definition) {
        self.change(|all| {
            all.retain(|known| !is_named(known, &definition.owner));
            all.insert(0, Arc::new(definition));
        });
    }

    /// Takes matchers away by their names.
    pub(super) fn remove(&self, owners: &[String]) {
        self.change(|all| {
            all.retain(|known| !owners.iter().any(|owner| is_named(known, owner)));
        });
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Arc<Definition>>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Definition>>)) {
        // Nothing below can panic half way.
        change(&mut self.all.write().unwrap_or_else(PoisonError::into_inner));
        self.version.fetch_add(1, Ordering::Release);
    }
}

fn is_named(definition: &Definition, owner: &str) -> bool {
    definition.owner.to_uppercase() == owner.to_uppercase()
}
