//! Why a key did not match exactly, why nothing was saved.

use serde::{Deserialize, Serialize};

use super::{Bearing, Hosted, Scope};
use crate::digest::Digest;
use crate::ids::{JobKey, RunId};
use crate::outcome::Outcome;

/// Why a key did not match exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum MissReason {
    /// No entry of this step was ever saved.
    NeverSaved {
        /// The last time a run could have saved one and did not.
        #[serde(default)]
        attempt: Option<Attempt>,
    },
    /// A part of the key has another value than when the nearest entry was saved.
    KeyPartChanged {
        /// The expression.
        expression: String,
        /// Its value then.
        was: String,
        /// Its value now.
        is: String,
        /// The run that saved the entry compared with.
        run: RunId,
        /// What the part depends on.
        #[serde(default)]
        bearing: Option<Bearing>,
        /// What is known of GitHub's value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hosted: Option<Hosted>,
        /// What changed among the files it hashes.
        files: Vec<FileChange>,
    },
    /// The workflow makes the key in another way than when the nearest entry was saved.
    TemplateChanged {
        /// The template then.
        was: String,
        /// The template now.
        is: String,
        /// The run that saved the entry compared with.
        run: RunId,
    },
    /// The nearest entry is another step's, which makes its key in another way.
    OfAnotherStep {
        /// Its key.
        key: String,
        /// The run that saved it.
        run: RunId,
        /// The job that saved it.
        job: JobKey,
        /// The step's id.
        step: String,
    },
    /// The same key exists under another version: other paths or another compression.
    OtherVersion {
        /// The run that saved it.
        run: RunId,
        /// The path lines it was saved with.
        paths: Vec<String>,
    },
    /// The same key exists in a scope that this run cannot read.
    OtherScope {
        /// The scope.
        scope: Scope,
        /// The run that saved it.
        #[serde(default)]
        run: Option<RunId>,
    },
    /// A job that runs beside this one saved the key during this run: on GitHub a race.
    Concurrent {
        /// The job.
        job: JobKey,
    },
    /// `cache-mode` does not let the job read.
    NotPermitted {
        /// The mode.
        mode: String,
    },
    /// The entry was found but could not be laid out: what tar would have failed with.
    NotRestored {
        /// The first of its lines.
        problem: String,
    },
    /// The entry exists but its content in the store is damaged.
    Damaged {
        /// What is wrong with it.
        problem: String,
        /// The run that saved it; none where the store as a whole cannot be used.
        #[serde(default)]
        run: Option<RunId>,
    },
}

/// A run that could have saved an entry, and why it did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The run.
    pub run: RunId,
    /// The key it would have had.
    pub key: String,
    /// Why there is none.
    pub why: NotSaved,
}

/// How a file that `hashFiles` reads differs from an earlier run's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Path from the workspace.
    pub path: String,
    /// What happened to it.
    pub change: Change,
    /// The digest of its earlier content; none of a new file.
    #[serde(default)]
    pub before: Option<Digest>,
    /// The digest of its content now; none of a file that is gone.
    #[serde(default)]
    pub after: Option<Digest>,
    /// What changed in it, where both contents could be had: the first of its lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineChange>,
    /// How many changes follow those in `lines`.
    #[serde(default)]
    pub more: u32,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content is another.
    Changed,
}

impl Change {
    /// Its name in records and on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A line that changed, or an entry of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineChange {
    /// The line's number, from one: in the content now, or in the earlier one when it is gone.
    pub line: u32,
    /// The entry of a lock file that the line belongs to; then the texts are its versions.
    #[serde(default)]
    pub entry: Option<String>,
    /// The earlier text, without blanks around it; none of a new line.
    pub was: Option<String>,
    /// The text now; none of a line that is gone.
    pub is: Option<String>,
}

/// Why nothing was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum NotSaved {
    /// The restore was an exact hit: entries are immutable.
    ExactHit,
    /// The key exists already, or another job of this run reserved it first.
    Reserved {
        /// The job that holds it, where it is one of this run.
        by: Option<JobKey>,
    },
    /// No path matched anything.
    NothingMatched,
    /// Files could not be read; tar would have failed.
    Unreadable {
        /// tar's lines.
        problems: Vec<String>,
    },
    /// `cache-mode` does not let the job write.
    NotPermitted {
        /// The mode.
        mode: String,
    },
    /// The key or the paths are not acceptable.
    Invalid {
        /// The toolkit's message.
        message: String,
    },
    /// The post step did not run: `post-if: success()`.
    JobNotSuccessful {
        /// How the job stood.
        status: Outcome,
    },
}
