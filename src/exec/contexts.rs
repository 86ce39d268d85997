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
    github: &'a GithubOfStep,
    env: Value,
    steps: Value,
    job: Value,
    status: Outcome,
    job_status: Outcome,
    pub(super) hashes: &'a HashAnswers,
}

/// What of a job changes from step to step.
pub(super) struct Changing<'a> {
    /// Members of the `github` context.
    pub(super) github: &'a GithubOfStep,
    pub(super) env: &'a IndexMap<String, String>,
    pub(super) steps: &'a IndexMap<String, StepRecord>,
    /// What `success()` and `failure()` look at: the job's, or that of the composite action.
    pub(super) status: Outcome,
    pub(super) job_status: Outcome,
}

/// What of the `github` context is the step's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GithubOfStep {
    /// `action`: the id of the job's step.
    pub(super) action: String,
    /// `action_path`, in composite actions.
    pub(super) path: Option<String>,
    /// `action_repository` and `action_ref`, of actions of a repository.
    pub(super) repository: Option<(String, String)>,
}

impl GithubOfStep {
    /// With the repository that an action comes from; a script comes from none.
    pub(super) fn of(&self, repository: Option<&(String, String)>) -> Self {
        Self {
            repository: repository.cloned(),
            ..self.clone()
        }
    }

    fn over(&self, github: &Value) -> Value {
        let Value::Object(known) = github else {
            return github.clone();
        };
        let mut object = Object::clone(known);
        let (repository, git_ref) = self.repository.clone().unzip();
        let action = Some(self.action.clone()).filter(|action| !action.is_empty());
        for (name, value) in [
            ("action", action),
            ("action_path", self.path.clone()),
            ("action_repository", repository),
            ("action_ref", git_ref),
        ] {
            object.insert(name, value.map_or(Value::Null, |text| text.as_str().into()));
        }
        Value::from(object)
    }
}

impl Contexts for StepContexts<'_> {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        Ok(match name {
            "github" => match self.fixed.0.get(name) {
                Some(github) => self.github.over(github),
                None => Value::Null,
            },
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
            "cancelled" => (self.job_status == Outcome::Cancelled).into(),
            other => return Err(CallError::Failed(format!("unknown function {other}"))),
        })
    }
}

impl<'a> StepContexts<'a> {
    pub(super) fn new(
        fixed: &'a FixedContexts,
        changing: &Changing<'a>,
        hashes: &'a HashAnswers,
    ) -> Self {
        Self {
            fixed,
            github: changing.github,
            env: env_context(changing.env),
            steps: steps_context(changing.steps),
            job: job_context(fixed, changing.job_status),
            status: changing.status,
            job_status: changing.job_status,
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
