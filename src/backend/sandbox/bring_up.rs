//! lrun's side of a sandbox: starts the launcher and waits for its word.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdout, Command};

use super::etc;
use super::launcher::{Hello, Word};
use super::recipe::Recipe;
use crate::agent::frame::Frame;
use crate::agent::{Agent, Capabilities, EnvironmentSpec, Network};
use crate::backend::{Backend, BackendError, Place};

/// The backend that makes places out of namespaces.
#[derive(Debug, Clone)]
pub struct Sandbox {
    program: PathBuf,
    /// A launcher that was started before anybody asked for a place. Behind a mutex for whoever
    /// takes it: one of the jobs that start at the same time.
    early: Arc<Mutex<Option<Child>>>,
}

/// By which right places are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Powers {
    /// As this machine's root.
    Root,
    /// As an ordinary user with a range of subordinate ids.
    SubordinateIds,
    /// As an ordinary user with no other id.
    SingleId,
}

impl Powers {
    /// Those of this process, as far as can be told without trying.
    pub fn of_this_process() -> Self {
        match Recipe::of_this_process() {
            Ok(Recipe::Root) => Self::Root,
            Ok(Recipe::Range(_)) => Self::SubordinateIds,
            _ => Self::SingleId,
        }
    }
}

impl Default for Sandbox {
    /// The launcher is this very program, which must answer `__place`.
    fn default() -> Self {
        Self::launched_by("/proc/self/exe")
    }
}

impl Sandbox {
    /// The launcher is `program`, started as `program __place`.
    pub fn launched_by(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            early: Arc::default(),
        }
    }

    /// Starts the launcher of the first place: it has something to do that takes long and needs to
    /// know nothing of the place. Must be called inside a tokio runtime.
    pub fn start_early(&self) {
        // What keeps it from starting is told when a place is asked for.
        *self.early() = self.start().ok();
    }

    fn early(&self) -> MutexGuard<'_, Option<Child>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user and group on this machine that own what the job owns: what lrun puts into
    /// a job's home must be theirs.
    pub fn owner(&self) -> (u32, u32) {
        Recipe::owner()
    }

    fn failed(&self, source: io::Error) -> BackendError {
        BackendError::Launcher {
            program: self.program.clone(),
            source,
        }
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .arg("__place")
            // /proc/1/environ is no way to the secrets of whoever runs lrun.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
    }

    async fn word(&self, output: &mut ChildStdout) -> Result<Word, BackendError> {
        let frame = Frame::read(output).await.map_err(|e| self.failed(e))?;
        let frame = frame.ok_or_else(|| BackendError::Silent {
            program: self.program.clone(),
        })?;
        frame.message().map_err(|error| self.failed(error))
    }

    async fn hello(
        &self,
        output: &mut ChildStdout,
        preparing: impl FnOnce(),
    ) -> Result<Hello, BackendError> {
        let mut preparing = Some(preparing);
        loop {
            match self.word(output).await? {
                Word::Hello(hello) => return Ok(hello),
                Word::Preparing => {
                    if let Some(preparing) = preparing.take() {
                        preparing();
                    }
                }
            }
        }
    }
}

impl Backend for Sandbox {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            sudo: match Recipe::of_this_process() {
                Ok(Recipe::Root) => etc::has_sudo(),
                // Where there is none, the agent is asked.
                _ => true,
            },
            containers: false,
            networks: vec![Network::Host, Network::None],
        }
    }

    async fn bring_up(
        &self,
        spec: &EnvironmentSpec,
        preparing: impl FnOnce() + Send,
    ) -> Result<Place, BackendError> {
        let early = self.early().take();
        let launcher = early.map_or_else(|| self.start(), Ok);
        let mut launcher = launcher.map_err(|error| self.failed(error))?;
        let (Some(mut input), Some(mut output)) = (launcher.stdin.take(), launcher.stdout.take())
        else {
            return Err(self.failed(io::ErrorKind::BrokenPipe.into()));
        };
        let frame = Frame::control(0, spec).map_err(|error| self.failed(error))?;
        input
            .write_all(&frame.encode())
            .await
            .map_err(|error| self.failed(error))?;
        match self.hello(&mut output, preparing).await? {
            Ok(shortcomings) => Ok(Place::new(
                Agent::connect(output, input),
                shortcomings,
                wait_for_end(launcher, spec.state.clone()),
            )),
            Err(error) => {
                launcher.wait().await.map_err(|error| self.failed(error))?;
                Err(error.into())
            }
        }
    }
}

/// The launcher is the last of a place: when it has ended, everything is gone.
async fn wait_for_end(mut launcher: Child, state: PathBuf) -> Result<(), BackendError> {
    launcher
        .wait()
        .await
        .map_err(|source| BackendError::Launcher {
            program: Path::new("__place").to_owned(),
            source,
        })?;
    if state.exists() {
        return Err(BackendError::LeftBehind { path: state });
    }
    Ok(())
}
