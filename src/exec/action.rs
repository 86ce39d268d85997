//! What a step gives the action that it uses, and what that comes to
//! (runner `ActionRunner`, `NodeScriptActionHandler`).

use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

use super::composite::Composite;
use super::contexts::GithubOfStep;
use super::environment::{FileCommandPaths, OfStep};
use super::evaluate::{Evaluated, Seen};
use super::handler::{Inputs, JavaScript, ProcessContext};
use super::job::Leading;
use super::loaded::{self, Found, Loaded};
use super::log::StepLog;
use super::paths::EXTERNALS;
use super::services;
use crate::agent::AgentError;
use crate::ids::Phase;
use crate::workflow::{Step, StepAction, Uses, Using};

type Env = IndexMap<String, String>;

/// A step that uses an action whose turn has come.
#[derive(Clone, Copy)]
pub(super) struct Turned<'s> {
    /// The step.
    pub(super) step: &'s Step,
    /// Its place under `steps:`.
    pub(super) index: u32,
    /// Which part of the action is to run.
    pub(super) phase: Phase,
    /// The `env` context with the step's own in it.
    pub(super) env: &'s Env,
    /// The step's own `env`.
    pub(super) own: &'s Env,
}

/// What an action comes to that is none of lrun's own.
pub(super) enum ActionWork<'a> {
    /// A part of a JavaScript action.
    JavaScript(Box<JavaScript>),
    /// A composite action.
    Composite(Box<Composite<'a>>),
}

/// What an action comes to, or what the log says instead, line by line.
pub(super) type Worked<'a> = Result<ActionWork<'a>, Vec<String>>;

/// The action that a step uses, as it is when the step's turn comes.
///
/// # Errors
/// When the agent cannot be spoken to.
pub(super) async fn load(job: &Leading<'_>, step: &Step) -> Result<Found, AgentError> {
    let StepAction::Uses { reference, .. } = &step.action else {
        return Ok(Err(vec!["this step uses no action".to_owned()]));
    };
    let uses = &reference.value;
    match Uses::parse(uses) {
        Uses::Local => loaded::from_workspace(job, uses).await,
        Uses::Docker => Ok(Err(vec![loaded::no_engine(uses)])),
        // One of lrun's own comes here where the user names a folder for it.
        Uses::Remote | Uses::SelfRepository | Uses::BuiltIn(_) => {
            loaded::from_repository(job, uses).await
        }
    }
}

/// What a part of an action comes to: its inputs are evaluated, its manifest is heeded.
///
/// # Errors
/// When the agent cannot be spoken to; all else is told in the log.
pub(super) async fn work<'a>(
    job: &Leading<'a>,
    turned: Turned<'_>,
    action: &Arc<Loaded>,
    log: &mut StepLog,
) -> Result<Worked<'a>, AgentError> {
    let github = job.frame.github_of(turned.step);
    let github = github.of(action.repository.as_ref());
    let inputs = match inputs(job, turned, (action, &github), log).await? {
        Ok(inputs) => inputs,
        Err(message) => return Ok(Err(vec![message])),
    };
    Ok(match &action.manifest.runs.using {
        Using::Composite { .. } => {
            let composite = Composite::new(job, turned, action, (github, inputs));
            composite.map(|composite| ActionWork::Composite(Box::new(composite)))
        }
        Using::Node {
            version,
            pre,
            main,
            post,
        } => {
            warn_of_pre(action, turned.phase, log);
            let script = match turned.phase {
                Phase::Pre => pre.as_ref().unwrap_or(main),
                Phase::Main => main,
                Phase::Post => post.as_ref().unwrap_or(main),
            };
            node_for(job, *version, turned.env).map(|node| {
                let argv = [node, format!("{}/{script}", action.directory)];
                let script = java_script(job, turned, (action, &github), (inputs, argv));
                ActionWork::JavaScript(Box::new(script))
            })
        }
        Using::Docker { .. } => Err(vec![loaded::no_engine(&action.shown)]),
        Using::Plugin { plugin } => Err(vec![format!(
            "'{}' is a part of GitHub's own runner ('{plugin}'), which lrun does not have",
            action.shown
        )]),
    })
}

fn warn_of_pre(action: &Loaded, phase: Phase, log: &mut StepLog) {
    let has_pre = matches!(
        &action.manifest.runs.using,
        Using::Node { pre: Some(_), .. }
    );
    if has_pre && action.repository.is_none() && phase == Phase::Main {
        log.warning(format!(
            "`pre` execution is not supported for local action from '{}'",
            action.shown
        ));
    }
}

