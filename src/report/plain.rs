//! The report for people: plain lines, in the order things end.
//!
//! A step is one line, printed when it is done. What it wrote comes before that line where it
//! is shown live, and after it when it failed. Lines of different jobs are kept apart by the
//! jobs' names. Colours only where they are asked for.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::mem;

use super::Reporter;
use super::layout::{self, Mark, Paint, Row, Style};
use super::reason;
use crate::difference::{Difference, Effect, Site, Verdict};
use crate::event::{Annotation, Event, EventKind, Level, LogLine, RunSummary};
use crate::ids::{JobKey, StepKey};
use crate::lookup::{CacheRequest, Lookup, MissReason, NotSaved};
use crate::outcome::{Outcome, SkipReason, Timing};

/// Lines of a failed step that are shown.
const TAIL: usize = 20;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainOptions {
    /// Shows what steps write as they write it, in every job, debug lines too, and differences
    /// without effect.
    pub verbose: bool,
    /// Writes ANSI colours.
    pub color: bool,
    /// Columns of the terminal; those of a pipe are 100.
    pub width: u16,
}

/// The report for people.
#[derive(Debug)]
pub struct Plain<W> {
    out: W,
    options: PlainOptions,
    paint: Paint,
    jobs: BTreeMap<JobKey, Job>,
    steps: BTreeMap<StepKey, Step>,
    /// The job whose lines are being printed.
    current: Option<JobKey>,
    totals: Totals,
    differences: Vec<String>,
}

#[derive(Debug)]
struct Job {
    name: String,
    label: String,
    place: Option<String>,
}

/// A step that has begun.
#[derive(Debug, Default)]
struct Step {
    name: String,
    /// Its line so far.
    row: Row,
    /// What belongs below its line.
    below: Vec<(usize, String)>,
    /// The last lines it wrote.
    tail: VecDeque<(LogLine, String)>,
    /// Errors before the tail.
    errors: Vec<String>,
    /// Other lines before the tail.
    dropped: u64,
    /// Whether its output is shown as it comes, and has begun to.
    live: bool,
}

#[derive(Debug, Default)]
struct Totals {
    hits: u32,
    partial: u32,
    misses: u32,
}

impl<W: Write> Plain<W> {
    /// A report written to `out`, line by line.
    pub fn new(out: W, options: PlainOptions) -> Self {
        Self {
            out,
            options,
            paint: Paint(options.color),
            jobs: BTreeMap::new(),
            steps: BTreeMap::new(),
            current: None,
            totals: Totals::default(),
            differences: Vec::new(),
        }
    }

    fn run_started(&mut self, run: &RunSummary) -> io::Result<()> {
        let file = run.workflow_path.rsplit('/').next().unwrap_or_default();
        let mut git_ref = run.git_ref.as_str();
        for prefix in ["refs/heads/", "refs/tags/", "refs/"] {
            git_ref = git_ref.strip_prefix(prefix).unwrap_or(git_ref);
        }
        let commit = run.head_sha.get(..7).unwrap_or(&run.head_sha);
        let mut header = format!("{file} · {} · {git_ref}@{commit}", run.event_name);
        if run.changed_files > 0 {
            header += &format!(" + {}", layout::count(run.changed_files, "changed file"));
        }
        for job in &run.jobs {
            let view = Job {
                name: job.name.clone(),
                label: job.label.clone(),
                place: None,
            };
            self.jobs.insert(job.job.clone(), view);
        }
        writeln!(self.out, "{header}")
    }

    fn job_started(&mut self, job: &JobKey, place: &str) {
        if let Some(view) = self.jobs.get_mut(job) {
            view.place = Some(place.to_owned());
        }
    }

    fn job_skipped(&mut self, job: &JobKey, reason: &SkipReason) -> io::Result<()> {
        self.turn_to(job)?;
        writeln!(
            self.out,
            "  {} {reason}",
            self.paint.text(Style::Faint, "-")
        )
    }

    fn job_finished(&mut self, job: &JobKey, outcome: Outcome, timing: Timing) -> io::Result<()> {
        // A single job is the run, which has a line of its own.
        if self.jobs.len() < 2 {
            return Ok(());
        }
        self.turn_to(job)?;
        let row = Row {
            mark: mark(outcome),
            name: format!("job: {outcome}"),
            time: layout::time(timing.wall_time()),
            ..Row::default()
        };
        self.row(&row)
    }

