//! Network settings that a job needs to work behind a company's mirror or proxy, taken from
//! the user's and the machine's configuration of pip, uv, npm, cargo and git.
//!
//! They go into the place as configuration files outside the workspace and the home, where no
//! cache key sees them; only what has no file form goes in as a variable. Of each file only
//! settings about the network are taken, never a credential. apt needs nothing: its
//! configuration is the machine's own in a place that stands on this machine.
//!
//! The files replace the machine's own at these paths, so that nothing else of those reaches
//! a job: where there is nothing to carry, an existing file is emptied.

mod cargo;
mod carrier;
mod git;
mod ini;
mod npm;
mod pip;
mod uv;
mod variables;

#[cfg(test)]
mod tests;

pub use carrier::{Carried, CarriedFile, Machine};

use carrier::Carrier;

/// What the machine's configuration asks to carry into a job.
pub fn carried(machine: &Machine<'_>) -> Carried {
    let mut carrier = Carrier::new(machine);
    pip::carry(&mut carrier);
    uv::carry(&mut carrier);
    npm::carry(&mut carrier);
    cargo::carry(&mut carrier);
    git::carry(&mut carrier);
    variables::carry(&mut carrier);
    carrier.finish()
}

/// What is left under `--no-network-config`: the machine's own files, emptied.
pub fn nothing_carried(machine: &Machine<'_>) -> Carried {
    Carrier::new(machine).finish()
}
