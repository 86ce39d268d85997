//! What the user lets a run have and do: its secrets, and whether it may deploy and publish.

use indexmap::IndexMap;

use super::decided::Facts;
use crate::expr::{Object, Value};
use crate::workflow::{Call, Job, Level, Permissions, Token};

/// What the user gave and allowed.
#[derive(Debug, Clone, Default)]
pub struct Permitted {
    /// The secrets that have a value, as the workflow sees them.
    pub secrets: IndexMap<String, String>,
    /// Those of environments, by the environment's name in lower case.
    pub environments: IndexMap<String, IndexMap<String, String>>,
    /// `--allow-publish`
    pub publish: bool,
}

/// The run's own token among the secrets.
const TOKEN: &str = "GITHUB_TOKEN";

impl Permitted {
    /// Whether a secret has a value that is not empty.
    pub fn has(&self, secret: &str) -> bool {
        let mut given = self.secrets.iter();
        given.any(|(name, value)| name.eq_ignore_ascii_case(secret) && !value.is_empty())
    }

    /// What a called workflow has of it. A secret that is passed on counts as given where what it is made
    /// of is known and not empty.
    #[must_use]
    pub(super) fn of_called(&self, call: &Call, facts: &Facts) -> Self {
        if call.inherits_secrets() {
            return self.clone();
        }
        let own = self.secrets.get_key_value(TOKEN);
        let mut secrets: IndexMap<_, _> = own
            .map(|(name, value)| (name.clone(), value.clone()))
            .into_iter()
            .collect();
        let facts = facts.judging(self);
        let passed = call.secrets.as_ref().and_then(Token::as_mapping);
        for pair in passed.unwrap_or_default() {
            let value = pair.value.evaluate_string(&facts);
            if let (Some(name), Ok(value)) = (pair.key.name(), value) {
                secrets.insert(name.to_owned(), value);
            }
        }
        Self {
            secrets,
            environments: self.environments.clone(),
            publish: self.publish,
        }
    }

    /// The same with what the environment of a job gives, as far as its name is known.
    #[must_use]
    pub(super) fn with_environment(&self, job: &Job, facts: &Facts) -> Self {
        let mut own = self.clone();
        let name = job.environment.as_ref().and_then(|token| {
            let name = token.get("name").unwrap_or(token);
            name.evaluate_string(facts).ok()
        });
        let given = name.and_then(|name| self.environments.get(&name.to_lowercase()));
        own.secrets.extend(given.cloned().unwrap_or_default());
        own
    }

    /// What a job has of it: where it could deploy or write, no secrets without `--allow-publish`.
    #[must_use]
    pub(super) fn of_job(&self, job: &Job, facts: &Facts) -> Self {
        match self.withheld(job, facts) {
            None => self.with_environment(job, facts),
            Some(_) => Self::default(),
        }
    }

    /// Why a job's secrets are empty: it has an environment, or its token may write.
    pub fn withheld(&self, job: &Job, facts: &Facts) -> Option<String> {
        if self.publish {
            return None;
        }
        let may_write: Vec<&str> = job
            .permissions
            .iter()
            .flat_map(Permissions::given)
            .filter_map(|(name, level)| (level == Level::Write).then_some(name))
            .collect();
        let environment = job.environment.as_ref().and_then(|token| {
            let name = token.get("name").unwrap_or(token);
            let name = name.evaluate_string(facts).ok();
            let shown = name.as_deref().unwrap_or("that an expression names");
            (name.as_deref() != Some("")).then(|| format!("it has the environment {shown}"))
        });
        let writes = (!may_write.is_empty())
            .then(|| format!("its token may write {}", may_write.join(", ")));
        let why: Vec<String> = environment.into_iter().chain(writes).collect();
        (!why.is_empty()).then(|| why.join(" and "))
    }
}

impl Facts {
    /// The facts that tell what a step would do: with secrets.
    pub(super) fn judging(&self, permitted: &Permitted) -> Self {
        let secrets: Object = permitted
            .secrets
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        let mut facts = self.with("secrets", secrets.into());
        if let Some(github) = self.contexts.get("github").and_then(Value::as_object) {
            let token = permitted.secrets.get(TOKEN).map_or("", String::as_str);
            let mut github = github.clone();
            github.insert("token", token);
            facts.contexts.insert("github".to_owned(), github.into());
        }
        facts
    }
}
