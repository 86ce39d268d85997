//! What a step asks of its job: returned by handlers, applied by the job alone.

use std::sync::Arc;

use indexmap::IndexMap;

use super::cold::Looked;
use super::contexts::StepRecord;
use super::loaded::Loaded;
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
    /// What it wrote to `GITHUB_PATH`.
    pub(super) path: String,
    /// The watched files that were opened until its process ended, if it had one.
    pub(super) opened: Option<Vec<String>>,
    /// What its action keeps for its later parts: `STATE_*` there.
    pub(super) state: IndexMap<String, String>,
    /// The same of the steps of a composite action, by their places below it.
    pub(super) states: States,
    /// The keys that `actions/cache/restore` asked for, each with the step that did, and how it
    /// came about.
    pub(super) asked: Vec<(String, (String, KeyOrigin))>,
    /// What is to be done after the last step.
    pub(super) post: Option<Post>,
    /// What it looked for among the caches.
    pub(super) looked: Vec<Looked>,
    /// Why outputs of it are not here: steps of its action that give them were not run.
    pub(super) left_out: Option<String>,
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
            path: String::new(),
            opened: None,
            state: IndexMap::new(),
            states: States::new(),
            asked: Vec::new(),
            post: None,
            looked: Vec::new(),
            left_out: None,
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

/// What actions keep for their later parts, by the places of their steps.
pub(super) type States = IndexMap<Vec<u32>, IndexMap<String, String>>;

/// The post part of an action that has started.
#[derive(Debug)]
pub(super) enum Post {
    /// `actions/cache` saves what it could not restore exactly.
    SaveCache(CacheState),
    /// A JavaScript action runs its `post`.
    JavaScript(Arc<Loaded>),
    /// Those of the steps of a composite action.
    Composite(CompositePost),
}

/// What is left to be done of a composite action.
#[derive(Debug)]
pub(super) struct CompositePost {
    /// The action.
    pub(super) action: Arc<Loaded>,
    /// The `steps` context of its steps, as its main part left it.
    pub(super) steps: IndexMap<String, StepRecord>,
    /// Post parts of its steps.
    pub(super) nested: Vec<Registered>,
}

/// A post part that is to run.
#[derive(Debug)]
pub(super) struct Registered {
    /// Whether a `pre` part registered it: these come before all main parts.
    pub(super) by_pre: bool,
    /// The place of its step.
    pub(super) index: u32,
    /// The name of its step.
    pub(super) name: String,
    /// What there is to do.
    pub(super) post: Post,
}

impl Registered {
    fn order(&self) -> (bool, u32) {
        (!self.by_pre, self.index)
    }
}

/// Registers a post part in the order in which their steps start, whatever ends first. A step that
/// did so in its `pre` part stays where it is.
pub(super) fn register(posts: &mut Vec<Registered>, new: Registered) {
    let known = posts.iter_mut().find(|known| known.index == new.index);
    match known {
        Some(known) => known.post.replace(new.post),
        None => {
            let at = posts.partition_point(|known| known.order() < new.order());
            posts.insert(at, new);
        }
    }
}

impl Post {
    fn replace(&mut self, new: Self) {
        match (self, new) {
            (Self::Composite(known), Self::Composite(new)) => {
                known.steps = new.steps;
                new.nested
                    .into_iter()
                    .for_each(|post| register(&mut known.nested, post));
            }
            (known, new) => *known = new,
        }
    }
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
    /// The paths, where they are not the step's `path`.
    pub(super) paths: Option<String>,
    /// It saves in a job that failed too.
    pub(super) on_failure: bool,
}
