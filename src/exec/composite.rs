//! Composite actions (runner `CompositeActionHandler`): their steps go the way of a job's steps, in a
//! scope of their own and on a copy of the job's state.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::json;

use super::action::{self, Turned};
use super::background::Ended;
use super::contexts::{FixedContexts, GithubOfStep};
use super::effects::{CompositePost, Effects, Post};
use super::evaluate::Seen;
use super::file_command;
use super::frame::{self, DEEPEST, Frame};
use super::handler::{Inputs, Interrupt};
use super::job::Leading;
use super::left_out;
use super::loaded::Loaded;
use super::log::StepLog;
use super::state::JobState;
use super::step::{self, Turn};
use crate::agent::AgentError;
use crate::clock::Moment;
use crate::digest::Digest;
use crate::expr::Value;
use crate::ids::Phase;
use crate::outcome::Outcome;
use crate::workflow::{Step, Using};

/// Contexts that the steps of an action do not see.
const HIDDEN: [&str; 3] = ["secrets", "vars", "needs"];

/// A composite action with everything evaluated.
pub(super) struct Composite<'a> {
    inner: Leading<'a>,
    action: Arc<Loaded>,
    /// What of the `github` context its outputs see.
    github: GithubOfStep,
    /// What the log shows first.
    header: Vec<String>,
    /// All that was given to it.
    pub(super) digest: Digest,
}

/// What steps of actions came to.
type Running<'s> = Pin<Box<dyn Future<Output = Result<Effects, AgentError>> + Send + 's>>;

impl<'a> Composite<'a> {
    /// The main part of the action that a step uses.
    ///
    /// # Errors
    /// Where actions stand in each other too deep: what the log says.
    pub(super) fn new(
        job: &Leading<'a>,
        turned: Turned<'_>,
        action: &Arc<Loaded>,
        (github, inputs): (GithubOfStep, Inputs),
    ) -> Result<Self, Vec<String>> {
        if job.frame.within.len() >= DEEPEST {
            return Err(vec![format!(
                "Composite action depth exceeded max depth {DEEPEST}"
            )]);
        }
        let given = json!([action.manifest.source.text, inputs, turned.env]);
        let state = job.state.copy();
        Ok(Self {
            header: action::header(&inputs, turned.env),
            inner: job.inner(turned, action, (&github, &inputs), state),
            action: Arc::clone(action),
            github,
            digest: Digest::of(given.to_string()),
        })
    }

    /// Runs its steps, one after the other, to the end of the last.
    pub(super) fn run<'s>(self, log: &'s mut StepLog, interrupt: Interrupt) -> Running<'s>
    where
        'a: 's,
    {
        Box::pin(async move {
            let title = format!("Run {}", self.action.shown);
            log.group(&title, self.header);
            let mut inner = self.inner;
            let mut effects = Effects::of(Outcome::Success);
            let steps = steps(&self.action);
            for (index, step) in steps.iter().enumerate() {
                inner
                    .run_nested(index, step, &interrupt, &mut effects)
                    .await?;
            }
            effects.outcome = inner.state.status;
            let env = inner.state.env.clone();
            let seen = Seen {
                env: &env,
                github: Some(&self.github),
                source: None,
            };
            for output in &self.action.manifest.outputs {
                let Some(token) = &output.value else {
                    continue;
                };
                let value = inner.evaluate(seen, |contexts| token.evaluate_string(contexts));
                match value.await? {
                    Ok(value) => {
                        effects.outputs.insert(output.name.value.clone(), value);
                    }
                    Err(message) => {
                        log.error(message);
                        effects.outcome = Outcome::Failure;
                        break;
                    }
                }
            }
            effects.left_out = left_out::of_outputs(&inner, &self.action.manifest.outputs);
            effects.states = inner.state.states;
            effects.post = post_of(&self.action, inner.state.steps, inner.state.posts);
            Ok(effects)
        })
    }
}

/// The steps of a composite action.
pub(super) fn steps(action: &Loaded) -> &[Step] {
    match &action.manifest.runs.using {
        Using::Composite { steps } => steps,
        _ => &[],
    }
}

