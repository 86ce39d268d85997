//! From a job to its legs: matrix, names, labels, place.

use crate::expr::{EvaluationError, Value, to_number};
use crate::ids::JobKey;
use crate::source::{Code, Diagnostic};
use crate::workflow::{Job, Strategy, Token, TokenError, TokenProblem, Workflow};

use super::calls::PlannedCall;
use super::decided::Facts;
use super::matrix::{Leg, expand_matrix, strategy_context};
use super::placement::Placement;

/// One leg of a job: what a hosted runner would be handed.
#[derive(Debug, Clone)]
pub struct PlannedLeg {
    /// The job and the number of the leg.
    pub key: JobKey,
    /// The name GitHub shows.
    pub name: String,
    /// The `matrix` context; null without a matrix.
    pub matrix: Value,
    /// The `strategy` context.
    pub strategy: Value,
    /// Whether the other legs are cancelled when this one fails.
    pub fail_fast: bool,
    /// How many legs may run at once; none for as many as there are.
    pub max_parallel: Option<usize>,
    /// The labels of `runs-on`.
    pub labels: Vec<String>,
    /// Where it runs.
    pub placement: Placement,
    /// What it calls, if the job calls a workflow; planned with the whole.
    pub call: Option<Box<PlannedCall>>,
}

impl PlannedLeg {
    /// A leg of a job of which no leg is known yet.
    pub(super) fn unknown(job: &Job) -> Self {
        Self {
            key: JobKey::new(&job.id.value, 0),
            name: job.id.value.clone(),
            matrix: Value::Null,
            strategy: Value::Null,
            fail_fast: true,
            max_parallel: None,
            labels: Vec::new(),
            placement: Placement::for_labels(&[]),
            call: None,
        }
    }

    /// The facts of its job with its matrix.
    pub fn facts(&self, facts: &Facts) -> Facts {
        facts
            .with("matrix", self.matrix.clone())
            .with("strategy", self.strategy.clone())
    }
}

/// Why a job has no legs yet, or cannot have any.
#[derive(Debug, thiserror::Error)]
pub enum ExpandError {
    /// The matrix depends on outputs of jobs that have not run.
    #[error("the matrix is known only once the jobs it needs are done")]
    Pending,
    /// What is written there is not acceptable: the job fails.
    #[error("{0}")]
    Invalid(Box<Diagnostic>),
    /// GitHub does not take the workflow at all, or lrun does not plan it.
    #[error("{0}")]
    Refused(Box<Diagnostic>),
}

/// The legs of a job under what is known.
///
/// # Errors
/// [`ExpandError::Pending`] when the strategy, the name or `runs-on` needs what is not in `facts`.
pub fn expand(
    workflow: &Workflow,
    job: &Job,
    facts: &Facts,
) -> Result<Vec<PlannedLeg>, ExpandError> {
    let value = |token: Option<&Token>| {
        token
            .map(|token| evaluate(workflow, token, facts))
            .transpose()
    };
    let strategy = job.strategy.as_ref();
    let fail_fast =
        value(strategy.and_then(Strategy::fail_fast))?.is_none_or(|value| value.is_truthy());
    let max_parallel =
        value(strategy.and_then(Strategy::max_parallel))?.map(|value| to_number(&value) as u32);
    let matrix_token = strategy.and_then(Strategy::matrix);
    let legs = match value(matrix_token)? {
        None => vec![(Leg::default(), Value::Null)],
        Some(matrix) => expand_matrix(&matrix)
            .map_err(|error| {
                let span = matrix_token.map_or(job.id.span, |token| token.span);
                let message = error.to_string();
                ExpandError::Invalid(Box::new(Diagnostic::new(
                    &workflow.source,
                    span,
                    Code::Rule,
                    message,
                )))
            })?
            .into_iter()
            .map(|leg| (leg.clone(), Value::Object(leg.matrix)))
            .collect(),
    };
    let expansion = Expansion {
        workflow,
        job,
        facts,
        fail_fast,
        max_parallel,
    };
    let total = legs.len() as u32;
    (0..total)
        .zip(legs)
        .map(|(index, (leg, matrix))| {
            let strategy = strategy_context(fail_fast, max_parallel, index, total);
            expansion.leg(index, &leg, strategy.into(), matrix)
        })
        .collect()
}

/// What the legs of one job have in common.
struct Expansion<'a> {
    workflow: &'a Workflow,
    job: &'a Job,
    facts: &'a Facts,
    fail_fast: bool,
    max_parallel: Option<u32>,
}

impl Expansion<'_> {
    fn leg(
        &self,
        index: u32,
        leg: &Leg,
        strategy: Value,
        matrix: Value,
    ) -> Result<PlannedLeg, ExpandError> {
        let facts = self
            .facts
            .with("matrix", matrix.clone())
            .with("strategy", strategy.clone());
        let labels = labels(self.workflow, self.job, &facts)?;
        Ok(PlannedLeg {
            key: JobKey::new(&self.job.id.value, index),
            name: name(self.workflow, self.job, leg, &facts)?,
            matrix,
            strategy,
            fail_fast: self.fail_fast,
            max_parallel: self.max_parallel.map(|most| most as usize),
            placement: Placement::for_labels(&labels),
            labels,
            call: None,
        })
    }
}

fn labels(workflow: &Workflow, job: &Job, facts: &Facts) -> Result<Vec<String>, ExpandError> {
    let Some(token) = &job.runs_on else {
        return Ok(Vec::new());
    };
    Ok(labels_of(&evaluate(workflow, token, facts)?))
}

/// `runs-on` is a label, a list of them, or `{group, labels}`.
fn labels_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| item.to_text().to_string())
            .collect(),
        Value::Object(object) => {
            let mut labels: Vec<String> = object
                .get("group")
                .map(|group| format!("group {}", group.to_text()))
                .into_iter()
                .collect();
            labels.extend(object.get("labels").map(labels_of).unwrap_or_default());
            labels
        }
        other => vec![other.to_text().to_string()],
    }
}

/// The name GitHub shows: the job's id, or a literal `name`, with the leg's values behind it; a
/// `name` with an expression in it stands alone, and an empty one is as none
/// (`JobDisplayNameBuilder.cs`).
fn name(workflow: &Workflow, job: &Job, leg: &Leg, facts: &Facts) -> Result<String, ExpandError> {
    let id = &job.id.value;
    let Some(token) = &job.name else {
        return Ok(leg.name(id));
    };
    let text = evaluate(workflow, token, facts)?.to_text();
    Ok(match token.as_str() {
        _ if text.is_empty() => leg.name(id),
        Some(literal) => leg.name(literal),
        None => Leg::default().name(&text),
    })
}

/// The value of a token, as far as `facts` go.
pub(super) fn evaluate(
    workflow: &Workflow,
    token: &Token,
    facts: &Facts,
) -> Result<Value, ExpandError> {
    let mut expressions = Vec::new();
    token.for_each_template(&mut |template, _| expressions.extend(template.expressions()));
    let facts = facts.seen_by(&expressions);
    let evaluated = token.evaluate(&*facts);
    evaluated.map_err(|TokenError { span, problem }| match problem {
        TokenProblem::Expression(EvaluationError::Pending { .. }) => ExpandError::Pending,
        other => {
            let source = &workflow.source;
            let found = Diagnostic::new(source, span, Code::Expression, other.to_string());
            ExpandError::Invalid(Box::new(found))
        }
    })
}
