//! What the steps of a job, or of a composite action, change.

use indexmap::IndexMap;

use super::contexts::StepRecord;
use super::effects::{Registered, States};
use super::entrusted::Entrusted;
use super::mask::Masker;
use super::run::Run;
use crate::lookup::KeyOrigin;
use crate::outcome::Outcome;

/// What steps change.
pub(super) struct JobState {
    /// The `env` context of the next step, before its own `env`.
    pub(super) env: IndexMap<String, String>,
    /// The steps that set a variable of it by `GITHUB_ENV`: their ids by its name.
    pub(super) set_by: IndexMap<String, String>,
    /// What steps put in front of PATH.
    pub(super) path: Vec<String>,
    /// The keys that `actions/cache/restore` steps asked for: the step's id and how the key
    /// came about. What `actions/cache/save` saves under such a key is that step's.
    pub(super) asked: IndexMap<String, (String, KeyOrigin)>,
    /// Steps that ended, by id.
    pub(super) steps: IndexMap<String, StepRecord>,
    /// Success until a step fails or the job is cancelled.
    pub(super) status: Outcome,
    /// What must not be shown.
    pub(super) masker: Masker,
    /// What actions keep for their later parts, by the places of their steps.
    pub(super) states: States,
    /// Post parts of the actions that started, in the order they started.
    pub(super) posts: Vec<Registered>,
}

impl JobState {
    pub(super) fn new(run: &Run, entrusted: &Entrusted) -> Self {
        let masker = Masker::default();
        // Those too that the workflow does not see: no report shows them.
        masker.add(run.given.secrets.values().map(String::as_str));
        masker.add(entrusted.secrets.values().map(String::as_str));
        Self::with(masker)
    }

    fn with(masker: Masker) -> Self {
        Self {
            env: IndexMap::new(),
            set_by: IndexMap::new(),
            path: Vec::new(),
            asked: IndexMap::new(),
            steps: IndexMap::new(),
            status: Outcome::Success,
            masker,
            states: States::new(),
            posts: Vec::new(),
        }
    }

    /// What the steps of a composite action start with.
    pub(super) fn copy(&self) -> Self {
        Self {
            env: self.env.clone(),
            set_by: self.set_by.clone(),
            path: self.path.clone(),
            asked: self.asked.clone(),
            states: self.states.clone(),
            ..Self::with(self.masker.clone())
        }
    }

    /// All of it; what is left has its masks and its status alone.
    pub(super) fn take(&mut self) -> Self {
        let mut left = Self::with(self.masker.clone());
        left.status = self.status;
        std::mem::replace(self, left)
    }
}
