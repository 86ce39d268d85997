//! Removes what jobs left behind under ids that are no user's of this machine.

use std::path::Path;

use super::recipe::Right;

/// The remover's program: becomes root of this user's jobs, as far as the user has a right to,
/// and removes a tree. It is to be called before the program starts any thread. Returns the
/// exit code.
pub fn remover_main(tree: &Path) -> i32 {
    let removed = Right::of_this_process()
        .exercise()
        .is_ok_and(|_| std::fs::remove_dir_all(tree).is_ok());
    i32::from(!removed)
}