    fn step_started(&mut self, step: &StepKey, name: &str) {
        let view = Step {
            name: name.to_owned(),
            ..Step::default()
        };
        self.steps.insert(step.clone(), view);
    }

    fn step_output(&mut self, key: &StepKey, line: LogLine, text: &str) -> io::Result<()> {
        let live = self.options.verbose || self.jobs.len() == 1;
        let Some(text) = log_line(line, text, self.options.verbose) else {
            return Ok(());
        };
        if live {
            return self.live(key, &text);
        }
        let step = self.steps.entry(key.clone()).or_default();
        step.tail.push_back((line, text));
        if step.tail.len() > TAIL {
            match step.tail.pop_front() {
                Some((LogLine::Error, text)) => step.errors.push(text),
                _ => step.dropped += 1,
            }
        }
        Ok(())
    }

    fn live(&mut self, key: &StepKey, text: &str) -> io::Result<()> {
        self.turn_to(&key.job)?;
        let step = self.steps.entry(key.clone()).or_default();
        if !step.live {
            step.live = true;
            let name = self.paint.text(Style::Faint, &step.name);
            writeln!(self.out, "    {name}")?;
        }
        writeln!(self.out, "      {text}")
    }

    /// Messages are in the log already; what it lacks is the place.
    fn annotated(&mut self, key: &StepKey, annotation: &Annotation) {
        let Some(file) = &annotation.file else {
            return;
        };
        let level = match annotation.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let mut place = file.clone();
        for number in [annotation.line, annotation.column].into_iter().flatten() {
            place += &format!(":{number}");
        }
        let line = format!("{level} at {place}: {}", annotation.message);
        self.below(key, 6, line);
    }

    fn step_skipped(&mut self, step: &StepKey, name: &str, reason: &SkipReason) -> io::Result<()> {
        self.turn_to(&step.job)?;
        let row = Row {
            name: name.to_owned(),
            word: Some(("skipped", Style::Faint)),
            detail: reason.to_string(),
            ..Row::default()
        };
        self.row(&row)
    }

