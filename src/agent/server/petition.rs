//! What `sudo` asks of the agent where no program can become root itself: to start a command
//! as the place's root, with the descriptors of whoever asked.
//!
//! Whoever can reach the socket is of the job, which may become root without a password.
//! What is sent is not trusted further: it is bounded, and nothing waits for it.
#![expect(
    unsafe_code,
    reason = "descriptors that came through a socket have no owner yet"
)]

use std::fs;
use std::io::{self, IoSliceMut, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::cmsg_space;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::Pid;

use super::channel::is_transient;
use super::child::Reaped;
use super::ending::kill_tree;
use super::identity::Identity;
use super::spawn::Program;
use crate::agent::frame::{CHUNK, Decoder, Frame};
use crate::agent::message::Reply;
use crate::agent::protocol::ProcessSpec;
use crate::clock::Moment;

/// A command line and environment longer than this no kernel takes.
const LONGEST: usize = 8 * 1024 * 1024;

/// The socket, and everybody who asked.
pub(super) struct Petitions {
    listener: UnixListener,
    open: Vec<Petition>,
}

struct Petition {
    stream: UnixStream,
    decoder: Decoder,
    received: usize,
    /// Standard input, output and error of whoever asked, until the command has them.
    descriptors: Vec<OwnedFd>,
    command: Option<(Pid, Moment)>,
    is_over: bool,
}

impl Petitions {
    /// Listens at a path that is to be free.
    pub(super) fn hear(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
        Ok(Self {
            listener,
            open: Vec::new(),
        })
    }

    /// What to wait for: the socket first, then the petitions in their order.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let streams = self.open.iter().map(|petition| petition.stream.as_fd());
        [self.listener.as_fd()].into_iter().chain(streams)
    }

    /// Serves the `index`th of [`Petitions::fds`].
    pub(super) fn attend(&mut self, index: usize, identity: &Identity) {
        match index.checked_sub(1) {
            None => self.admit(),
            Some(index) => self.open[index].attend(identity),
        }
    }

    fn admit(&mut self) {
        // Whoever went away again is not waited for.
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                self.open.push(Petition {
                    stream,
                    decoder: Decoder::default(),
                    received: 0,
                    descriptors: Vec::new(),
                    command: None,
                    is_over: false,
                });
            }
        }
    }

    /// Tells whoever asked for this process how it ended.
    pub(super) fn note_end(&mut self, reaped: &Reaped) {
        let mut petitions = self.open.iter_mut();
        if let Some(petition) = petitions.find(|petition| petition.is_of(reaped.pid)) {
            petition.note_end(reaped);
        }
    }

    /// Forgets those that are over. To be called when all that was ready is served.
    pub(super) fn clear(&mut self) {
        self.open.retain(|petition| !petition.is_over);
    }
}

impl Petition {
    fn is_of(&self, pid: Pid) -> bool {
        self.command.is_some_and(|(command, _)| command == pid)
    }

    fn attend(&mut self, identity: &Identity) {
        match self.receive() {
            Ok(true) => {}
            Err(error) if is_transient(&error) => return,
            // `sudo` was killed: so is what it stands for.
            Ok(false) | Err(_) => return self.give_up(),
        }
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => self.take(&frame, identity),
                Ok(None) => return,
                Err(_) => return self.give_up(),
            }
        }
    }

    /// Takes in what is there; false at the end.
    fn receive(&mut self) -> io::Result<bool> {
        let mut buffer = vec![0; CHUNK];
        let mut control = cmsg_space!([std::os::fd::RawFd; 3]);
        let (bytes, descriptors) = {
            let mut slices = [IoSliceMut::new(&mut buffer)];
            let received = recvmsg::<()>(
                self.stream.as_raw_fd(),
                &mut slices,
                Some(&mut control),
                MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT,
            )?;
            let mut descriptors = Vec::new();
            for message in received.cmsgs()? {
                if let ControlMessageOwned::ScmRights(fds) = message {
                    descriptors.extend(fds);
                }
            }
            (received.bytes, descriptors)
        };
        // SAFETY: the kernel has just made these descriptors, and nothing else owns them.
        let owned = descriptors
            .into_iter()
            .map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        self.descriptors.extend(owned);
        self.received += bytes;
        if bytes == 0 || self.received > LONGEST {
            return Ok(false);
        }
        self.decoder.push(&buffer[..bytes]);
        Ok(true)
    }

    fn take(&mut self, frame: &Frame, identity: &Identity) {
        let Some((pid, _)) = self.command else {
            return match self.start(frame, identity) {
                Ok(pid) => self.command = Some((pid, Moment::now())),
                Err(error) => self.answer(&Reply::NotStarted {
                    errno: error.raw_os_error().unwrap_or(libc::EINVAL),
                }),
            };
        };
        let signal = frame.message::<i32>().ok().map(Signal::try_from);
        if let (false, Some(Ok(signal))) = (self.is_over, signal) {
            // It is not reaped yet, so the id is still its own.
            let _ = kill(pid, signal);
        }
    }

    fn start(&mut self, frame: &Frame, identity: &Identity) -> io::Result<Pid> {
        let spec: ProcessSpec = frame.message()?;
        let [input, output, error] = std::mem::take(&mut self.descriptors)
            .try_into()
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        Program::new(&spec, identity)?.start([&input, &output, &error])
    }

    fn note_end(&mut self, reaped: &Reaped) {
        let started = self.command.map_or_else(Moment::now, |(_, at)| at);
        if let Some(exit) = reaped.exit(started) {
            self.answer(&Reply::Exited(exit));
        }
    }

    /// A short answer always fits into the socket's buffer.
    fn answer(&mut self, reply: &Reply) {
        self.is_over = true;
        if let Ok(frame) = Frame::control(0, reply) {
            // Whoever does not listen any more does not need to know.
            let _ = self.stream.write_all(&frame.encode());
        }
    }

    fn give_up(&mut self) {
        if let (false, Some((pid, _))) = (self.is_over, self.command) {
            kill_tree(pid);
        }
        self.is_over = true;
    }
}
