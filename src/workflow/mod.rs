//! Workflow and action files, and the lock of what they use: read against GitHub's own schemas, then typed.
//!
//! Job: every error of a file with GitHub's words and places; a model in which every value knows where it was written.
//! Not its job: which files there are, what an event selects; nothing here runs or reads anything.
//!
//! The way: `yaml` nodes → [`Token`]s, checked by the schema (`reader`) → [`Workflow`] or [`Action`] (`convert`), which checks
//! what a schema cannot say. The second half starts only when the first found nothing, as on GitHub. Then come the workflows
//! that its jobs call, each asked of a [`Documents`] and read the same way ([`read_workflow_with`]): a [`Called`] has the
//! workflow as it is for that caller, or says why the call was not followed.

mod action;
mod call;
mod convert;
mod documents;
mod evaluate;
mod events;
mod filter_pattern;
mod hint;
mod limits;
mod location;
mod lock;
mod model;
mod permissions;
mod problems;
mod reader;
mod schema;
mod service;
mod token;
mod uses;

pub use action::{Action, ActionInput, ActionOutput, DOCKERFILES, MANIFESTS, Runs, Using};
pub use call::{Call, Called, InputDefinition, InputKind, Interface, SecretDefinition};
pub use convert::{ReadOptions, read_action, read_workflow, read_workflow_with};
pub use documents::{Document, Documents, Reference};
pub use evaluate::{TokenError, TokenProblem};
pub use events::{UnknownEvent, known_event};
pub use limits::Limits;
pub use location::Location;
pub use lock::{Dependency, LOCK_FILE, Lock, read_lock};
pub use model::{Condition, Defaults, Job, JobBody, Step, StepAction, Strategy, Trigger, Workflow};
pub use permissions::{Level, Permissions, PermissionsPolicy};
pub use problems::MOST as MOST_ERRORS;
pub use service::{job_refused_by_service, refused_by_service};
pub use token::{Key, Pair, Token, TokenKind};
pub use uses::{ActionRef, BuiltIn, Uses};
