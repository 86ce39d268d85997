//! `actions/checkout`: the run's content into the workspace.

use std::path::PathBuf;
use std::time::Duration;

use super::outside::Outside;
use super::{Inputs, Scope};
use crate::agent::AgentError;
use crate::event::EventKind;
use crate::exec::effects::Effects;
use crate::exec::workspace::{self, Shelving, Staged, Staging, WorkspaceError};
use crate::outcome::Outcome;
use crate::plan::CheckoutInputs;
use crate::workflow::ActionRef;

/// Lays the content out beside the place and moves it in with one rename.
pub(in crate::exec) async fn checkout(
    scope: &mut Scope<'_>,
    action: &ActionRef,
    inputs: &Inputs,
) -> Result<Effects, AgentError> {
    let major = action.major();
    let pairs = inputs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let (inputs, warning) = CheckoutInputs::read(pairs, major);
    if let Some(warning) = warning {
        scope.log.warning(warning);
    }
    if let Some(obstacle) = inputs.obstacle(&scope.run.github.identity.repository()) {
        scope.log.error(obstacle);
        return Ok(Effects::of(Outcome::Failure));
    }
    let outside = Outside::of(scope);
    let done = tokio::task::spawn_blocking(move || lay_out(&outside, &inputs));
    let staged = match done.await {
        Ok(Ok(staged)) => staged,
        Ok(Err(error)) => {
            scope.log.error(error.to_string());
            return Ok(Effects::of(Outcome::Failure));
        }
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    for (kind, line) in &staged.log {
        scope.log.line(*kind, line);
    }
    scope.log.send(EventKind::CheckedOut {
        step: scope.log.step().clone(),
        files: staged.files,
        changed: staged.changed,
    });
    let mut effects = Effects::of(Outcome::Success);
    effects
        .outputs
        .insert("commit".to_owned(), staged.commit.clone());
    effects
        .outputs
        .insert("ref".to_owned(), staged.git_ref.clone());
    Ok(effects)
}

fn lay_out(outside: &Outside, inputs: &CheckoutInputs) -> Result<Staged, WorkspaceError> {
    let Outside {
        run,
        holder,
        home,
        staging,
        workspace,
    } = outside;
    let target = workspace::target(inputs, workspace)?;
    let inside = outside.below_home(&target);
    let inside = inside.unwrap_or_else(|| PathBuf::from(&target));
    let shelf = Shelving {
        store: &run.store,
        holder,
        place: &home.join(&inside),
    };
    // A store that cannot say is found out when it is asked for a cache.
    let saved_ms = run.store.last_saved_ms().ok().flatten();
    let staging = Staging {
        directory: staging,
        owner: run.owner(),
        // Saved within that millisecond.
        after: saved_ms.and_then(|ms| Some(Duration::from_millis(u64::try_from(ms).ok()? + 1))),
        shelf: Some(shelf),
    };
    let source = run.source();
    let staged = workspace::stage(&source, inputs, workspace, staging)?;
    workspace::install(&staged, home, &inside)?;
    // Without it the next checkout is made anew.
    let _ = shelf.keep(&source, &staged);
    Ok(staged)
}
