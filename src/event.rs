//! The facts of a run, as they happen: owned, serialisable, without any display policy.
//!
//! `exec` sends them through [`Events`]; one task stamps them with a sequence number and
//! both clocks and hands each to the reporters. The record on disk is the same stream.

mod received;
mod transfer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::difference::{Difference, Effect, Site, Verdict};
use crate::ids::{JobKey, RunId, StepKey};
use crate::lookup::{CacheRequest, KeyOrigin, Lookup, NotSaved};
use crate::outcome::{Outcome, SkipReason, Timing};
use received::Unread;

pub use received::Received;
pub use transfer::{Moved, Transfer, Transfers};

/// An event with its place in the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Number in the run, from zero; each line of output counts.
    pub sequence: u64,
    /// Wall clock, milliseconds since 1970.
    pub at_ms: u64,
    /// Microseconds since the run started, on the monotonic clock.
    pub elapsed_us: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum EventKind {
    /// The run begins; nothing of it has been started.
    RunStarted(Box<RunSummary>),
    /// The repository of an action, or of a called workflow, is at hand: this is the commit that its
    /// ref stands for.
    ActionResolved(ResolvedAction),
    /// Jobs that the run has beside those it began with: legs of a matrix that was not known, and what
    /// these call.
    JobsFound {
        /// The jobs.
        jobs: Vec<JobSummary>,
    },
    /// Somebody waits for a concurrency group.
    GroupAwaited {
        /// The job; none is the run.
        job: Option<JobKey>,
        /// The group as the workflow names it.
        group: String,
        /// The run that is in the group, or waits for it since before.
        run: RunId,
        /// The job of that run; none is the whole run.
        holder: Option<JobKey>,
    },
    /// The run or a job is being cancelled, and not by the user.
    Cancelling {
        /// The job; none is the run.
        job: Option<JobKey>,
        /// Why, in GitHub's words.
        message: String,
    },
    /// A job's place is being brought up.
    JobStarted {
        /// The job.
        job: JobKey,
        /// What runs it, such as `host: debian-12`.
        place: String,
    },
    /// A job does not run.
    JobSkipped {
        /// The job.
        job: JobKey,
        /// Why.
        reason: SkipReason,
    },
    /// Something of a job itself, not of a step, went wrong: its matrix, its condition, its
    /// environment, its outputs, its place. It counts as failed.
    JobFailed {
        /// The job.
        job: JobKey,
        /// Why, and what to do.
        message: String,
    },
    /// A process that a step left behind was ended with the job.
    OrphanEnded {
        /// The job.
        job: JobKey,
        /// Its id in the job.
        pid: i32,
        /// Its name.
        name: String,
    },
    /// A job is done, its post steps too, and its place is gone.
    JobFinished {
        /// The job.
        job: JobKey,
        /// How; `continue-on-error` is the job's.
        #[serde(flatten)]
        end: End,
    },
    /// A step begins.
    StepStarted {
        /// The step.
        step: StepKey,
        /// Its name as GitHub shows it.
        name: String,
        /// Whether the workflow gives it a name; else GitHub makes one up, `Run …`.
        named: bool,
        /// Its `id`, where the workflow gives it one.
        #[serde(default)]
        id: Option<String>,
    },
    /// A line of a step's log, masked, without its line end; of a process' output one or more,
    /// parted by line feeds.
    StepOutput {
        /// The step.
        step: StepKey,
        /// What kind of line it is.
        line: LogLine,
        /// The text.
        text: String,
    },
    /// What a step wrote for people, `GITHUB_STEP_SUMMARY`: Markdown, masked line by line.
    StepSummary {
        /// The step.
        step: StepKey,
        /// The text.
        text: String,
    },
    /// A step said something about the code.
    Annotated {
        /// The step.
        step: StepKey,
        /// What it said.
        annotation: Annotation,
    },
    /// A step does not run.
    StepSkipped {
        /// The step.
        step: StepKey,
        /// Its name as GitHub shows it.
        name: String,
        /// Why.
        reason: SkipReason,
    },
    /// A step is done.
    StepFinished {
        /// The step.
        step: StepKey,
        /// How.
        #[serde(flatten)]
        end: End,
    },
    /// A checkout laid the workspace out.
    CheckedOut {
        /// The step.
        step: StepKey,
        /// Files written.
        files: u64,
        /// How many of them differ from the commit the user's HEAD names.
        changed: u64,
    },
    /// A step looked for a cache entry.
    CacheLookedUp {
        /// The step.
        step: StepKey,
        /// What it asked for.
        request: CacheRequest,
        /// How the key came about.
        origin: KeyOrigin,
        /// What it got.
        lookup: Lookup,
    },
    /// A step saved a cache entry.
    CacheSaved {
        /// The step.
        step: StepKey,
        /// The key.
        key: String,
        /// Bytes of file content in the entry.
        size: u64,
        /// Bytes the store did not have before.
        new_bytes: u64,
        /// Files in the entry.
        files: u64,
    },
    /// A step saved nothing.
    CacheNotSaved {
        /// The step.
        step: StepKey,
        /// The key.
        key: String,
        /// Why.
        reason: NotSaved,
    },
    /// A step uploaded an artifact.
    ArtifactUploaded {
        /// The step.
        step: StepKey,
        /// What it was.
        #[serde(flatten)]
        artifact: MovedArtifact,
    },
    /// A step downloaded an artifact of its run.
    ArtifactDownloaded {
        /// The step.
        step: StepKey,
        /// What it was.
        #[serde(flatten)]
        artifact: MovedArtifact,
    },
    /// A step or a job that something was restored for took less or more than the last time it
    /// ran with nothing, all else being equal. Comes before it is finished.
    Compared {
        /// The step or the job.
        site: Site,
        /// The run that ran it cold.
        run: RunId,
        /// What it took then on the wall clock, in microseconds.
        cold_us: u64,
    },
    /// Something here is not as on GitHub.
    Differs(Difference),
    /// The run is over.
    RunFinished {
        /// The verdict.
        verdict: Verdict,
        /// What it cost.
        timing: Timing,
    },
}

