//! What lrun can ask of an agent.

use tokio::io::{AsyncRead, AsyncWrite};

use super::error::AgentError;
use super::process::Process;
use super::wire::{Exchange, Wire};
use crate::agent::message::{Content, Reply, Request, Task};
use crate::agent::protocol::{FileSpec, Orphan, ProcessSpec, User};

/// An agent, wherever its place is. Cheap to clone; all clones speak to the same one.
#[derive(Debug, Clone)]
pub struct Agent {
    wire: Wire,
}

impl Agent {
    /// Speaks to an agent that is ready. Must be called inside a tokio runtime.
    pub fn connect(
        reader: impl AsyncRead + Unpin + Send + 'static,
        writer: impl AsyncWrite + Unpin + Send + 'static,
    ) -> Self {
        Self {
            wire: Wire::connect(reader, writer),
        }
    }

    /// Starts a process. Fails if the program or the directory is not there for its user.
    pub async fn spawn(&self, process: ProcessSpec) -> Result<Process, AgentError> {
        self.spawn_with(Vec::new(), Vec::new(), process, Vec::new())
            .await
    }

    /// The same, with files that must be there ([`AgentError::Missing`]), with files that
    /// are written before it starts, all as its user, and with others that are read when it has
    /// ended ([`Process::ended`]). All in one round trip.
    pub async fn spawn_with(
        &self,
        needs: Vec<String>,
        files: Vec<FileSpec>,
        process: ProcessSpec,
        results: Vec<String>,
    ) -> Result<Process, AgentError> {
        let (program, cwd) = (
            process.argv.first().cloned().unwrap_or_default(),
            process.cwd.clone(),
        );
        let task = Task {
            needs,
            files,
            process,
            results,
        };
        let mut exchange = self.ask(&Request::Spawn(task))?;
        match exchange.reply().await? {
            Reply::Started => Ok(Process::new(exchange)),
            Reply::Failed(problem) => Err(problem.into()),
            Reply::Missing { path } => Err(AgentError::Missing { path }),
            Reply::NotStarted { errno } => Err(AgentError::NotStarted {
                program,
                cwd,
                errno,
            }),
            other => Err(AgentError::confused("start a process", &other)),
        }
    }

    /// Writes files as `user`, all in one round trip. Stops at the first that fails.
    pub async fn write_files(&self, user: User, files: Vec<FileSpec>) -> Result<(), AgentError> {
        self.do_it("write files", &Request::WriteFiles { user, files })
            .await
    }

    /// Reads files as `user`, all in one round trip: `None` for what is not a regular file
    /// that `user` can read, or is larger than 8 MiB.
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
            other => Err(AgentError::confused("read files", &other)),
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

    /// The canonical path of something that exists.
    pub async fn real_path(&self, user: User, path: String) -> Result<String, AgentError> {
        match self.answer(&Request::RealPath { user, path }).await? {
            Reply::Path(path) => Ok(path),
            other => Err(AgentError::confused("resolve a path", &other)),
        }
    }

    /// Which of these paths lead to something, as the job's user sees it.
    pub async fn exists(&self, paths: Vec<String>) -> Result<Vec<bool>, AgentError> {
        match self.answer(&Request::Exists { paths }).await? {
            Reply::Answers(answers) => Ok(answers),
            other => Err(AgentError::confused("look for files", &other)),
        }
    }

    /// Notes from now on which of these files, and which files in these directories, are
    /// opened. What is watched already, by this or another name, is left as it is; what
    /// cannot be watched is left out.
    pub async fn watch(&self, paths: Vec<String>) -> Result<(), AgentError> {
        self.do_it("watch files", &Request::Watch { paths }).await
    }

    /// The watched files that were opened since this was asked last, sorted.
    pub async fn opened(&self) -> Result<Vec<String>, AgentError> {
        match self.answer(&Request::Opened).await? {
            Reply::Opened(paths) => Ok(paths),
            other => Err(AgentError::confused("list opened files", &other)),
        }
    }

    /// Ends everything in the place; when this returns, no process of it is left but the
    /// agent, which is about to end. Gives those that had to be ended.
    pub async fn close(&self) -> Result<Vec<Orphan>, AgentError> {
        match self.answer(&Request::Close).await? {
            Reply::Closed(orphans) => Ok(orphans),
            other => Err(AgentError::confused("end the place", &other)),
        }
    }

    pub(super) fn ask(&self, request: &Request) -> Result<Exchange, AgentError> {
        self.wire.ask(request)
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
            other => Err(AgentError::confused(what, &other)),
        }
    }
}
