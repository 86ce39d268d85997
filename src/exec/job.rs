//! One leg of a job, from an empty place to its last post step.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::background::{Background, Ended, Opened};
use super::bearing::Sources;
use super::called::Called;
use super::cancel::{Cancellation, Canceller};
use super::cold::Cold;
use super::contexts::{FixedContexts, StepRecord};
use super::control::Control;
use super::effects::{Effects, Registered, register};
use super::entrusted::Entrusted;
use super::environment::JobEnvironment;
use super::file_command;
use super::frame::Frame;
use super::log::{JobLog, Matchers, StepLog};
use super::masked::masked;
use super::paths::Paths;
use super::place::{self, CommandWatch, Up};
use super::run::Run;
use super::state::JobState;
use super::step::{self, Turn, conclude};
use super::time_limit::{Clock, keep_time};
use crate::agent::protocol::Orphan;
use crate::agent::{Agent, AgentError};
use crate::clock::Moment;
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::{End, EventKind};
use crate::expr::Value;
use crate::ids::{JobKey, Phase, StepKey};
use crate::label::Label;
use crate::outcome::{Outcome, SkipReason, Timing};
use crate::plan::{Placement, PlannedLeg};
use crate::source::{Code, Diagnostic};
use crate::workflow::{Job, JobBody, Step};

/// What GitHub takes of a job's outputs (docs: jobs.<job_id>.outputs).
const OUTPUTS_BYTES: usize = 1 << 20;

fn utf_16_bytes(outputs: &IndexMap<String, String>) -> usize {
    let units = |text: &str| text.encode_utf16().count();
    let pairs = outputs.iter();
    2 * pairs
        .map(|(name, value)| units(name) + units(value))
        .sum::<usize>()
}

/// What a leg is started with.
pub(super) struct LegSpec {
    /// The leg.
    pub(super) leg: PlannedLeg,
    /// The workflow its job stands in.
    pub(super) of: Arc<Called>,
    /// The `needs` context.
    pub(super) needs: Value,
    /// The jobs it needs, directly or not: those whose saves it sees.
    pub(super) all_needs: Vec<String>,
    /// What may run beside it.
    pub(super) concurrency: Arc<str>,
}

/// How a leg ended.
#[derive(Debug, Clone)]
pub(super) struct LegEnd {
    pub(super) key: JobKey,
    pub(super) conclusion: Outcome,
    pub(super) outputs: IndexMap<String, String>,
    pub(super) fail_fast: bool,
    /// Whether it had a place: without one it ran nothing.
    pub(super) placed: bool,
}

impl LegEnd {
    /// A leg that was cancelled before it started.
    pub(super) fn cancelled(key: JobKey) -> Self {
        Self {
            key,
            conclusion: Outcome::Cancelled,
            outputs: IndexMap::new(),
            fail_fast: false,
            placed: false,
        }
    }
}

/// A job's place, brought up.
pub(super) struct Place {
    /// What runs inside.
    pub(super) agent: Agent,
    /// Where things are inside.
    pub(super) paths: Paths,
    /// The host's directory that is /home inside.
    pub(super) home: PathBuf,
    /// A directory of the job's own on the same file system, not visible inside.
    pub(super) staging: PathBuf,
    /// The job.
    pub(super) key: JobKey,
    /// The workflow it stands in.
    pub(super) of: Arc<Called>,
    /// The jobs it needs, directly or not.
    pub(super) needs: Vec<String>,
    /// What root of a `sudo` cannot do here, and what would help.
    pub(super) root_lacks: Option<String>,
}

/// A leg being run, or a composite action of one of its steps.
pub(super) struct Leading<'a> {
    pub(super) run: &'a Arc<Run>,
    pub(super) of: &'a Arc<Called>,
    pub(super) job: &'a Job,
    pub(super) place: &'a Place,
    /// The hosted label it runs as.
    pub(super) label: Option<&'a Label>,
    pub(super) environment: Arc<JobEnvironment>,
    pub(super) contexts: FixedContexts,
    pub(super) cancellation: Cancellation,
    /// The scope of the steps: the job's own, or that of a composite action.
    pub(super) frame: Frame,
    pub(super) state: JobState,
    /// What the logs of its steps have in common.
    pub(super) log: Arc<JobLog>,
    /// None within a composite action, whose step is compared as a whole.
    pub(super) cold: Option<&'a mut Cold>,
}

