//! Ending a step early.

use std::time::Duration;

use crate::clock::Moment;
use crate::exec::cancel::Cancellation;
use crate::exec::log::StepLog;
use crate::outcome::Outcome;

/// What may end a step before it is done.
#[derive(Debug, Clone)]
pub(in crate::exec) struct Interrupt {
    /// The job's cancellation; none when the step's condition holds in a cancelled job too.
    pub(in crate::exec) cancellation: Option<Cancellation>,
    /// A `cancel` step's, of a step in the background.
    pub(in crate::exec) stopped: Option<Cancellation>,
    /// When its time is up, and the whole minutes it was given.
    pub(in crate::exec) limit: Option<(Moment, u64)>,
    /// What may end the step of the composite action that it stands in.
    pub(in crate::exec) outer: Option<Box<Interrupt>>,
}

/// Why a step was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) enum Interruption {
    /// The job is being cancelled, or this step is.
    Cancelled,
    /// `timeout-minutes` is over.
    TimedOut {
        /// Whether it runs in the background.
        background: bool,
        /// What it was given.
        minutes: u64,
    },
    /// The time of the composite action that it stands in is over.
    OuterTimedOut,
}

impl Interruption {
    /// What the step named `name` ends as, once its log says why.
    pub(in crate::exec) fn outcome(self, name: &str, log: &mut StepLog) -> Outcome {
        match self {
            Self::Cancelled => {
                log.error("The operation was canceled.");
                Outcome::Cancelled
            }
            Self::OuterTimedOut => {
                log.error("The action has timed out.");
                Outcome::Failure
            }
            Self::TimedOut {
                background,
                minutes,
            } => {
                let what = if background {
                    "background step"
                } else {
                    "action"
                };
                log.error(format!(
                    "The {what} '{name}' has timed out after {minutes} minutes."
                ));
                Outcome::Failure
            }
        }
    }
}

impl Interrupt {
    /// Of a step of a composite action whose own step may be ended by `outer`.
    pub(in crate::exec) fn within(self, outer: &Self) -> Self {
        Self {
            outer: Some(Box::new(outer.clone())),
            ..self
        }
    }

    /// Returns once the step has to end; may never.
    pub(in crate::exec) async fn raised(&mut self) -> Interruption {
        let background = self.stopped.is_some();
        let cancelled = asked(self.cancellation.as_mut());
        let stopped = asked(self.stopped.as_mut());
        let timed_out = async {
            match self.limit {
                Some((start, minutes)) => {
                    let limit = Duration::from_secs(minutes.saturating_mul(60));
                    tokio::time::sleep(limit.saturating_sub(start.elapsed())).await;
                    minutes
                }
                None => std::future::pending().await,
            }
        };
        let outer = async {
            match &mut self.outer {
                Some(outer) => match Box::pin(outer.raised()).await {
                    Interruption::Cancelled => Interruption::Cancelled,
                    _ => Interruption::OuterTimedOut,
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            interruption = outer => interruption,
            () = cancelled => Interruption::Cancelled,
            () = stopped => Interruption::Cancelled,
            minutes = timed_out => Interruption::TimedOut { background, minutes },
        }
    }
}

async fn asked(cancellation: Option<&mut Cancellation>) {
    match cancellation {
        Some(cancellation) => cancellation.cancelled().await,
        None => std::future::pending().await,
    }
}
