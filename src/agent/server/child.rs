//! A process of the place that lrun asked for: its pipes, its window, its end.
#![expect(
    unsafe_code,
    reason = "pre_exec and wait4 have no safe form; both are the core of starting a step"
)]

use std::collections::VecDeque;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::wait::WaitStatus;
use nix::unistd::{Pid, chdir, pipe2, setsid};

use super::channel::{Channel, is_transient, set_nonblocking};
use super::identity::Identity;
use crate::agent::frame::{CHUNK, Frame, FrameKind, WINDOW};
use crate::agent::protocol::{Exit, ProcessSpec, Stream};
use crate::clock::Moment;
use crate::outcome::Timing;

/// How long output is read on after the end of a process, while another one holds the
/// pipe: `ProcessInvoker` of the runner waits as long.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Child {
    pub(super) stream: u32,
    pub(super) pid: Pid,
    started: Moment,
    pipes: [Option<File>; 2],
    feed: Option<Feed>,
    window: usize,
    end: Option<End>,
}

struct End {
    exit: Exit,
    at: Moment,
}

/// Input on its way to a worker.
struct Feed {
    pipe: File,
    pending: VecDeque<u8>,
    complete: bool,
}

/// Both ends of the pipes of a child.
pub(super) struct Pipes {
    /// The child's ends.
    pub(super) theirs: [OwnedFd; 2],
    ours: [File; 2],
}

impl Pipes {
    pub(super) fn new() -> io::Result<Self> {
        let (out, out_end) = pipe2(OFlag::O_CLOEXEC)?;
        let (err, err_end) = pipe2(OFlag::O_CLOEXEC)?;
        set_nonblocking(out.as_fd())?;
        set_nonblocking(err.as_fd())?;
        Ok(Self {
            theirs: [out_end, err_end],
            ours: [out.into(), err.into()],
        })
    }

    /// The child that got the other ends; those are closed here.
    pub(super) fn into_child(self, stream: u32, pid: Pid, started: Moment) -> Child {
        Child::new(stream, pid, started, self.ours)
    }
}

impl Child {
    /// Starts a process as its user, in a session of its own, its input closed.
    pub(super) fn spawn(
        stream: u32,
        spec: &ProcessSpec,
        identity: &Arc<Identity>,
    ) -> io::Result<Self> {
        let (program, arguments) = spec
            .argv
            .split_first()
            .ok_or_else(|| io::Error::from(Errno::ENOENT))?;
        let cwd = CString::new(spec.cwd.as_str())?;
        let pipes = Pipes::new()?;
        let [out, err] = pipes.theirs;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        let (identity, user) = (Arc::clone(identity), spec.user);
        let become_the_user = move || {
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
            setsid()?;
            identity.assume(user)?;
            chdir(cwd.as_c_str())?;
            Ok(())
        };
        // SAFETY: the closure only makes system calls; this program has one thread, so
        // nothing it could need is locked in the child.
        unsafe { command.pre_exec(become_the_user) };
        let started = Moment::now();
        let child = command.spawn()?;
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
        Ok(Self::new(stream, pid, started, pipes.ours))
    }

    fn new(stream: u32, pid: Pid, started: Moment, [out, err]: [File; 2]) -> Self {
        Self {
            stream,
            pid,
            started,
            pipes: [Some(out), Some(err)],
            feed: None,
            window: WINDOW,
            end: None,
        }
    }

    /// Gives it a pipe that input is written to as it comes.
    pub(super) fn fed_by(mut self, pipe: OwnedFd) -> io::Result<Self> {
        set_nonblocking(pipe.as_fd())?;
        self.feed = Some(Feed {
            pipe: pipe.into(),
            pending: VecDeque::new(),
            complete: false,
        });
        Ok(self)
    }

