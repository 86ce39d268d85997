//! The JSON of `lrun plan`. Within a version fields are only ever added.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Forecast, Forecasted};
use crate::expr::Value;
use crate::plan::{
    CalledJobs, JudgedFilter, JudgedName, JudgedPattern, LeftOut, MissingSecret, Placement, Plan,
    PlannedCall, PlannedJob, PlannedLeg, SkippedStep,
};
use crate::report::wire::{Skip, VERSION};
use crate::source::{Diagnostic, Position};

/// One workflow.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    version: u32,
    r#type: &'static str,
    workflow: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Error<'a>>>,
    #[serde(flatten)]
    forecast: Option<Planned<'a>>,
}

#[derive(Debug, Serialize)]
struct Error<'a> {
    message: &'a str,
    #[serde(flatten)]
    position: Position,
}

#[derive(Debug, Serialize)]
struct Planned<'a> {
    name: &'a str,
    repository: &'a str,
    event: &'a str,
    r#ref: &'a str,
    head_sha: &'a str,
    changed_files: u64,
    compared_files: Option<usize>,
    since: Option<&'a str>,
    starts: bool,
    why: &'a str,
    filters: Vec<Filter<'a>>,
    jobs: Option<Vec<Job<'a>>>,
    missing_secrets: Vec<Missing<'a>>,
    assumptions: &'a [String],
}

/// A secret that is empty here.
#[derive(Debug, Serialize)]
struct Missing<'a> {
    name: &'a str,
    readers: &'a [String],
    withheld: Option<&'a str>,
}

/// A step that is not run here.
#[derive(Debug, Serialize)]
struct NotRun<'a> {
    step: usize,
    name: &'a str,
    why: &'a str,
}

#[derive(Debug, Serialize)]
struct Filter<'a> {
    key: &'a str,
    passes: bool,
    why: &'a str,
    patterns: Vec<Pattern<'a>>,
    names: Vec<Name<'a>>,
}

#[derive(Debug, Serialize)]
struct Pattern<'a> {
    pattern: &'a str,
    #[serde(flatten)]
    position: Position,
    decides: usize,
}

#[derive(Debug, Serialize)]
struct Name<'a> {
    name: &'a str,
    selected: bool,
    pattern: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Job<'a> {
    job: &'a str,
    /// Counted from one.
    wave: usize,
    needs: &'a [String],
    #[serde(flatten)]
    skip: Option<Skip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fails: Option<InTheWay>,
    /// Null while the legs depend on outputs of other jobs.
    legs: Option<Vec<Leg<'a>>>,
    skipped_steps: Vec<Step<'a>>,
    left_out: Vec<NotRun<'a>>,
    obstacles: Vec<InTheWay>,
}

#[derive(Debug, Serialize)]
struct Leg<'a> {
    leg: u32,
    name: &'a str,
    matrix: serde_json::Value,
    labels: &'a [String],
    here: bool,
    obstacle: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<Call<'a>>,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    uses: &'a str,
    inputs: BTreeMap<&'a str, serde_json::Value>,
    /// Those that follow from what the job needs.
    unknown_inputs: Vec<&'a str>,
    /// None where the workflow is not at hand.
    jobs: Option<Vec<Job<'a>>>,
    why: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    /// Counted from one.
    step: usize,
    name: &'a str,
    condition: &'a str,
}

#[derive(Debug, Serialize)]
struct InTheWay {
    text: String,
    #[serde(flatten)]
    position: Position,
}

impl<'a> From<&'a Forecasted> for Line<'a> {
    fn from(one: &'a Forecasted) -> Self {
        Self {
            version: VERSION,
            r#type: "plan",
            workflow: one.path(),
            errors: match one {
                Forecasted::Valid(_) => None,
                Forecasted::Invalid { errors, .. } => {
                    Some(errors.iter().map(Error::from).collect())
                }
            },
            forecast: match one {
                Forecasted::Valid(forecast) => Some((&**forecast).into()),
                Forecasted::Invalid { .. } => None,
            },
        }
    }
}

impl<'a> From<&'a Diagnostic> for Error<'a> {
    fn from(error: &'a Diagnostic) -> Self {
        Self {
            message: &error.message,
            position: error.position(),
        }
    }
}