/// The post part of a composite action is that of its steps; none where none has one.
pub(super) fn post_of(
    action: &Arc<Loaded>,
    steps: IndexMap<String, super::contexts::StepRecord>,
    nested: Vec<super::effects::Registered>,
) -> Option<Post> {
    (!nested.is_empty()).then(|| {
        Post::Composite(CompositePost {
            action: Arc::clone(action),
            steps,
            nested,
        })
    })
}

impl<'a> Leading<'a> {
    /// The scope of the steps of an action that a step uses, on this state.
    pub(super) fn inner(
        &self,
        turned: Turned<'_>,
        action: &Arc<Loaded>,
        (github, inputs): (&GithubOfStep, &Inputs),
        mut state: JobState,
    ) -> Leading<'a> {
        let sources = self.sources(turned.step);
        let with = match &turned.step.action {
            crate::workflow::StepAction::Uses { with, .. } => with.as_ref(),
            _ => None,
        };
        let outer = self.frame.composite.as_ref();
        let mut env = outer.map(|outer| outer.env.clone()).unwrap_or_default();
        env.extend(turned.own.clone());
        let mut known_env = outer
            .map(|outer| outer.known_env.clone())
            .unwrap_or_default();
        known_env.extend(sources.of_members(turned.step.env.as_ref()));
        let frame = Frame {
            source: Arc::clone(&action.manifest.source),
            location: action.location.clone(),
            within: self.frame.path_of(turned.index),
            github: GithubOfStep {
                path: Some(action.directory.clone()),
                ..github.clone()
            },
            composite: Some(frame::Composite {
                action: Arc::clone(action),
                address: self.frame.address_of(turned.step),
                env,
                job_status: self.job_status(),
                is_main: turned.phase == Phase::Main,
                known_inputs: sources.of_members(with),
                known_env,
            }),
        };
        if turned.phase == Phase::Main {
            state.status = Outcome::Success;
        }
        let mut contexts = self.contexts.0.clone();
        HIDDEN.iter().for_each(|name| {
            contexts.shift_remove(name);
        });
        contexts.insert("inputs", Value::from(json!(inputs)));
        Leading {
            run: self.run,
            of: self.of,
            job: self.job,
            place: self.place,
            label: self.label,
            environment: Arc::clone(&self.environment),
            contexts: FixedContexts(contexts),
            cancellation: self.cancellation.clone(),
            frame,
            state,
            log: Arc::clone(&self.log),
            cold: None,
        }
    }

    /// Runs a step of an action; what it does is seen by those after it, and gathered in `all`.
    async fn run_nested(
        &mut self,
        index: usize,
        step: &Step,
        interrupt: &Interrupt,
        all: &mut Effects,
    ) -> Result<(), AgentError> {
        let key = self.step_key(index, Phase::Main);
        let mut log = self.open_log(key.clone());
        let start = Moment::now();
        let prepared = match step::prepare(self, step, &mut log).await? {
            Turn::Skipped { name, reason } => {
                self.step_skipped(key, step, name, reason);
                return Ok(());
            }
            Turn::Runs(prepared) => prepared,
        };
        let interrupt = prepared.interrupt(None).within(interrupt);
        let mut ended = prepared.carry_out(log, interrupt).await?;
        self.send(ended.finished(key, ended.timing(start)));
        match ended.conclusion {
            Outcome::Cancelled => self.state.status = Outcome::Cancelled,
            Outcome::Failure => self.step_failed(),
            Outcome::Success | Outcome::Skipped => {}
        }
        gather(all, &mut ended);
        self.apply(step, ended);
        Ok(())
    }
}

/// What the job, or the action around, is to know of a step of an action: its outputs, its place and
/// what it kept are seen within the action alone.
fn gather(all: &mut Effects, ended: &mut Ended) {
    let effects = &mut ended.effects;
    all.cost = all.cost.and(effects.cost);
    all.env.extend(effects.env.iter().cloned());
    file_command::append_paths(&mut all.path, &effects.path);
    all.asked.extend(effects.asked.iter().cloned());
    all.looked.append(&mut effects.looked);
    if let Some(opened) = &effects.opened {
        all.opened
            .get_or_insert_default()
            .extend(opened.iter().cloned());
    }
}
