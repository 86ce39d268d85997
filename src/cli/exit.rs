//! Exit codes: documented in `--help`, the same for `run` and everything that runs like it.

/// How lrun ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitCode {
    /// Everything that ran succeeded.
    Success = 0,
    /// A job failed; of what a command looks into: the answer is no, or a file is not valid.
    JobFailed = 1,
    /// The command line or the workflow is not acceptable.
    Usage = 2,
    /// A gate was not met (`--strict`).
    Gate = 3,
    /// This machine cannot run it.
    CannotRun = 4,
    /// lrun's own fault.
    Internal = 70,
    /// Ended from outside.
    Interrupted = 130,
}

impl ExitCode {
    /// What a command that inspects ends with when the answer is no, or a file is not valid.
    pub(super) const NO: Self = Self::JobFailed;
}

/// The table of `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0    every job that ran succeeded
  1    a job failed; of what inspects: the answer is no, or a file is not valid
  2    the command line or the workflow is not acceptable
  3    a gate was not met (--strict)
  4    cannot run here (no git, an action that cannot be had, namespaces forbidden, no usable store)
  70   lrun's own fault
  130  interrupted";
