//! Requests on their way: which frames belong to whom, and the tasks that move them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender, WeakUnboundedSender};

use super::error::AgentError;
use crate::agent::frame::{Frame, FrameKind, WINDOW};
use crate::agent::message::{Reply, Request};
use crate::agent::protocol::Stream;

/// The channel to an agent. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    outgoing: UnboundedSender<Frame>,
    routes: Arc<Routes>,
    next_stream: Arc<AtomicU32>,
}

impl Wire {
    /// Starts the tasks that read and write. The channel is closed when the last wire and
    /// the last link to it are gone.
    pub(super) fn connect(
        reader: impl AsyncRead + Unpin + Send + 'static,
        writer: impl AsyncWrite + Unpin + Send + 'static,
    ) -> Self {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let routes = Arc::new(Routes::default());
        tokio::spawn(write_frames(writer, queue));
        tokio::spawn(read_frames(
            reader,
            Arc::clone(&routes),
            outgoing.downgrade(),
        ));
        Self {
            outgoing,
            routes,
            next_stream: Arc::new(AtomicU32::new(1)),
        }
    }

    /// Sends a request on a stream of its own.
    pub(super) fn ask(&self, request: &Request) -> Result<Exchange, AgentError> {
        let stream = self.next_stream.fetch_add(1, Ordering::Relaxed);
        let (replies_in, replies) = mpsc::unbounded_channel();
        let (output_in, output) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(WINDOW));
        let route = Route {
            replies: replies_in,
            output: output_in,
            window: Arc::clone(&window),
        };
        self.routes.add(stream, route)?;
        let link = Link {
            stream,
            outgoing: self.outgoing.clone(),
        };
        link.send(Frame::control(stream, request).map_err(|_| AgentError::Gone)?)?;
        Ok(Exchange {
            link,
            replies,
            output,
            window,
        })
    }
}

/// One request and what comes back.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) link: Link,
    pub(super) replies: UnboundedReceiver<Reply>,
    pub(super) output: UnboundedReceiver<(Stream, Vec<u8>)>,
    /// How many bytes of input may still be sent.
    pub(super) window: Arc<Semaphore>,
}

impl Exchange {
    pub(super) async fn reply(&mut self) -> Result<Reply, AgentError> {
        self.replies.recv().await.ok_or(AgentError::Gone)
    }
}

/// The way out, for one stream.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) stream: u32,
    outgoing: UnboundedSender<Frame>,
}

impl Link {
    pub(super) fn send(&self, frame: Frame) -> Result<(), AgentError> {
        self.outgoing.send(frame).map_err(|_| AgentError::Gone)
    }
}

#[derive(Debug)]
struct Route {
    replies: UnboundedSender<Reply>,
    /// Holds no more than a window's worth: the agent waits for credit.
    output: UnboundedSender<(Stream, Vec<u8>)>,
    window: Arc<Semaphore>,
}

/// Where frames go, by stream; `None` once the channel is closed.
///
/// A mutex: requests enter themselves from any task before their frame is sent, which no
/// message to the reading task could promise. Held for a look-up only.
#[derive(Debug)]
struct Routes(Mutex<Option<HashMap<u32, Route>>>);

impl Default for Routes {
    fn default() -> Self {
        Self(Mutex::new(Some(HashMap::new())))
    }
}

impl Routes {
    fn with<T>(&self, f: impl FnOnce(&mut Option<HashMap<u32, Route>>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, stream: u32, route: Route) -> Result<(), AgentError> {
        self.with(|routes| {
            let routes = routes.as_mut().ok_or(AgentError::Gone)?;
            routes.insert(stream, route);
            Ok(())
        })
    }

    fn close(&self) {
        self.with(|routes| *routes = None);
    }

    /// Hands a frame over. False: nobody wants these bytes.
    fn deliver(&self, frame: Frame) -> bool {
        self.with(|routes| {
            let Some(routes) = routes else { return false };
            let Some(route) = routes.get(&frame.stream) else {
                return false;
            };
            match frame.kind {
                FrameKind::Out => route.output.send((Stream::Out, frame.payload)).is_ok(),
                FrameKind::Err => route.output.send((Stream::Err, frame.payload)).is_ok(),
                FrameKind::Credit => {
                    route.window.add_permits(frame.granted());
                    true
                }
                _ => {
                    let Ok(reply) = frame.message() else {
                        return false;
                    };
                    let last = !matches!(reply, Reply::Started);
                    let taken = route.replies.send(reply).is_ok();
                    if last {
                        routes.remove(&frame.stream);
                    }
                    taken
                }
            }
        })
    }
}

async fn write_frames(mut writer: impl AsyncWrite + Unpin, mut queue: UnboundedReceiver<Frame>) {
    while let Some(frame) = queue.recv().await {
        if writer.write_all(&frame.encode()).await.is_err() || writer.flush().await.is_err() {
            return;
        }
    }
}

async fn read_frames(
    mut reader: impl AsyncRead + Unpin,
    routes: Arc<Routes>,
    outgoing: WeakUnboundedSender<Frame>,
) {
    while let Ok(Some(frame)) = Frame::read(&mut reader).await {
        let (stream, kind, size) = (frame.stream, frame.kind, frame.payload.len());
        let wanted = routes.deliver(frame);
        // Whoever stopped listening must not stop the process.
        if !wanted
            && matches!(kind, FrameKind::Out | FrameKind::Err)
            && let Some(outgoing) = outgoing.upgrade()
        {
            let _ = outgoing.send(Frame::credit(stream, size));
        }
    }
    routes.close();
}
