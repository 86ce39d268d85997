//! The loop: waits for lrun and for the processes of the place, and serves both.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal as SystemSignal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::channel::Channel;
use super::child::{self, Child};
use super::identity::Identity;
use super::petition::Petitions;
use super::watch::Watch;
use super::{ending, files, worker};
use crate::agent::frame::{Frame, FrameKind};
use crate::agent::message::{FileProblem, Reply, Request, Task};
use crate::agent::protocol::{self, Exit, FileSpec, Signal, Stream, User};

/// Why an agent's service is over. Nothing of the place is left then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// lrun asked for it.
    Asked,
    /// lrun, or the launcher, is gone.
    Abandoned,
}

/// An agent at work.
pub struct Service {
    channel: Channel,
    /// The other end is held by whoever must outlive the agent; `None` if nobody.
    lifeline: Option<OwnedFd>,
    identity: Identity,
    deaths: SignalFd,
    watch: Watch,
    children: Vec<Child>,
    /// What hears `sudo`, where no program can become root itself.
    petitions: Option<Petitions>,
}

/// What can be ready.
#[derive(Debug, Clone, Copy)]
enum Source {
    Request,
    Outbox,
    Lifeline,
    Deaths,
    Watch,
    Output(usize, Stream),
    Feed(usize),
    Petition(usize),
}

impl Service {
    /// Takes over a channel. The process must have one thread and be process 1 of the
    /// place, or a subreaper.
    pub fn new(
        [input, output]: [OwnedFd; 2],
        lifeline: Option<OwnedFd>,
        identity: Identity,
    ) -> io::Result<Self> {
        // Where the job's user has the agent's id on this machine, this keeps its memory,
        // its descriptors and its program out of the job's reach.
        prctl::set_dumpable(false)?;
        let mut mask = SigSet::empty();
        mask.add(SystemSignal::SIGCHLD);
        mask.thread_block()?;
        Ok(Self {
            channel: Channel::new(input, output)?,
            lifeline,
            identity,
            deaths: SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?,
            watch: Watch::new()?,
            children: Vec::new(),
            petitions: None,
        })
    }

    /// Hears also what `sudo` asks for at a socket, which is made at `path`.
    pub fn hearing(mut self, path: &Path) -> io::Result<Self> {
        self.petitions = Some(Petitions::hear(path)?);
        Ok(self)
    }

    /// Serves until it is over. Whatever happens, the processes of the place are ended.
    pub fn run(mut self) -> io::Result<Ended> {
        let served = self.serve();
        let orphans = match served {
            Ok(Some(_)) => ending::running(),
            _ => Vec::new(),
        };
        ending::end_everything();
        match served? {
            None => Ok(Ended::Abandoned),
            Some(stream) => {
                self.channel.reply(stream, &Reply::Closed(orphans))?;
                while self.channel.has_outgoing() {
                    let output = PollFd::new(self.channel.output(), PollFlags::POLLOUT);
                    poll(&mut [output], PollTimeout::NONE)?;
                    self.channel.flush()?;
                }
                Ok(Ended::Asked)
            }
        }
    }

    /// Returns the stream of the request to close, if it was one.
    fn serve(&mut self) -> io::Result<Option<u32>> {
        loop {
            for source in self.wait()? {
                if let ControlFlow::Break(end) = self.attend(source)? {
                    return Ok(end);
                }
            }
            self.announce_ends()?;
            if let Some(petitions) = &mut self.petitions {
                petitions.clear();
            }
            self.channel.flush()?;
        }
    }

