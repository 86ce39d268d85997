//! A workflow as types: every value with its place, every expression compiled.
//!
//! An `Option` means that the key was absent. Literals may be empty, as what an expression comes to may be: an empty `container`
//! is no container; an empty `name` is as none.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::expr::Expression;
use crate::source::{Located, Source, Span};

use super::call::Call;
use super::location::Location;
use super::permissions::Permissions;
use super::token::Token;

/// A whole workflow file.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// The file; all spans are in it.
    pub source: Arc<Source>,
    /// Which file of which repository it is: what its `./` and `$/` are relative to.
    pub location: Location,
    /// `name`
    pub name: Option<Located<String>>,
    /// `run-name`
    pub run_name: Option<Token>,
    /// `on`: at least one event.
    pub on: Vec<Trigger>,
    /// `env`
    pub env: Option<Token>,
    /// `defaults.run`
    pub defaults: Defaults,
    /// `permissions`: what jobs have that do not say it themselves.
    pub permissions: Option<Permissions>,
    /// `concurrency`
    pub concurrency: Option<Token>,
    /// `cache-mode`: read, write, write-only or none.
    pub cache_mode: Option<Located<String>>,
    /// `jobs` by id, in the file's order: at least one, and one of them needs no other.
    pub jobs: IndexMap<String, Job>,
}

/// An event of `on`.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// `push`, `pull_request`, …
    pub name: String,
    /// Where the name was written.
    pub span: Span,
    /// `branches`, `paths`, `types`, `inputs`, …: a mapping; for `schedule` a sequence.
    pub configuration: Option<Token>,
}

/// `defaults`
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The whole mapping.
    pub written: Option<Token>,
}

impl Defaults {
    /// `run.shell`
    pub fn shell(&self) -> Option<&Token> {
        self.of_run("shell")
    }

    /// `run.working-directory`
    pub fn working_directory(&self) -> Option<&Token> {
        self.of_run("working-directory")
    }

    fn of_run(&self, key: &str) -> Option<&Token> {
        self.written.as_ref()?.get("run")?.get(key)
    }
}

/// One job before its matrix is expanded.
#[derive(Debug, Clone)]
pub struct Job {
    /// The key under `jobs`.
    pub id: Located<String>,
    /// `name`
    pub name: Option<Token>,
    /// `needs`: ids as the needed jobs spell them, without cycles.
    pub needs: Vec<Located<String>>,
    /// `if`
    pub condition: Condition,
    /// `strategy`
    pub strategy: Option<Strategy>,
    /// `runs-on`; none in a job that calls a workflow.
    pub runs_on: Option<Token>,
    /// `env`
    pub env: Option<Token>,
    /// `defaults.run`
    pub defaults: Defaults,
    /// `timeout-minutes`
    pub timeout_minutes: Option<Token>,
    /// `cancel-timeout-minutes`
    pub cancel_timeout_minutes: Option<Token>,
    /// `continue-on-error`
    pub continue_on_error: Option<Token>,
    /// `container`
    pub container: Option<Token>,
    /// `services`
    pub services: Option<Token>,
    /// `outputs`
    pub outputs: Option<Token>,
    /// `environment`
    pub environment: Option<Token>,
    /// `concurrency`
    pub concurrency: Option<Token>,
    /// `permissions` of the job, else of its workflow, else of the job that calls the workflow; none where nobody says it,
    /// and the repository's settings decide.
    pub permissions: Option<Permissions>,
    /// `cache-mode`: read, write, write-only or none.
    pub cache_mode: Option<Located<String>>,
    /// `snapshot`
    pub snapshot: Option<Token>,
    /// What it does.
    pub body: JobBody,
}

/// `strategy`
#[derive(Debug, Clone)]
pub struct Strategy {
    /// The whole mapping.
    pub written: Token,
}

impl Strategy {
    /// `matrix`
    pub fn matrix(&self) -> Option<&Token> {
        self.written.get("matrix")
    }

    /// `fail-fast`
    pub fn fail_fast(&self) -> Option<&Token> {
        self.written.get("fail-fast")
    }

    /// `max-parallel`
    pub fn max_parallel(&self) -> Option<&Token> {
        self.written.get("max-parallel")
    }
}

/// What a job does.
#[derive(Debug, Clone)]
pub enum JobBody {
    /// `steps`, those of `parallel` groups in their places.
    Steps(Vec<Step>),
    /// Calls a workflow.
    Calls(Box<Call>),
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// `id`, or the one GitHub makes up (`__run`, `__actions_checkout_2`): unique in the job, letter case aside.
    pub id: String,
    /// The same, made up in the step's own list: GitHub's reader counts anew in each `parallel` group.
    pub listed_id: String,
    /// Whether the file says `id`: only then does the step appear in the `steps` context.
    pub explicit_id: bool,
    /// The step's mapping.
    pub span: Span,
    /// `name`, which may be empty: the step has one made up from what it does then.
    pub name: Option<Token>,
    /// `if`; a step that waits or cancels always runs.
    pub condition: Condition,
    /// `env`
    pub env: Option<Token>,
    /// `continue-on-error`
    pub continue_on_error: Option<Token>,
    /// `timeout-minutes`
    pub timeout_minutes: Option<Token>,
    /// `background` as written; `true` for every step of a `parallel` group.
    pub background: Option<bool>,
    /// The number, in the job, of the `parallel` group that it is a step or the closing wait of.
    pub group: Option<usize>,
    /// What it does.
    pub action: StepAction,
}

impl Step {
    /// Whether the file gives it a name that is more than nothing.
    pub fn is_named(&self) -> bool {
        self.name
            .as_ref()
            .is_some_and(|name| name.as_str() != Some(""))
    }
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepAction {
    /// Runs a script.
    Run {
        /// `run`
        script: Token,
        /// `shell`
        shell: Option<Token>,
        /// `working-directory`
        working_directory: Option<Token>,
    },
    /// Runs an action.
    Uses {
        /// `uses`
        reference: Located<String>,
        /// `with`
        with: Option<Token>,
    },
    /// Waits for background steps; also the end of a `parallel` group.
    Wait {
        /// Ids of earlier steps of the job.
        targets: Vec<Located<String>>,
    },
    /// Waits for all background steps.
    WaitAll,
    /// Cancels a background step.
    Cancel {
        /// The id of an earlier step of the job.
        target: Located<String>,
    },
}

/// An `if`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As the file has it; `success()` if it has none.
    pub text: String,
    /// What GitHub makes of it: `success() && (…)` where no status function is called.
    pub expression: Expression,
    /// The value of `if`, or what has none.
    pub span: Span,
}