/// Runs a leg. Whatever happens no process of its place is left when this returns.
pub(super) async fn run(run: Arc<Run>, spec: LegSpec, cancellation: Cancellation) -> LegEnd {
    let start = Moment::now();
    let key = spec.leg.key.clone();
    let fail_fast = spec.leg.fail_fast;
    let mut cold = Cold::new(&run, &spec);
    let ended = match spec.of.job(&key) {
        Some(job) => in_place(&run, job, &spec, (cancellation, &mut cold)).await,
        None => Ok((Outcome::Skipped, Outcome::Skipped, IndexMap::new())),
    };
    let placed = !matches!(ended, Err(place::PlaceError::Backend(_)));
    let (outcome, conclusion, outputs) = ended.unwrap_or_else(|failure| {
        run.events.send(EventKind::JobFailed {
            job: key.clone(),
            message: failure.to_string(),
        });
        (Outcome::Failure, Outcome::Failure, IndexMap::new())
    });
    let timing = Timing::wall(start.elapsed());
    if let Some(compared) = cold.job_ended(&run, &key, outcome, timing.wall_us).await {
        run.events.send(compared);
    }
    run.events.send(EventKind::JobFinished {
        job: key.clone(),
        end: End {
            outcome,
            conclusion,
            timing,
        },
    });
    LegEnd {
        key,
        conclusion,
        outputs,
        fail_fast,
        placed,
    }
}

type Results = (Outcome, Outcome, IndexMap<String, String>);

async fn in_place(
    run: &Arc<Run>,
    job: &Job,
    spec: &LegSpec,
    (cancellation, cold): (Cancellation, &mut Cold),
) -> Result<Results, place::PlaceError> {
    let entrusted = Entrusted::of(run, spec, job).map_err(|error| {
        let source = &spec.of.workflow.source;
        let message = error.problem.to_string();
        let placed = Diagnostic::new(source, error.span, Code::Expression, message);
        place::PlaceError::Environment(placed.to_string())
    })?;
    let Up {
        place,
        environment,
        mut commands,
        ground,
    } = place::bring_up(run, spec).await?;
    let state = JobState::new(run, &entrusted);
    let (canceller, own) = Canceller::new();
    let mut ended_at_once = own.clone();
    let clock = Clock {
        canceller,
        outer: cancellation,
    };
    let of = Arc::new(Called {
        secrets: entrusted.secrets.clone(),
        ..Called::clone(&spec.of)
    });
    let leading = Leading {
        run,
        of: &of,
        job,
        contexts: place::fixed_contexts(run, spec, &place.paths, &entrusted),
        place: &place,
        label: match &spec.leg.placement {
            Placement::Here { label } => Some(label),
            Placement::Elsewhere { .. } => None,
        },
        environment: Arc::new(environment),
        cancellation: own,
        frame: Frame::of_job(&spec.of.workflow),
        log: Arc::new(job_log(run, &place, &state)),
        state,
        cold: Some(cold),
    };
    let masker = leading.state.masker.clone();
    let led = tokio::select! {
        led = leading.lead(&mut commands, clock) => led,
        () = ended_at_once.ended_at_once() => {
            run.events.send(EventKind::Cancelling {
                job: Some(spec.leg.key.clone()),
                message: "The job did not end in time after it was cancelled, and was ended.".to_owned(),
            });
            Ok((Outcome::Cancelled, Outcome::Cancelled, IndexMap::new()))
        }
    };
    // What is left behind is told; it does not decide how the job ended.
    match place::take_down(run, ground).await {
        Ok(orphans) => {
            for Orphan { pid, name } in orphans {
                let job = spec.leg.key.clone();
                let ended = EventKind::OrphanEnded { job, pid, name };
                run.events.send(masked(ended, &masker));
            }
        }
        Err(error) => run.events.send(EventKind::Differs(Difference {
            kind: DifferenceKind::Other {
                text: error.to_string(),
            },
            site: Site::Job(spec.leg.key.clone()),
            effect: Effect::MayShift,
        })),
    }
    led.map_err(place::PlaceError::Agent)
}