    fn attend(&mut self, source: Source) -> io::Result<ControlFlow<Option<u32>>> {
        match source {
            Source::Lifeline => return Ok(ControlFlow::Break(None)),
            Source::Request => return self.take_requests(),
            // Flushed after every round.
            Source::Outbox => {}
            Source::Deaths => self.reap()?,
            Source::Watch => self.watch.drain(),
            Source::Output(child, stream) => self.children[child].relay(stream, &mut self.channel),
            Source::Feed(child) => self.children[child].feed(&mut self.channel),
            Source::Petition(index) => {
                if let Some(petitions) = &mut self.petitions {
                    petitions.attend(index, &self.identity);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn take_requests(&mut self) -> io::Result<ControlFlow<Option<u32>>> {
        let incoming = self.channel.receive()?;
        for frame in incoming.frames {
            if let Some(stream) = self.take(frame)? {
                return Ok(ControlFlow::Break(Some(stream)));
            }
        }
        Ok(match incoming.closed {
            true => ControlFlow::Break(None),
            false => ControlFlow::Continue(()),
        })
    }

    /// Waits until something is ready. Children keep their places until all of it is served.
    fn wait(&self) -> io::Result<Vec<Source>> {
        let waiting = self.waiting();
        let mut fds: Vec<PollFd<'_>> = waiting
            .iter()
            .map(|(_, fd, events)| PollFd::new(*fd, *events))
            .collect();
        match poll(&mut fds, self.timeout()) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
        Ok(waiting
            .iter()
            .zip(&fds)
            .filter(|(_, fd)| fd.any() == Some(true))
            .map(|((source, ..), _)| *source)
            .collect())
    }

    fn waiting(&self) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let (reading, writing) = (PollFlags::POLLIN, PollFlags::POLLOUT);
        let mut waiting = vec![(Source::Deaths, self.deaths.as_fd(), reading)];
        if self.watch.rest().is_none() {
            waiting.push((Source::Watch, self.watch.fd(), reading));
        }
        if let Some(lifeline) = &self.lifeline {
            waiting.push((Source::Lifeline, lifeline.as_fd(), PollFlags::empty()));
        }
        if self.channel.has_outgoing() {
            waiting.push((Source::Outbox, self.channel.output(), writing));
        }
        if !self.channel.is_crowded() {
            waiting.push((Source::Request, self.channel.input(), reading));
        }
        for (index, fd) in self.petitions.iter().flat_map(Petitions::fds).enumerate() {
            waiting.push((Source::Petition(index), fd, reading));
        }
        for (index, child) in self.children.iter().enumerate() {
            for stream in [Stream::Out, Stream::Err] {
                if let Some(pipe) = child
                    .readable(stream)
                    .filter(|_| !self.channel.is_crowded())
                {
                    waiting.push((Source::Output(index, stream), pipe, reading));
                }
            }
            if let Some(pipe) = child.writable() {
                waiting.push((Source::Feed(index), pipe, writing));
            }
        }
        waiting
    }

    fn timeout(&self) -> PollTimeout {
        self.children
            .iter()
            .filter_map(Child::grace_left)
            .chain(self.watch.rest())
            .min()
            .and_then(|left| PollTimeout::try_from(left + Duration::from_millis(1)).ok())
            .unwrap_or(PollTimeout::NONE)
    }

    fn reap(&mut self) -> io::Result<()> {
        while self.deaths.read_signal()?.is_some() {}
        while let Some(reaped) = child::reap() {
            let mut children = self.children.iter_mut();
            if let Some(child) =
                children.find(|child| child.pid == reaped.pid && !child.has_ended())
            {
                child.note_end(&reaped);
            } else if let Some(petitions) = &mut self.petitions {
                petitions.note_end(&reaped);
            }
        }
        Ok(())
    }

    fn announce_ends(&mut self) -> io::Result<()> {
        for mut child in std::mem::take(&mut self.children) {
            child.look_once_more(&mut self.channel);
            match child.finished() {
                Some(exit) => {
                    let reply = self.last_word(&child, exit)?;
                    self.channel.reply(child.stream, &reply)?;
                }
                None => self.children.push(child),
            }
        }
        Ok(())
    }

    fn last_word(&mut self, child: &Child, exit: Exit) -> io::Result<Reply> {
        let Some((user, paths)) = &child.results else {
            return Ok(Reply::Exited(exit));
        };
        let results = match paths.is_empty() {
            true => Vec::new(),
            false => self.identity.acting_as(*user, || {
                Ok(paths.iter().map(|path| files::find(path)).collect())
            })?,
        };
        Ok(Reply::Ended(protocol::Ended {
            exit,
            results,
            opened: self.watch.take(),
        }))
    }

    /// Serves a frame. Returns its stream if it asks to close.
    fn take(&mut self, frame: Frame) -> io::Result<Option<u32>> {
        let stream = frame.stream;
        let child = self
            .children
            .iter_mut()
            .find(|child| child.stream == stream);
        match (frame.kind, child) {
            (FrameKind::Control, _) => return self.answer(stream, frame.message()?),
            (FrameKind::Credit, Some(child)) => child.grant(frame.granted()),
            (FrameKind::Input, Some(child)) => child.take_input(frame.payload, &mut self.channel),
            (FrameKind::Input, None) => {
                self.channel
                    .send(&Frame::credit(stream, frame.payload.len()));
            }
            (FrameKind::EndOfInput, Some(child)) => child.end_input(),
            _ => {}
        }
        Ok(None)
    }

    fn answer(&mut self, stream: u32, request: Request) -> io::Result<Option<u32>> {
        let reply = match request {
            Request::Close => return Ok(Some(stream)),
            Request::Signal(signal) => {
                self.signal(stream, signal);
                return Ok(None);
            }
            Request::Spawn(task) => match self.prepare(&task)? {
                Reply::Done => {
                    let child = Child::spawn(stream, task, &self.identity);
                    self.admit(child)
                }
                failed => failed,
            },
            Request::Work { user, work } => {
                let child = worker::start(stream, user, work, &self.identity);
                self.admit(child)
            }
            Request::Watch { paths } => {
                self.watch.add(paths);
                Reply::Done
            }
            Request::Opened => Reply::Opened(self.watch.take()),
            request => self.file_operation(request)?,
        };
        self.channel.reply(stream, &reply)?;
        Ok(None)
    }

    fn admit(&mut self, child: io::Result<Child>) -> Reply {
        match child {
            Ok(child) => {
                self.children.push(child);
                Reply::Started
            }
            Err(error) => Reply::NotStarted {
                errno: error.raw_os_error().unwrap_or(libc::EINVAL),
            },
        }
    }

    fn signal(&self, stream: u32, signal: Signal) {
        let child = self.children.iter().find(|child| child.stream == stream);
        let Some(child) = child.filter(|child| !child.has_ended()) else {
            return;
        };
        // It is not reaped yet, so the id is still its own.
        let _ = match signal {
            Signal::Interrupt => kill(child.pid, SystemSignal::SIGINT),
            Signal::Terminate => kill(child.pid, SystemSignal::SIGTERM),
            Signal::Kill => {
                ending::kill_tree(child.pid);
                Ok(())
            }
        };
    }

    /// Looks for the files that a process needs and writes its own.
    fn prepare(&self, task: &Task) -> io::Result<Reply> {
        let user = task.process.user;
        let is_missing = |path: &&String| !Path::new(path).is_file();
        let missing = match task.needs.as_slice() {
            [] => None,
            needs => self
                .identity
                .acting_as(user, || Ok(needs.iter().find(is_missing).cloned()))?,
        };
        match missing {
            Some(path) => Ok(Reply::Missing { path }),
            None => self.write_files(user, &task.files),
        }
    }

    fn write_files(&self, user: User, files: &[FileSpec]) -> io::Result<Reply> {
        let write = |file: &FileSpec| {
            files::write(file).map_err(|error| files::problem("write", &file.path, &error))
        };
        match files {
            [] => Ok(Reply::Done),
            files => self.identity.acting_as(user, || {
                let written = files.iter().try_for_each(write);
                Ok(written.map_or_else(Reply::Failed, |()| Reply::Done))
            }),
        }
    }

    fn file_operation(&self, request: Request) -> io::Result<Reply> {
        let act = |user: User, operation: &dyn Fn() -> Result<Reply, FileProblem>| {
            self.identity
                .acting_as(user, || Ok(operation().unwrap_or_else(Reply::Failed)))
        };
        match request {
            Request::WriteFiles { user, files } => self.write_files(user, &files),
            Request::ReadFiles { user, paths } => act(user, &|| {
                Ok(Reply::Files(
                    paths.iter().map(|path| files::read(path)).collect(),
                ))
            }),
            Request::MakeDirectory { user, path, mode } => act(user, &|| {
                files::make_directory(Path::new(&path), mode)
                    .map_err(|e| files::problem("make the directory", &path, &e))?;
                Ok(Reply::Done)
            }),
            Request::RealPath { user, path } => act(user, &|| {
                let found = files::real_path(&path);
                Ok(Reply::Path(
                    found.map_err(|e| files::problem("resolve", &path, &e))?,
                ))
            }),
            Request::Exists { paths } => act(User::Job, &|| {
                Ok(Reply::Answers(
                    paths.iter().map(|path| Path::new(path).exists()).collect(),
                ))
            }),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
