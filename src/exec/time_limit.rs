//! The time that a job has, and that it has to come to its end once it is cancelled.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::cancel::{Cancellation, Canceller};
use super::job::Leading;
use crate::agent::AgentError;
use crate::workflow::Token;

/// GitHub's limit for a job that names none.
const DEFAULT_MINUTES: u64 = 360;

/// What a cancelled job has to come to its end, if it does not say itself (docs: workflow
/// cancellation).
pub(super) const CANCEL_MINUTES: u64 = 5;

/// What a job's time is kept with: who asks it to end, and who may be asked from outside.
pub(super) struct Clock {
    pub(super) canceller: Canceller,
    pub(super) outer: Cancellation,
}

/// Cancels the job once its time is over, besides when it is cancelled from outside, and ends it
/// when it takes too long to come to its end.
pub(super) fn keep_time(clock: Clock, limit: Duration, grace: Duration) -> JoinHandle<()> {
    let Clock {
        canceller,
        mut outer,
    } = clock;
    let mut at_once = outer.clone();
    tokio::spawn(async move {
        let cancelled = async {
            tokio::select! {
                () = outer.cancelled() => {}
                () = tokio::time::sleep(limit) => {}
            }
            canceller.cancel();
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            () = cancelled => {}
            () = at_once.ended_at_once() => {}
        }
        canceller.end_at_once();
    })
}

impl Leading<'_> {
    /// What the job's `timeout-minutes` gives it; 360 minutes unless it says otherwise. Fractions are
    /// dropped, and nothing or less is as if it were not there.
    pub(super) async fn limit(&mut self) -> Result<u64, AgentError> {
        let minutes = self.minutes(self.job.timeout_minutes.as_ref()).await?;
        Ok(minutes.unwrap_or(DEFAULT_MINUTES))
    }

    /// What the job has to come to its end once it is cancelled.
    pub(super) async fn cancel_limit(&mut self) -> Result<Duration, AgentError> {
        let minutes = self
            .minutes(self.job.cancel_timeout_minutes.as_ref())
            .await?;
        let minutes = minutes.unwrap_or(CANCEL_MINUTES);
        Ok(Duration::from_secs(minutes.saturating_mul(60)))
    }

    /// Whole minutes, if there are any. What has no value fails the job.
    async fn minutes(&mut self, token: Option<&Token>) -> Result<Option<u64>, AgentError> {
        let Some(token) = token else {
            return Ok(None);
        };
        let minutes = self
            .evaluate(&self.state.env, |contexts| token.evaluate_number(contexts))
            .await?;
        Ok(match minutes {
            Ok(minutes) => (minutes >= 1.0).then_some(minutes as u64),
            Err(message) => {
                self.fail(message);
                None
            }
        })
    }
}
