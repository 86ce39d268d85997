//! The parts of actions beside their main part: `pre` before the job's first step, in the order of
//! the steps, and `post` after its last, in the reverse order of the actions that started.
//!
//! Those of a composite action's steps run within one part of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use indexmap::IndexMap;

use super::action::{self, ActionWork, Turned};
use super::composite::{self, post_of};
use super::effects::{CacheState, Effects, Post, Registered, register};
use super::frame::DEEPEST;
use super::handler::{self, Scope};
use super::job::Leading;
use super::loaded::Loaded;
use super::log::StepLog;
use super::step::{self, Limits, conclude};
use crate::action::Files;
use crate::agent::AgentError;
use crate::clock::Moment;
use crate::event::{End, EventKind};
use crate::ids::Phase;
use crate::outcome::{Outcome, SkipReason, Timing};
use crate::workflow::{Condition, Location, Step, StepAction, Using};

/// How a part ends; none if it was skipped.
type Running<'s> = Pin<Box<dyn Future<Output = Result<Option<End>, AgentError>> + Send + 's>>;

impl<'a> Leading<'a> {
    /// `pre` parts, before any step, whatever the steps' conditions: a job that fails here runs only
    /// the steps that run in a failed job.
    pub(super) async fn run_pres(&mut self, steps: &[Step]) -> Result<(), AgentError> {
        let mut files = Vec::new();
        let parts = self.pres(steps, &self.frame.location, 0, &mut files);
        // GitHub has them there before the first step. What cannot be is told by the step.
        for files in files {
            let _ = handler::lay_out_action(self.run, self.place, &files).await;
        }
        for part in parts {
            self.note_cancellation();
            let step = &steps[part.index as usize];
            let end = self.run_part(step, Phase::Pre, part).await?;
            self.part_ended(end);
        }
        Ok(())
    }

