//! Caches on the wire.

use serde::Serialize;

use super::Job;
use crate::digest::Digest;
use crate::ids::RunId;
use crate::lookup::{
    Attempt, Bearing, CacheRequest, EntrySummary, FileChange, HashedFile, Hosted, KeyOrigin,
    KeyPart, LineChange, Lookup, MatchedBy, MissReason, NotSaved,
};

#[derive(Debug, Serialize)]
pub(in crate::report) struct Request<'a> {
    key: &'a str,
    restore_keys: &'a [String],
    paths: &'a [String],
    version: Digest,
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    expression: Option<&'a str>,
    value: &'a str,
    bearing: Option<&'static str>,
    hosted: Option<Known<'a>>,
    files: Vec<File<'a>>,
}

/// What the label's image is known to have: the value, or the tools it is made with.
#[derive(Debug, Serialize)]
struct Known<'a> {
    label: &'a str,
    value: Option<&'a str>,
    tools: Vec<Tool<'a>>,
}

#[derive(Debug, Serialize)]
struct Tool<'a> {
    command: &'a str,
    versions: &'a [String],
}

impl<'a> From<&'a Hosted> for Known<'a> {
    fn from(hosted: &'a Hosted) -> Self {
        let tools = hosted.tools.iter().map(|tool| Tool {
            command: &tool.command,
            versions: &tool.versions,
        });
        Self {
            label: &hosted.label,
            value: hosted.value.as_deref(),
            tools: tools.collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct File<'a> {
    path: &'a str,
    digest: Digest,
}

impl<'a> From<&'a KeyPart> for Part<'a> {
    fn from(part: &'a KeyPart) -> Self {
        let file = |file: &'a HashedFile| File {
            path: &file.path,
            digest: file.digest,
        };
        Self {
            expression: part.expression.as_deref(),
            value: &part.value,
            bearing: part.bearing.map(Bearing::as_str),
            hosted: part.hosted.as_ref().map(Known::from),
            files: part.files.iter().map(file).collect(),
        }
    }
}

impl<'a> Request<'a> {
    pub(in crate::report) fn new(request: &'a CacheRequest, origin: &'a KeyOrigin) -> Self {
        Self {
            key: &request.key,
            restore_keys: &request.restore_keys,
            paths: &request.paths,
            version: request.version,
            parts: origin.parts.iter().map(Part::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(in crate::report) struct Answer<'a> {
    result: &'static str,
    entry: Option<Entry<'a>>,
    /// `key` or `restore-keys`, and which of these, from one.
    matched_by: Option<&'static str>,
    restore_key: Option<u32>,
    reasons: Vec<Reason<'a>>,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    key: &'a str,
    r#ref: &'a str,
    run: RunId,
    dirty: bool,
    size: u64,
    files: u64,
}

impl<'a> From<&'a EntrySummary> for Entry<'a> {
    fn from(entry: &'a EntrySummary) -> Self {
        Self {
            key: &entry.key,
            r#ref: &entry.scope.0,
            run: entry.run,
            dirty: entry.dirty,
            size: entry.size,
            files: entry.files,
        }
    }
}

impl<'a> From<&'a Lookup> for Answer<'a> {
    fn from(lookup: &'a Lookup) -> Self {
        let (result, entry, by, reasons): (_, _, _, &[MissReason]) = match lookup {
            Lookup::Hit { entry } => ("hit", Some(entry), Some(MatchedBy::PrimaryKey), &[]),
            Lookup::Partial { entry, by, reasons } => ("partial", Some(entry), Some(*by), reasons),
            Lookup::Miss { reasons } => ("miss", None, None, reasons),
        };
        Self {
            result,
            entry: entry.map(Entry::from),
            matched_by: by.map(|by| match by {
                MatchedBy::PrimaryKey => "key",
                MatchedBy::RestoreKey(_) => "restore-keys",
            }),
            restore_key: by.and_then(|by| match by {
                MatchedBy::PrimaryKey => None,
                MatchedBy::RestoreKey(index) => Some(index + 1),
            }),
            reasons: reasons.iter().map(Reason::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Reason<'a> {
    NeverSaved {
        attempt: Option<Tried<'a>>,
    },
    KeyPartChanged {
        expression: &'a str,
        was: &'a str,
        is: &'a str,
        run: RunId,
        bearing: Option<&'static str>,
        hosted: Option<Known<'a>>,
        files: Vec<ChangedFile<'a>>,
    },
    TemplateChanged {
        was: &'a str,
        is: &'a str,
        run: RunId,
    },
    OfAnotherStep {
        key: &'a str,
        run: RunId,
        job: Job<'a>,
        step: &'a str,
    },
    OtherVersion {
        run: RunId,
        paths: &'a [String],
    },
    OtherRef {
        r#ref: &'a str,
        run: Option<RunId>,
    },
    Concurrent(Job<'a>),
    NotPermitted {
        mode: &'a str,
    },
    NotRestored {
        problem: &'a str,
    },
    Damaged {
        problem: &'a str,
        run: Option<RunId>,
    },
}

/// A save that was not made.
#[derive(Debug, Serialize)]
struct Tried<'a> {
    run: RunId,
    key: &'a str,
    why: Unsaved<'a>,
}

impl<'a> From<&'a Attempt> for Tried<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            run: attempt.run,
            key: &attempt.key,
            why: (&attempt.why).into(),
        }
    }
}

#[derive(Debug, Serialize)]
struct ChangedFile<'a> {
    path: &'a str,
    change: &'static str,
    lines: Vec<ChangedLine<'a>>,
    more: u32,
}

