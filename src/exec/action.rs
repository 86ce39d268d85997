//! What a step gives the action that it uses, and what the action makes of it
//! (runner `ActionRunner`, `NodeScriptActionHandler`, `CompositeActionHandler`).

use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

use super::composite::CompositeWork;
use super::contexts::GithubOfStep;
use super::environment::{FileCommandPaths, OfStep};
use super::evaluate::{Evaluated, Seen, text_map};
use super::handler::{Inputs, JavaScript, ProcessContext};
use super::job::Leading;
use super::loaded::{self, Found, Loaded};
use super::log::StepLog;
use crate::agent::AgentError;
use crate::ids::Phase;
use crate::workflow::{Step, StepAction, Token, Uses, Using};

type Env = IndexMap<String, String>;

/// What an action comes to that is not lrun's own.
pub(super) enum ActionWork<'a> {
    /// A part of a JavaScript action.
    JavaScript(Box<JavaScript>),
    /// A composite action.
    Composite(Box<CompositeWork<'a>>),
}

/// A step that uses an action, and what is known of it when its turn comes.
pub(super) struct Using_<'s> {
    /// The step.
    pub(super) step: &'s Step,
    /// Its place.
    pub(super) index: u32,
    /// Which part of the action is to run.
    pub(super) phase: Phase,
    /// The `env` context, the step's own in it.
    pub(super) env: &'s Env,
    /// The step's own `env`.
    pub(super) own: &'s Env,
}
