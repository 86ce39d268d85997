//! Places out of Linux namespaces and overlays over this machine's root file system,
//! without a daemon, for root and for ordinary users.
//!
//! lrun starts itself again as a *launcher* ([`launcher_main`]), a process of one thread
//! that makes the namespaces and stays outside them. Its child is process 1 of the place:
//! it mounts the root file system, pivots into it and becomes the agent.
//!
//! Invariants: the launcher is in a session of its own and outlives lrun just long enough
//! to end the place and to remove its state directory. Process 1 dies with the launcher
//! (by signal), and when lrun's end of its channel closes: whichever of the three is
//! killed, and by whatever, no process of the place survives it. No mount is ever made in
//! this machine's mount namespace. Where /proc is masked, as in a container, there is no
//! process namespace and the job's processes are ended by descent only: the place then says
//! [`SharedProcesses`](crate::backend::Shortcoming::SharedProcesses).

mod blueprint;
mod bring_up;
mod error;
mod etc;
mod guard;
mod inhabit;
mod kernel;
mod launcher;
mod layers;
mod own;
mod recipe;
mod remover;
mod rootfs;
mod secrets;
mod skeleton;
mod subids;
mod system;

pub use bring_up::{Powers, Sandbox};
pub use error::{Obstacle, SandboxError};
pub use etc::OWN;
pub use launcher::launcher_main;
pub use own::own_main;
pub use remover::remover_main;
