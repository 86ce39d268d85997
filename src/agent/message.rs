//! The messages of the channel: what lrun asks an agent, what it answers.

use serde::{Deserialize, Serialize};

use super::protocol::{Exit, FileSpec, ProcessSpec, Signal, User, bytes_as_text};

/// What lrun asks. The stream of the frame is the request's name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Answered by `Started` and, when it is over, `Exited`; or by `NotStarted`.
    Spawn(ProcessSpec),
    /// To the process that was started on this stream. Not answered.
    Signal(Signal),
    WriteFiles {
        user: User,
        files: Vec<FileSpec>,
    },
    ReadFiles {
        user: User,
        paths: Vec<String>,
    },
    MakeDirectory {
        user: User,
        path: String,
        mode: u32,
    },
    RealPath {
        user: User,
        path: String,
    },
    Exists {
        paths: Vec<String>,
    },
    /// Done by a worker: answered as `Spawn` is; what it found is on its standard output.
    Work {
        user: User,
        work: Work,
    },
    Watch {
        directories: Vec<String>,
    },
    Opened,
    Close,
}

/// Work on files that may take long: done in a process of its own, as the user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Work {
    Remove { path: String, removal: Removal },
}

/// How much of a directory is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Removal {
    /// All of it, itself included.
    Whole,
    /// What is in it.
    Contents,
}

/// What the agent answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Started,
    NotStarted { errno: i32 },
    Exited(Exit),
    Done,
    Files(Vec<Option<Content>>),
    Path(String),
    Answers(Vec<bool>),
    Opened(Vec<String>),
    Failed(FileProblem),
}

/// The content of a file on its way through JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Content(#[serde(with = "bytes_as_text")] pub(super) Vec<u8>);

/// A file operation that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileProblem {
    /// What was tried, as it reads after "cannot".
    pub(super) action: String,
    pub(super) path: String,
    pub(super) errno: i32,
}
