//! How steps and jobs end, in GitHub's words, and what they cost.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a step or a job ended. A step has two of these: its *outcome*, before
/// `continue-on-error` was applied, and its *conclusion*, after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It did what it was asked.
    Success,
    /// It failed.
    Failure,
    /// It was ended before it was done, or never started because the run was being ended.
    Cancelled,
    /// It did not run: its condition was false, or lrun does not run it here and says so.
    Skipped,
}

impl Outcome {
    /// GitHub's word for it, as `steps.ID.outcome` and `needs.ID.result` have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    /// What several together count as: a failure over a cancellation over a success; none where there is
    /// none of these.
    pub fn worst(all: &[Self]) -> Option<Self> {
        let mut by_weight = [Self::Failure, Self::Cancelled, Self::Success].into_iter();
        by_weight.find(|outcome| all.contains(outcome))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a job or a step did not run although it is part of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum SkipReason {
    /// Its `if:` was false.
    Condition {
        /// The condition as it was evaluated.
        condition: String,
    },
    /// A job it needs did not succeed, and its `if:` does not ask for that.
    Needs {
        /// The job that was needed.
        job: String,
        /// How that job ended.
        result: Outcome,
    },
    /// This machine cannot run it; GitHub could. Part of the verdict.
    NotRunHere {
        /// What is in the way, and what would remove it.
        obstacle: String,
    },
    /// The run was cancelled first.
    Cancelled,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition { condition } => write!(f, "if: {condition} is false"),
            Self::Needs { job, result } => write!(f, "needs {job}, which ended as {result}"),
            Self::NotRunHere { obstacle } => write!(f, "not run here: {obstacle}"),
            Self::Cancelled => f.write_str("cancelled with the run, or with its matrix"),
        }
    }
}

/// What something cost. All times are whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// From start to end on the wall clock.
    pub wall_us: u64,
    /// CPU time in user mode of the processes that were waited for.
    pub user_us: u64,
    /// CPU time in the kernel of the same.
    pub system_us: u64,
    /// The largest resident size of one of them, in KiB.
    pub max_rss_kib: u64,
}

impl Timing {
    /// A timing of wall clock time alone.
    pub fn wall(duration: Duration) -> Self {
        Self {
            wall_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            ..Self::default()
        }
    }

    /// What two things cost together, one after the other.
    pub fn and(self, other: Self) -> Self {
        Self {
            wall_us: self.wall_us.saturating_add(other.wall_us),
            user_us: self.user_us.saturating_add(other.user_us),
            system_us: self.system_us.saturating_add(other.system_us),
            max_rss_kib: self.max_rss_kib.max(other.max_rss_kib),
        }
    }

    /// The wall clock time.
    pub fn wall_time(self) -> Duration {
        Duration::from_micros(self.wall_us)
    }

    /// User and system time together.
    pub fn cpu_time(self) -> Duration {
        Duration::from_micros(self.user_us + self.system_us)
    }
}
