//! The variables and secrets a job gets: the run's, and those of the environment it names.

use indexmap::IndexMap;

use super::job::LegSpec;
use super::run::Run;
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::EventKind;
use crate::expr::{Object, Value};
use crate::plan::{Facts, Permitted};
use crate::workflow::{Job, TokenError};

/// What an environment gives the jobs that name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenEnvironment {
    /// Configuration variables, by their names in upper case.
    pub vars: IndexMap<String, String>,
    /// The secrets that have a value, by their names in upper case.
    pub secrets: IndexMap<String, String>,
    /// Why others have none, in words.
    pub lacking: Vec<String>,
}

/// The secrets of environments, by the environments' names.
pub fn environment_secrets(
    environments: &IndexMap<String, GivenEnvironment>,
) -> IndexMap<String, IndexMap<String, String>> {
    let secrets = environments
        .iter()
        .map(|(name, environment)| (name.clone(), environment.secrets.clone()));
    secrets.collect()
}

/// What one job is entrusted with.
#[derive(Debug)]
pub(super) struct Entrusted {
    /// The `vars` context.
    pub(super) vars: Value,
    /// The `secrets` context.
    pub(super) secrets: IndexMap<String, String>,
}

impl Entrusted {
    /// Decides what a leg gets: no secrets where it could deploy or write with them and nobody allowed
    /// that. An environment's values go over the repository's (docs: contexts, `vars`; "Using
    /// secrets", precedence).
    ///
    /// # Errors
    /// That of the environment's name.
    pub(super) fn of(run: &Run, spec: &LegSpec, job: &Job) -> Result<Self, TokenError> {
        let mut vars = match &run.given.vars {
            Value::Object(vars) => Object::clone(vars),
            _ => Object::default(),
        };
        let mut secrets = spec.of.secrets.clone();
        if let Some(name) = environment_name(run, spec, job)?
            && let Some(environment) = run.given.environments.get(&name.to_lowercase())
        {
            for (name, value) in &environment.vars {
                vars.insert(name.as_str(), value.as_str());
            }
            secrets.extend(environment.secrets.clone());
            for text in &environment.lacking {
                name_lacking(run, spec, text);
            }
        }
        let permitted = Permitted {
            publish: run.given.publish,
            ..Permitted::default()
        };
        if permitted.withheld(job, &facts(run, spec)).is_some() {
            secrets.clear();
        }
        Ok(Self {
            vars: Value::from(vars),
            secrets,
        })
    }
}

/// What a job's own keys may use.
fn facts(run: &Run, spec: &LegSpec) -> Facts {
    spec.of
        .facts(run)
        .with("needs", spec.needs.clone())
        .with("strategy", spec.leg.strategy.clone())
        .with("matrix", spec.leg.matrix.clone())
}

/// What a job's `environment` comes to; none where it has none or an empty one.
fn environment_name(run: &Run, spec: &LegSpec, job: &Job) -> Result<Option<String>, TokenError> {
    let Some(token) = &job.environment else {
        return Ok(None);
    };
    let facts = facts(run, spec);
    // Its `url` is of the job's end.
    let value = token.get("name").unwrap_or(token).evaluate(&facts)?;
    let name = match value.as_object() {
        Some(object) => object.get("name").map(Value::to_text),
        None => Some(value.to_text()),
    };
    let name = name.map(|name| name.to_string());
    Ok(name.filter(|name| !name.is_empty()))
}

fn name_lacking(run: &Run, spec: &LegSpec, text: &str) {
    run.events.send(EventKind::Differs(Difference {
        kind: DifferenceKind::Other {
            text: text.to_owned(),
        },
        site: Site::Job(spec.leg.key.clone()),
        effect: Effect::MayFlip,
    }));
}
