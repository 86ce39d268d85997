//! The report for programs: one JSON object a line, see [`super::wire`].

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::Reporter;
use super::wire::{
    Answer, Artifact, Compared, Cost, Holder, Job, Message, PlannedJob, Request, Resolved, Run,
    Skip, Step, Unlike, Unsaved, VERSION, Verdict, log_line,
};
use crate::clock;
use crate::event::{self, Event, EventKind};

/// The report for programs.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
}

impl<W: Write> Json<W> {
    /// A report written to `out`, a line an event.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        // Written whole, so that a reader never sees half a line.
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.out.write_all(&line)
    }
}

impl<W: Write> Reporter for Json<W> {
    fn name(&self) -> &'static str {
        "the JSON report"
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::StepOutput { step, line, text } if line.is_many() => {
                for (sequence, text) in (event.sequence..).zip(text.split('\n')) {
                    let fact = Fact::StepOutput {
                        step: step.into(),
                        line: log_line(*line),
                        text,
                    };
                    self.line(&Line::new(event, sequence, fact))?;
                }
                Ok(())
            }
            kind => self.line(&Line::new(event, event.sequence, kind.into())),
        }
    }

    fn rest(&mut self) -> io::Result<Option<Duration>> {
        self.out.flush()?;
        Ok(None)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    version: u32,
    sequence: u64,
    at: String,
    elapsed_us: u64,
    #[serde(flatten)]
    fact: Fact<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Fact<'a> {
    RunStarted(Run<'a>),
    ActionResolved(Resolved<'a>),
    JobsFound {
        jobs: Vec<PlannedJob<'a>>,
    },
    GroupAwaited {
        #[serde(flatten)]
        job: Option<Job<'a>>,
        group: &'a str,
        held_by: Holder<'a>,
    },
    Cancelling {
        #[serde(flatten)]
        job: Option<Job<'a>>,
        message: &'a str,
    },
    JobStarted {
        #[serde(flatten)]
        job: Job<'a>,
        place: &'a str,
    },
    JobSkipped {
        #[serde(flatten)]
        job: Job<'a>,
        #[serde(flatten)]
        skip: Skip,
    },
    JobFailed {
        #[serde(flatten)]
        job: Job<'a>,
        message: &'a str,
    },
    OrphanEnded {
        #[serde(flatten)]
        job: Job<'a>,
        pid: i32,
        name: &'a str,
    },
    JobFinished {
        #[serde(flatten)]
        job: Job<'a>,
        #[serde(flatten)]
        end: End,
    },
    StepStarted {
        #[serde(flatten)]
        step: Step<'a>,
        name: &'a str,
    },
    StepOutput {
        #[serde(flatten)]
        step: Step<'a>,
        line: &'static str,
        text: &'a str,
    },
    StepSummary {
        #[serde(flatten)]
        step: Step<'a>,
        text: &'a str,
    },
    Annotated {
        #[serde(flatten)]
        step: Step<'a>,
        annotation: Message<'a>,
    },
    StepSkipped {
        #[serde(flatten)]
        step: Step<'a>,
        name: &'a str,
        #[serde(flatten)]
        skip: Skip,
    },
    StepFinished {
        #[serde(flatten)]
        step: Step<'a>,
        #[serde(flatten)]
        end: End,
    },
    CheckedOut {
        #[serde(flatten)]
        step: Step<'a>,
        files: &'a u64,
        changed: &'a u64,
    },
    CacheLookedUp {
        #[serde(flatten)]
        step: Step<'a>,
        request: Request<'a>,
        #[serde(flatten)]
        answer: Answer<'a>,
    },
    CacheSaved {
        #[serde(flatten)]
        step: Step<'a>,
        key: &'a str,
        size: &'a u64,
        new_bytes: &'a u64,
        files: &'a u64,
    },
    CacheNotSaved {
        #[serde(flatten)]
        step: Step<'a>,
        key: &'a str,
        #[serde(flatten)]
        reason: Unsaved<'a>,
    },
    ArtifactUploaded {
        #[serde(flatten)]
        step: Step<'a>,
        #[serde(flatten)]
        artifact: Artifact<'a>,
    },
    ArtifactDownloaded {
        #[serde(flatten)]
        step: Step<'a>,
        #[serde(flatten)]
        artifact: Artifact<'a>,
    },
    Compared(Compared<'a>),
    Differs(Unlike<'a>),
    RunFinished {
        #[serde(flatten)]
        verdict: Verdict,
        timing: Cost,
    },
}

#[derive(Debug, Serialize)]
struct End {
    outcome: &'static str,
    conclusion: &'static str,
    timing: Cost,
}

impl End {
    fn new(end: &event::End) -> Self {
        Self {
            outcome: end.outcome.as_str(),
            conclusion: end.conclusion.as_str(),
            timing: end.timing.into(),
        }
    }
}

impl<'a> Line<'a> {
    fn new(event: &Event, sequence: u64, fact: Fact<'a>) -> Self {
        Self {
            version: VERSION,
            sequence,
            at: clock::rfc3339(Duration::from_millis(event.at_ms)),
            elapsed_us: event.elapsed_us,
            fact,
        }
    }
}

impl<'a> From<&'a EventKind> for Fact<'a> {
    fn from(kind: &'a EventKind) -> Self {
        match kind {
            EventKind::RunStarted(run) => Self::RunStarted((&**run).into()),
            EventKind::ActionResolved(action) => Self::ActionResolved(action.into()),
            EventKind::JobsFound { jobs } => Self::JobsFound {
                jobs: jobs.iter().map(PlannedJob::from).collect(),
            },
            EventKind::GroupAwaited {
                job,
                group,
                run,
                holder,
            } => Self::GroupAwaited {
                job: job.as_ref().map(Job::from),
                group,
                held_by: Holder {
                    run: *run,
                    job: holder.as_ref().map(Job::from),
                },
            },
            EventKind::Cancelling { job, message } => Self::Cancelling {
                job: job.as_ref().map(Job::from),
                message,
            },
            EventKind::JobStarted { job, place } => Self::JobStarted {
                job: job.into(),
                place,
            },
            EventKind::JobSkipped { job, reason } => Self::JobSkipped {
                job: job.into(),
                skip: reason.into(),
            },
            EventKind::JobFailed { job, message } => Self::JobFailed {
                job: job.into(),
                message,
            },
            EventKind::OrphanEnded { job, pid, name } => Self::OrphanEnded {
                job: job.into(),
                pid: *pid,
                name,
            },
            EventKind::JobFinished { job, end } => Self::JobFinished {
                job: job.into(),
                end: End::new(end),
            },
            EventKind::RunFinished { verdict, timing } => Self::RunFinished {
                verdict: (*verdict).into(),
                timing: (*timing).into(),
            },
            EventKind::Compared { site, run, cold_us } => {
                Self::Compared(Compared::new(site, *run, *cold_us))
            }
            EventKind::Differs(difference) => Self::Differs(difference.into()),
            EventKind::StepStarted { step, name, .. } => Self::StepStarted {
                step: step.into(),
                name,
            },
            EventKind::StepOutput { step, line, text } => Self::StepOutput {
                step: step.into(),
                line: log_line(*line),
                text,
            },
            EventKind::StepSummary { step, text } => Self::StepSummary {
                step: step.into(),
                text,
            },
            EventKind::Annotated { step, annotation } => Self::Annotated {
                step: step.into(),
                annotation: annotation.into(),
            },
            EventKind::StepSkipped { step, name, reason } => Self::StepSkipped {
                step: step.into(),
                name,
                skip: reason.into(),
            },
            EventKind::StepFinished { step, end } => Self::StepFinished {
                step: step.into(),
                end: End::new(end),
            },
            EventKind::CheckedOut {
                step,
                files,
                changed,
            } => Self::CheckedOut {
                step: step.into(),
                files,
                changed,
            },
            EventKind::CacheLookedUp {
                step,
                request,
                origin,
                lookup,
            } => Self::CacheLookedUp {
                step: step.into(),
                request: Request::new(request, origin),
                answer: lookup.into(),
            },
            EventKind::CacheSaved {
                step,
                key,
                size,
                new_bytes,
                files,
            } => Self::CacheSaved {
                step: step.into(),
                key,
                size,
                new_bytes,
                files,
            },
            EventKind::CacheNotSaved { step, key, reason } => Self::CacheNotSaved {
                step: step.into(),
                key,
                reason: reason.into(),
            },
            EventKind::ArtifactUploaded { step, artifact } => Self::ArtifactUploaded {
                step: step.into(),
                artifact: artifact.into(),
            },
            EventKind::ArtifactDownloaded { step, artifact } => Self::ArtifactDownloaded {
                step: step.into(),
                artifact: artifact.into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::LogLine;
    use crate::ids::Phase;
    use crate::report::fixture;

    fn lines() -> Vec<serde_json::Value> {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        for event in fixture::every_kind() {
            json.event(&event).expect("memory can be written");
        }
        let text = String::from_utf8(out).expect("it is text");
        let parse = |line| serde_json::from_str(line).expect("a line is an object");
        text.lines().map(parse).collect()
    }

    #[test]
    fn every_event_is_a_line_of_version_one() {
        let lines = lines();
        assert_eq!(lines.len(), fixture::every_kind().len());
        for (sequence, line) in lines.iter().enumerate() {
            assert_eq!(line["version"], 1);
            assert_eq!(line["sequence"], sequence);
            assert!(line["type"].is_string(), "{line}");
        }
    }

    #[test]
    fn each_line_of_output_is_a_line_with_a_number_of_its_own() {
        let step = fixture::step("build", 0, Phase::Main);
        let mut out = Vec::new();
        for event in fixture::events([
            fixture::output(&step, LogLine::Output, "a\n\nb"),
            fixture::output(&step, LogLine::Error, "c\nd"),
        ]) {
            let told = Json::new(&mut out).event(&event);
            told.expect("memory can be written");
        }
        let text = String::from_utf8(out).expect("it is text");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is an object"))
            .collect();
        let texts: Vec<_> = lines.iter().map(|line| line["text"].clone()).collect();
        assert_eq!(texts, ["a", "", "b", "c\nd"]);
        assert_eq!(lines[2]["sequence"], 2);
    }

    #[test]
    fn the_form_of_lines_does_not_change() {
        let lines: Vec<String> = lines().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
