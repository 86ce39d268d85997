//! lrun as a part of itself: what it starts its own program as, by hidden first arguments.

use std::path::Path;

use super::exit;
use super::failure::tell;
use crate::agent::sudo;
use crate::backend::sandbox;
use crate::exec;
use crate::store;

/// What this process ends with, if lrun started it as a part of its own.
pub(super) fn main() -> Option<i32> {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next()?.to_str()? {
        "__place" => Some(sandbox::launcher_main()),
        sandbox::OWN => Some(sandbox::own_main()),
        // After it the kernel puts the path of the script that is `sudo`.
        sudo::SUDO => Some(sudo::sudo_main(arguments.skip(1))),
        store::REMOVER => Some(remove(Path::new(&arguments.next()?))),
        "__janitor" => Some(exec::janitor_main(arguments)),
        _ => None,
    }
}

/// Removes what is in a store, also what belongs to subordinate ids. Users may ask for it as well,
/// so it must be in one.
fn remove(path: &Path) -> i32 {
    if !store::is_in_a_store(path) {
        tell(format!("{} is not in a store of lrun's", path.display()));
        return exit::ExitCode::Usage as i32;
    }
    let code = sandbox::remover_main(path);
    if code != 0 && path.exists() {
        tell(format!("{} could not be removed", path.display()));
    }
    code
}
