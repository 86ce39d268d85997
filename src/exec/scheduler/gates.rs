//! Concurrency groups of jobs, of called workflows and of the run itself.

use std::sync::Arc;

use tokio::task::{AbortHandle, JoinError};

use super::calls::Ready;
use super::{Active, Pending, Queued, Scheduler};
use crate::event::EventKind;
use crate::exec::called::{Called, HeldGroup};
use crate::exec::cancel::{Cancellation, Canceller};
use crate::exec::groups::{self, Gate, Wanted};
use crate::ids::JobKey;
use crate::outcome::SkipReason;
use crate::plan::Plan;
use crate::store::Ticket;

/// Who GitHub says asked for the run's own group.
const TOP: &str = "top level workflow";

/// Who waited, for which group, and what became of it.
pub(super) struct Passed {
    waiting: Waiting,
    wanted: Wanted,
    gate: Gate,
}

enum Waiting {
    Leg(Queued),
    Call(Box<Ready>),
}

/// A group that is held.
pub(super) struct Held {
    pub(super) folded: String,
    ticket: Ticket,
    watch: AbortHandle,
}

impl Waiting {
    fn queued(&self) -> &Queued {
        match self {
            Self::Leg(queued) => queued,
            Self::Call(ready) => &ready.queued,
        }
    }
}

impl Scheduler {
    /// Waits for the run's own group; then the jobs of the plan may run.
    pub(super) async fn begin(&mut self, plan: Plan, cancellation: &Cancellation) {
        let mut root = Called::of_run(&self.run);
        let wanted = match &root.workflow.concurrency {
            Some(token) => Wanted::of(token, &root.facts(&self.run)),
            None => Ok(None),
        };
        let began = match wanted {
            Ok(None) => Ok(()),
            Ok(Some(wanted)) => self.wait_for_run(&mut root, wanted, cancellation).await,
            Err(message) => Err(Some(format!(
                "Error when evaluating 'concurrency': {message}"
            ))),
        };
        let root = Arc::new(root);
        let jobs = plan.jobs.into_iter();
        let jobs: Vec<Pending> = jobs.map(|job| Pending::new(&root, job)).collect();
        match began {
            Ok(()) => self.pending = jobs,
            Err(Some(message)) => {
                for job in jobs {
                    self.fail(&job, message.clone());
                }
            }
            Err(None) => {
                for job in jobs {
                    self.skip(&job, &SkipReason::Cancelled);
                }
            }
        }
    }

    /// Err: the run does not begin, and why its jobs fail, if they do.
    async fn wait_for_run(
        &mut self,
        root: &mut Called,
        wanted: Wanted,
        cancellation: &Cancellation,
    ) -> Result<(), Option<String>> {
        let run = Arc::clone(&self.run);
        let entered = (wanted.clone(), groups::enter(&run, &wanted, None));
        match groups::wait(run, entered, None, cancellation.clone()).await {
            Gate::Mine(ticket) => {
                self.hold(None, &wanted, ticket);
                root.groups.push(HeldGroup {
                    folded: wanted.folded(),
                    by: TOP.to_owned(),
                });
                Ok(())
            }
            Gate::Replaced => {
                self.tell_cancelling(None, wanted.replaced());
                Err(None)
            }
            Gate::Cancelled => Err(None),
            Gate::Failed(error) => Err(Some(error.to_string())),
        }
    }

    /// Lets a leg wait for its job's group, unless it would wait for itself.
    pub(super) fn wait_for_group(&mut self, queued: Queued, wanted: Wanted) {
        let groups = queued.of.groups.clone();
        self.wait(Waiting::Leg(queued), wanted, &groups);
    }

    /// Lets a call wait for the called workflow's group.
    pub(super) fn call_waits_for_group(&mut self, ready: Ready, wanted: Wanted) {
        let groups = ready.called.groups.clone();
        self.wait(Waiting::Call(Box::new(ready)), wanted, &groups);
    }

    fn wait(&mut self, waiting: Waiting, wanted: Wanted, within: &[HeldGroup]) {
        let Queued { of, leg } = waiting.queued();
        let key = leg.key.clone();
        let held = within.iter().find(|held| held.folded == wanted.folded());
        if let Some(held) = held {
            let (group, by, who) = (&wanted.group, &held.by, key.local_id());
            let message = format!(
                "Canceling since a deadlock for concurrency group '{group}' was detected between \
                 '{by}' and '{who}'"
            );
            self.tell_cancelling(Some(key.clone()), message);
            return self.drop_leg(key);
        }
        let (canceller, cancellation) = Canceller::new();
        let of = Arc::clone(of);
        self.active.insert(key.clone(), Active { of, canceller });
        let run = Arc::clone(&self.run);
        let entered = groups::enter(&run, &wanted, Some(&key));
        self.gates.spawn(async move {
            let entered = (wanted.clone(), entered);
            let gate = groups::wait(run, entered, Some(key), cancellation).await;
            Passed {
                waiting,
                wanted,
                gate,
            }
        });
    }

    /// Somebody waits for a group no more.
    pub(super) fn passed(&mut self, passed: Result<Passed, JoinError>) {
        let Passed {
            waiting,
            wanted,
            gate,
        } = match passed {
            Ok(passed) => passed,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        let key = waiting.queued().leg.key.clone();
        self.active.remove(&key);
        match gate {
            Gate::Mine(ticket) => {
                self.hold(Some(key.clone()), &wanted, ticket);
                match waiting {
                    Waiting::Leg(queued) => self.queue.push_back(queued),
                    Waiting::Call(mut ready) => {
                        ready.called.groups.push(HeldGroup {
                            folded: wanted.folded(),
                            by: key.local_id().to_owned(),
                        });
                        self.start_call(*ready);
                    }
                }
            }
            Gate::Replaced => {
                self.tell_cancelling(Some(key.clone()), wanted.replaced());
                self.drop_leg(key);
            }
            Gate::Cancelled => self.drop_leg(key),
            Gate::Failed(error) => {
                let leg = waiting.queued().leg.clone();
                self.fail_leg(&leg, error.to_string());
            }
        }
    }

    fn hold(&mut self, who: Option<JobKey>, wanted: &Wanted, ticket: Ticket) {
        let run = Arc::clone(&self.run);
        let asked = (who.clone(), wanted.replaced());
        let watch = self.watches.spawn(async move {
            groups::must_leave(run, ticket).await;
            asked
        });
        self.held.entry(who).or_default().push(Held {
            folded: wanted.folded(),
            ticket,
            watch,
        });
    }

    /// Gives the groups of a leg, or of the run, back.
    pub(super) fn release(&mut self, who: Option<&JobKey>) {
        for held in self.held.remove(&who.cloned()).into_iter().flatten() {
            held.watch.abort();
            groups::leave(&self.run.store, held.ticket);
        }
    }

    /// A group has to be left: whoever holds it is cancelled.
    pub(super) fn asked_to_leave(&mut self, asked: Result<(Option<JobKey>, String), JoinError>) {
        // Watches that are wanted no more are aborted.
        let Ok((who, message)) = asked else { return };
        if !self.held.contains_key(&who) {
            return;
        }
        self.tell_cancelling(who.clone(), message);
        match who {
            Some(key) => self.cancel_leg(&key),
            None => self.cancel(),
        }
    }

    fn tell_cancelling(&self, job: Option<JobKey>, message: String) {
        let cancelling = EventKind::Cancelling { job, message };
        self.run.events.send(cancelling);
    }
}
