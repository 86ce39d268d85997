//! Named differences between a run here and a run on GitHub, and the verdict they qualify.
//!
//! lrun's product is a verdict. Whatever this machine cannot tell, or does otherwise than
//! a hosted runner, is a [`Difference`]: an event like all others, shown only where the
//! job touched it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{JobKey, StepKey};
use crate::outcome::Outcome;

/// What a difference may do to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// GitHub could be red where we are green, or the reverse. Counts in the verdict.
    MayFlip,
    /// A key, a size or a time is not GitHub's.
    MayShift,
    /// Worth knowing.
    None,
}

/// What a difference belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    /// The run as a whole.
    Run,
    /// One job.
    Job(JobKey),
    /// One step.
    Step(StepKey),
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum DifferenceKind {
    /// Another system stands in for the label's image.
    PlaceStandsIn {
        /// What runs the job, such as `host: debian-12`.
        place: String,
        /// The label asked for.
        label: String,
    },
    /// Network settings of this machine were carried into the job as configuration files.
    NetworkConfig {
        /// The tools that were configured.
        tools: Vec<String>,
    },
    /// Files that git does not track were part of the run; a push would not have them.
    UntrackedFiles {
        /// Paths from the root of the repository, sorted.
        paths: Vec<String>,
    },
    /// A step used a command that the label's image does not have.
    CommandNotOnImage {
        /// The command.
        command: String,
        /// The package it comes from here, where a package manager knows.
        package: Option<String>,
        /// The label.
        label: String,
    },
    /// A step used a command of another version than the image's.
    CommandVersion {
        /// The command.
        command: String,
        /// The version here.
        here: String,
        /// The version on the image.
        hosted: String,
        /// The label.
        label: String,
    },
    /// A step or job was not run here.
    NotRun {
        /// What is in the way.
        obstacle: String,
    },
    /// Something else; the text says it whole.
    Other {
        /// What differs and what follows.
        text: String,
    },
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PlaceStandsIn { place, label } => write!(f, "{place} standing in for {label}"),
            Self::NetworkConfig { tools } => write!(
                f,
                "network settings of this machine are in force for {}",
                tools.join(", ")
            ),
            Self::UntrackedFiles { paths } => write_untracked(f, paths),
            Self::CommandNotOnImage {
                command,
                package: Some(package),
                label,
            } => write!(
                f,
                "`{command}` ({package}) is on this machine, not on {label}"
            ),
            Self::CommandNotOnImage { command, label, .. } => {
                write!(f, "`{command}` is on this machine, not on {label}")
            }
            Self::CommandVersion {
                command,
                here,
                hosted,
                label,
            } => write!(f, "used {command} {here}; {label} has {hosted}"),
            Self::NotRun { obstacle } => write!(f, "not run here: {obstacle}"),
            Self::Other { text } => f.write_str(text),
        }
    }
}

fn write_untracked(f: &mut fmt::Formatter<'_>, paths: &[String]) -> fmt::Result {
    const SHOWN: usize = 3;
    let shown = &paths[..paths.len().min(SHOWN)];
    write!(
        f,
        "{} untracked file{} a push would not have: {}",
        paths.len(),
        if paths.len() == 1 { "" } else { "s" },
        shown.join(", ")
    )?;
    match paths.len() - shown.len() {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// One way in which this run is not GitHub's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Difference {
    /// What differs.
    #[serde(flatten)]
    pub kind: DifferenceKind,
    /// Where.
    pub site: Site,
    /// What that may do to the verdict.
    pub effect: Effect,
}

/// What a run has to say in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// Every job that ran succeeded; `differences` counts those that may flip it.
    Passed {
        /// Differences of effect [`Effect::MayFlip`].
        differences: u32,
    },
    /// A job failed.
    Failed,
    /// The run was ended from outside.
    Cancelled,
    /// Nothing that was selected could run here.
    NotRun,
}

impl Verdict {
    /// The verdict over the jobs' conclusions and the differences that were met. A job that was cancelled
    /// by another's failure does not make the run a cancelled one.
    pub fn new(conclusions: &[Outcome], ran: bool, may_flip: u32) -> Self {
        match Outcome::worst(conclusions) {
            Some(Outcome::Cancelled) => Self::Cancelled,
            _ if !ran => Self::NotRun,
            Some(Outcome::Failure) => Self::Failed,
            _ => Self::Passed {
                differences: may_flip,
            },
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { differences: 0 } => f.write_str("passed"),
            Self::Passed { differences: 1 } => f.write_str("passed with 1 difference"),
            Self::Passed { differences } => write!(f, "passed with {differences} differences"),
            Self::Failed => f.write_str("failed"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::NotRun => f.write_str("not run"),
        }
    }
}
