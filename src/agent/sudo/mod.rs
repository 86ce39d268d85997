//! `sudo` where the kernel lets no program become root: a client that asks the agent, which is
//! root of the place, to start the command.
//!
//! [`sudo_main`] reads the command line as sudo(8) does and prepares the environment as its
//! `env_reset` does, sends both with its standard descriptors over the agent's socket, hands
//! signals through and ends as the command ended. Not its job: to decide who may; the job's
//! user may do everything, without a password, as on a hosted runner.

mod command_line;
mod request;

pub use request::sudo_main;

/// Where the agent listens, inside a place.
pub const SOCKET: &str = "/run/lrun/sudo";

/// The argument that makes lrun this program.
pub const SUDO: &str = "__sudo";

/// Where commands are looked for, whatever the caller's PATH: that of hosted runners' sudoers.
pub const SECURE_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin";
