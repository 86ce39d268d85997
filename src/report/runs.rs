//! The recorded runs: for people a line each, for programs a JSON object each.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::layout;
use super::wire::{Run, VERSION, Verdict};
use crate::clock;
use crate::difference;
use crate::event::RunSummary;

/// A recorded run as far as it is listed.
#[derive(Debug, Clone)]
pub struct ListedRun {
    /// What it was.
    pub summary: RunSummary,
    /// When it began, in milliseconds since 1970.
    pub began_ms: u64,
    /// How it ended; none of one that is not over, or was killed.
    pub verdict: Option<difference::Verdict>,
    /// Whether something still works for it.
    pub alive: bool,
}

/// Prints runs for people.
///
/// # Errors
/// When `out` cannot be written.
pub fn runs(out: &mut dyn Write, runs: &[ListedRun]) -> io::Result<()> {
    let number = |run: &ListedRun| run.summary.run.to_string();
    let width = runs.iter().map(|run| number(run).len()).max().unwrap_or(0);
    for run in runs {
        let verdict = layout::verdict(run.verdict, run.alive);
        let began = clock::rfc3339(Duration::from_millis(run.began_ms));
        // To the second, which nobody needs more of.
        let began = began.split('.').next().unwrap_or(&began).replace('T', " ");
        writeln!(
            out,
            "{:>width$}  {began}  {} · {} · {verdict}",
            number(run),
            run.summary.repository,
            layout::title(&run.summary),
        )?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    version: u32,
    r#type: &'static str,
    began: String,
    #[serde(flatten)]
    run: Run<'a>,
    #[serde(flatten)]
    verdict: Option<Verdict>,
}

/// Prints runs for programs: a JSON object a line, of the version of [`super::Json`].
///
/// # Errors
/// When `out` cannot be written.
pub fn runs_json(out: &mut dyn Write, runs: &[ListedRun]) -> io::Result<()> {
    for run in runs {
        let line = Listed {
            version: VERSION,
            r#type: "run",
            began: clock::rfc3339(Duration::from_millis(run.began_ms)),
            run: (&run.summary).into(),
            verdict: run.verdict.map(Verdict::from),
        };
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::report::fixture;

    #[test]
    fn a_run_is_a_line_with_its_verdict() {
        let EventKind::RunStarted(summary) = fixture::started(&["build"]) else {
            panic!("it is how a run begins");
        };
        let killed = ListedRun {
            summary: *summary,
            began_ms: 1_763_726_400_123,
            verdict: None,
            alive: false,
        };
        let running = ListedRun {
            alive: true,
            ..killed.clone()
        };
        let passed = ListedRun {
            verdict: Some(difference::Verdict::Passed { differences: 2 }),
            ..killed.clone()
        };
        let mut out = Vec::new();
        runs(&mut out, &[passed, running, killed]).expect("memory can be written");
        insta::assert_snapshot!(String::from_utf8_lossy(&out), @"
        13  2025-11-21 12:00:00  octo/app · ci.yml · push · main@3f2c1ab + 1 changed file · passed with 2 differences
        13  2025-11-21 12:00:00  octo/app · ci.yml · push · main@3f2c1ab + 1 changed file · not over
        13  2025-11-21 12:00:00  octo/app · ci.yml · push · main@3f2c1ab + 1 changed file · killed
        ");
    }
}
