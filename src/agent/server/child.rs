//! A process of the place that lrun asked for: its pipes, its window, its end.
#![expect(
    unsafe_code,
    reason = "wait4, which tells what a process cost, has no safe form"
)]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::wait::WaitStatus;
use nix::unistd::{Pid, pipe2};

use super::channel::{Channel, is_transient, set_nonblocking};
use super::identity::Identity;
use super::spawn::Program;
use crate::agent::frame::{CHUNK, Frame, FrameKind, WINDOW};
use crate::agent::message::Task;
use crate::agent::protocol::{Exit, Stream, User};
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
    /// What is to be read, and as whom, when a task is over; none for a worker.
    pub(super) results: Option<(User, Vec<String>)>,
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
    /// Starts the process of a task as its user, in a session of its own, its input closed.
    pub(super) fn spawn(stream: u32, task: Task, identity: &Identity) -> io::Result<Self> {
        let program = Program::new(&task.process, identity)?;
        let null = File::open("/dev/null")?.into();
        let pipes = Pipes::new()?;
        let [out, err] = &pipes.theirs;
        let started = Moment::now();
        let pid = program.start([&null, out, err])?;
        let mut child = Self::new(stream, pid, started, pipes.ours);
        child.results = Some((task.process.user, task.results));
        Ok(child)
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
            results: None,
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
        if let Some(exit) = reaped.exit(self.started) {
            self.end = Some(End {
                exit,
                at: Moment::now(),
            });
        }
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

impl Reaped {
    /// How it ended, if it did.
    pub(super) fn exit(&self, started: Moment) -> Option<Exit> {
        let (code, signal) = match self.status {
            WaitStatus::Signaled(_, signal, _) => (128 + signal as i32, Some(signal as i32)),
            WaitStatus::Exited(_, code) => (code, None),
            _ => return None,
        };
        let timing = Timing {
            wall_us: Timing::wall(started.elapsed()).wall_us,
            ..self.cost
        };
        Some(Exit {
            code,
            signal,
            timing,
        })
    }
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
