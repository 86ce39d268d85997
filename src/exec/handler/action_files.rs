//! Laying the repository of an action out in a job's place: the job's own copy, which it may change. The
//! store keeps its own.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::outside::Outside;
use crate::action::Files;
use crate::exec::job::Place;
use crate::exec::paths;
use crate::exec::run::Run;
use crate::store::{Store, StoreError, tree_key};

/// Puts the files where GitHub has them, unless they are there already, and gives the action's own
/// folder inside the place: `GITHUB_ACTION_PATH`. Takes one rename where they are on the shelf.
///
/// # Errors
/// Why they cannot be there, in words.
pub(in crate::exec) async fn lay_out_action(
    run: &Arc<Run>,
    place: &Place,
    files: &Arc<Files>,
) -> Result<String, String> {
    let outside = Outside::of_place(run, place);
    let store = run.store.clone();
    let to_lay = Arc::clone(files);
    let laying = tokio::task::spawn_blocking(move || lay_out(&outside, &store, &to_lay));
    match laying.await {
        Ok(done) => done?,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
    Ok(format!("{}/{}", paths::ACTIONS, files.folder()))
}

fn lay_out(outside: &Outside, store: &Store, files: &Files) -> Result<(), String> {
    let directory = format!("{}/{}", paths::ACTIONS, files.directory());
    let cannot = |why: &str| format!("cannot lay out {}: {why}", files.name());
    let Some(inside) = outside.below_home(&directory) else {
        return Err(cannot("its ref is no path"));
    };
    if outside.home.join(&inside).is_dir() {
        return Ok(());
    }
    let members = || Ok(store.read_tree(files.tree())?.entries);
    let key = tree_key(files.tree(), 0);
    let moved = AtomicU64::new(0);
    match outside.put_at(store, (&key, &inside), members, &moved) {
        Ok(true) => Ok(()),
        Ok(false) => Err(cannot(&format!(
            "the job has something in the way of {directory}, or the disk is full"
        ))),
        Err(error) => {
            if let StoreError::Damaged { .. } = error {
                files.forget(store);
            }
            Err(cannot(&error.to_string()))
        }
    }
}