fn job_log(run: &Run, place: &Place, state: &JobState) -> JobLog {
    JobLog {
        events: run.events.clone(),
        masker: state.masker.clone(),
        debug: run.given.is_debug(),
        matchers: Matchers::default(),
        agent: place.agent.clone(),
        workspace: place.paths.workspace.clone(),
        server_url: server_url(run),
        repository: run.github.identity.repository(),
    }
}

/// GitHub's address, as the run's own context has it.
fn server_url(run: &Run) -> String {
    let context = run.github.to_value();
    let url = context.get("server_url").and_then(|url| url.as_str());
    url.unwrap_or_default().to_owned()
}

impl<'a> Leading<'a> {
    async fn lead(
        mut self,
        commands: &mut CommandWatch,
        clock: Clock,
    ) -> Result<Results, AgentError> {
        let minutes = self.limit().await?;
        let limit = Duration::from_secs(minutes.saturating_mul(60));
        let start = Moment::now();
        let grace = self.cancel_limit().await?;
        let keeper = keep_time(clock, limit, grace);
        let job: &'a Job = self.job;
        if let JobBody::Steps(steps) = &job.body
            && self.start_job_env().await?
        {
            self.run_pres(steps).await?;
            self.run_steps(steps, commands).await?;
            self.run_posts(steps).await?;
        }
        keeper.abort();
        self.note_cancellation();
        if self.state.status == Outcome::Cancelled && start.elapsed() >= limit {
            self.send(EventKind::Cancelling {
                job: Some(self.place.key.clone()),
                message: format!(
                    "The job has exceeded the maximum execution time of {minutes} minutes."
                ),
            });
        }
        self.finish().await
    }

    /// Sends a fact about the job, without secrets.
    pub(super) fn send(&self, kind: EventKind) {
        self.run.events.send(masked(kind, &self.state.masker));
    }

    pub(super) fn step_key(&self, index: usize, phase: Phase) -> StepKey {
        StepKey {
            job: self.place.key.clone(),
            within: self.frame.within.clone(),
            index: index as u32,
            phase,
        }
    }

