//! Names of runs, jobs and steps: small, owned, and the same in every record.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A run of a workflow: `github.run_id`, unique in a store and ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One job of a run after its matrix was expanded: the key under `jobs:` and the number of the leg.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobKey {
    /// The key under `jobs:`; of a job of a called workflow `CALLER/ID`, the caller as it is shown.
    pub id: String,
    /// The leg's place in GitHub's order, from zero; zero too for a job without a matrix.
    pub leg: u32,
}

impl JobKey {
    /// The job without a matrix, or the first leg.
    pub fn new(id: impl Into<String>, leg: u32) -> Self {
        Self { id: id.into(), leg }
    }

    /// The key under `jobs:` of its own file: of a called workflow's job, what is behind the caller.
    pub fn local_id(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.leg {
            0 => f.write_str(&self.id),
            leg => write!(f, "{}.{leg}", self.id),
        }
    }
}

/// When in a job a step's code runs: an action may have three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before the first step.
    Pre,
    /// In its turn.
    Main,
    /// After the last step, in reverse order.
    Post,
}

/// One step of one job of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepKey {
    /// The job it belongs to.
    pub job: JobKey,
    /// The steps that it stands in, of composite actions: their places under `steps:`, the outermost
    /// first. Empty for a step of the job itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<u32>,
    /// Its place under `steps:`, from zero.
    pub index: u32,
    /// Which part of it.
    pub phase: Phase,
}

impl StepKey {
    /// Its places under `steps:` counted from one, the outermost first: `3`, or `3.1` of the first
    /// step of the composite action that the third one uses.
    pub fn number(&self) -> String {
        let places = self.within.iter().chain([&self.index]);
        let numbers: Vec<String> = places.map(|place| (place + 1).to_string()).collect();
        numbers.join(".")
    }

    /// The job's own step that it is, or that it stands in.
    pub fn outermost(&self) -> Self {
        Self {
            job: self.job.clone(),
            within: Vec::new(),
            index: self.within.first().copied().unwrap_or(self.index),
            phase: self.phase,
        }
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.job, self.number())?;
        match self.phase {
            Phase::Pre => f.write_str("/pre"),
            Phase::Main => Ok(()),
            Phase::Post => f.write_str("/post"),
        }
    }
}
