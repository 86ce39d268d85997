//! `actions/checkout`: the run's content, or another repository's, into the workspace.

use std::path::PathBuf;
use std::time::Duration;

use super::outside::Outside;
use super::{Inputs, Scope, renewal};
use crate::agent::AgentError;
use crate::agent::protocol::User;
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::EventKind;
use crate::exec::effects::Effects;
use crate::exec::workspace::{self, Credentials, Shelving, Staged, Staging, WorkspaceError};
use crate::outcome::Outcome;
use crate::plan::CheckoutInputs;
use crate::workflow::ActionRef;

/// Lays the content out beside the place and moves it in with one rename, unless a clone of the
/// same repository is there: that one is renewed by the job's own git.
pub(in crate::exec) async fn checkout(
    scope: &mut Scope<'_>,
    action: &ActionRef,
    inputs: &Inputs,
) -> Result<Effects, AgentError> {
    let pairs = inputs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let (inputs, warning) = CheckoutInputs::read(pairs, action.major());
    if let Some(warning) = warning {
        scope.log.warning(warning);
    }
    let target = match workspace::target(&inputs, &scope.place.paths.workspace) {
        Ok(target) => target,
        Err(error) => return Ok(failed(scope, &error)),
    };
    let replaces = match look(scope, &target, &inputs).await? {
        Ok(Found::Clone) => match renewal::renew(scope, &inputs, &target).await? {
            Some(effects) => return Ok(effects),
            None => true,
        },
        Ok(Found::Directory) => true,
        Ok(Found::Nothing) => false,
        Err(error) => return Ok(failed(scope, &error)),
    };
    let credentials = Credentials::of(&inputs, &target);
    if let Some(credentials) = &credentials {
        let files = credentials.files.clone();
        scope.place.agent.write_files(User::Job, files).await?;
    }
    let outside = Outside::of(scope);
    let asked = inputs.clone();
    let done = in_background(move || lay_out(&outside, &asked, credentials.as_ref(), replaces));
    let staged = match done.await {
        Ok(staged) => staged,
        Err(error) => return Ok(failed(scope, &error)),
    };
    for (kind, line) in &staged.log {
        scope.log.line(*kind, line);
    }
    for text in &staged.doubts {
        scope.log.send(EventKind::Differs(Difference {
            kind: DifferenceKind::Other { text: text.clone() },
            site: Site::Step(scope.log.step().clone()),
            effect: Effect::MayFlip,
        }));
    }
    let counted = (staged.files, staged.changed);
    Ok(done_with(
        scope,
        &inputs,
        counted,
        (&staged.commit, &staged.git_ref),
    ))
}

/// What is where a checkout goes to.
enum Found {
    Nothing,
    /// Anything else than what follows.
    Directory,
    /// A clone with the URL of the one that is wanted.
    Clone,
}

async fn look(
    scope: &Scope<'_>,
    target: &str,
    inputs: &CheckoutInputs,
) -> Result<Result<Found, WorkspaceError>, AgentError> {
    let agent = &scope.place.agent;
    let paths = vec![target.to_owned(), format!("{target}/.git/config")];
    let there = agent.exists(paths.clone()).await?;
    match there.as_slice() {
        [true, true] => {}
        [true, _] => return Ok(Ok(Found::Directory)),
        _ => return Ok(Ok(Found::Nothing)),
    }
    let read = agent.read_files(User::Job, paths[1..].to_vec()).await?;
    let config = read.into_iter().flatten().next().unwrap_or_default();
    let (run, inputs) = (scope.run.clone(), inputs.clone());
    Ok(in_background(move || {
        let source = run.source();
        let found = workspace::origin_url(&run.directory, &config)?;
        Ok(match found == workspace::wanted_url(&source, &inputs)? {
            true => Found::Clone,
            false => Found::Directory,
        })
    })
    .await)
}

/// Git and files block.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WorkspaceError> + Send + 'static,
) -> Result<T, WorkspaceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

pub(super) fn failed(scope: &mut Scope<'_>, error: &WorkspaceError) -> Effects {
    scope.log.error(error.to_string());
    Effects::of(Outcome::Failure)
}

/// What comes of a checkout that gave a commit.
pub(super) fn done_with(
    scope: &Scope<'_>,
    inputs: &CheckoutInputs,
    (files, changed): (u64, u64),
    (commit, git_ref): (&str, &str),
) -> Effects {
    scope.log.send(EventKind::CheckedOut {
        step: scope.log.step().clone(),
        files,
        changed,
    });
    let mut effects = Effects::of(Outcome::Success);
    if inputs.has_outputs() {
        let mut put = |name: &str, value: &str| {
            effects.outputs.insert(name.to_owned(), value.to_owned());
        };
        put("commit", commit);
        put("ref", git_ref);
    }
    effects
}

fn lay_out(
    outside: &Outside,
    inputs: &CheckoutInputs,
    credentials: Option<&Credentials>,
    replaces: bool,
) -> Result<Staged, WorkspaceError> {
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
        replaces,
        shelf: Some(shelf),
    };
    let staged = workspace::stage(&run.source(), inputs, workspace, staging)?;
    if let Some(credentials) = credentials {
        credentials.add_to(&staged)?;
    }
    workspace::install(&staged, home, &inside)?;
    // Without it the next checkout is made anew.
    let _ = shelf.keep(&staged);
    Ok(staged)
}
