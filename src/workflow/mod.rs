//! Workflow and action files, and the lock of what they use: read against GitHub's own schemas, then typed.
//!
//! Job: every error of a file with GitHub's words and places; a model in which every value knows where it was written.
//! Not its job: which files there are, what an event selects, what a called workflow holds; nothing here runs or reads
//! anything.
//!
//! The way: `yaml` nodes → [`Token`]s, checked by the schema (`reader`) → [`Workflow`] or [`Action`] (`convert`), which checks
//! what a schema cannot say. The second half starts only when the first found nothing, as on GitHub.

mod action;
mod convert;
mod evaluate;
mod hint;
mod limits;
mod lock;
mod model;
mod problems;
mod reader;
mod schema;
mod service;
mod token;
mod uses;

pub use action::{Action, ActionInput, ActionOutput, Runs, Using};
pub use convert::{read_action, read_workflow, read_workflow_within};
pub use evaluate::{TokenError, TokenProblem};
pub use limits::Limits;
pub use lock::{Dependency, LOCK_FILE, Lock, read_lock};
pub use model::{Condition, Defaults, Job, JobBody, Step, StepAction, Strategy, Trigger, Workflow};
pub use service::{job_refused_by_service, refused_by_service};
pub use token::{Key, Pair, Token, TokenKind};
pub use uses::{ActionRef, BuiltIn, Uses};
