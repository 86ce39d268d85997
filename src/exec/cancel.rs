//! Ending a job before it is done: asked for by the user, by a failed leg, or by a timeout.

use tokio::sync::watch;

/// Asks for a job, or a whole run, to be ended.
#[derive(Debug, Clone)]
pub struct Canceller(watch::Sender<bool>);

/// Tells whether that was asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cancellation(watch::Receiver<bool>);

impl Canceller {
    /// A fresh pair.
    pub fn new() -> (Self, Cancellation) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Cancellation(receiver))
    }

    /// Asks. Asking again changes nothing.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl Cancellation {
    /// Whether the end was asked for.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the end is asked for; never if nobody is left to ask.
    pub async fn cancelled(&mut self) {
        if self.0.wait_for(|&cancelled| cancelled).await.is_err() {
            std::future::pending().await
        }
    }
}
