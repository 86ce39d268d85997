//! Starting a program: as fast as the kernel allows, with everything prepared before.
//!
//! The child shares the agent's memory until it executes the program (`vfork`), so that starting
//! it costs the same however large the agent is, and copies nothing.
#![expect(
    unsafe_code,
    reason = "clone with a shared memory, and what runs in the child, have no safe form"
)]

use std::ffi::{CString, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::Pid;

use super::identity::Identity;
use crate::agent::protocol::ProcessSpec;

/// More than the child's few calls can use, the user's part of the kernel's frames included.
const STACK_BYTES: usize = 64 * 1024;

/// Where a program without a slash is looked for when the environment has no PATH
/// (`confstr(_CS_PATH)`).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// A program that is ready to be started.
pub(super) struct Program<'a> {
    /// What to try to execute, in this order.
    candidates: Vec<CString>,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    directory: CString,
    spec: &'a ProcessSpec,
    identity: &'a Identity,
}

/// All that the child looks at, and the one thing it writes.
struct Plan<'a> {
    program: &'a Program<'a>,
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    standard: [c_int; 3],
    error: Option<Errno>,
}

impl<'a> Program<'a> {
    /// Prepares a program. What has a zero byte in it is an error.
    pub(super) fn new(spec: &'a ProcessSpec, identity: &'a Identity) -> io::Result<Self> {
        let name = spec.argv.first().ok_or(Errno::ENOENT)?;
        let strings = |texts: &mut dyn Iterator<Item = String>| -> io::Result<Vec<CString>> {
            texts.map(|text| Ok(CString::new(text)?)).collect()
        };
        let mut variables = spec.env.iter();
        let path = variables.find(|(variable, _)| variable == "PATH");
        let path = path.map_or(DEFAULT_PATH, |(_, value)| value.as_str());
        Ok(Self {
            candidates: strings(&mut candidates(name, path))?,
            arguments: strings(&mut spec.argv.iter().cloned())?,
            environment: strings(&mut spec.env.iter().map(|(k, v)| format!("{k}={v}")))?,
            directory: CString::new(spec.cwd.as_str())?,
            spec,
            identity,
        })
    }

    /// Starts it in a session of its own, with these as its standard input, output and error.
    /// Everything else this process has open must close on exec.
    pub(super) fn start(&self, standard: [&OwnedFd; 3]) -> io::Result<Pid> {
        let mut plan = Plan {
            program: self,
            arguments: pointers(&self.arguments),
            environment: pointers(&self.environment),
            standard: standard.map(|fd| fd.as_raw_fd()),
            error: None,
        };
        let mut stack = vec![0_u8; STACK_BYTES];
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the child runs `child_main` on a stack of its own, which like the plan lives
        // until clone returns here, after the child has executed a program or ended. This
        // program has one thread and no signal handlers, and the child makes system calls only,
        // so that nothing is left changed in the shared memory but the plan's error.
        let pid = unsafe {
            let top = stack.as_mut_ptr().add(STACK_BYTES & !15);
            libc::clone(child_main, top.cast(), flags, (&raw mut plan).cast())
        };
        let pid = Pid::from_raw(Errno::result(pid)?);
        match plan.error {
            None => Ok(pid),
            Some(error) => {
                // It has ended: this is no wait, and nobody else is to see its end.
                let _ = nix::sys::wait::waitpid(pid, None);
                Err(error.into())
            }
        }
    }
}

/// Where a program may be.
fn candidates<'t>(name: &'t str, path: &'t str) -> Box<dyn Iterator<Item = String> + 't> {
    if name.contains('/') || name.is_empty() {
        return Box::new(std::iter::once(name.to_owned()));
    }
    Box::new(path.split(':').map(move |directory| match directory {
        // An empty entry is the working directory.
        "" => format!("./{name}"),
        directory => format!("{directory}/{name}"),
    }))
}

/// An array as `execve` wants it: ended by a null.
fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    let pointers = strings.iter().map(|string| string.as_ptr());
    pointers.chain([ptr::null()]).collect()
}

extern "C" fn child_main(plan: *mut c_void) -> c_int {
    // SAFETY: `start` passes its plan, which it does not touch before this process has let go of
    // the memory they share.
    let plan = unsafe { &mut *plan.cast::<Plan<'_>>() };
    plan.error = Some(become_program(plan));
    // SAFETY: ends this process without running anything of the parent's.
    unsafe { libc::_exit(127) }
}

/// Only returns when it fails. Makes system calls only: memory and locks are the parent's.
fn become_program(plan: &Plan<'_>) -> Errno {
    match settle(plan) {
        Ok(()) => execute(plan),
        Err(error) => error,
    }
}

fn settle(plan: &Plan<'_>) -> Result<(), Errno> {
    for (number, fd) in (0..).zip(plan.standard) {
        // SAFETY: the descriptors are this process' own copies. The agent's standard ones are
        // not at stake: the table is not shared.
        Errno::result(unsafe { libc::dup2(fd, number) })?;
    }
    // SAFETY: the table of dispositions is this process' own; the default runs no code.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    nix::unistd::setsid()?;
    let program = plan.program;
    let assumed = program.identity.assume(program.spec.user);
    assumed.map_err(|error| error.raw_os_error().map_or(Errno::EPERM, Errno::from_raw))?;
    nix::unistd::chdir(program.directory.as_c_str())
}

/// Tries the candidates as `execvp` does, but hands nothing to a shell.
fn execute(plan: &Plan<'_>) -> Errno {
    let mut error = Errno::ENOENT;
    for candidate in &plan.program.candidates {
        // SAFETY: three pointers to what lives as long as the plan: a C string and two arrays of
        // C strings that end with a null.
        unsafe {
            libc::execve(
                candidate.as_ptr(),
                plan.arguments.as_ptr(),
                plan.environment.as_ptr(),
            )
        };
        match Errno::last() {
            Errno::ENOENT | Errno::ENOTDIR | Errno::ESTALE | Errno::ENODEV | Errno::ETIMEDOUT => {}
            // Another one may be allowed.
            Errno::EACCES => error = Errno::EACCES,
            other => return other,
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_where_path_says() {
        let all = |name, path| candidates(name, path).collect::<Vec<_>>();
        assert_eq!(all("sh", "/a:/b"), ["/a/sh", "/b/sh"]);
        assert_eq!(all("sh", ":/b"), ["./sh", "/b/sh"]);
        assert_eq!(all("./sh", "/a"), ["./sh"]);
        assert_eq!(all("", "/a"), [""]);
    }
}