    /// The `env` of the workflow and of the job. False: it has no value, and the job has failed.
    async fn start_job_env(&mut self) -> Result<bool, AgentError> {
        for token in [&self.of.workflow.env, &self.job.env] {
            match self.text_map(token.as_ref(), &self.state.env).await? {
                Ok(env) => self.state.env.extend(env),
                Err(message) => {
                    self.fail(message);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Something of the job itself, not of a step, went wrong.
    pub(super) fn fail(&mut self, message: String) {
        self.send(EventKind::JobFailed {
            job: self.place.key.clone(),
            message,
        });
        self.state.status = Outcome::Failure;
    }

    async fn run_steps(
        &mut self,
        steps: &'a [Step],
        commands: &mut CommandWatch,
    ) -> Result<(), AgentError> {
        let mut background = Background::new();
        for (index, step) in steps.iter().enumerate() {
            let opened = match Control::of(step, steps, &background) {
                Some(control) => {
                    let all = (steps, &mut background);
                    self.run_control(index, &control, all).await?
                }
                None => self.run_step(index, step, &mut background).await?,
            };
            self.name_used(index, opened, commands).await?;
        }
        if let Some(control) = Control::at_end(&background) {
            let all = (steps, &mut background);
            let opened = self.run_control(steps.len(), &control, all).await?;
            self.name_used(steps.len(), opened, commands).await?;
        }
        Ok(())
    }

    /// Names the commands that were used, each with the step that used it as far as that is known.
    async fn name_used(
        &self,
        index: usize,
        mut opened: Vec<Opened>,
        commands: &mut CommandWatch,
    ) -> Result<(), AgentError> {
        if opened.is_empty() {
            // Steps before it may have left processes.
            opened.push((index, self.place.agent.opened().await?));
        }
        for (index, opened) in opened {
            let key = self.step_key(index, Phase::Main);
            commands
                .name_used(self.run, self.place, &self.environment, (&key, &opened))
                .await?;
        }
        Ok(())
    }

    /// Returns what was opened until the end of the step's process, if it had one and is over.
    async fn run_step(
        &mut self,
        index: usize,
        step: &'a Step,
        background: &mut Background<'a>,
    ) -> Result<Vec<Opened>, AgentError> {
        self.note_cancellation();
        let key = self.step_key(index, Phase::Main);
        let mut log = self.open_log(key.clone());
        let start = Moment::now();
        let prepared = match background
            .beside(step::prepare(self, step, &mut log))
            .await?
        {
            Turn::Skipped { name, reason } => {
                self.step_skipped(key, step, name, reason);
                return Ok(Vec::new());
            }
            Turn::Runs(prepared) => *prepared,
        };
        if step.background == Some(true) {
            self.cold.iter_mut().for_each(|cold| cold.give_up());
            let sender = (self.run.events.clone(), self.state.masker.clone());
            background.start(prepared, log, sender);
            return Ok(Vec::new());
        }
        let interrupt = prepared.interrupt(None);
        let mut ended = background
            .beside(prepared.carry_out(log, interrupt))
            .await?;
        let timing = ended.timing(start);
        if let Some(cold) = &mut self.cold {
            let compared = cold.step_ended(self.run, &key, &mut ended.effects, timing.wall_us);
            if let Some(compared) = compared.await {
                self.send(compared);
            }
        }
        self.send(ended.finished(key, timing));
        if ended.conclusion == Outcome::Failure {
            self.step_failed();
        }
        Ok(self.apply(step, ended).into_iter().collect())
    }

    /// A step failed, and nothing forgives it.
    pub(super) fn step_failed(&mut self) {
        if self.state.status == Outcome::Success {
            self.state.status = Outcome::Failure;
        }
    }

    pub(super) fn step_skipped(
        &mut self,
        key: StepKey,
        step: &Step,
        name: String,
        reason: SkipReason,
    ) {
        self.send(EventKind::StepSkipped {
            step: key.clone(),
            name,
            reason: reason.clone(),
        });
        self.remember(step, IndexMap::new(), Outcome::Skipped, Outcome::Skipped);
        let SkipReason::NotRunHere { obstacle } = reason else {
            return;
        };
        self.send(EventKind::Differs(Difference {
            kind: DifferenceKind::NotRun {
                obstacle: obstacle.clone(),
            },
            site: Site::Step(key),
            effect: Effect::MayFlip,
        }));
        if let Some(record) = self.state.steps.get_mut(&step.id) {
            record.left_out = Some(obstacle);
        }
    }

    /// Applies what a step asked for: the only place where a job's state changes. Returns what was
    /// opened until the end of its process, if it had one.
    pub(super) fn apply(&mut self, step: &Step, ended: Ended) -> Option<Opened> {
        let Ended {
            index,
            name,
            effects,
            conclusion,
        } = ended;
        let mut effects = *effects;
        self.state.asked.extend(std::mem::take(&mut effects.asked));
        if let Some(post) = effects.post.take() {
            let new = Registered {
                by_pre: false,
                index: index as u32,
                name,
                post,
            };
            register(&mut self.state.posts, new);
        }
        self.keep(step, index as u32, &mut effects);
        self.remember(step, effects.outputs, effects.outcome, conclusion);
        if let Some(record) = self.state.steps.get_mut(&step.id) {
            record.left_out = effects.left_out;
        }
        effects.opened.map(|opened| (index, opened))
    }

    /// What a part of a step did to the environment, and what it keeps for later parts.
    pub(super) fn keep(&mut self, step: &Step, index: u32, effects: &mut Effects) {
        let env = std::mem::take(&mut effects.env);
        let names = env.iter().map(|(name, _)| name.clone());
        let set_by = names.map(|name| (name, step.id.clone()));
        self.state.set_by.extend(set_by);
        self.state.env.extend(env);
        file_command::prepend_paths(&mut self.state.path, &effects.path);
        let own = (
            self.frame.path_of(index),
            std::mem::take(&mut effects.state),
        );
        let nested = std::mem::take(&mut effects.states);
        for (path, state) in nested.into_iter().chain([own]) {
            if !state.is_empty() {
                self.state.states.entry(path).or_default().extend(state);
            }
        }
    }

    /// The `env` context of a step before its own `env`: what steps set, under what the steps
    /// say that a composite action stands in.
    pub(super) fn env(&self) -> IndexMap<String, String> {
        let mut env = self.state.env.clone();
        if let Some(composite) = &self.frame.composite {
            env.extend(composite.env.clone());
        }
        env
    }

    /// The job's status, also within a composite action.
    pub(super) fn job_status(&self) -> Outcome {
        match &self.frame.composite {
            _ if self.cancellation.is_cancelled() => Outcome::Cancelled,
            Some(composite) => composite.job_status,
            None => self.state.status,
        }
    }

    /// Ids that GitHub makes up start with two underscores and are not recorded.
    pub(super) fn remember(
        &mut self,
        step: &Step,
        outputs: IndexMap<String, String>,
        outcome: Outcome,
        conclusion: Outcome,
    ) {
        if step.id.starts_with("__") {
            return;
        }
        let record = StepRecord {
            outputs,
            outcome,
            conclusion,
            left_out: None,
        };
        self.state.steps.insert(step.id.clone(), record);
    }

    /// Says that a part of the job that has no `continue-on-error` of its own has ended.
    pub(super) fn step_ended(&self, step: StepKey, outcome: Outcome, start: Moment) {
        self.send(EventKind::StepFinished {
            step,
            end: End {
                outcome,
                conclusion: outcome,
                timing: Timing::wall(start.elapsed()),
            },
        });
    }

    /// What the expressions of a step's inputs are judged by.
    pub(super) fn sources<'s>(&'s self, step: &'s Step) -> Sources<'s> {
        Sources {
            workflow: &self.of.workflow,
            job: self.job,
            step,
            label: self.label,
            set_by: &self.state.set_by,
            frame: &self.frame,
        }
    }

    pub(super) fn open_log(&self, key: StepKey) -> StepLog {
        StepLog::new(Arc::clone(&self.log), key)
    }

    pub(super) fn note_cancellation(&mut self) {
        if self.cancellation.is_cancelled() {
            self.state.status = Outcome::Cancelled;
        }
    }

    async fn finish(mut self) -> Result<Results, AgentError> {
        let outputs = match &self.job.outputs {
            None => IndexMap::new(),
            Some(token) => match self.text_map(Some(token), &self.state.env).await? {
                Ok(outputs) => self.without_secrets(outputs),
                Err(message) => {
                    self.fail(message);
                    IndexMap::new()
                }
            },
        };
        let outcome = self.state.status;
        let forgiven = match &self.job.continue_on_error {
            Some(token) if outcome == Outcome::Failure => self
                .evaluate(&self.state.env, |contexts| token.evaluate_bool(contexts))
                .await?
                .unwrap_or(false),
            _ => false,
        };
        Ok((outcome, conclude(outcome, forgiven), outputs))
    }

    /// An output that holds a secret is dropped, as GitHub drops it; an empty one is not set.
    fn without_secrets(&self, outputs: IndexMap<String, String>) -> IndexMap<String, String> {
        let (safe, secret): (IndexMap<_, _>, IndexMap<_, _>) = outputs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .partition(|(_, value)| self.state.masker.mask(value) == *value);
        let size = utf_16_bytes(&safe);
        if size > OUTPUTS_BYTES {
            self.send(EventKind::Differs(Difference {
                kind: DifferenceKind::Other {
                    text: format!(
                        "the outputs of this job come to {size} bytes in UTF-16, and GitHub takes 1 MiB of a job"
                    ),
                },
                site: Site::Job(self.place.key.clone()),
                effect: Effect::MayFlip,
            }));
        }
        for name in secret.keys() {
            self.send(EventKind::Differs(Difference {
                kind: DifferenceKind::Other {
                    text: format!("Skip output '{name}' since it may contain secret."),
                },
                site: Site::Job(self.place.key.clone()),
                effect: Effect::MayShift,
            }));
        }
        safe
    }
}
