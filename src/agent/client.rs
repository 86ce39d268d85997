//! lrun's end of an agent's channel.
//!
//! One task reads the channel and hands each frame to the request it belongs to, one
//! writes. Dropping the last [`Agent`] closes the channel, and with it the place.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender, WeakUnboundedSender};

use super::frame::{Decoder, Frame, FrameKind, WINDOW};
use super::message::{Content, FileProblem, Removal, Reply, Request, Work};
use super::protocol::{Exit, FileSpec, ProcessSpec, Signal, Stream, User};

/// Why something asked of an agent was not done.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The channel is closed: the place is gone.
    #[error("the agent in the job's place has ended; its place is gone")]
    Gone,
    /// The agent answered something that does not fit the question: a fault of lrun's own.
    #[error("the agent answered {answer} when asked to {request}")]
    Confused {
        /// What was asked.
        request: &'static str,
        /// What came.
        answer: String,
    },
    /// A process could not be started.
    #[error(
        "cannot start '{program}' in {cwd}: {}",
        io::Error::from_raw_os_error(*errno)
    )]
    NotStarted {
        /// The program.
        program: String,
        /// Its working directory.
        cwd: String,
        /// The system's reason.
        errno: i32,
    },
    /// A file operation failed.
    #[error(
        "cannot {action} {path} in the job's place: {}",
        io::Error::from_raw_os_error(*errno)
    )]
    File {
        /// What was tried, such as `write`.
        action: String,
        /// The path inside the place.
        path: String,
        /// The system's reason.
        errno: i32,
    },
    /// A worker ended before it had answered.
    #[error("the worker that was to {request} ended with exit code {code} and no answer")]
    Worker {
        /// What was asked.
        request: &'static str,
        /// How it ended.
        code: i32,
    },
}

impl From<FileProblem> for AgentError {
    fn from(problem: FileProblem) -> Self {
        Self::File {
            action: problem.action,
            path: problem.path,
            errno: problem.errno,
        }
    }
}

/// An agent, wherever its place is. Cheap to clone; all clones speak to the same one.
#[derive(Debug, Clone)]
pub struct Agent {
    outgoing: UnboundedSender<Frame>,
    routes: Arc<Routes>,
    next_stream: Arc<AtomicU32>,
}

