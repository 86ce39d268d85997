//! The agent's end of the channel: frames in and out without ever blocking.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use serde::Serialize;

use crate::agent::frame::{CHUNK, Decoder, Frame};

/// While more than this waits to be sent, nothing is read that could add to it.
const CROWDED: usize = 1024 * 1024;

pub(super) struct Channel {
    input: File,
    output: File,
    decoder: Decoder,
    outbox: VecDeque<u8>,
}

/// What came in.
pub(super) struct Incoming {
    pub(super) frames: Vec<Frame>,
    /// Nothing more will come.
    pub(super) closed: bool,
}

impl Channel {
    pub(super) fn new(input: OwnedFd, output: OwnedFd) -> io::Result<Self> {
        set_nonblocking(input.as_fd())?;
        set_nonblocking(output.as_fd())?;
        Ok(Self {
            input: input.into(),
            output: output.into(),
            decoder: Decoder::default(),
            outbox: VecDeque::new(),
        })
    }

    pub(super) fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    pub(super) fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.outbox.len() >= CROWDED
    }

    pub(super) fn has_outgoing(&self) -> bool {
        !self.outbox.is_empty()
    }

    pub(super) fn send(&mut self, frame: &Frame) {
        self.outbox.extend(frame.encode());
    }

    pub(super) fn reply(&mut self, stream: u32, message: &impl Serialize) -> io::Result<()> {
        self.send(&Frame::control(stream, message)?);
        Ok(())
    }

    /// Sends what the channel takes now.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.outbox.is_empty() {
            let (front, _) = self.outbox.as_slices();
            match self.output.write(front) {
                Ok(written) => drop(self.outbox.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what is there now.
    pub(super) fn receive(&mut self) -> io::Result<Incoming> {
        let mut closed = false;
        let mut buffer = [0; CHUNK];
        match self.input.read(&mut buffer) {
            Ok(0) => closed = true,
            Ok(read) => self.decoder.push(&buffer[..read]),
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(error),
        }
        let mut frames = Vec::new();
        while let Some(frame) = self.decoder.next_frame()? {
            frames.push(frame);
        }
        Ok(Incoming { frames, closed })
    }
}

/// The kernel asks to try again later.
pub(super) fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

pub(super) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}
