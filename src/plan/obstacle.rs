//! What lrun cannot do in this place, attached to the step or job it belongs to.

use std::fmt;
use std::sync::Arc;

use crate::source::{Source, Span};
use crate::workflow::{Called, Job, JobBody, Token, Workflow};

/// Something in the way of a run.
#[derive(Debug, Clone)]
pub struct Obstacle {
    /// The workflow's file.
    pub source: Arc<Source>,
    /// The step, or the key of the job, that asks for it.
    pub span: Span,
    /// The job.
    pub job: String,
    /// What is asked for.
    pub kind: ObstacleKind,
}

/// What lrun cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObstacleKind {
    /// An action that cannot be had.
    Action {
        /// The `uses:` text.
        reference: String,
        /// Why it cannot.
        why: String,
    },
    /// Another repository, which a step checks out, cannot be had.
    Checkout {
        /// `owner/name`.
        repository: String,
        /// Why it cannot.
        why: String,
    },
    /// Something of an action's inputs.
    Inputs {
        /// What, and that it is not supported.
        what: String,
    },
    /// `uses: docker://…`, or an action whose manifest says that it runs in a container.
    DockerAction {
        /// The `uses:` text, with those of the actions that it leads through.
        reference: String,
    },
    /// A job, leg or step that does not run here.
    NotRun {
        /// What, and why.
        what: String,
    },
    /// `container:` or `services:`.
    Container,
    /// A workflow that a job calls is not at hand.
    CalledWorkflow {
        /// The `uses:` text.
        reference: String,
        /// Why it is not.
        why: String,
    },
    /// `strategy` or `defaults.run` whose keys come from an expression.
    LateKeys,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.source.position(self.span.start);
        write!(
            f,
            "{}:{}:{}: job '{}': {}",
            self.source.path, position.line, position.column, self.job, self.kind
        )
    }
}

impl fmt::Display for ObstacleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action { reference, why } => {
                write!(f, "action '{reference}' cannot be had: {why}")
            }
            Self::Checkout { repository, why } => {
                write!(f, "{repository} cannot be checked out: {why}")
            }
            Self::Inputs { what } => write!(f, "{what} by this version of lrun"),
            Self::DockerAction { reference } => write!(
                f,
                "docker actions ({reference}) need a container engine, and this version of lrun has none"
            ),
            Self::NotRun { what } => write!(f, "not run here: {what}"),
            Self::Container => f.write_str(
                "containers and services need an image or an engine, and this version of lrun has neither",
            ),
            Self::LateKeys => f.write_str(
                "lrun cannot take the keys of this mapping from an expression; write them out and use expressions for their values",
            ),
            Self::CalledWorkflow { reference, why } => {
                write!(f, "the called workflow '{reference}' cannot be had: {why}")
            }
        }
    }
}

impl ObstacleKind {
    /// Whether the whole run is refused, not the job alone: what cannot be had is told with all that is
    /// missing, so that it can be got at once.
    pub fn refuses_all(&self) -> bool {
        matches!(self, Self::Action { .. } | Self::CalledWorkflow { .. })
    }
}

/// What is in the way of a job as a whole.
pub(super) fn of_job(workflow: &Workflow, job: &Job) -> Vec<Obstacle> {
    let mut kinds = Vec::new();
    // An empty text is no container.
    let container = job
        .container
        .as_ref()
        .filter(|token| token.as_str() != Some(""));
    if let Some(token) = container.or(job.services.as_ref()) {
        kinds.push((token.span, ObstacleKind::Container));
    }
    let defaults = job.defaults.written.as_ref();
    let run = defaults.and_then(|defaults| defaults.get("run"));
    let strategy = job.strategy.as_ref().map(|strategy| &strategy.written);
    let late = run.into_iter().chain(strategy);
    let late = late.filter_map(Token::first_late_key);
    kinds.extend(late.map(|span| (span, ObstacleKind::LateKeys)));
    if let JobBody::Calls(call) = &job.body
        && let Called::NotFollowed { why, .. } = &call.called
    {
        let (reference, why) = (call.uses.value.clone(), why.clone());
        let kind = ObstacleKind::CalledWorkflow { reference, why };
        kinds.push((call.uses.span, kind));
    }
    kinds
        .into_iter()
        .map(|(span, kind)| Obstacle {
            source: workflow.source.clone(),
            span,
            job: job.id.value.clone(),
            kind,
        })
        .collect()
}
