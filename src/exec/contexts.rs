//! What `${{ }}` sees while a job runs.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::json;

use crate::expr::{CallError, Case, Contexts, Object, Value};
use crate::lookup::HashedFile;
use crate::outcome::Outcome;

/// The contexts that stay as they are from the job's first step to its last.
#[derive(Debug, Clone, Default)]
pub(super) struct FixedContexts(pub(super) IndexMap<&'static str, Value>);

/// How a step that has ended is remembered.
#[derive(Debug, Clone)]
pub(super) struct StepRecord {
    pub(super) outputs: IndexMap<String, String>,
    pub(super) outcome: Outcome,
    pub(super) conclusion: Outcome,
    /// Why it was not run here although GitHub would have run it.
    pub(super) left_out: Option<String>,
}

/// One evaluated `hashFiles` call.
#[derive(Debug, Clone)]
pub(super) struct Hashed {
    pub(super) digest: String,
    pub(super) files: Vec<HashedFile>,
}

/// Answers of `hashFiles` within one evaluation; asked of the agent, never kept longer,
/// because the files may change with every step.
pub(super) type HashAnswers = HashMap<Vec<String>, Result<Hashed, String>>;

/// Everything an expression of a step may ask for.
pub(super) struct StepContexts<'a> {
    fixed: &'a FixedContexts,
    env: Value,
    steps: Value,
    job: Value,
    status: Outcome,
    pub(super) hashes: &'a HashAnswers,
}

/// What of a job changes from step to step.
pub(super) struct Changing<'a> {
    pub(super) env: &'a IndexMap<String, String>,
    pub(super) steps: &'a IndexMap<String, StepRecord>,
    pub(super) status: Outcome,
}

impl Contexts for StepContexts<'_> {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        Ok(match name {
            "env" => self.env.clone(),
            "steps" => self.steps.clone(),
            "job" => self.job.clone(),
            name => self.fixed.0.get(name).cloned().unwrap_or_default(),
        })
    }

    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, CallError> {
        Ok(match function.to_ascii_lowercase().as_str() {
            "hashfiles" => return self.hash_files(arguments),
            "always" => true.into(),
            "success" => (self.status == Outcome::Success).into(),
            "failure" => (self.status == Outcome::Failure).into(),
            "cancelled" => (self.status == Outcome::Cancelled).into(),
            other => return Err(CallError::Failed(format!("unknown function {other}"))),
        })
    }
}

impl<'a> StepContexts<'a> {
    pub(super) fn new(
        fixed: &'a FixedContexts,
        changing: &Changing<'_>,
        hashes: &'a HashAnswers,
    ) -> Self {
        Self {
            fixed,
            env: env_context(changing.env),
            steps: steps_context(changing.steps),
            job: job_context(fixed, changing.status),
            status: changing.status,
            hashes,
        }
    }

    fn hash_files(&self, arguments: &[Value]) -> Result<Value, CallError> {
        let patterns: Vec<String> = arguments
            .iter()
            .map(|argument| argument.to_text().to_string())
            .collect();
        match self.hashes.get(&patterns) {
            None => Err(CallError::Pending),
            Some(Ok(hashed)) => Ok(Value::from(hashed.digest.as_str())),
            Some(Err(message)) => Err(CallError::Failed(message.clone())),
        }
    }
}

/// The `job` context; a plain job has no container and no services.
fn job_context(fixed: &FixedContexts, status: Outcome) -> Value {
    let mut object = match fixed.0.get("job") {
        Some(Value::Object(object)) => Object::clone(object),
        _ => Object::default(),
    };
    object.insert("status", status.as_str());
    Value::from(object)
}

/// The `env` context is the only one whose names are case-sensitive (on Linux).
fn env_context(env: &IndexMap<String, String>) -> Value {
    let members = env
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    Value::from(Object::from_members(Case::Sensitive, members))
}

fn steps_context(steps: &IndexMap<String, StepRecord>) -> Value {
    let all = steps.iter().map(|(id, record)| {
        let record = json!({
            "outputs": record.outputs,
            "outcome": record.outcome,
            "conclusion": record.conclusion,
        });
        (id.clone(), Value::from(record))
    });
    Value::from(all.collect::<Object>())
}
