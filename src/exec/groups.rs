//! Waiting for concurrency groups, and being cancelled in one. Everything of it is in the store, for
//! the jobs of one run as for those of others.

use std::sync::Arc;
use std::time::Duration;

use super::cancel::Cancellation;
use super::run::Run;
use crate::event::EventKind;
use crate::expr::Contexts;
use crate::ids::JobKey;
use crate::store::{GroupRequest, Queue, Store, StoreError, Ticket, Turn};
use crate::workflow::Token;

/// How often is asked whose turn it is, and whether a group has to be left.
const ASKED: Duration = Duration::from_millis(100);

/// A longer name is refused (docs: `concurrency`).
const LONGEST: usize = 400;

/// What `concurrency` comes to.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The group's name as written.
    pub(super) group: String,
    cancel_in_progress: bool,
    queue: Queue,
}

/// What became of waiting for a group.
#[derive(Debug)]
pub(super) enum Gate {
    /// The group is had.
    Mine(Ticket),
    /// A later one takes the place.
    Replaced,
    /// The run, or what waits, is being cancelled.
    Cancelled,
    /// The store cannot be asked.
    Failed(StoreError),
}

impl Wanted {
    /// A text, or a mapping; none for an empty name.
    ///
    /// # Errors
    /// Why it has no value, in words.
    pub(super) fn of(token: &Token, contexts: &dyn Contexts) -> Result<Option<Self>, String> {
        let value = token
            .evaluate(contexts)
            .map_err(|error| error.to_string())?;
        let member = |name: &str| value.as_object().and_then(|object| object.get(name));
        let group = match value.as_object() {
            Some(_) => member("group").map(|group| group.to_text().to_string()),
            None => Some(value.to_text().to_string()),
        };
        let group = group.unwrap_or_default();
        if group.chars().count() >= LONGEST {
            return Err(format!(
                "The concurrency group name has {} characters: it must have fewer than {LONGEST}",
                group.chars().count()
            ));
        }
        let queue = member("queue").map(|queue| queue.to_text().to_string());
        let wanted = Self {
            cancel_in_progress: member("cancel-in-progress").is_some_and(|value| value.is_truthy()),
            queue: match queue.as_deref() {
                Some("max") => Queue::Max,
                _ => Queue::Single,
            },
            group,
        };
        Ok((!wanted.group.is_empty()).then_some(wanted))
    }

    /// The group's name as it is compared.
    pub(super) fn folded(&self) -> String {
        self.group.to_lowercase()
    }

    /// What GitHub says of whoever has to end for another one.
    pub(super) fn replaced(&self) -> String {
        replaced(&self.group)
    }
}

/// What GitHub says of whoever has to end for another one in a group.
pub(super) fn replaced(group: &str) -> String {
    format!("Canceling since a higher priority waiting request for '{group}' exists")
}

/// Asks for a group for a job, or the run: who asks first has it first.
pub(super) fn enter(
    run: &Run,
    wanted: &Wanted,
    job: Option<&JobKey>,
) -> Result<Ticket, StoreError> {
    run.store.enter_group(&GroupRequest {
        repository: run.github.identity.repository(),
        group: wanted.group.clone(),
        run: run.id,
        job: job.cloned(),
        cancel_in_progress: wanted.cancel_in_progress,
        queue: wanted.queue,
    })
}

/// Waits until whoever entered a group is alone in it.
pub(super) async fn wait(
    run: Arc<Run>,
    (wanted, entered): (Wanted, Result<Ticket, StoreError>),
    job: Option<JobKey>,
    mut cancellation: Cancellation,
) -> Gate {
    let ticket = match entered {
        Ok(ticket) => ticket,
        Err(error) => return Gate::Failed(error),
    };
    let mut told = None;
    loop {
        let ended = match in_store(&run.store, move |store| store.group_turn(ticket)).await {
            Ok(Turn::Mine) => return Gate::Mine(ticket),
            Ok(Turn::Waits(holder)) => {
                if told.as_ref() != Some(&holder) {
                    run.events.send(EventKind::GroupAwaited {
                        job: job.clone(),
                        group: wanted.group.clone(),
                        run: holder.run,
                        holder: holder.job.clone(),
                    });
                    told = Some(holder);
                }
                None
            }
            Ok(Turn::Cancelled) => Some(Gate::Replaced),
            Err(error) => Some(Gate::Failed(error)),
        };
        let ended = match ended {
            Some(ended) => Some(ended),
            None => tokio::select! {
                () = cancellation.cancelled() => Some(Gate::Cancelled),
                () = tokio::time::sleep(ASKED) => None,
            },
        };
        if let Some(ended) = ended {
            leave(&run.store, ticket);
            return ended;
        }
    }
}

/// Gives a group back. What cannot be given back is free once the run is over.
pub(super) fn leave(store: &Store, ticket: Ticket) {
    let _ = store.leave_group(ticket);
}

/// Returns once a group that is held has to be left.
pub(super) async fn must_leave(run: Arc<Run>, ticket: Ticket) {
    loop {
        tokio::time::sleep(ASKED).await;
        let asked = in_store(&run.store, move |store| store.is_group_cancelled(ticket)).await;
        if matches!(asked, Ok(true)) {
            return;
        }
    }
}

async fn in_store<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store = store.clone();
    match tokio::task::spawn_blocking(move || work(&store)).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