impl<'a> From<&'a Forecast> for Planned<'a> {
    fn from(forecast: &'a Forecast) -> Self {
        let Forecast { run, start, .. } = forecast;
        Self {
            name: &run.workflow_name,
            repository: &run.repository,
            event: &run.event_name,
            r#ref: &run.git_ref,
            head_sha: &run.head_sha,
            changed_files: run.changed_files,
            compared_files: start.compared,
            since: forecast.since.as_deref(),
            starts: start.starts,
            why: &start.why,
            filters: start.filters.iter().map(Filter::from).collect(),
            jobs: forecast.plan.as_ref().map(jobs),
            missing_secrets: forecast.missing_secrets.iter().map(Missing::from).collect(),
            assumptions: &forecast.assumptions,
        }
    }
}

impl<'a> From<&'a MissingSecret> for Missing<'a> {
    fn from(secret: &'a MissingSecret) -> Self {
        Self {
            name: &secret.name,
            readers: &secret.readers,
            withheld: secret.withheld.as_deref(),
        }
    }
}

impl<'a> From<&'a JudgedFilter> for Filter<'a> {
    fn from(filter: &'a JudgedFilter) -> Self {
        let pattern = |pattern: &'a JudgedPattern| Pattern {
            pattern: &pattern.text,
            position: pattern.position,
            decides: pattern.decides,
        };
        let text = |index: usize| filter.patterns.get(index).map(|found| found.text.as_str());
        let name = |name: &'a JudgedName| Name {
            name: &name.name,
            selected: name.selected,
            pattern: name.pattern.and_then(text),
        };
        Self {
            key: &filter.key,
            passes: filter.passes,
            why: &filter.why,
            patterns: filter.patterns.iter().map(pattern).collect(),
            names: filter.names.iter().map(name).collect(),
        }
    }
}

fn jobs(plan: &Plan) -> Vec<Job<'_>> {
    plan.jobs.iter().map(Job::from).collect()
}

impl<'a> From<&'a PlannedJob> for Job<'a> {
    fn from(job: &'a PlannedJob) -> Self {
        let step = |step: &'a SkippedStep| Step {
            step: step.index + 1,
            name: &step.name,
            condition: &step.condition,
        };
        let left_out = |step: &'a LeftOut| NotRun {
            step: step.index + 1,
            name: &step.name,
            why: &step.why,
        };
        Self {
            job: &job.id,
            wave: job.wave + 1,
            needs: &job.needs,
            skip: job.skip.as_ref().map(Skip::from),
            fails: job.fails.as_ref().map(|failure| InTheWay {
                text: failure.message(),
                position: failure.error().position(),
            }),
            legs: job
                .legs
                .as_ref()
                .map(|legs| legs.iter().map(Leg::from).collect()),
            skipped_steps: job.skipped_steps.iter().map(step).collect(),
            left_out: job.left_out.iter().map(left_out).collect(),
            obstacles: job
                .obstacles
                .iter()
                .map(|refused| InTheWay {
                    text: refused.kind.to_string(),
                    position: refused.source.position(refused.span.start),
                })
                .collect(),
        }
    }
}

impl<'a> From<&'a PlannedLeg> for Leg<'a> {
    fn from(leg: &'a PlannedLeg) -> Self {
        Self {
            leg: leg.key.leg,
            name: &leg.name,
            matrix: Value::to_json(&leg.matrix),
            labels: &leg.labels,
            here: leg.placement.runs_here(),
            obstacle: match &leg.placement {
                Placement::Here { .. } => None,
                Placement::Elsewhere { .. } if leg.call.is_some() => None,
                Placement::Elsewhere { obstacle } => Some(obstacle),
            },
            calls: leg.call.as_deref().map(Call::from),
        }
    }
}

impl<'a> From<&'a PlannedCall> for Call<'a> {
    fn from(call: &'a PlannedCall) -> Self {
        let known = call.inputs.iter();
        let known =
            known.filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?.to_json())));
        let unknown = call.inputs.iter().filter(|(_, value)| value.is_none());
        let (called, why) = match &call.called {
            CalledJobs::Planned(plan) => (Some(jobs(plan)), None),
            CalledJobs::NotFollowed { why } => (None, Some(why.as_str())),
        };
        Self {
            uses: &call.uses,
            inputs: known.collect(),
            unknown_inputs: unknown.map(|(name, _)| name.as_str()).collect(),
            jobs: called,
            why,
        }
    }
}
