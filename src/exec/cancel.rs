//! Ending a job before it is done: asked for by the user, by a failed leg, or by a timeout.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What was asked for, each more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Nothing,
    /// Steps that always run still do.
    End,
    /// Nothing runs any more.
    EndAtOnce,
}

/// Asks for a job, or a whole run, to be ended.
#[derive(Debug, Clone)]
pub struct Canceller(watch::Sender<Asked>);

/// Tells whether that was asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cancellation(watch::Receiver<Asked>);

impl Canceller {
    /// A fresh pair.
    pub fn new() -> (Self, Cancellation) {
        let (sender, receiver) = watch::channel(Asked::Nothing);
        (Self(sender), Cancellation(receiver))
    }

    /// Asks. Asking again changes nothing.
    pub fn cancel(&self) {
        self.raise(Asked::End);
    }

    /// Asks for the end of steps too that always run: they had their time.
    pub fn end_at_once(&self) {
        self.raise(Asked::EndAtOnce);
    }

    fn raise(&self, to: Asked) {
        self.0.send_if_modified(|asked| {
            let more = *asked < to;
            *asked = to.max(*asked);
            more
        });
    }
}

impl Cancellation {
    /// Whether the end was asked for.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow() >= Asked::End
    }

    /// Returns once the end is asked for; never if nobody is left to ask.
    pub async fn cancelled(&mut self) {
        self.asked(Asked::End).await;
    }

    /// Returns once the end of everything is asked for; never if nobody is left to ask.
    pub async fn ended_at_once(&mut self) {
        self.asked(Asked::EndAtOnce).await;
    }

    async fn asked(&mut self, least: Asked) {
        if self.0.wait_for(|&asked| asked >= least).await.is_err() {
            std::future::pending().await
        }
    }
}

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
