//! A job that calls a workflow: the jobs of that workflow, as they are for one leg of the caller.

use std::collections::HashMap;

use super::decided::Facts;
use super::expand::{ExpandError, PlannedLeg, evaluate};
use super::make::{Budget, Plan, PlannedJob, plan_jobs};
use super::select::Selection;
use crate::expr::{Object, Value};
use crate::ids::JobKey;
use crate::source::{Code, Diagnostic};
use crate::workflow::{Call, Called, InputDefinition, InputKind, Token, TokenProblem, Workflow};

/// What a leg of a calling job calls.
#[derive(Debug, Clone)]
pub struct PlannedCall {
    /// `uses`, as it is written.
    pub uses: String,
    /// The called workflow's inputs; none for what depends on outputs of jobs that have not run.
    pub inputs: Vec<(String, Option<Value>)>,
    /// Its jobs.
    pub called: CalledJobs,
}

impl PlannedCall {
    /// Whether nothing of it runs here although it runs on GitHub.
    pub(super) fn is_not_here(&self) -> bool {
        let CalledJobs::Planned(plan) = &self.called else {
            return false;
        };
        let mut jobs = plan.jobs.iter();
        jobs.clone().any(PlannedJob::is_not_here)
            && jobs.all(|job| job.skip.is_some() || job.is_not_here())
    }
}

/// The jobs of a called workflow.
#[derive(Debug, Clone)]
pub enum CalledJobs {
    /// Named as GitHub names them, `caller / called`, and with `CALLER/ID` as ids; their waves are
    /// counted from the caller's.
    Planned(Plan),
    /// The workflow is not at hand.
    NotFollowed {
        /// Why.
        why: String,
    },
}

/// Plans what a leg calls whose job is about to run: `facts` are what the caller's jobs may use, with
/// `needs`.
///
/// # Errors
/// What its inputs are has no value, or is not of their kind: the job fails.
pub fn plan_call_of(
    caller: &Workflow,
    call: &Call,
    leg: &PlannedLeg,
    facts: &Facts,
    selection: &Selection,
) -> Result<PlannedCall, ExpandError> {
    let of_leg = leg.facts(facts);
    let budget = Budget::default();
    plan_call((caller, call), leg, (facts, &of_leg), selection, &budget)
}

/// Plans what one leg calls: `facts` are the run's, and `of_leg` those with its matrix.
pub(super) fn plan_call(
    (caller, call): (&Workflow, &Call),
    leg: &PlannedLeg,
    (facts, of_leg): (&Facts, &Facts),
    selection: &Selection,
    budget: &Budget,
) -> Result<PlannedCall, ExpandError> {
    let uses = call.uses.value.clone();
    let workflow = match &call.called {
        Called::Workflow(workflow) => workflow,
        Called::NotFollowed { why, .. } => {
            return Ok(PlannedCall {
                uses,
                inputs: Vec::new(),
                called: CalledJobs::NotFollowed { why: why.clone() },
            });
        }
    };
    if !budget.allows_a_call() {
        let message =
            "this run has more jobs, with those of the workflows it calls, than lrun plans";
        let error = Diagnostic::new(&caller.source, call.uses.span, Code::Rule, message);
        return Err(ExpandError::Refused(Box::new(error)));
    }
    let mut facts = facts.clone();
    // The called workflow sees its own.
    for own in ["inputs", "needs"] {
        facts.contexts.shift_remove(own);
    }
    let inputs = inputs(caller, call, workflow, (&facts, of_leg))?;
    let known = inputs.iter();
    let known: Object = known
        .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
        .collect();
    let facts = match known.len() == inputs.len() {
        true => facts.with("inputs", known.into()),
        false => facts.with_part("inputs", known),
    };
    let permitted = facts.permitted.of_called(call, of_leg);
    let facts = facts.permitting(permitted);
    let mut plan = plan_jobs(workflow, selection, &facts, budget)?;
    put_before(&mut plan, &leg.name, &leg.key);
    Ok(PlannedCall {
        uses,
        inputs,
        called: CalledJobs::Planned(plan),
    })
}

/// `caller / called` and `CALLER/ID`, also of what is called in turn.
fn put_before(plan: &mut Plan, caller: &str, key: &JobKey) {
    let legs = plan.jobs.iter_mut().flat_map(|job| &mut job.legs).flatten();
    for leg in legs {
        leg.name = format!("{caller} / {}", leg.name);
        leg.key.id = format!("{key}/{}", leg.key.id);
        if let Some(call) = &mut leg.call
            && let CalledJobs::Planned(called) = &mut call.called
        {
            put_before(called, caller, key);
        }
    }
}

/// The inputs of a called workflow: what the caller gives, else the default, else nothing of its kind.
fn inputs(
    caller: &Workflow,
    call: &Call,
    called: &Workflow,
    (facts, of_leg): (&Facts, &Facts),
) -> Result<Vec<(String, Option<Value>)>, ExpandError> {
    let definitions = called.interface().unwrap_or_default().inputs;
    let given = call.with.as_ref().and_then(Token::as_mapping);
    let given = given.unwrap_or_default().iter();
    let given: HashMap<String, &Token> = given
        .filter_map(|pair| Some((pair.key.name()?.to_lowercase(), &pair.value)))
        .collect();
    let value = |definition: &InputDefinition| {
        let evaluated = match (
            given.get(&definition.name.value.to_lowercase()),
            &definition.default,
        ) {
            (Some(token), _) => evaluate(caller, token, of_leg),
            (None, Some(token)) => evaluate(called, token, facts),
            (None, None) => return Ok(Some(nothing(definition.kind))),
        };
        let place = given.get(&definition.name.value.to_lowercase());
        let place = place.map_or((called, definition.default.as_ref()), |token| {
            (caller, Some(*token))
        });
        match evaluated {
            Ok(value) => typed(value, definition, place).map(Some),
            Err(ExpandError::Pending) => Ok(None),
            Err(error) => Err(error),
        }
    };
    definitions
        .iter()
        .map(|definition| Ok((definition.name.value.clone(), value(definition)?)))
        .collect()
}

/// What an input is that nobody gives (docs: `on.workflow_call.inputs.<input_id>.default`).
fn nothing(kind: InputKind) -> Value {
    match kind {
        InputKind::String => Value::from(""),
        InputKind::Boolean => Value::Bool(false),
        InputKind::Number => Value::Number(0.0),
    }
}

/// A value of the input's kind; a boolean or a number is no text (`WorkflowTemplateEvaluator.cs`).
fn typed(
    value: Value,
    definition: &InputDefinition,
    (workflow, token): (&Workflow, Option<&Token>),
) -> Result<Value, ExpandError> {
    let problem = match (definition.kind, &value) {
        (InputKind::String, value) if value.is_primitive() => {
            return Ok(Value::String(value.to_text()));
        }
        (InputKind::Boolean, Value::Bool(_)) | (InputKind::Number, Value::Number(_)) => {
            return Ok(value);
        }
        (InputKind::String, _) => TokenProblem::ExpectedString,
        (_, value) => TokenProblem::UnexpectedValue(value.to_text().to_string()),
    };
    let span = token.map_or(definition.name.span, |token| token.span);
    let found = Diagnostic::new(
        &workflow.source,
        span,
        Code::Expression,
        problem.to_string(),
    );
    Err(ExpandError::Invalid(Box::new(found)))
}

#[cfg(test)]
mod tests;
