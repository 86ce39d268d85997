//! Background steps: what runs beside the job's main line, and when the job sees what came of it
//! (runner `BackgroundStepCoordinator`).
//!
//! A step's condition, limits and inputs are evaluated when its turn comes, on the main line. What
//! it makes of the job (outputs, variables, PATH, its result) is held back until a step that waits
//! for it or cancels it, and is then applied in the order that step lists.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;

use super::cancel::{Cancellation, Canceller};
use super::effects::Effects;
use super::log::StepLog;
use super::mask::Masker;
use super::masked::masked;
use super::step::Prepared;
use crate::agent::AgentError;
use crate::clock::Moment;
use crate::event::{End, EventKind, Events};
use crate::ids::StepKey;
use crate::outcome::{Outcome, Timing};

/// As many run at once; more wait for their turn (job variable
/// `system.runner.maxbackgroundsteps`).
const AT_ONCE: usize = 10;

/// The place of a step under `steps:`, and what was opened until the end of its process.
pub(super) type Opened = (usize, Vec<String>);

/// A step that has ended.
pub(super) struct Ended {
    /// Its place under `steps:`.
    pub(super) index: usize,
    /// Its name as GitHub shows it.
    pub(super) name: String,
    /// What came of it.
    pub(super) effects: Box<Effects>,
    /// After its `continue-on-error`.
    pub(super) conclusion: Outcome,
}

impl Ended {
    /// What it took since then.
    pub(super) fn timing(&self, start: Moment) -> Timing {
        Timing {
            wall_us: Timing::wall(start.elapsed()).wall_us,
            ..self.effects.cost
        }
    }

    /// The fact that it has ended.
    pub(super) fn finished(&self, step: StepKey, timing: Timing) -> EventKind {
        EventKind::StepFinished {
            step,
            end: End {
                outcome: self.effects.outcome,
                conclusion: self.conclusion,
                timing,
            },
        }
    }
}

type Work<'a> = Pin<Box<dyn Future<Output = Result<Ended, AgentError>> + Send + 'a>>;

/// The background steps of a job that nothing has waited for yet.
pub(super) struct Background<'a> {
    working: FuturesUnordered<Work<'a>>,
    ended: Vec<Ended>,
    /// All of them in the order they were started, each with what ends it early.
    started: Vec<(usize, Canceller)>,
    slots: Arc<Semaphore>,
}

impl<'a> Background<'a> {
    /// None, so far.
    pub(super) fn new() -> Self {
        Self {
            working: FuturesUnordered::new(),
            ended: Vec::new(),
            started: Vec::new(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Starts a step, or lets it wait for its turn: it goes on whenever something here is waited
    /// for.
    pub(super) fn start(
        &mut self,
        step: Prepared<'a>,
        log: StepLog,
        (events, masker): (Events, Masker),
    ) {
        let (canceller, stopped) = Canceller::new();
        let key = log.step().clone();
        self.started.push((key.index as usize, canceller));
        let slots = Arc::clone(&self.slots);
        self.working.push(Box::pin(async move {
            let start = Moment::now();
            let ended = in_its_turn(step, log, slots, stopped).await?;
            let finished = ended.finished(key, ended.timing(start));
            events.send(masked(finished, &masker));
            Ok(ended)
        }));
    }

    /// Does something on the main line while the steps go on.
    pub(super) async fn beside<T>(
        &mut self,
        main: impl Future<Output = Result<T, AgentError>>,
    ) -> Result<T, AgentError> {
        let mut main = pin!(main);
        loop {
            tokio::select! {
                biased;
                done = &mut main => return done,
                Some(ended) = self.working.next() => self.ended.push(ended?),
            }
        }
    }

    /// The steps that nothing has waited for, in the order they were started.
    pub(super) fn all(&self) -> Vec<usize> {
        self.started.iter().map(|(index, _)| *index).collect()
    }

    /// Asks a step to end.
    pub(super) fn cancel(&self, index: usize) {
        let found = self.started.iter().find(|(started, _)| *started == index);
        if let Some((_, canceller)) = found {
            canceller.cancel();
        }
    }

    /// Waits for these steps and hands them over in this order. One that is not known here was
    /// waited for before, or was skipped.
    pub(super) async fn wait_for(&mut self, wanted: &[usize]) -> Result<Vec<Ended>, AgentError> {
        let mut over = Vec::new();
        for &index in wanted {
            let known = |(started, _): &(usize, _)| *started == index;
            if let Some(at) = self.started.iter().position(known) {
                over.push(self.end_of(index).await?);
                self.started.remove(at);
            }
        }
        Ok(over)
    }

    async fn end_of(&mut self, index: usize) -> Result<Ended, AgentError> {
        loop {
            let ended = self.ended.iter().position(|ended| ended.index == index);
            if let Some(at) = ended {
                return Ok(self.ended.swap_remove(at));
            }
            match self.working.next().await {
                Some(ended) => self.ended.push(ended?),
                None => return Err(AgentError::Gone),
            }
        }
    }
}

/// Runs a step once there is room for it, unless it is cancelled before.
async fn in_its_turn(
    step: Prepared<'_>,
    log: StepLog,
    slots: Arc<Semaphore>,
    stopped: Cancellation,
) -> Result<Ended, AgentError> {
    let mut waiting = step.interrupt(Some(stopped.clone()));
    waiting.limit = None;
    let _slot = tokio::select! {
        biased;
        interruption = waiting.raised() => return Ok(step.ended_before(interruption, log)),
        slot = slots.acquire_owned() => slot,
    };
    let interrupt = step.interrupt(Some(stopped));
    step.carry_out(log, interrupt).await
}
