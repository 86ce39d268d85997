//! Work on files that may take long: a forked child that took the user's identity as a
//! step does, reading its input and writing what it finds as frames.
#![expect(
    unsafe_code,
    reason = "a worker is a fork without an exec: fork, dup2 and _exit have no safe form"
)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::{ForkResult, fork, pipe2, setsid};

use super::child::{Child, Pipes};
use super::files;
use super::identity::Identity;
use crate::agent::frame::Frame;
use crate::agent::message::{FileProblem, Removal, Work};
use crate::agent::protocol::User;
use crate::clock::Moment;

/// Starts a worker.
pub(super) fn start(
    stream: u32,
    user: User,
    work: &Work,
    identity: &Identity,
) -> io::Result<Child> {
    let (input, feed) = pipe2(OFlag::O_CLOEXEC)?;
    let pipes = Pipes::new()?;
    let started = Moment::now();
    // SAFETY: this program has one thread, so the child may do whatever the parent might.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => pipes.into_child(stream, child, started).fed_by(feed),
        ForkResult::Child => {
            let [out, err] = &pipes.theirs;
            let done = catch_unwind(AssertUnwindSafe(|| {
                settle(&input, [out, err], user, identity)?;
                perform(work, &mut standard_output())
            }));
            let code = match done {
                Ok(Ok(())) => 0,
                Ok(Err(_)) => 1,
                Err(_) => 101,
            };
            // SAFETY: ends this process without running the parent's destructors.
            unsafe { libc::_exit(code) }
        }
    }
}

/// Makes the pipes standard input, output and error, lets go of all else that the agent
/// holds, and becomes the user.
fn settle(
    input: &OwnedFd,
    [out, err]: [&OwnedFd; 2],
    user: User,
    identity: &Identity,
) -> io::Result<()> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    setsid()?;
    identity.assume(user)?;
    for (fd, number) in [(input, 0), (out, 1), (err, 2)] {
        // SAFETY: replaces a descriptor that nothing in this process uses from here on:
        // the loop that owned it is never returned to.
        nix::errno::Errno::result(unsafe { libc::dup2(fd.as_raw_fd(), number) })?;
    }
    // SAFETY: as above; a kernel without the call leaves them open, which only delays
    // an end of file.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    Ok(())
}

fn standard_output() -> File {
    // SAFETY: descriptor 1 is the worker's pipe and nobody else's in this process.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(1) }
}

fn perform(work: &Work, output: &mut impl io::Write) -> io::Result<()> {
    match work {
        Work::Remove { path, removal } => {
            let target = Path::new(path);
            let result = match removal {
                Removal::Whole => files::remove(target),
                Removal::Contents => files::remove_contents(target),
            };
            report(output, &answer("remove", path, result))
        }
    }
}

fn answer<T>(action: &str, path: &str, result: io::Result<T>) -> Result<T, FileProblem> {
    result.map_err(|error| files::problem(action, path, &error))
}

/// The last thing a worker says.
fn report(
    output: &mut impl io::Write,
    result: &Result<impl serde::Serialize, FileProblem>,
) -> io::Result<()> {
    output.write_all(&Frame::control(0, result)?.encode())
}
