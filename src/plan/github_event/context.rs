//! The `github` context as far as it belongs to the run: jobs and steps add their own keys.

use serde_json::{Map, Value, json};

use super::identity::{ACTOR, Identity, SERVER_URL, stable_id};
use super::outsider::Outsider;
use super::payload;
use super::trigger::{EventOptions, Trigger};
use crate::git::{Facts, Snapshot};
use crate::ids::RunId;
use crate::lookup::Scope;

/// What makes a run this run and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIdentity {
    /// `github.run_id`
    pub run: RunId,
    /// `github.run_number`: counts the runs of one workflow, from one.
    pub number: u64,
    /// `github.workflow`: its name, or its path where it has none.
    pub workflow: String,
    /// The workflow's file from the root, such as `.github/workflows/ci.yml`.
    pub workflow_path: String,
}

/// The `github` context of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct GithubContext {
    /// `github.event_name`
    pub event_name: String,
    /// `github.event`: the payload.
    pub event: Value,
    /// `github.ref`, in full.
    pub git_ref: String,
    /// `github.sha`
    pub sha: String,
    /// `github.head_ref`; empty unless a pull request started the run.
    pub head_ref: String,
    /// `github.base_ref`; empty unless a pull request started the run.
    pub base_ref: String,
    /// The repository.
    pub identity: Identity,
    /// The run.
    pub run: RunIdentity,
    /// Who started it, if not a member.
    pub outsider: Option<Outsider>,
}

/// Events on the default branch that may still save caches (changelog 2026-06-26): what others
/// than the repository's own members can start there may only read.
const TRUSTED_ON_DEFAULT_BRANCH: &[&str] = &[
    "push",
    "schedule",
    "workflow_dispatch",
    "workflow_run",
    "repository_dispatch",
    "delete",
    "registry_package",
    "page_build",
];

impl GithubContext {
    /// The context of a run of `snapshot`, which was taken of the trigger's content.
    pub fn new(
        trigger: &Trigger,
        options: &EventOptions,
        facts: &Facts,
        snapshot: &Snapshot,
        run: RunIdentity,
    ) -> Self {
        let mut context = Self {
            event_name: trigger.event.clone(),
            event: Value::Null,
            git_ref: trigger.git_ref.clone(),
            sha: snapshot.sha().to_owned(),
            head_ref: String::new(),
            base_ref: String::new(),
            identity: Identity::of(facts),
            run,
            outsider: options.outsider,
        };
        if let Some((head, _)) = &trigger.pull_request {
            context.head_ref.clone_from(head);
        }
        if let Some(base) = &trigger.base {
            context.base_ref.clone_from(&base.branch);
        }
        context.event = payload::payload(&context, trigger, options, facts, snapshot);
        if let Some(given) = &options.payload {
            lay_over(&mut context.event, given);
        }
        context
    }

    /// `github.actor`
    pub fn actor(&self) -> &'static str {
        self.outsider.map_or(ACTOR, Outsider::actor)
    }

    /// `github.secret_source`: `Actions` where the run gets the repository's own secrets.
    pub fn secret_source(&self) -> &'static str {
        let outsider = self.outsider;
        outsider.map_or("Actions", |outsider| {
            outsider.secret_source(&self.event_name)
        })
    }

    /// `github.ref_name`: `main`, `v1.0`, `7/merge`.
    pub fn ref_name(&self) -> &str {
        ["refs/heads/", "refs/tags/", "refs/pull/"]
            .iter()
            .find_map(|prefix| self.git_ref.strip_prefix(prefix))
            .unwrap_or(&self.git_ref)
    }

    /// `github.ref_type`: `tag`, or `branch` for everything else.
    pub fn ref_type(&self) -> &'static str {
        match self.git_ref.starts_with("refs/tags/") {
            true => "tag",
            false => "branch",
        }
    }

    /// `github.workflow_ref`
    pub fn workflow_ref(&self) -> String {
        format!(
            "{}/{}@{}",
            self.identity.repository(),
            self.run.workflow_path,
            self.git_ref
        )
    }

    /// The scopes whose caches the run may read, in the order they are searched: its own, the
    /// base of its pull request, the default branch (docs: restrictions for accessing a cache).
    pub fn readable_scopes(&self) -> Vec<Scope> {
        let mut scopes = vec![Scope(self.git_ref.clone())];
        for branch in [&self.base_ref, &self.identity.default_branch] {
            let scope = Scope(format!("refs/heads/{branch}"));
            if !branch.is_empty() && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes
    }

    /// The scope the run saves caches to; none when it may only read.
    pub fn writable_scope(&self) -> Option<Scope> {
        let default = format!("refs/heads/{}", self.identity.default_branch);
        let trusted = TRUSTED_ON_DEFAULT_BRANCH.contains(&self.event_name.as_str());
        (self.git_ref != default || trusted).then(|| Scope(self.git_ref.clone()))
    }

    /// The context as expressions see it, without the keys of jobs and steps (`job`, `action…`,
    /// `workspace`, `token`, `event_path`, the files of the file commands).
    pub fn to_value(&self) -> Value {
        let Identity { owner, .. } = &self.identity;
        let repository = self.identity.repository();
        json!({
            "ref": self.git_ref,
            "sha": self.sha,
            "repository": repository,
            "repository_owner": owner,
            "repository_owner_id": stable_id(owner).to_string(),
            "repositoryUrl": format!("git://github.com/{repository}.git"),
            "run_id": self.run.run.to_string(),
            "run_number": self.run.number.to_string(),
            "retention_days": "90",
            "run_attempt": "1",
            "actor_id": stable_id(self.actor()).to_string(),
            "actor": self.actor(),
            "workflow": self.run.workflow,
            "head_ref": self.head_ref,
            "base_ref": self.base_ref,
            "event_name": self.event_name,
            "event": self.event,
            "server_url": SERVER_URL,
            "api_url": "https://api.github.com",
            "graphql_url": "https://api.github.com/graphql",
            "ref_name": self.ref_name(),
            "ref_protected": false,
            "ref_type": self.ref_type(),
            "secret_source": self.secret_source(),
            "workflow_ref": self.workflow_ref(),
            "workflow_sha": self.sha,
            "repository_id": stable_id(&repository).to_string(),
            "triggering_actor": self.actor(),
        })
    }
}

/// Puts every key that is given in the place of, or beside, what is there.
fn lay_over(value: &mut Value, given: &Value) {
    match (value, given) {
        (Value::Object(object), Value::Object(given)) => lay_object_over(object, given),
        (value, given) => *value = given.clone(),
    }
}

fn lay_object_over(object: &mut Map<String, Value>, given: &Map<String, Value>) {
    for (key, given) in given {
        lay_over(object.entry(key.clone()).or_insert(Value::Null), given);
    }
}