    fn step_finished(&mut self, key: &StepKey, ended: Ended) -> io::Result<()> {
        self.turn_to(&key.job)?;
        let Some(step) = self.steps.get_mut(key) else {
            return Ok(());
        };
        // Only its name is asked for from now on.
        let name = step.name.clone();
        let mut step = mem::replace(
            step,
            Step {
                name: name.clone(),
                ..Step::default()
            },
        );
        let mut row = Row {
            mark: mark(ended.outcome),
            name,
            time: layout::time(ended.timing.wall_time()),
            more: cpu(ended.timing),
            ..mem::take(&mut step.row)
        };
        if ended.outcome == Outcome::Failure && ended.conclusion == Outcome::Success {
            row.word = row.word.or(Some(("failed", Style::Poor)));
            row.detail += "continue-on-error";
        }
        self.row(&row)?;
        if ended.outcome == Outcome::Failure {
            self.tail(&step)?;
        }
        for (indent, line) in &step.below {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// The end of what a step wrote.
    fn tail(&mut self, step: &Step) -> io::Result<()> {
        for error in &step.errors {
            writeln!(self.out, "      {error}")?;
        }
        if step.dropped > 0 {
            let dropped = format!("… {} before", layout::count(step.dropped, "line"));
            writeln!(
                self.out,
                "      {}",
                self.paint.text(Style::Faint, &dropped)
            )?;
        }
        for (_, line) in &step.tail {
            writeln!(self.out, "      {line}")?;
        }
        Ok(())
    }

    fn checked_out(&mut self, step: &StepKey, files: u64, changed: u64) {
        let mut detail = layout::count(files, "file");
        if changed > 0 {
            detail += &format!(", {changed} changed");
        }
        self.steps.entry(step.clone()).or_default().row.detail = detail;
    }

    fn cache_looked_up(&mut self, key: &StepKey, request: &CacheRequest, lookup: &Lookup) {
        let row = &mut self.steps.entry(key.clone()).or_default().row;
        match lookup {
            Lookup::Hit { entry } => {
                self.totals.hits += 1;
                row.word = Some(("HIT", Style::Good));
                row.detail = layout::shorten(&entry.key);
                row.size = layout::size(entry.size);
            }
            Lookup::Partial { entry, by, reasons } => {
                self.totals.partial += 1;
                row.word = Some(("PARTIAL", Style::Poor));
                row.detail = format!(
                    "{} {}",
                    layout::shorten(&entry.key),
                    reason::matched_by(*by)
                );
                row.size = layout::size(entry.size);
                self.reasons(key, "not exact", reasons);
            }
            Lookup::Miss { reasons } => {
                self.totals.misses += 1;
                row.word = Some(("MISS", Style::Bad));
                row.detail = layout::shorten(&request.key);
                self.reasons(key, "missed", reasons);
            }
        }
    }

    fn reasons(&mut self, key: &StepKey, what: &str, reasons: &[MissReason]) {
        for reason in reasons {
            let (line, details) = reason::lines(reason);
            self.below(key, 6, format!("{what}: {line}"));
            for detail in details {
                self.below(key, 8, detail);
            }
        }
    }

    fn cache_saved(&mut self, step: &StepKey, key: &str, size: u64, new_bytes: u64) {
        let row = &mut self.steps.entry(step.clone()).or_default().row;
        row.word = Some(("saved", Style::Good));
        row.detail = format!("{}, {} new", layout::shorten(key), layout::size(new_bytes));
        row.size = layout::size(size);
    }

    fn cache_not_saved(&mut self, step: &StepKey, key: &str, why: &NotSaved) {
        let (text, problems) = reason::not_saved(why);
        let row = &mut self.steps.entry(step.clone()).or_default().row;
        row.word = Some(("not saved", Style::Faint));
        row.detail = format!("{}: {text}", layout::shorten(key));
        for problem in problems {
            self.below(step, 6, problem.clone());
        }
    }

    fn artifact_uploaded(&mut self, step: &StepKey, name: &str, files: u64, size: u64) {
        let row = &mut self.steps.entry(step.clone()).or_default().row;
        row.word = Some(("uploaded", Style::Good));
        row.detail = format!("{name}, {}", layout::count(files, "file"));
        row.size = layout::size(size);
    }

    fn differs(&mut self, difference: &Difference) {
        let shown = match difference.effect {
            Effect::MayFlip | Effect::MayShift => true,
            Effect::None => self.options.verbose,
        };
        let site = match &difference.site {
            Site::Run => None,
            Site::Job(job) => self.jobs.get(job).map(|job| &job.name),
            Site::Step(step) => self.steps.get(step).map(|step| &step.name),
        };
        let line = match site {
            Some(site) => format!("{site}: {}", difference.kind),
            None => difference.kind.to_string(),
        };
        if shown && !self.differences.contains(&line) {
            self.differences.push(line);
        }
    }

    fn run_finished(&mut self, verdict: Verdict, timing: Timing) -> io::Result<()> {
        let Totals {
            hits,
            partial,
            misses,
        } = self.totals;
        let hits = layout::count(hits.into(), "hit");
        let misses = match misses {
            1 => "1 miss".to_owned(),
            _ => format!("{misses} misses"),
        };
        writeln!(self.out)?;
        writeln!(self.out, "cache    {hits} · {partial} partial · {misses}")?;
        writeln!(
            self.out,
            "time     {} here",
            layout::time(timing.wall_time())
        )?;
        for difference in &self.differences {
            writeln!(self.out, "differs  {difference}")?;
        }
        let style = match verdict {
            Verdict::Passed { differences: 0 } => Style::Good,
            Verdict::Passed { .. } | Verdict::NotRun => Style::Poor,
            Verdict::Failed | Verdict::Cancelled => Style::Bad,
        };
        writeln!(self.out, "{}", self.paint.text(style, &verdict.to_string()))
    }

    /// Prints the name of a job unless its lines are being printed already.
    fn turn_to(&mut self, key: &JobKey) -> io::Result<()> {
        if self.current.as_ref() == Some(key) {
            return Ok(());
        }
        self.current = Some(key.clone());
        let Some(job) = self.jobs.get_mut(key) else {
            return writeln!(self.out, "{key}");
        };
        let name = self.paint.text(Style::Strong, &job.name);
        // Where it runs is said once.
        match job.place.take() {
            Some(place) if place == job.label => writeln!(self.out, "{name} · {place}"),
            Some(place) => writeln!(self.out, "{name} · {place} standing in for {}", job.label),
            None => writeln!(self.out, "{name}"),
        }
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        writeln!(self.out, "{}", row.render(self.options.width, self.paint))
    }

    /// Keeps a line to be printed below the step's own.
    fn below(&mut self, key: &StepKey, indent: usize, line: String) {
        let step = self.steps.entry(key.clone()).or_default();
        step.below.push((indent, line));
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    outcome: Outcome,
    conclusion: Outcome,
    timing: Timing,
}

impl<W: Write> Reporter for Plain<W> {
    fn name(&self) -> &'static str {
        "the report"
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::RunStarted(run) => self.run_started(run)?,
            EventKind::JobStarted { job, place } => self.job_started(job, place),
            EventKind::JobSkipped { job, reason } => self.job_skipped(job, reason)?,
            EventKind::JobFinished {
                job,
                outcome,
                timing,
                ..
            } => self.job_finished(job, *outcome, *timing)?,
            EventKind::StepStarted { step, name } => self.step_started(step, name),
            EventKind::StepOutput { step, line, text } => self.step_output(step, *line, text)?,
            EventKind::Annotated { step, annotation } => self.annotated(step, annotation),
            EventKind::StepSkipped { step, name, reason } => {
                self.step_skipped(step, name, reason)?;
            }
            EventKind::StepFinished {
                step,
                outcome,
                conclusion,
                timing,
            } => {
                let ended = Ended {
                    outcome: *outcome,
                    conclusion: *conclusion,
                    timing: *timing,
                };
                self.step_finished(step, ended)?;
            }
            EventKind::CheckedOut {
                step,
                files,
                changed,
            } => self.checked_out(step, *files, *changed),
            EventKind::CacheLookedUp {
                step,
                request,
                lookup,
                ..
            } => self.cache_looked_up(step, request, lookup),
            EventKind::CacheSaved {
                step,
                key,
                size,
                new_bytes,
                ..
            } => self.cache_saved(step, key, *size, *new_bytes),
            EventKind::CacheNotSaved { step, key, reason } => {
                self.cache_not_saved(step, key, reason);
            }
            EventKind::ArtifactUploaded {
                step,
                name,
                files,
                size,
            } => self.artifact_uploaded(step, name, *files, *size),
            EventKind::Differs(difference) => self.differs(difference),
            EventKind::RunFinished { verdict, timing } => self.run_finished(*verdict, *timing)?,
        }
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn mark(outcome: Outcome) -> Mark {
    match outcome {
        Outcome::Success => Mark::Good,
        Outcome::Failure | Outcome::Cancelled => Mark::Bad,
        Outcome::Skipped => Mark::None,
    }
}

/// The CPU time, where it says something that the time does not.
fn cpu(timing: Timing) -> String {
    const SHORT_US: u64 = 100_000;
    let cpu = timing.user_us + timing.system_us;
    let differs = cpu.abs_diff(timing.wall_us) * 10 > timing.wall_us;
    if cpu == 0 || timing.wall_us < SHORT_US || !differs {
        return String::new();
    }
    format!("   cpu {}", layout::time(timing.cpu_time()))
}

/// A line of a log as people see it; none where they do not.
fn log_line(line: LogLine, text: &str, verbose: bool) -> Option<String> {
    Some(match line {
        LogLine::Output | LogLine::Runner => text.to_owned(),
        LogLine::Error => format!("Error: {text}"),
        LogLine::Warning => format!("Warning: {text}"),
        LogLine::Notice => format!("Notice: {text}"),
        LogLine::Debug if verbose => format!("Debug: {text}"),
        LogLine::Group => format!("▸ {text}"),
        LogLine::Command => format!("$ {text}"),
        LogLine::Debug | LogLine::EndGroup => return None,
    })
}

#[cfg(test)]
mod tests;
