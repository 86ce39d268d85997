//! A process in a place, as lrun holds it.

use tokio::sync::mpsc::UnboundedReceiver;

use super::error::AgentError;
use super::wire::{Exchange, Link};
use crate::agent::frame::Frame;
use crate::agent::message::{Reply, Request};
use crate::agent::protocol::{Ended, Exit, Signal, Stream};

/// A process in a place. It goes on when this is dropped.
#[derive(Debug)]
pub struct Process {
    /// What it writes. Ends when the process has ended and its output is complete, or
    /// five seconds after its end if a background process holds it open (the runner's
    /// `ProcessInvoker` waits that long).
    pub output: Output,
    signals: Signals,
    replies: UnboundedReceiver<Reply>,
}

impl Process {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self {
            signals: Signals(exchange.link.clone()),
            output: Output {
                received: exchange.output,
                link: exchange.link,
            },
            replies: exchange.replies,
        }
    }

    /// Sends a signal. Nothing happens if the process has ended.
    pub fn signal(&self, signal: Signal) -> Result<(), AgentError> {
        self.signals.send(signal)
    }

    /// What signals the process from elsewhere, while its output is being read.
    pub fn signals(&self) -> Signals {
        self.signals.clone()
    }

    /// Waits for its end. Output that was not read by then is thrown away.
    pub async fn wait(self) -> Result<Exit, AgentError> {
        Ok(self.ended().await?.exit)
    }

    /// The same, with all that there is to be told of it.
    pub async fn ended(mut self) -> Result<Ended, AgentError> {
        loop {
            tokio::select! {
                Some(_) = self.output.recv() => {}
                reply = self.replies.recv() => return match reply {
                    Some(Reply::Ended(ended)) => Ok(ended),
                    // A worker's.
                    Some(Reply::Exited(exit)) => Ok(Ended {
                        exit,
                        results: Vec::new(),
                        opened: Vec::new(),
                    }),
                    Some(other) => Err(AgentError::confused("wait for a process", &other)),
                    None => Err(AgentError::Gone),
                },
            }
        }
    }
}

/// Signals one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Signals(Link);

impl Signals {
    /// Sends a signal. Nothing happens if the process has ended.
    pub fn send(&self, signal: Signal) -> Result<(), AgentError> {
        let frame = Frame::control(self.0.stream, &Request::Signal(signal));
        self.0.send(frame.map_err(|_| AgentError::Gone)?)
    }
}

/// The output of a process, as it comes. Reading it makes room for more.
#[derive(Debug)]
pub struct Output {
    received: UnboundedReceiver<(Stream, Vec<u8>)>,
    link: Link,
}

impl Output {
    /// The next piece, at most 64 KiB; `None` at the end. Safe to cancel.
    pub async fn recv(&mut self) -> Option<(Stream, Vec<u8>)> {
        let (stream, bytes) = self.received.recv().await?;
        // An agent that is gone needs no credit.
        let _ = self.link.send(Frame::credit(self.link.stream, bytes.len()));
        Some((stream, bytes))
    }
}
