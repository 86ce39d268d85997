//! Conditions that are decided before a run starts.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;

use super::github_event::GithubContext;
use super::in_containers::InContainers;
use super::permitted::Permitted;
use crate::expr::{CallError, Contexts, EvaluationError, Expression, Object, Value};

/// What is known before anything runs.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Contexts whose whole value is known: `github`, `inputs`, `vars`, …
    pub contexts: IndexMap<String, Value>,
    /// Contexts of which some members are known.
    partly: IndexMap<String, Arc<Object>>,
    /// What the user gave and allowed.
    pub(super) permitted: Arc<Permitted>,
    /// The actions that need a container engine, as far as their manifests were read.
    pub(super) in_containers: Arc<InContainers>,
}

impl Facts {
    /// What is known of every run: `github`, without the keys of jobs and steps, `inputs` and `vars`.
    pub fn of_run(github: &GithubContext, inputs: Value, vars: Value) -> Self {
        Self::default()
            .with("github", github.to_value().into())
            .with("inputs", inputs)
            .with("vars", vars)
    }

    /// The same facts, and what the user gave and allowed.
    #[must_use]
    pub fn permitting(&self, permitted: Permitted) -> Self {
        let mut more = self.clone();
        more.permitted = Arc::new(permitted);
        more
    }

    /// The same facts and what is known of actions.
    #[must_use]
    pub fn with_actions(&self, in_containers: Arc<InContainers>) -> Self {
        let mut more = self.clone();
        more.in_containers = in_containers;
        more
    }

    /// The same facts and some members of a context. Only an expression that asks for these alone
    /// sees them.
    #[must_use]
    pub(super) fn with_part(&self, name: &str, known: Object) -> Self {
        let mut more = self.clone();
        more.partly.insert(name.to_owned(), Arc::new(known));
        more
    }

    /// The facts as expressions see them that refer to nothing else than this.
    pub(super) fn seen_by(&self, expressions: &[&Expression]) -> Cow<'_, Self> {
        let mut seen = Cow::Borrowed(self);
        for (name, known) in &self.partly {
            let mut references = expressions.iter().flat_map(|one| one.references());
            let is_known = references.all(|reference| match reference.as_slice() {
                [context, member, ..] if context.eq_ignore_ascii_case(name) => {
                    known.get(member).is_some()
                }
                [context, ..] => !context.eq_ignore_ascii_case(name),
                [] => true,
            });
            if is_known {
                let value = Value::Object(known.clone());
                seen.to_mut().contexts.insert(name.clone(), value);
            }
        }
        seen
    }

    /// The same facts and one context more.
    #[must_use]
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut more = self.clone();
        more.contexts.insert(name.to_owned(), value);
        more
    }
}

impl Contexts for Facts {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        self.contexts.get(name).cloned().ok_or(CallError::Pending)
    }

    fn call(&self, _function: &str, _arguments: &[Value]) -> Result<Value, CallError> {
        Err(CallError::Pending)
    }
}

/// Whether a condition is false however the steps and jobs before it end.
///
/// The status functions are tried in each of the three states a job can be in; whatever
/// else is not known yet leaves the condition undecided.
pub fn decided_false(condition: &Expression, facts: &Facts) -> bool {
    let facts = facts.seen_by(&[condition]);
    let states = [Status::Success, Status::Failure, Status::Cancelled];
    states.iter().all(|&status| {
        let assumed = Assumed {
            facts: &facts,
            status,
        };
        is_false(&condition.evaluate(&assumed))
    })
}

/// Whether an evaluation came to something that is not truthy.
pub(super) fn is_false(evaluated: &Result<Value, EvaluationError>) -> bool {
    evaluated.as_ref().is_ok_and(|value| !value.is_truthy())
}

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Success,
    Failure,
    Cancelled,
}

struct Assumed<'a> {
    facts: &'a Facts,
    status: Status,
}

impl Contexts for Assumed<'_> {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        self.facts.context(name)
    }

    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, CallError> {
        // Asked about single jobs, whose ends are independent of each other.
        if !arguments.is_empty() {
            return Err(CallError::Pending);
        }
        let status = match function.to_ascii_lowercase().as_str() {
            "always" => return Ok(Value::Bool(true)),
            "success" => Status::Success,
            "failure" => Status::Failure,
            "cancelled" => Status::Cancelled,
            _ => return Err(CallError::Pending),
        };
        Ok(Value::Bool(self.status == status))
    }
}
