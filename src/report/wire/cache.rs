//! Caches on the wire.

use serde::Serialize;

use super::Job;
use crate::digest::Digest;
use crate::ids::RunId;
use crate::lookup::{
    CacheRequest, Change, EntrySummary, FileChange, HashedFile, KeyOrigin, KeyPart, Lookup,
    MatchedBy, MissReason, NotSaved,
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
    files: Vec<File<'a>>,
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
    NeverSaved,
    KeyPartChanged {
        expression: &'a str,
        was: &'a str,
        is: &'a str,
        run: RunId,
        files: Vec<ChangedFile<'a>>,
    },
    OtherVersion {
        run: RunId,
        paths: &'a [String],
    },
    OtherRef {
        r#ref: &'a str,
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
    },
}

#[derive(Debug, Serialize)]
struct ChangedFile<'a> {
    path: &'a str,
    change: &'static str,
}

impl<'a> From<&'a FileChange> for ChangedFile<'a> {
    fn from(file: &'a FileChange) -> Self {
        Self {
            path: &file.path,
            change: match file.change {
                Change::Added => "added",
                Change::Removed => "removed",
                Change::Changed => "changed",
            },
        }
    }
}

impl<'a> From<&'a MissReason> for Reason<'a> {
    fn from(reason: &'a MissReason) -> Self {
        match reason {
            MissReason::NeverSaved => Self::NeverSaved,
            MissReason::KeyPartChanged {
                expression,
                was,
                is,
                run,
                files,
            } => Self::KeyPartChanged {
                expression,
                was,
                is,
                run: *run,
                files: files.iter().map(ChangedFile::from).collect(),
            },
            MissReason::OtherVersion { run, paths } => Self::OtherVersion { run: *run, paths },
            MissReason::OtherScope { scope } => Self::OtherRef { r#ref: &scope.0 },
            MissReason::Concurrent { job } => Self::Concurrent(job.into()),
            MissReason::NotPermitted { mode } => Self::NotPermitted { mode },
            MissReason::NotRestored { problem } => Self::NotRestored { problem },
            MissReason::Damaged { problem } => Self::Damaged { problem },
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
        }
    }
}
