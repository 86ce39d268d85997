//! What goes wrong between lrun and an agent.

use std::io;

use crate::agent::message::{Complaint, FileProblem, Reply};

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
    /// A file that a process needs is not there; in GitHub's words.
    #[error("File not found: '{path}'")]
    Missing {
        /// The path inside the place.
        path: String,
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
    /// What was asked for is not acceptable or cannot be done, in GitHub's words where it
    /// has some.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
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

impl AgentError {
    pub(super) fn confused(request: &'static str, answer: &Reply) -> Self {
        Self::Confused {
            request,
            answer: format!("{answer:?}"),
        }
    }
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

impl From<Complaint> for AgentError {
    fn from(complaint: Complaint) -> Self {
        match complaint {
            Complaint::File(problem) => problem.into(),
            Complaint::Refused { message } => Self::Refused { message },
        }
    }
}
