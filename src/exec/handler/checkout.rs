//! `actions/checkout`: the run's content into the workspace.

use std::path::PathBuf;
use std::time::Duration;

use super::outside::Outside;
use super::{Inputs, Scope, in_store};
use crate::agent::AgentError;
use crate::clock;
use crate::event::EventKind;
use crate::exec::effects::Effects;
use crate::exec::workspace::{self, Shelving, Staged, Staging, WorkspaceError};
use crate::outcome::Outcome;
use crate::plan::CheckoutInputs;
use crate::store::{Store, StoreError};
use crate::workflow::ActionRef;

/// Lays the content out beside the place and moves it in with one rename.
pub(in crate::exec) async fn checkout(
    scope: &mut Scope<'_>,
    action: &ActionRef,
    inputs: &Inputs,
) -> Result<Effects, AgentError> {
    let major = action.numbers().map(|(major, _, _)| major);
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
    if let Err(error) = outlive_saves(scope).await {
        scope.log.error(error.to_string());
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

/// Waits for the second to end in which the last cache entry was saved, if that is this one.
///
/// A checkout's files are younger than whatever a cache restores: build tools compare the two.
/// But their times end with the last full second, for git's sake (see `workspace::stamp`), and
/// a run can follow another within one.
async fn outlive_saves(scope: &Scope<'_>) -> Result<(), StoreError> {
    let saved = in_store(scope, Store::last_saved_ms).await?;
    let saved_second = saved.and_then(|ms| u64::try_from(ms / 1000).ok());
    let now = clock::since_epoch();
    if saved_second == Some(now.as_secs()) {
        let rest = Duration::from_secs(1) - Duration::from_nanos(now.subsec_nanos().into());
        tokio::time::sleep(rest).await;
    }
    Ok(())
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
    let staging = Staging {
        directory: staging,
        owner: run.owner(),
        shelf: Some(shelf),
    };
    let source = run.source();
    let staged = workspace::stage(&source, inputs, workspace, staging)?;
    workspace::install(&staged, home, &inside)?;
    // Without it the next checkout is made anew.
    let _ = shelf.keep(&source, &staged);
    Ok(staged)
}