/// What is given to an action, with its defaults for the rest.
pub(super) async fn inputs(
    job: &Leading<'_>,
    turned: Turned<'_>,
    (action, github): (&Loaded, &GithubOfStep),
    log: &mut StepLog,
) -> Evaluated<Inputs> {
    let StepAction::Uses { with, .. } = &turned.step.action else {
        return Ok(Ok(Inputs::new()));
    };
    let seen = Seen {
        env: turned.env,
        github: Some(github),
        source: None,
    };
    let mut inputs = match job.text_map(with.as_ref(), seen).await? {
        Ok(inputs) => inputs,
        Err(message) => return Ok(Err(message)),
    };
    judge(&inputs, action, log);
    let of_action = Seen {
        source: Some(&action.manifest.source),
        ..seen
    };
    for input in &action.manifest.inputs {
        let name = &input.name.value;
        if inputs.keys().any(|given| given.eq_ignore_ascii_case(name)) {
            continue;
        }
        let value = match &input.default {
            None => String::new(),
            Some(token) => {
                let value = job
                    .evaluate(of_action, |contexts| token.evaluate_string(contexts))
                    .await?;
                match value {
                    Ok(value) => value,
                    Err(message) => return Ok(Err(message)),
                }
            }
        };
        inputs.insert(name.clone(), value);
    }
    Ok(Ok(inputs))
}

/// Warns of inputs that are deprecated, and of those that the action does not have. One that is
/// required and missing is the action's matter.
fn judge(inputs: &Inputs, action: &Loaded, log: &mut StepLog) {
    let known = &action.manifest.inputs;
    let is_known = |name: &String| {
        let mut known = known.iter();
        known.find(|input| input.name.value.eq_ignore_ascii_case(name))
    };
    for name in inputs.keys() {
        let message = is_known(name).and_then(|input| input.deprecation_message.as_ref());
        if let Some(message) = message {
            log.warning(format!(
                "Input '{name}' has been deprecated with message: {message}"
            ));
        }
    }
    let unexpected: Vec<&str> = inputs
        .keys()
        .filter(|name| is_known(name).is_none())
        .map(String::as_str)
        .collect();
    if !unexpected.is_empty() {
        let valid: Vec<&str> = known.iter().map(|input| &*input.name.value).collect();
        log.warning(format!(
            "Unexpected input(s) '{}', valid inputs are ['{}']",
            unexpected.join("', '"),
            valid.join("', '")
        ));
    }
}

/// What runs an action for this version of Node.js: 24, whatever it asks for, unless the user
/// insists on an older one (runner `NodeUtil`).
fn node_for(job: &Leading<'_>, version: u32, env: &Env) -> Result<String, Vec<String>> {
    let is_set = |name: &str| {
        let value = env.get(name).or_else(|| job.environment.base.get(name));
        value.is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    };
    let insists = is_set("ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION")
        && !is_set("FORCE_JAVASCRIPT_ACTIONS_TO_NODE24");
    let externals = &job.run.place.externals;
    let (name, there) = match version <= 20 && insists {
        true => ("node20", externals.node20.is_some()),
        false => ("node24", externals.node24.is_some()),
    };
    match there {
        true => Ok(format!("{EXTERNALS}/{name}/bin/node")),
        false if name == "node20" => Err(vec![
            "ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION asks for node20, which lrun does not have: \
             without it the action runs on node24"
                .to_owned(),
        ]),
        false => Err(vec![
            "JavaScript actions need Node.js 24, which lrun does not have here: name one by \
             `--node PATH`"
                .to_owned(),
        ]),
    }
}

fn java_script(
    job: &Leading<'_>,
    turned: Turned<'_>,
    (action, github): (&Arc<Loaded>, &GithubOfStep),
    (inputs, argv): (Inputs, [String; 2]),
) -> JavaScript {
    let files = FileCommandPaths::new(&Uuid::new_v4().simple().to_string());
    let state = job.state.states.get(&job.frame.path_of(turned.index));
    let state = state.into_iter().flatten();
    let variables = state
        .map(|(name, value)| (format!("STATE_{name}"), value.clone()))
        .chain(inputs.iter().map(|(name, value)| {
            let name = name.replace(' ', "_").to_uppercase();
            (format!("INPUT_{name}"), value.clone())
        }));
    let own = OfStep {
        github,
        files: &files,
        action: variables.collect(),
        services: services::of_action(job),
    };
    let mut env = job.environment.of_step(turned.env, &job.state.path, own);
    // It may be one that this Node.js does not understand (runner issue 795).
    env.retain(|(name, _)| name != "NODE_ICU_DATA");
    JavaScript {
        argv,
        process: ProcessContext { env, files },
        header: match turned.phase {
            Phase::Post => None,
            Phase::Pre | Phase::Main => Some(header(&inputs, turned.env)),
        },
        inputs,
        action: Arc::clone(action),
    }
}

/// The lines in which the runner's log shows what an action is given.
pub(super) fn header(inputs: &Inputs, env: &Env) -> Vec<String> {
    let mut lines = Vec::new();
    for (title, members) in [("with:", inputs), ("env:", env)] {
        if members.is_empty() {
            continue;
        }
        lines.push(title.to_owned());
        let members = members.iter().filter(|(_, value)| !value.is_empty());
        for (name, value) in members {
            let shown = format!("  {name}: {value}");
            lines.extend(shown.lines().map(str::to_owned));
        }
    }
    lines
}
