//! What `--json` writes: version 1 of the form that programs may rely on.
//!
//! Not the events themselves, which may change with lrun: within a version fields are only ever
//! added. Durations are microseconds, sizes bytes, steps counted from one.

mod cache;

use serde::Serialize;

pub(super) use cache::{Answer, Request, Unsaved};

use crate::difference::{self, Difference, Effect, Site};
use crate::event::{
    Annotation, JobSummary, Level, LogLine, MovedArtifact, ResolvedAction, RunSummary,
};
use crate::ids::{JobKey, Phase, RunId, StepKey};
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    within: Vec<u32>,
    step: u32,
    phase: &'static str,
}

impl<'a> From<&'a StepKey> for Step<'a> {
    fn from(key: &'a StepKey) -> Self {
        Self {
            job: (&key.job).into(),
            within: key.within.iter().map(|place| place + 1).collect(),
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
pub(super) struct Artifact<'a> {
    name: &'a str,
    files: u64,
    size: u64,
}

impl<'a> From<&'a MovedArtifact> for Artifact<'a> {
    fn from(artifact: &'a MovedArtifact) -> Self {
        Self {
            name: &artifact.name,
            files: artifact.files,
            size: artifact.size,
        }
    }
}

/// What a reference to another repository came to.
#[derive(Debug, Serialize)]
pub(super) struct Resolved<'a> {
    repository: &'a str,
    r#ref: &'a str,
    commit: Option<&'a str>,
    folder: Option<&'a str>,
}

impl<'a> From<&'a ResolvedAction> for Resolved<'a> {
    fn from(action: &'a ResolvedAction) -> Self {
        Self {
            repository: &action.repository,
            r#ref: &action.git_ref,
            commit: action.commit.as_deref(),
            folder: action.folder.as_deref(),
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

/// Who is in a concurrency group: a run, or a job of it.
#[derive(Debug, Serialize)]
pub(super) struct Holder<'a> {
    pub(super) run: RunId,
    #[serde(flatten)]
    pub(super) job: Option<Job<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct PlannedJob<'a> {
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
        LogLine::Script => "script",
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
        let (job, step) = at(&difference.site);
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

fn at(site: &Site) -> (Option<Job<'_>>, Option<Step<'_>>) {
    match site {
        Site::Run => (None, None),
        Site::Job(job) => (Some(job.into()), None),
        Site::Step(step) => (None, Some(step.into())),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Compared<'a> {
    #[serde(flatten)]
    job: Option<Job<'a>>,
    #[serde(flatten)]
    step: Option<Step<'a>>,
    run: RunId,
    cold_us: u64,
}

impl<'a> Compared<'a> {
    pub(super) fn new(site: &'a Site, run: RunId, cold_us: u64) -> Self {
        let (job, step) = at(site);
        Self {
            job,
            step,
            run,
            cold_us,
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
