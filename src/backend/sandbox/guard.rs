//! The launcher's long wait: for the end of the place, or for the death of lrun.

use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::launcher::{Bond, let_go_of_output};

/// How long an agent whose channel is closed has to end by itself, in milliseconds.
const PATIENCE: u16 = 2000;

/// The state directory; removed when this is dropped.
pub(super) struct StateDirectory {
    path: Option<PathBuf>,
}

impl StateDirectory {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path: Some(path) }
    }

    /// Somebody else removes it.
    pub(super) fn leave_alone(mut self) {
        self.path = None;
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // An overlay's work directory has mode 000; the launcher is root of whatever
            // made it, so modes do not stop it. What is left is for lrun to see.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Waits until process 1 has ended; ends it when lrun is gone and it does not. Then no process
/// of the place is left: the lock is released, the mounts are let go of, and the state directory
/// is removed. Nobody waits for the latter two.
pub(super) fn watch_over(pid: Pid, bond: Bond, lock: Option<File>, state: StateDirectory) {
    let_go_of_output();
    let input = std::io::stdin();
    let life = bond.sign_of_life.as_fd();
    if !hangs_up(life, Some(input.as_fd())) && !hangs_up_soon(life) {
        let _ = kill(pid, Signal::SIGKILL);
    }
    let _ = waitpid(pid, None);
    drop(lock);
    drop(bond.mounts);
    drop(state);
}

/// Waits for either to hang up: true if it is the first.
fn hangs_up(life: BorrowedFd<'_>, other: Option<BorrowedFd<'_>>) -> bool {
    loop {
        let mut fds: Vec<PollFd<'_>> = [Some(life), other]
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::empty()))
            .collect();
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            Err(_) => return false,
            Ok(_) => return fds[0].any() == Some(true),
        }
    }
}

fn hangs_up_soon(life: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(life, PollFlags::empty())];
    matches!(poll(&mut fds, PollTimeout::from(PATIENCE)), Ok(ready) if ready > 0)
}
