//! What `--json` writes: version 1 of the form that programs may rely on.
//!
//! Not the events themselves, which may change with lrun: within a version fields are only ever
//! added. Durations are microseconds, sizes bytes, steps counted from one.

use serde::Serialize;

use crate::difference::{self, Difference, Effect, Site};
use crate::digest::Digest;
use crate::event::{Annotation, JobSummary, Level, LogLine, RunSummary};
use crate::ids::{JobKey, Phase, RunId, StepKey};
use crate::lookup::{
    CacheRequest, Change, EntrySummary, FileChange, HashedFile, KeyOrigin, KeyPart, Lookup,
    MatchedBy, MissReason, NotSaved,
};
use crate::outcome::{SkipReason, Timing};

/// The version of all that is here.
pub(super) const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
pub(super) struct Job<'a> {
    job: &'a str,
    leg: u32,
}

impl<'a> From<&'a JobKey> for Job<'a> {
    fn from(key: &'a JobKey) -> Self {
        Self {
            job: &key.id,
            leg: key.leg,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Step<'a> {
    #[serde(flatten)]
    job: Job<'a>,
    step: u32,
    phase: &'static str,
}

impl<'a> From<&'a StepKey> for Step<'a> {
    fn from(key: &'a StepKey) -> Self {
        Self {
            job: (&key.job).into(),
            step: key.index + 1,
            phase: match key.phase {
                Phase::Pre => "pre",
                Phase::Main => "main",
                Phase::Post => "post",
            },
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Run<'a> {
    run: RunId,
    workflow: &'a str,
    name: &'a str,
    repository: &'a str,
    event: &'a str,
    r#ref: &'a str,
    sha: &'a str,
    head_sha: &'a str,
    changed_files: u64,
    jobs: Vec<PlannedJob<'a>>,
}

#[derive(Debug, Serialize)]
struct PlannedJob<'a> {
    #[serde(flatten)]
    job: Job<'a>,
    name: &'a str,
    label: &'a str,
    needs: &'a [String],
}

impl<'a> From<&'a JobSummary> for PlannedJob<'a> {
    fn from(job: &'a JobSummary) -> Self {
        Self {
            job: (&job.job).into(),
            name: &job.name,
            label: &job.label,
            needs: &job.needs,
        }
    }
}

impl<'a> From<&'a RunSummary> for Run<'a> {
    fn from(run: &'a RunSummary) -> Self {
        Self {
            run: run.run,
            workflow: &run.workflow_path,
            name: &run.workflow_name,
            repository: &run.repository,
            event: &run.event_name,
            r#ref: &run.git_ref,
            sha: &run.sha,
            head_sha: &run.head_sha,
            changed_files: run.changed_files,
            jobs: run.jobs.iter().map(PlannedJob::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Cost {
    wall_us: u64,
    user_us: u64,
    system_us: u64,
    max_rss_kib: u64,
}

impl From<Timing> for Cost {
    fn from(timing: Timing) -> Self {
        Self {
            wall_us: timing.wall_us,
            user_us: timing.user_us,
            system_us: timing.system_us,
            max_rss_kib: timing.max_rss_kib,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Skip {
    reason: &'static str,
    text: String,
}

impl From<&SkipReason> for Skip {
    fn from(reason: &SkipReason) -> Self {
        Self {
            reason: match reason {
                SkipReason::Condition { .. } => "condition",
                SkipReason::Needs { .. } => "needs",
                SkipReason::NotRunHere { .. } => "not-run-here",
                SkipReason::Cancelled => "cancelled",
            },
            text: reason.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    level: &'static str,
    message: &'a str,
    title: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
    end_line: Option<u32>,
    column: Option<u32>,
    end_column: Option<u32>,
}

impl<'a> From<&'a Annotation> for Message<'a> {
    fn from(annotation: &'a Annotation) -> Self {
        Self {
            level: match annotation.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Notice => "notice",
            },
            message: &annotation.message,
            title: annotation.title.as_deref(),
            file: annotation.file.as_deref(),
            line: annotation.line,
            end_line: annotation.end_line,
            column: annotation.column,
            end_column: annotation.end_column,
        }
    }
}

/// What a line of a log is.
pub(super) fn log_line(line: LogLine) -> &'static str {
    match line {
        LogLine::Output => "output",
        LogLine::Runner => "runner",
        LogLine::Error => "error",
        LogLine::Warning => "warning",
        LogLine::Notice => "notice",
        LogLine::Debug => "debug",
        LogLine::Group => "group",
        LogLine::EndGroup => "end-group",
        LogLine::Command => "command",
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
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
    pub(super) fn new(request: &'a CacheRequest, origin: &'a KeyOrigin) -> Self {
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
pub(super) struct Answer<'a> {
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
            MissReason::Damaged { problem } => Self::Damaged { problem },
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub(super) enum Unsaved<'a> {
    ExactHit,
    Reserved { by: Option<Job<'a>> },
    NothingMatched,
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
            NotSaved::Unreadable { problems } => Self::Unreadable { problems },
            NotSaved::Invalid { message } => Self::Invalid { message },
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Unlike<'a> {
    effect: &'static str,
    text: String,
    #[serde(flatten)]
    job: Option<Job<'a>>,
    #[serde(flatten)]
    step: Option<Step<'a>>,
}

impl<'a> From<&'a Difference> for Unlike<'a> {
    fn from(difference: &'a Difference) -> Self {
        let (job, step) = match &difference.site {
            Site::Run => (None, None),
            Site::Job(job) => (Some(job.into()), None),
            Site::Step(step) => (None, Some(step.into())),
        };
        Self {
            effect: match difference.effect {
                Effect::MayFlip => "may-flip",
                Effect::MayShift => "may-shift",
                Effect::None => "none",
            },
            text: difference.kind.to_string(),
            job,
            step,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    verdict: &'static str,
    differences: u32,
}

impl From<difference::Verdict> for Verdict {
    fn from(verdict: difference::Verdict) -> Self {
        let (verdict, differences) = match verdict {
            difference::Verdict::Passed { differences } => ("passed", differences),
            difference::Verdict::Failed => ("failed", 0),
            difference::Verdict::Cancelled => ("cancelled", 0),
            difference::Verdict::NotRun => ("not-run", 0),
        };
        Self {
            verdict,
            differences,
        }
    }
}
