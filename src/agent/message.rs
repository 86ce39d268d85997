//! The messages of the channel: what lrun asks an agent, what it answers.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::frame::{Frame, FrameKind};
use super::protocol::{
    ArtifactSpec, Ended, Exit, FileSpec, HashSpec, Orphan, PackSpec, ProcessSpec, Signal, User,
    bytes_as_text,
};
use crate::archive::FoundFiles;
use crate::tree::TreeItem;

/// What lrun asks. The stream of the frame is the request's name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Answered by `Started` and, when it is over, `Ended`; or by `Missing`, `NotStarted` or
    /// `Failed`.
    Spawn(Task),
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
    /// Done by a worker: answered by `Started` and `Exited`; what it found is on its standard
    /// output.
    Work {
        user: User,
        work: Work,
    },
    Watch {
        paths: Vec<String>,
    },
    Opened,
    Close,
}

/// A process with all that belongs to it, so that a step is one round trip.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    /// Files that have to be there before anything else is done, as the process' user sees it.
    pub(super) needs: Vec<String>,
    /// Written first, as the process' user.
    pub(super) files: Vec<FileSpec>,
    pub(super) process: ProcessSpec,
    /// Read when it is over, as its user.
    pub(super) results: Vec<String>,
}

/// Work on files that may take long: done in a process of its own, as the user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Work {
    Remove { path: String, removal: Removal },
    HashFiles(HashSpec),
    Pack(PackSpec),
    Unpack { workspace: String },
    FindArtifact(ArtifactSpec),
    SendArtifact(FoundFiles),
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
    NotStarted {
        errno: i32,
    },
    /// Something that the process needs is not there.
    Missing {
        path: String,
    },
    Exited(Exit),
    Ended(Ended),
    Done,
    Files(Vec<Option<Content>>),
    Path(String),
    Answers(Vec<bool>),
    Opened(Vec<String>),
    /// To `Close`: what had to be ended.
    Closed(Vec<Orphan>),
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

/// Why a worker did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Complaint {
    File(FileProblem),
    Refused { message: String },
}

/// What crosses the pipes of a worker: items of a tree, in either direction, and one
/// report, a `Result<_, Complaint>`, at the end.
pub(super) enum Piece {
    Item(TreeItem),
    Report(Frame),
}

/// The stream of a report's frame among those of a worker.
pub(super) const REPORT: u32 = 0;
const ITEMS: u32 = 1;
const STATS: u32 = 2;

impl Piece {
    pub(super) fn into_frame(self) -> io::Result<Frame> {
        match self {
            Self::Item(TreeItem::Member(member)) => compact(ITEMS, &member),
            Self::Item(TreeItem::Stat { stat, known }) => compact(STATS, &(stat, known)),
            Self::Item(TreeItem::Content(bytes)) => Ok(Frame::new(ITEMS, FrameKind::Out, bytes)),
            Self::Report(frame) => Ok(frame),
        }
    }

    pub(super) fn from_frame(frame: Frame) -> io::Result<Self> {
        Ok(match (frame.stream, frame.kind) {
            (ITEMS, FrameKind::Control) => Self::Item(TreeItem::Member(read_compact(&frame)?)),
            (STATS, _) => {
                let (stat, known) = read_compact(&frame)?;
                Self::Item(TreeItem::Stat { stat, known })
            }
            (ITEMS, _) => Self::Item(TreeItem::Content(frame.payload)),
            _ => Self::Report(frame),
        })
    }
}

/// A message of which there are many, in fewer bytes than JSON takes.
fn compact(stream: u32, message: &impl Serialize) -> io::Result<Frame> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    Ok(Frame::new(stream, FrameKind::Control, bytes))
}

fn read_compact<T: DeserializeOwned>(frame: &Frame) -> io::Result<T> {
    postcard::from_bytes(&frame.payload).map_err(io::Error::other)
}