    /// The pipe to wait for, if output may be read from it now.
    pub(super) fn readable(&self, stream: Stream) -> Option<BorrowedFd<'_>> {
        let pipe = self.pipes[stream as usize].as_ref()?;
        (self.window > 0).then(|| pipe.as_fd())
    }

    /// The pipe to wait for, if there is input to be written.
    pub(super) fn writable(&self) -> Option<BorrowedFd<'_>> {
        let feed = self.feed.as_ref()?;
        (!feed.pending.is_empty()).then(|| feed.pipe.as_fd())
    }

    pub(super) fn grant(&mut self, bytes: usize) {
        self.window = self.window.saturating_add(bytes);
    }

    /// Passes on what it wrote.
    pub(super) fn relay(&mut self, stream: Stream, channel: &mut Channel) {
        let slot = &mut self.pipes[stream as usize];
        let Some(pipe) = slot else { return };
        if self.window == 0 {
            // The other stream took the last of it.
            return;
        }
        let mut buffer = vec![0; CHUNK.min(self.window)];
        match pipe.read(&mut buffer) {
            Ok(0) => *slot = None,
            Ok(read) => {
                buffer.truncate(read);
                self.window -= read;
                let kind = match stream {
                    Stream::Out => FrameKind::Out,
                    Stream::Err => FrameKind::Err,
                };
                channel.send(&Frame::new(self.stream, kind, buffer));
            }
            Err(error) if is_transient(&error) => {}
            Err(_) => *slot = None,
        }
    }

    /// Passes on what the pipes still hold when the wait for more of it is over, and lets
    /// go of them.
    pub(super) fn look_once_more(&mut self, channel: &mut Channel) {
        if self.grace_left() == Some(Duration::ZERO) {
            for stream in [Stream::Out, Stream::Err] {
                self.relay(stream, channel);
            }
            self.pipes = [None, None];
        }
    }

    /// Takes input in. What nobody reads any more is thrown away, and credited, so that
    /// its sender can come to its end.
    pub(super) fn take_input(&mut self, bytes: Vec<u8>, channel: &mut Channel) {
        match &mut self.feed {
            Some(feed) => feed.pending.extend(bytes),
            None => channel.send(&Frame::credit(self.stream, bytes.len())),
        }
    }

    pub(super) fn end_input(&mut self) {
        if let Some(feed) = &mut self.feed {
            feed.complete = true;
            if feed.pending.is_empty() {
                self.feed = None;
            }
        }
    }

    /// Writes input as far as the child takes it.
    pub(super) fn feed(&mut self, channel: &mut Channel) {
        let Some(feed) = &mut self.feed else { return };
        let (front, _) = feed.pending.as_slices();
        let done = match feed.pipe.write(front) {
            Ok(written) => {
                feed.pending.drain(..written);
                channel.send(&Frame::credit(self.stream, written));
                feed.complete && feed.pending.is_empty()
            }
            Err(error) if is_transient(&error) => false,
            Err(_) => {
                channel.send(&Frame::credit(self.stream, feed.pending.len()));
                true
            }
        };
        if done {
            self.feed = None;
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    pub(super) fn note_end(&mut self, reaped: &Reaped) {
        let (code, signal) = match reaped.status {
            WaitStatus::Signaled(_, signal, _) => (128 + signal as i32, Some(signal as i32)),
            WaitStatus::Exited(_, code) => (code, None),
            _ => return,
        };
        let timing = Timing {
            wall_us: Timing::wall(self.started.elapsed()).wall_us,
            ..reaped.cost
        };
        self.end = Some(End {
            exit: Exit {
                code,
                signal,
                timing,
            },
            at: Moment::now(),
        });
    }

    /// How it ended, once its output is complete or given up.
    pub(super) fn finished(&self) -> Option<Exit> {
        let end = self.end.as_ref()?;
        self.pipes.iter().all(Option::is_none).then_some(end.exit)
    }

    /// How long the wait for its output may still take, if it has ended. Not before the
    /// window has room for all that two pipes hold.
    pub(super) fn grace_left(&self) -> Option<Duration> {
        let end = self.end.as_ref()?;
        (self.window >= 2 * CHUNK).then(|| GRACE.saturating_sub(end.at.elapsed()))
    }
}

/// A child that has ended, its own or an orphan that came to the agent.
pub(super) struct Reaped {
    pub(super) pid: Pid,
    status: WaitStatus,
    cost: Timing,
}

/// Reaps one child that has ended by now.
pub(super) fn reap() -> Option<Reaped> {
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers; all zeros is one of its values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live variables of the types that wait4 writes.
    let pid = unsafe {
        libc::wait4(
            -1,
            &raw mut status,
            libc::WNOHANG | libc::__WALL,
            &raw mut usage,
        )
    };
    if pid <= 0 {
        return None;
    }
    let pid = Pid::from_raw(pid);
    Some(Reaped {
        pid,
        status: WaitStatus::from_raw(pid, status).ok()?,
        cost: Timing {
            wall_us: 0,
            user_us: microseconds(usage.ru_utime),
            system_us: microseconds(usage.ru_stime),
            max_rss_kib: u64::try_from(usage.ru_maxrss).unwrap_or_default(),
        },
    })
}

fn microseconds(time: libc::timeval) -> u64 {
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_usec).unwrap_or_default()
}
