//! Ending jobs before they are done.
//!
//! Where a run is cancelled GitHub asks the `if` of every job again that runs: one that holds keeps its
//! job running (docs: workflow cancellation). Whatever is left after five minutes is ended.

use std::time::Duration;

use super::Scheduler;
use crate::clock::Moment;
use crate::exec::called::Called;
use crate::exec::cancel::Canceller;
use crate::exec::time_limit::CANCEL_MINUTES;
use crate::ids::JobKey;

/// Ends a leg, whatever it does, when its time is over since the run was cancelled.
pub(super) fn end_later(canceller: Canceller, cancelled: Moment) {
    let time = Duration::from_secs(60 * CANCEL_MINUTES);
    tokio::spawn(async move {
        tokio::time::sleep(time.saturating_sub(cancelled.elapsed())).await;
        canceller.end_at_once();
    });
}

impl Scheduler {
    /// Whether a workflow's jobs are being cancelled.
    pub(super) fn is_cancelled(&self, of: &Called) -> bool {
        let mut callers = self.callers(of);
        self.cancelled.is_some()
            || callers.any(|key| self.calls.get(key).is_some_and(|call| call.cancelled))
    }

    /// The legs that lead to a workflow, the last first.
    fn callers<'s>(&'s self, of: &'s Called) -> impl Iterator<Item = &'s JobKey> {
        let next = |key: &&'s JobKey| self.calls.get(*key)?.caller.caller.as_ref();
        std::iter::successors(of.caller.as_ref(), next)
    }

    /// The user, or a later run in its group, ends the run.
    pub(super) fn cancel(&mut self) {
        if self.cancelled.is_none() {
            self.cancelled = Some(Moment::now());
            self.cancel_where(|_, _| true, true);
        }
    }

    /// A failed leg of a fail-fast matrix ends the others.
    pub(super) fn cancel_legs(&mut self, id: &str) {
        self.cancel_where(|key, _| key.id == id, false);
        let calls = self.calls.keys().filter(|key| key.id == id);
        let calls: Vec<JobKey> = calls.cloned().collect();
        for call in calls {
            self.cancel_leg(&call);
        }
    }

    /// Ends one leg, or all that it calls.
    pub(super) fn cancel_leg(&mut self, leg: &JobKey) {
        match self.calls.get_mut(leg) {
            Some(call) => {
                call.cancelled = true;
                self.cancel_where(|_, callers| callers.contains(leg), true);
            }
            None => self.cancel_where(|key, _| key == leg, false),
        }
    }

    /// Ends the legs that are meant, by their keys and those of their callers. Where `asks`, those
    /// go on whose conditions hold in a cancelled run too.
    fn cancel_where(&mut self, is_meant: impl Fn(&JobKey, &[JobKey]) -> bool, asks: bool) {
        let goes = |key: &JobKey, of: &Called| {
            let callers: Vec<JobKey> = self.callers(of).cloned().collect();
            is_meant(key, &callers).then(|| !(asks && self.outlives(key, of)))
        };
        let active = self.active.iter();
        let active: Vec<(&Canceller, bool)> = active
            .filter_map(|(key, active)| Some((&active.canceller, goes(key, &active.of)?)))
            .collect();
        let queued = self
            .queue
            .iter()
            .map(|queued| (&queued.leg.key, &queued.of));
        let queued: Vec<JobKey> = queued
            .filter(|(key, of)| goes(key, of) == Some(true))
            .map(|(key, _)| key.clone())
            .collect();
        for (canceller, ends) in active {
            match ends {
                true => canceller.cancel(),
                false => end_later(canceller.clone(), Moment::now()),
            }
        }
        self.queue.retain(|leg| !queued.contains(&leg.leg.key));
        for key in queued {
            self.drop_leg(key);
        }
    }

    /// Whether the condition of a leg's job holds in a cancelled run too.
    fn outlives(&self, key: &JobKey, of: &Called) -> bool {
        let Some(job) = of.job(key) else {
            return false;
        };
        let holds = self.condition_holds(of, job, &self.needs_of(key), true);
        holds == Ok(true)
    }
}