    /// The `pre` parts of the actions that steps use, as far as these are known before the first step:
    /// those of the workspace are not. Also gathers the `files` of all that are known.
    fn pres(
        &self,
        steps: &[Step],
        from: &Location,
        depth: usize,
        files: &mut Vec<Arc<Files>>,
    ) -> Vec<Registered> {
        let mut parts = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let StepAction::Uses { reference, .. } = &step.action else {
                continue;
            };
            let Some(found) = self.run.actions.find(from, &reference.value) else {
                continue;
            };
            let action = Arc::new(Loaded::of_files(&found));
            files.push(found);
            let post = match &action.manifest.runs.using {
                Using::Node { pre: Some(_), .. } => Some(Post::JavaScript(Arc::clone(&action))),
                Using::Composite { steps } if depth < DEEPEST => {
                    let nested = self.pres(steps, &action.location, depth + 1, files);
                    post_of(&action, IndexMap::new(), nested)
                }
                _ => None,
            };
            parts.extend(post.map(|post| Registered {
                by_pre: true,
                index: index as u32,
                name: String::new(),
                post,
            }));
        }
        parts
    }

    /// Post parts, the last registered first.
    pub(super) async fn run_posts(&mut self, steps: &[Step]) -> Result<(), AgentError> {
        while let Some(post) = self.state.posts.pop() {
            self.note_cancellation();
            let step = &steps[post.index as usize];
            let end = self.run_part(step, Phase::Post, post).await?;
            self.part_ended(end);
        }
        Ok(())
    }

    fn part_ended(&mut self, end: Option<End>) {
        if end.is_some_and(|end| end.conclusion == Outcome::Failure) {
            self.step_failed();
        }
    }

    /// Runs a part. What it does to the environment is done to this state.
    fn run_part<'s>(&'s mut self, step: &'s Step, phase: Phase, part: Registered) -> Running<'s> {
        Box::pin(async move {
            let Registered {
                index, name, post, ..
            } = part;
            let key = self.step_key(index as usize, phase);
            let start = Moment::now();
            let mut log = self.open_log(key.clone());
            let mut env = self.env();
            // An error in it fails the part only if it is to run.
            let own = self.text_map(step.env.as_ref(), &env).await?;
            env.extend(own.clone().unwrap_or_default());
            let name = match phase {
                Phase::Post => format!("Post {name}"),
                Phase::Pre | Phase::Main => {
                    let name = step::display_name(self, step, (&env).into()).await?;
                    format!("Pre {name}")
                }
            };
            let condition = condition(&post, phase);
            let holds = match condition {
                Some(condition) => self.holds(condition, self.job_status(), &env).await?,
                None => Ok(match &post {
                    Post::SaveCache(_) => self.job_status() == Outcome::Success,
                    _ => true,
                }),
            };
            if holds == Ok(false) {
                if let Post::SaveCache(state) = &post {
                    let scope = self.scope(step, &name, &mut log);
                    handler::cannot_save_cache(&scope, state, self.job_status()).await;
                    log.finish();
                }
                let condition = condition.map(|condition| condition.text.clone());
                let reason = SkipReason::Condition {
                    condition: condition.unwrap_or_else(|| "success()".to_owned()),
                };
                self.send(EventKind::StepSkipped {
                    step: key,
                    name,
                    reason,
                });
                return Ok(None);
            }
            self.send(EventKind::StepStarted {
                step: key.clone(),
                name: name.clone(),
                named: true,
                id: step.explicit_id.then(|| step.id.clone()),
            });
            let limits = match (own.clone(), holds) {
                (Err(message), _) | (_, Err(message)) => Err(message),
                _ => step::limits(self, step, condition, &env).await?,
            };
            let (limits, failed) = match limits {
                Ok(limits) => (limits, None),
                Err(message) => (Limits::default(), Some(message)),
            };
            let mut effects = match (failed, own) {
                (None, Ok(own)) => {
                    let turned = Turned {
                        step,
                        index,
                        phase,
                        env: &env,
                        own: &own,
                    };
                    self.part_of(turned, (&name, post), (&mut log, &limits))
                        .await?
                }
                (message, _) => {
                    log.error(message.unwrap_or_default());
                    Effects::of(Outcome::Failure)
                }
            };
            let said = log.finish();
            effects.state.extend(said.state);
            if said.failed && effects.outcome == Outcome::Success {
                effects.outcome = Outcome::Failure;
            }
            let end = End {
                outcome: effects.outcome,
                conclusion: conclude(effects.outcome, limits.continue_on_error),
                timing: Timing {
                    wall_us: Timing::wall(start.elapsed()).wall_us,
                    ..effects.cost
                },
            };
            self.send(EventKind::StepFinished { step: key, end });
            self.keep(step, index, &mut effects);
            Ok(Some(end))
        })
    }

    /// What a part does.
    async fn part_of(
        &mut self,
        turned: Turned<'_>,
        (name, post): (&str, Post),
        (log, limits): (&mut StepLog, &Limits),
    ) -> Result<Effects, AgentError> {
        match post {
            Post::SaveCache(state) => self.save_cache(turned, name, state, log).await,
            Post::JavaScript(action) => {
                let has_post = matches!(
                    &action.manifest.runs.using,
                    Using::Node { post: Some(_), .. }
                );
                if turned.phase == Phase::Pre && has_post {
                    let post = Post::JavaScript(Arc::clone(&action));
                    self.register_by_pre(turned.index, name, post);
                }
                match action::work(self, turned, &action, log).await? {
                    Ok(ActionWork::JavaScript(script)) => {
                        let mut scope = self.scope(turned.step, name, log);
                        scope.interrupt = limits.interrupt(None);
                        handler::run_javascript(scope, *script).await
                    }
                    Ok(ActionWork::Composite(_)) => Ok(Effects::of(Outcome::Success)),
                    Err(messages) => {
                        messages.iter().for_each(|message| log.error(message));
                        Ok(Effects::of(Outcome::Failure))
                    }
                }
            }
            Post::Composite(post) => {
                let github = self.frame.github_of(turned.step);
                let github = github.of(post.action.repository.as_ref());
                let inputs = action::inputs(self, turned, (&post.action, &github), log).await?;
                let inputs = match inputs {
                    Ok(inputs) => inputs,
                    Err(message) => {
                        log.error(message);
                        return Ok(Effects::of(Outcome::Failure));
                    }
                };
                if turned.phase == Phase::Post {
                    log.runner("Post job cleanup.");
                }
                let mut state = self.state.take();
                let (steps, posts) = (
                    std::mem::replace(&mut state.steps, post.steps),
                    std::mem::take(&mut state.posts),
                );
                let mut inner = self.inner(turned, &post.action, (&github, &inputs), state);
                let ended = inner
                    .parts_of(&post.action, turned.phase, post.nested)
                    .await;
                self.state = inner.state;
                let of_steps = std::mem::replace(&mut self.state.steps, steps);
                let nested = std::mem::replace(&mut self.state.posts, posts);
                if let Some(post) = post_of(&post.action, of_steps, nested) {
                    self.register_by_pre(turned.index, name, post);
                }
                ended
            }
        }
    }

    /// The parts of a composite action's steps: the worst of what they come to.
    async fn parts_of(
        &mut self,
        action: &Loaded,
        phase: Phase,
        mut parts: Vec<Registered>,
    ) -> Result<Effects, AgentError> {
        let mut effects = Effects::of(Outcome::Success);
        if phase == Phase::Post {
            parts.sort_by_key(|part| std::cmp::Reverse(part.index));
        }
        let steps = composite::steps(action);
        for part in parts {
            let step = &steps[part.index as usize];
            if let Some(end) = self.run_part(step, phase, part).await? {
                effects.cost = effects.cost.and(end.timing);
                if matches!(end.conclusion, Outcome::Failure | Outcome::Cancelled) {
                    effects.outcome = end.conclusion;
                }
            }
        }
        Ok(effects)
    }

    fn register_by_pre(&mut self, index: u32, name: &str, post: Post) {
        let name = name.strip_prefix("Pre ").unwrap_or(name).to_owned();
        let new = Registered {
            by_pre: true,
            index,
            name,
            post,
        };
        register(&mut self.state.posts, new);
    }

    async fn save_cache(
        &mut self,
        turned: Turned<'_>,
        name: &str,
        state: CacheState,
        log: &mut StepLog,
    ) -> Result<Effects, AgentError> {
        // Evaluated again, under what the steps made of the environment and the step's own.
        match step::inputs(self, turned.step, turned.env).await? {
            Ok(inputs) => {
                let mut scope = self.scope(turned.step, name, log);
                handler::save_cache(&mut scope, &inputs, Some(state)).await
            }
            Err(message) => {
                log.error(message);
                Ok(Effects::of(Outcome::Failure))
            }
        }
    }

    fn scope<'s>(&'s self, step: &'s Step, name: &'s str, log: &'s mut StepLog) -> Scope<'s> {
        Scope {
            run: self.run,
            place: self.place,
            address: self.frame.address_of(step),
            name,
            log,
            interrupt: Limits::default().interrupt(None),
        }
    }
}

/// When a part runs; none where that is not the action's to say.
fn condition(post: &Post, phase: Phase) -> Option<&Condition> {
    match post {
        Post::JavaScript(action) => Some(match phase {
            Phase::Pre => &action.manifest.runs.pre_if,
            _ => &action.manifest.runs.post_if,
        }),
        Post::SaveCache(_) | Post::Composite(_) => None,
    }
}
