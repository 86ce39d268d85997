//! A job's place as it is seen from outside: what handlers move in and out by renames.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Scope;
use crate::exec::job::Place;
use crate::exec::paths;
use crate::exec::run::Run;
use crate::store::Holder;

/// The directories of a job's place on this machine.
pub(super) struct Outside {
    pub(super) run: Arc<Run>,
    /// The job.
    pub(super) holder: Holder,
    /// What is /home inside.
    pub(super) home: PathBuf,
    /// A directory of the job's own on the same file system, not visible inside.
    pub(super) staging: PathBuf,
    /// The workspace, as a path inside.
    pub(super) workspace: String,
}

impl Outside {
    pub(super) fn of(scope: &Scope<'_>) -> Self {
        Self::of_place(scope.run, scope.place)
    }

    pub(super) fn of_place(run: &Arc<Run>, place: &Place) -> Self {
        Self {
            run: Arc::clone(run),
            holder: Holder {
                run: run.id,
                job: place.key.clone(),
            },
            home: place.home.clone(),
            staging: place.staging.clone(),
            workspace: place.paths.workspace.clone(),
        }
    }

    /// A path inside, relative to the workspace or absolute, as a path below [`Self::home`]; none
    /// for what is not below the home of the job's user.
    pub(super) fn below_home(&self, path: &str) -> Option<PathBuf> {
        let path = paths::resolved(&self.workspace, path);
        let below = path.strip_prefix(paths::HOME)?.strip_prefix('/')?;
        let home = paths::HOME.strip_prefix("/home/")?;
        (!below.is_empty()).then(|| Path::new(home).join(below))
    }
}
