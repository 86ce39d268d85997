//! What steps do beyond this machine: deploy, publish, talk to GitHub's API, log in, use a container
//! engine. What is known of actions and commands is data; the rest is taken to stay here.

mod judge;
mod shell;
mod table;

pub use judge::{Circumstances, Input, Judged, SideEffect, is_read, of_action, of_script};
pub(super) use shell::UNKNOWN;
pub use table::Does;
