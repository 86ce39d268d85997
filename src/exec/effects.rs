//! What a step asks of its job: returned by handlers, applied by the job alone.

use indexmap::IndexMap;

use super::cold::Looked;
use super::log::Said;
use crate::digest::Digest;
use crate::lookup::KeyOrigin;
use crate::outcome::{Outcome, Timing};

/// What came of running a step.
#[derive(Debug)]
pub(super) struct Effects {
    /// How it ended, before `continue-on-error`.
    pub(super) outcome: Outcome,
    /// What its processes cost; the wall clock is the job's to read.
    pub(super) cost: Timing,
    /// `steps.ID.outputs`.
    pub(super) outputs: IndexMap<String, String>,
    /// Variables for the steps after it, in order.
    pub(super) env: Vec<(String, String)>,
    /// What its post part will find in `STATE_…`.
    pub(super) state: IndexMap<String, String>,
    /// What it wrote to `GITHUB_PATH`.
    pub(super) path: String,
    /// The watched files that were opened until its process ended, if it had one.
    pub(super) opened: Option<Vec<String>>,
    /// The key that `actions/cache/restore` asked for, and how it came about.
    pub(super) asked: Option<(String, KeyOrigin)>,
    /// What is to be done after the last step.
    pub(super) post: Option<Post>,
    /// What it looked for among the caches.
    pub(super) looked: Option<Looked>,
    /// What it ran, where that is a script: all that was evaluated for it.
    pub(super) work: Option<Digest>,
}

impl Effects {
    /// Nothing but an outcome.
    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            cost: Timing::default(),
            outputs: IndexMap::new(),
            env: Vec::new(),
            state: IndexMap::new(),
            path: String::new(),
            opened: None,
            asked: None,
            post: None,
            looked: None,
            work: None,
        }
    }

    /// Takes over what its commands asked for, all of them before it wrote to its files.
    pub(super) fn take_over(&mut self, said: Said) {
        self.outputs = with(said.outputs, &mut self.outputs);
        self.state = with(said.state, &mut self.state);
        self.env.splice(..0, said.env);
        for directory in said.path.iter().rev() {
            self.path.insert_str(0, &format!("{directory}\n"));
        }
        if said.failed && self.outcome == Outcome::Success {
            self.outcome = Outcome::Failure;
        }
    }
}

/// Values with others over them.
fn with(
    mut values: IndexMap<String, String>,
    over: &mut IndexMap<String, String>,
) -> IndexMap<String, String> {
    values.extend(std::mem::take(over));
    values
}

/// The post part of an action that has started.
#[derive(Debug)]
pub(super) enum Post {
    /// `actions/cache` saves what it could not restore exactly.
    SaveCache(CacheState),
}

/// What the main part of `actions/cache` hands to its post part.
#[derive(Debug)]
pub(super) struct CacheState {
    /// State `CACHE_KEY`: the primary key as it was before the restore.
    pub(super) key: String,
    /// State `CACHE_RESULT`: the key that was found.
    pub(super) matched: Option<String>,
    /// How the key came about.
    pub(super) origin: KeyOrigin,
}
