//! Jobs that fail on GitHub before a step of theirs runs.

use crate::expr::EvaluationError;
use crate::source::{Code, Diagnostic};
use crate::workflow::{Job, Token, Workflow};

/// Why a job fails instead of running.
#[derive(Debug, Clone)]
pub enum JobFailure {
    /// Its `if` has no value.
    Condition {
        /// What GitHub says, at the condition.
        error: Box<Diagnostic>,
        /// Whether that is so however those end that it needs, not only where they succeed.
        always: bool,
    },
    /// What it is made of has none: it has no legs.
    Key {
        /// What is wrong, where it is written.
        error: Box<Diagnostic>,
        /// The key of the job that has it.
        key: &'static str,
        /// The job.
        job: String,
    },
}

impl JobFailure {
    /// What is wrong, and where.
    pub fn error(&self) -> &Diagnostic {
        match self {
            Self::Condition { error, .. } | Self::Key { error, .. } => error,
        }
    }

    /// What GitHub says of the job.
    pub fn message(&self) -> String {
        match self {
            Self::Condition { error, .. } => error.message.clone(),
            Self::Key { error, key, job } => {
                format!(
                    "Error when evaluating '{key}' for job '{job}': {}",
                    error.message
                )
            }
        }
    }

    /// Whether it fails however those end that it needs.
    pub(super) fn is_certain(&self) -> bool {
        matches!(self, Self::Condition { always: true, .. })
    }
}

pub(super) fn of_condition(
    workflow: &Workflow,
    job: &Job,
    error: &EvaluationError,
    always: bool,
) -> JobFailure {
    let id = &job.id.value;
    let message = format!("Error when evaluating 'if' for job '{id}': {error}");
    let span = job.condition.span;
    JobFailure::Condition {
        error: Box::new(Diagnostic::new(
            &workflow.source,
            span,
            Code::Expression,
            message,
        )),
        always,
    }
}

/// `error` is what is wrong with one of the keys of `job`.
pub(super) fn of_key(job: &Job, error: Diagnostic) -> JobFailure {
    let has = |token: Option<&Token>| {
        token.is_some_and(|token| {
            let (own, wrong) = (token.span, error.span);
            own.start <= wrong.start && wrong.start <= own.end
        })
    };
    let with = match &job.body {
        crate::workflow::JobBody::Calls(call) => call.with.as_ref(),
        crate::workflow::JobBody::Steps(_) => None,
    };
    let key = match () {
        () if has(job.runs_on.as_ref()) => "runs-on",
        () if has(job.name.as_ref()) => "name",
        () if has(with) => "with",
        () => "strategy",
    };
    JobFailure::Key {
        error: Box::new(error),
        key,
        job: job.id.value.clone(),
    }
}