impl Agent {
    /// Speaks to an agent that is ready. Must be called inside a tokio runtime.
    pub fn connect(
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

    /// Starts a process. Fails if the program or the directory is not there for its user.
    pub async fn spawn(&self, spec: ProcessSpec) -> Result<Process, AgentError> {
        let (program, cwd) = (
            spec.argv.first().cloned().unwrap_or_default(),
            spec.cwd.clone(),
        );
        let mut exchange = self.ask(&Request::Spawn(spec))?;
        match exchange.reply().await? {
            Reply::Started => Ok(Process::new(exchange)),
            Reply::NotStarted { errno } => Err(AgentError::NotStarted {
                program,
                cwd,
                errno,
            }),
            other => Err(confused("start a process", &other)),
        }
    }

    /// Writes files as `user`, all in one round trip. Stops at the first that fails.
    pub async fn write_files(&self, user: User, files: Vec<FileSpec>) -> Result<(), AgentError> {
        self.do_it("write files", &Request::WriteFiles { user, files })
            .await
    }

    /// Reads files as `user`, all in one round trip: `None` for what is not a regular file
    /// that `user` can read, or is larger than 64 MiB.
    pub async fn read_files(
        &self,
        user: User,
        paths: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>, AgentError> {
        match self.answer(&Request::ReadFiles { user, paths }).await? {
            Reply::Files(files) => Ok(files
                .into_iter()
                .map(|file| file.map(|Content(bytes)| bytes))
                .collect()),
            other => Err(confused("read files", &other)),
        }
    }

    /// Makes a directory as `user` with that mode, parents with 0755. One that is there
    /// already stays as it is.
    pub async fn make_directory(
        &self,
        user: User,
        path: String,
        mode: u32,
    ) -> Result<(), AgentError> {
        self.do_it(
            "make a directory",
            &Request::MakeDirectory { user, path, mode },
        )
        .await
    }

    /// Removes whatever is at `path`, as `user`. Nothing there is fine too.
    pub async fn remove(&self, user: User, path: String) -> Result<(), AgentError> {
        let removal = Removal::Whole;
        self.work(user, "remove files", Work::Remove { path, removal })
            .await
    }

    /// Removes all that is in the directory `path`, as `user`; the directory stays.
    pub async fn empty_directory(&self, user: User, path: String) -> Result<(), AgentError> {
        let removal = Removal::Contents;
        self.work(user, "empty a directory", Work::Remove { path, removal })
            .await
    }

    /// The canonical path of something that exists.
    pub async fn real_path(&self, user: User, path: String) -> Result<String, AgentError> {
        match self.answer(&Request::RealPath { user, path }).await? {
            Reply::Path(path) => Ok(path),
            other => Err(confused("resolve a path", &other)),
        }
    }

    /// Which of these paths lead to something, as the job's user sees it.
    pub async fn exists(&self, paths: Vec<String>) -> Result<Vec<bool>, AgentError> {
        match self.answer(&Request::Exists { paths }).await? {
            Reply::Answers(answers) => Ok(answers),
            other => Err(confused("look for files", &other)),
        }
    }

    /// Notes from now on what is opened in these directories. What is watched already,
    /// by this or another name, and what cannot be watched is left as it is.
    pub async fn watch(&self, directories: Vec<String>) -> Result<(), AgentError> {
        self.do_it("watch directories", &Request::Watch { directories })
            .await
    }

    /// The files of watched directories that were opened since this was asked last, sorted.
    pub async fn opened(&self) -> Result<Vec<String>, AgentError> {
        match self.answer(&Request::Opened).await? {
            Reply::Opened(paths) => Ok(paths),
            other => Err(confused("list opened files", &other)),
        }
    }

    /// Ends everything in the place; when this returns, no process of it is left but the
    /// agent, which is about to end.
    pub async fn close(&self) -> Result<(), AgentError> {
        self.do_it("end the place", &Request::Close).await
    }

    pub(super) fn ask(&self, request: &Request) -> Result<Exchange, AgentError> {
        let stream = self.next_stream.fetch_add(1, Ordering::Relaxed);
        let (replies_in, replies) = mpsc::unbounded_channel();
        let (output_in, output) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(WINDOW));
        self.routes.add(
            stream,
            Route {
                replies: replies_in,
                output: output_in,
                window: Arc::clone(&window),
            },
        )?;
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

    /// Has a worker do something and report it.
    async fn work<T: DeserializeOwned>(
        &self,
        user: User,
        what: &'static str,
        work: Work,
    ) -> Result<T, AgentError> {
        let mut exchange = self.ask(&Request::Work { user, work })?;
        match exchange.reply().await? {
            Reply::Started => report_of(Process::new(exchange), what).await,
            other => Err(confused(what, &other)),
        }
    }

    async fn answer(&self, request: &Request) -> Result<Reply, AgentError> {
        let mut exchange = self.ask(request)?;
        match exchange.reply().await? {
            Reply::Failed(problem) => Err(problem.into()),
            reply => Ok(reply),
        }
    }

    async fn do_it(&self, what: &'static str, request: &Request) -> Result<(), AgentError> {
        match self.answer(request).await? {
            Reply::Done => Ok(()),
            other => Err(confused(what, &other)),
        }
    }
}

/// Reads the one thing that a worker without a stream of its own says.
async fn report_of<T: DeserializeOwned>(
    mut process: Process,
    what: &'static str,
) -> Result<T, AgentError> {
    let mut decoder = Decoder::default();
    while let Some((_, bytes)) = process.output.recv().await {
        decoder.push(&bytes);
    }
    let report = decoder.next_frame().ok().flatten();
    let report = report.and_then(|frame| frame.message::<Result<T, FileProblem>>().ok());
    match report {
        Some(report) => Ok(report?),
        None => Err(AgentError::Worker {
            request: what,
            code: process.wait().await?.code,
        }),
    }
}

fn confused(request: &'static str, answer: &Reply) -> AgentError {
    AgentError::Confused {
        request,
        answer: format!("{answer:?}"),
    }
}

/// A process in a place. It goes on when this is dropped.
#[derive(Debug)]
pub struct Process {
    /// What it writes. Ends when the process has ended and its output is complete, or
    /// five seconds after its end if a background process holds it open (`protocol.md`
    /// 5.4 of the runner's behaviour: `ProcessInvoker` waits that long).
    pub output: Output,
    signals: Signals,
    replies: UnboundedReceiver<Reply>,
}

impl Process {
    fn new(exchange: Exchange) -> Self {
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
    pub async fn wait(mut self) -> Result<Exit, AgentError> {
        loop {
            tokio::select! {
                Some(_) = self.output.recv() => {}
                reply = self.replies.recv() => return match reply {
                    Some(Reply::Exited(exit)) => Ok(exit),
                    Some(other) => Err(confused("wait for a process", &other)),
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
        if !wanted && matches!(kind, FrameKind::Out | FrameKind::Err) {
            if let Some(outgoing) = outgoing.upgrade() {
                let _ = outgoing.send(Frame::credit(stream, size));
            }
        }
    }
    routes.close();
}
