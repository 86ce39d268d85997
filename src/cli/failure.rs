//! What ends a command without an answer, and the kinds that decide the exit code.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::exit::ExitCode;
use crate::plan::{ExpandError, MissingSecret, Obstacle, PlanError};
use crate::report::diagnostics::{Look, harmless, located};
use crate::source::Diagnostic;

/// Why there is no run, and whose matter that is.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// What lrun exits with.
    pub(super) code: ExitCode,
    /// The text for the user, without a line end.
    pub(super) text: String,
}

impl Failure {
    /// The user's mistake on the command line or in a file.
    pub(super) fn usage(error: impl std::fmt::Display) -> Self {
        Self::new(ExitCode::Usage, error)
    }

    /// Something this machine lacks or forbids.
    pub(super) fn cannot_run(error: impl std::fmt::Display) -> Self {
        Self::new(ExitCode::CannotRun, error)
    }

    /// A fault of lrun's own.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(ExitCode::Internal, error)
    }

    fn new(code: ExitCode, error: impl std::fmt::Display) -> Self {
        Self {
            code,
            text: format!("error: {error}"),
        }
    }

    /// What is wrong with a workflow or action: every error, each with its line underlined.
    pub(super) fn invalid(diagnostics: &[Diagnostic]) -> Self {
        let mut text = String::new();
        for diagnostic in diagnostics {
            let _ = writeln!(text, "{}\n", located(diagnostic, Look::default()));
        }
        let count = diagnostics.len();
        let plural = if count == 1 { "" } else { "s" };
        let path = diagnostics.first().map_or("", |first| &first.source.path);
        let _ = write!(text, "error: {path} is not valid: {count} error{plural}");
        Self {
            code: ExitCode::Usage,
            text,
        }
    }

    /// Why a workflow has no plan.
    pub(super) fn unplanned(error: PlanError) -> Self {
        match error {
            PlanError::Expand(ExpandError::Refused(found)) => Self::invalid(&[*found]),
            other => Self::usage(other),
        }
    }

    /// What of a run would not be as on GitHub, for one who asked that there be nothing.
    pub(super) fn refused_any(obstacles: &[Obstacle], missing: &[MissingSecret]) -> Self {
        let obstacles = obstacles.iter().map(ToString::to_string);
        let all = obstacles.chain(missing.iter().map(ToString::to_string));
        let all: Vec<String> = all.collect();
        Self::new(
            ExitCode::CannotRun,
            format!(
                "this run would not be as on GitHub, and --refuse-any is given; nothing was started\n{}",
                all.join("\n")
            ),
        )
    }

    /// What stands in the way of a run, all of it.
    pub(super) fn refused(obstacles: &[Obstacle]) -> Self {
        Self::refused_lacking(obstacles, &[])
    }

    /// The same with what no single step asks for.
    pub(super) fn refused_lacking(obstacles: &[Obstacle], lacking: &[String]) -> Self {
        let mut text = String::new();
        for obstacle in obstacles {
            let _ = writeln!(text, "{obstacle}");
        }
        for lacking in lacking {
            let _ = writeln!(text, "{lacking}");
        }
        text.push_str(
            "error: this run cannot be carried out here; nothing was started. \
             Choose jobs without these steps with --job, or guard the steps with an `if:`",
        );
        Self {
            code: ExitCode::CannotRun,
            text,
        }
    }

    /// What GitHub fails when it sets jobs up, and what is wrong with manifests that it would read then.
    pub(super) fn set_up(obstacles: &[Obstacle], manifests: &[Diagnostic]) -> Self {
        let mut text = String::new();
        for diagnostic in manifests {
            let _ = writeln!(text, "{}\n", located(diagnostic, Look::default()));
        }
        for obstacle in obstacles {
            let _ = writeln!(text, "{obstacle}");
        }
        text.push_str(
            "error: GitHub would fail these jobs before their first step; nothing was started",
        );
        Self {
            code: ExitCode::Usage,
            text,
        }
    }
}

/// How a command that only prints ends. A reader that has seen enough (`| head`) and went away
/// is no error of anybody's.
pub(super) fn printed(result: io::Result<()>) -> Result<ExitCode, Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::internal(error)),
        _ => Ok(ExitCode::Success),
    }
}

/// Says something on standard error: the only way there. Names of files and what is in them cannot
/// talk to the terminal.
pub(super) fn tell(text: impl std::fmt::Display) {
    // Whoever read it may be gone, and there is nobody else to tell.
    let _ = writeln!(io::stderr(), "{}", harmless(&text.to_string()));
}
