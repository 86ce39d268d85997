//! Putting a staged checkout into its place.

use std::path::Path;

use super::{Staged, WorkspaceError};
use crate::exec::spot::{Spot, SpotError};

/// Puts the checkout at `inside`, a path below the job's `home` on this machine, by one rename. What
/// was there, and all that the job put there, goes where the checkout was and away with it.
///
/// Missing parents are made, as the job's user would. A symbolic link or a file on the way is
/// [`WorkspaceError::NotPlain`]: nothing outside `home` can be reached.
pub fn install(staged: &Staged, home: &Path, inside: &Path) -> Result<(), WorkspaceError> {
    let spot = Spot::reach(home, inside, staged.owner);
    let moved = spot.and_then(|spot| spot.exchange(staged.dir()));
    moved.map_err(|error| match error {
        SpotError::NotPlain(component) => WorkspaceError::NotPlain {
            path: inside.to_owned(),
            component: component.to_string_lossy().into_owned(),
        },
        SpotError::Refused(errno) => {
            WorkspaceError::io("move the checkout to", inside)(std::io::Error::from(errno))
        }
    })
}