/// What a reference to another repository came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedAction {
    /// `owner/repository`, as written.
    pub repository: String,
    /// The branch, tag or commit.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// The commit; none where a folder was taken instead.
    pub commit: Option<String>,
    /// That folder.
    pub folder: Option<String>,
}

/// An artifact that was uploaded or downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedArtifact {
    /// Its name.
    pub name: String,
    /// Files in it; of a download those that were written.
    pub files: u64,
    /// Length of the archive in bytes.
    pub size: u64,
}

/// How a job or a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Before `continue-on-error`.
    pub outcome: Outcome,
    /// After it.
    pub conclusion: Outcome,
    /// What it cost.
    pub timing: Timing,
}

/// What a run is about to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// The workflow's file, from the root of the repository.
    pub workflow_path: String,
    /// The workflow's name, or its path where it has none.
    pub workflow_name: String,
    /// `owner/name`.
    pub repository: String,
    /// The event it pretends to be started by.
    pub event_name: String,
    /// `GITHUB_REF`.
    pub git_ref: String,
    /// `GITHUB_SHA`.
    pub sha: String,
    /// The user's own commit, where `sha` is a synthetic one on top of it.
    pub head_sha: String,
    /// Files that differ from `head_sha`.
    pub changed_files: u64,
    /// The jobs in GitHub's order, those that will not run too.
    pub jobs: Vec<JobSummary>,
}

/// A job as the plan has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSummary {
    /// The job.
    pub job: JobKey,
    /// Its name as GitHub shows it.
    pub name: String,
    /// The labels of `runs-on`, joined by `, `.
    pub label: String,
    /// The jobs it needs, all legs of each.
    pub needs: Vec<String>,
}

/// What a line of a step's log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLine {
    /// The process wrote it, on either stream.
    Output,
    /// The runner or a built-in action wrote it.
    Runner,
    /// `##[error]`.
    Error,
    /// `##[warning]`.
    Warning,
    /// `##[notice]`.
    Notice,
    /// `##[debug]`; shown on request.
    Debug,
    /// Opens a group.
    Group,
    /// Closes it.
    EndGroup,
    /// A command being run: `[command]…`.
    Command,
    /// A line of the script that a step is about to run.
    Script,
}

impl LogLine {
    /// Whether a text of this kind may be several lines.
    pub fn is_many(self) -> bool {
        self == Self::Output
    }
}

/// How much an annotation matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `::error`
    Error,
    /// `::warning`
    Warning,
    /// `::notice`
    Notice,
}

/// Something a step said about the code, by a workflow command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// How much it matters.
    pub level: Level,
    /// What it says, masked, 4,096 characters at the most.
    pub message: String,
    /// `title=`
    pub title: Option<String>,
    /// `file=`
    pub file: Option<String>,
    /// `line=`
    pub line: Option<u32>,
    /// `endLine=`
    pub end_line: Option<u32>,
    /// `col=`
    pub column: Option<u32>,
    /// `endColumn=`
    pub end_column: Option<u32>,
}

/// Where facts are sent; all that `exec` knows of the outside. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    sender: mpsc::UnboundedSender<EventKind>,
    unread: Unread,
    may_flip: Arc<AtomicU32>,
    transfers: Transfers,
}

impl Events {
    /// A sender and the end that the one consumer reads.
    pub fn channel() -> (Self, Received) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let unread = Unread::default();
        let received = Received::new(receiver, unread.clone());
        let events = Self {
            sender,
            unread,
            may_flip: Arc::default(),
            transfers: Transfers::default(),
        };
        (events, received)
    }

    /// Sends a fact. Once the consumer is gone facts are dropped: nobody is left to tell.
    pub fn send(&self, kind: EventKind) {
        if let EventKind::Differs(difference) = &kind
            && difference.effect == Effect::MayFlip
        {
            self.may_flip.fetch_add(1, Ordering::Relaxed);
        }
        self.unread.add(&kind);
        // The consumer outlives every sender except while lrun is being torn down.
        let _ = self.sender.send(kind);
    }

    /// Waits until what was sent and not read yet is not too much: who sends without end asks
    /// here, so that no step fills lrun's memory.
    pub async fn room(&self) {
        self.unread.room().await;
    }

    /// Where saves and restores say how far they have come.
    pub fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// How many differences that may flip the verdict were sent: what the verdict counts.
    pub fn may_flip(&self) -> u32 {
        self.may_flip.load(Ordering::Relaxed)
    }
}
