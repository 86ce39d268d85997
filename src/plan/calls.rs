//! A job that calls a workflow: the jobs of that workflow, as they are for one leg of the caller.

use std::collections::HashMap;

use super::decided::Facts;
use super::expand::{ExpandError, evaluate};
use super::make::{Budget, Plan, PlannedJob, plan_jobs};
use crate::expr::{Object, Value};
use crate::source::{Code, Diagnostic};
use crate::workflow::{Call, Called, InputDefinition, InputKind, Token, Workflow};

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
    /// Named as GitHub names them, `caller / called`; their waves are counted from the caller's.
    Planned(Plan),
    /// The workflow is not at hand.
    NotFollowed {
        /// Why.
        why: String,
    },
}

/// Plans what one leg calls: `name` is the leg's, `facts` are the run's, and `of_leg` those with its
/// matrix.
pub(super) fn plan_call(
    caller: &Workflow,
    call: &Call,
    name: &str,
    (facts, of_leg): (&Facts, &Facts),
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
    facts.contexts.shift_remove("inputs");
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
    let jobs: Vec<_> = workflow.jobs.values().collect();
    let mut plan = plan_jobs(workflow, &jobs, &facts, budget)?;
    put_before(&mut plan, name);
    Ok(PlannedCall {
        uses,
        inputs,
        called: CalledJobs::Planned(plan),
    })
}

/// `caller / called`, also of what is called in turn.
fn put_before(plan: &mut Plan, caller: &str) {
    let legs = plan.jobs.iter_mut().flat_map(|job| &mut job.legs).flatten();
    for leg in legs {
        leg.name = format!("{caller} / {}", leg.name);
        if let Some(call) = &mut leg.call
            && let CalledJobs::Planned(called) = &mut call.called
        {
            put_before(called, caller);
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
        match evaluated {
            Ok(value) => Ok(Some(typed(value, definition.kind))),
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

fn typed(value: Value, kind: InputKind) -> Value {
    match kind {
        InputKind::String if value.is_primitive() => Value::String(value.to_text()),
        _ => value,
    }
}

#[cfg(test)]
mod tests;