/// A line, or an entry of a lock file with its versions.
#[derive(Debug, Serialize)]
struct ChangedLine<'a> {
    line: u32,
    entry: Option<&'a str>,
    was: Option<&'a str>,
    is: Option<&'a str>,
}

impl<'a> From<&'a LineChange> for ChangedLine<'a> {
    fn from(change: &'a LineChange) -> Self {
        Self {
            line: change.line,
            entry: change.entry.as_deref(),
            was: change.was.as_deref(),
            is: change.is.as_deref(),
        }
    }
}

impl<'a> From<&'a FileChange> for ChangedFile<'a> {
    fn from(file: &'a FileChange) -> Self {
        Self {
            path: &file.path,
            change: file.change.as_str(),
            lines: file.lines.iter().map(ChangedLine::from).collect(),
            more: file.more,
        }
    }
}

impl<'a> From<&'a MissReason> for Reason<'a> {
    fn from(reason: &'a MissReason) -> Self {
        match reason {
            MissReason::NeverSaved { attempt } => Self::NeverSaved {
                attempt: attempt.as_ref().map(Tried::from),
            },
            MissReason::KeyPartChanged {
                expression,
                was,
                is,
                run,
                bearing,
                hosted,
                files,
            } => Self::KeyPartChanged {
                expression,
                was,
                is,
                run: *run,
                bearing: bearing.map(Bearing::as_str),
                hosted: hosted.as_ref().map(Known::from),
                files: files.iter().map(ChangedFile::from).collect(),
            },
            MissReason::TemplateChanged { was, is, run } => {
                Self::TemplateChanged { was, is, run: *run }
            }
            MissReason::OfAnotherStep {
                key,
                run,
                job,
                step,
            } => Self::OfAnotherStep {
                key,
                run: *run,
                job: job.into(),
                step,
            },
            MissReason::OtherVersion { run, paths } => Self::OtherVersion { run: *run, paths },
            MissReason::OtherScope { scope, run } => Self::OtherRef {
                r#ref: &scope.0,
                run: *run,
            },
            MissReason::Concurrent { job } => Self::Concurrent(job.into()),
            MissReason::NotPermitted { mode } => Self::NotPermitted { mode },
            MissReason::NotRestored { problem } => Self::NotRestored { problem },
            MissReason::Damaged { problem, run } => Self::Damaged { problem, run: *run },
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub(in crate::report) enum Unsaved<'a> {
    ExactHit,
    Reserved { by: Option<Job<'a>> },
    NothingMatched,
    NotPermitted { mode: &'a str },
    Unreadable { problems: &'a [String] },
    Invalid { message: &'a str },
    JobNotSuccessful { status: &'static str },
}

impl<'a> From<&'a NotSaved> for Unsaved<'a> {
    fn from(reason: &'a NotSaved) -> Self {
        match reason {
            NotSaved::ExactHit => Self::ExactHit,
            NotSaved::Reserved { by } => Self::Reserved {
                by: by.as_ref().map(Job::from),
            },
            NotSaved::NothingMatched => Self::NothingMatched,
            NotSaved::NotPermitted { mode } => Self::NotPermitted { mode },
            NotSaved::Unreadable { problems } => Self::Unreadable { problems },
            NotSaved::Invalid { message } => Self::Invalid { message },
            NotSaved::JobNotSuccessful { status } => Self::JobNotSuccessful {
                status: status.as_str(),
            },
        }
    }
}
