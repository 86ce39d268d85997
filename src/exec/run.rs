//! All that a run is made of.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::entrusted::{GivenEnvironment, environment_secrets};
use super::janitor::Janitor;
use super::place::PlaceSettings;
use super::workspace;
use crate::action::Actions;
use crate::backend::sandbox::Sandbox;
use crate::difference::Verdict;
use crate::event::Events;
use crate::expr::Value;
use crate::git::{self, Repository, Snapshot};
use crate::ids::RunId;
use crate::outcome::Timing;
use crate::plan::github_event::GithubContext;
use crate::plan::{Facts, InContainers, Permitted};
use crate::store::{Owner, Store};
use crate::workflow::Workflow;

/// All that a run is made of; the same for every job.
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What it runs.
    pub workflow: Arc<Workflow>,
    /// The `github` context, before any job.
    pub github: GithubContext,
    /// What the user gave it.
    pub given: Given,
    /// The actions of other repositories that it uses.
    pub actions: Arc<Actions>,
    /// Those of them that need a container engine: their jobs are not run.
    pub in_containers: Arc<InContainers>,
    /// The content the jobs check out.
    pub content: Content,
    /// How they have other repositories.
    pub others: workspace::Others,
    /// Where caches and artifacts are kept.
    pub store: Store,
    /// [`Store::position`] when the run started: what lookups see of other runs.
    pub store_position: i64,
    /// What brings places up.
    pub backend: Sandbox,
    /// What every place is made with.
    pub place: PlaceSettings,
    /// Where facts go.
    pub events: Events,
    /// A directory of the run's own on the store's file system; gone after the run.
    pub directory: PathBuf,
    /// What every place of the run holds a shared lock on.
    pub lock: PathBuf,
    /// Who clears up after jobs and the run.
    pub janitor: Arc<Janitor>,
}

/// The content a run is of, as it was when the run began.
#[derive(Debug)]
pub struct Content {
    /// The user's repository; only ever read.
    pub repository: Repository,
    /// What it was like.
    pub facts: git::Facts,
    /// The commit that runs.
    pub snapshot: Snapshot,
}

impl Content {
    /// Whether it is not the user's own commit.
    pub fn is_dirty(&self) -> bool {
        !self.snapshot.changed.is_empty() || !self.snapshot.untracked.is_empty()
    }
}

/// What the user gave a run beside its workflow.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The `inputs` context.
    pub inputs: Value,
    /// The `vars` context.
    pub vars: Value,
    /// The secrets that have a value.
    pub secrets: IndexMap<String, String>,
    /// What environments give the jobs that name them, by their names in lower case.
    pub environments: IndexMap<String, GivenEnvironment>,
    /// Whether steps may deploy and publish: `--allow-publish`.
    pub publish: bool,
    /// Variables for every job's environment.
    pub env: IndexMap<String, String>,
    /// Step debugging is asked for, whatever the secrets and variables say.
    pub debug: bool,
}

impl Given {
    /// Whether steps are debugged: asked for, or `ACTIONS_STEP_DEBUG` is `true` as a secret, else
    /// as a variable.
    pub fn is_debug(&self) -> bool {
        const NAME: &str = "ACTIONS_STEP_DEBUG";
        let secret = self
            .secrets
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(NAME));
        let variable = || {
            let vars = self.vars.to_json();
            Some(vars.get(NAME)?.as_str()?.to_owned())
        };
        let value = secret.map(|(_, value)| value.clone()).or_else(variable);
        self.debug || value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The verdict.
    pub verdict: Verdict,
    /// What it cost.
    pub timing: Timing,
}

impl Run {
    /// Who the files of a job belong to on this machine.
    pub(super) fn owner(&self) -> Owner {
        let (uid, gid) = self.backend.owner();
        Owner { uid, gid }
    }

    /// What checkouts are made from.
    pub fn source(&self) -> workspace::Source<'_> {
        workspace::Source {
            repository: &self.content.repository,
            facts: &self.content.facts,
            snapshot: &self.content.snapshot,
            context: &self.github,
            others: &self.others,
        }
    }

    /// The contexts a job's own keys may use: `github`, `inputs`, `vars` and `needs`.
    pub fn facts(&self) -> Facts {
        Facts::of_run(
            &self.github,
            self.given.inputs.clone(),
            self.given.vars.clone(),
        )
        .permitting(Permitted {
            secrets: self.given.secrets.clone(),
            environments: environment_secrets(&self.given.environments),
            publish: self.given.publish,
        })
        .with_actions(Arc::clone(&self.in_containers))
    }
}
