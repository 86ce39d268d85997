//! The report for people: plain lines, in the order things end.
//!
//! A step is one line, printed when it is done. What it wrote comes before that line, as it is
//! written, where everything is asked for, and otherwise after it when it failed. Lines of different jobs are kept apart by the
//! jobs' names. Colours only where they are asked for.

mod step;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use super::Reporter;
use super::layout::{self, Paint, Room, Row, Style};
use crate::difference::{Difference, Effect, Site, Verdict};
use crate::event::{
    End, Event, EventKind, GroupAwaited, JobSummary, LogLine, ResolvedAction, RunSummary,
};
use crate::ids::{JobKey, StepKey};
use crate::lookup::Lookup;
use crate::outcome::{Outcome, SkipReason, Timing};
use step::{Lines, Step, cold, mark};

pub(super) use step::{log_text, shown_name};

/// Columns of the name of a step or a job before a difference.
const SITE: usize = 40;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainOptions {
    /// Shows what steps write as they write it, in every job, and differences without effect.
    pub verbose: bool,
    /// Shows what steps wrote to `GITHUB_STEP_SUMMARY`, at the end.
    pub summaries: bool,
    /// Writes ANSI colours.
    pub color: bool,
    /// How much of a line there is room for.
    pub room: Room,
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
    /// Where they are, if not in the whole run, and what they are.
    differences: Vec<(Option<String>, String)>,
    /// What steps wrote for people, each with the step's name.
    summaries: Vec<(String, String)>,
}

#[derive(Debug)]
struct Job {
    name: String,
    label: String,
    place: Option<String>,
    /// What it took cold, in microseconds.
    cold_us: Option<u64>,
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
            summaries: Vec::new(),
        }
    }

    fn run_started(&mut self, run: &RunSummary) -> io::Result<()> {
        self.jobs_found(&run.jobs);
        writeln!(self.out, "{}", layout::title(run))
    }

    fn jobs_found(&mut self, jobs: &[JobSummary]) {
        for job in jobs {
            let view = Job {
                name: job.name.clone(),
                label: job.label.clone(),
                place: None,
                cold_us: None,
            };
            self.jobs.insert(job.job.clone(), view);
        }
    }

    /// Something that a job, or the run, waits for or is ended for.
    fn note(&mut self, job: Option<&JobKey>, style: Style, text: &str) -> io::Result<()> {
        let mut indent = "";
        if let Some(job) = job {
            self.turn_to(job)?;
            indent = "  ";
        }
        let mark = self.paint.text(style, "-");
        writeln!(self.out, "{indent}{mark} {text}")
    }

    /// One that is named by its commit says it itself.
    fn action_resolved(&mut self, action: &ResolvedAction) -> io::Result<()> {
        match layout::resolved(action) {
            Some(line) => writeln!(self.out, "{}", self.paint.text(Style::Faint, &line)),
            None => Ok(()),
        }
    }

    fn group_awaited(&mut self, awaited: &GroupAwaited) -> io::Result<()> {
        let holder = awaited.holder.as_ref().map(|job| format!("{job} of "));
        let (group, run) = (&awaited.group, awaited.run);
        let text = format!(
            "waits for the concurrency group '{group}', which {}run {run} has",
            holder.unwrap_or_default()
        );
        self.note(awaited.job.as_ref(), Style::Faint, &text)
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

    fn job_failed(&mut self, job: &JobKey, message: &str) -> io::Result<()> {
        self.turn_to(job)?;
        let (mark, style) = mark(Outcome::Failure).shown();
        writeln!(self.out, "  {} {message}", self.paint.text(style, mark))
    }

    fn job_finished(&mut self, job: &JobKey, end: End) -> io::Result<()> {
        // A single job is the run, which has a line of its own.
        if self.jobs.len() < 2 {
            return Ok(());
        }
        self.turn_to(job)?;
        let row = Row {
            mark: mark(end.outcome),
            name: format!("job: {}", end.outcome),
            time: layout::time(end.timing.wall_time()),
            more: self.cold_job(job).into_iter().collect(),
            ..Row::default()
        };
        self.row(&row)
    }

    /// What is known of a step; nothing, if its beginning was never told.
    fn step(&mut self, key: &StepKey) -> &mut Step {
        self.steps.entry(key.clone()).or_default()
    }

    fn step_output(&mut self, key: &StepKey, line: LogLine, text: &str) -> io::Result<()> {
        if !self.options.verbose {
            // What failed in a composite action is told by the job's own step.
            let step = self.step(&key.outermost());
            match line.is_many() {
                true => step.keep_output(text),
                false => step.keep(line, text),
            }
            return Ok(());
        }
        let several = text
            .split('\n')
            .take(if line.is_many() { usize::MAX } else { 0 });
        let one = (!line.is_many()).then_some(text);
        for text in several.chain(one) {
            let painted = match line {
                LogLine::Script => self.paint.text(Style::Script, text),
                _ => text.to_owned(),
            };
            let lines = self.step(key).live(line, &painted);
            if lines.is_empty() {
                return Ok(());
            }
            self.turn_to(&key.job)?;
            for line in lines {
                writeln!(self.out, "{line}")?;
            }
        }
        Ok(())
    }

    fn summary(&mut self, key: &StepKey, text: &str) {
        if self.options.summaries {
            let name = self.step(key).name.clone();
            self.summaries.push((name, text.to_owned()));
        }
    }

    fn tell_summaries(&mut self) -> io::Result<()> {
        for (name, text) in std::mem::take(&mut self.summaries) {
            writeln!(self.out, "\nsummary  {}", layout::cut(&name, SITE))?;
            for line in text.lines() {
                writeln!(self.out, "  {line}")?;
            }
        }
        Ok(())
    }

    fn step_skipped(&mut self, step: &StepKey, name: &str, reason: &SkipReason) -> io::Result<()> {
        let row = Row {
            name: name.to_owned(),
            word: Some(("skipped", Style::Faint)),
            detail: reason.to_string(),
            ..Row::default()
        };
        if !step.within.is_empty() {
            if self.options.verbose {
                let below = Vec::new();
                self.step(&step.outermost())
                    .nest(step, Lines { row, below });
            }
            return Ok(());
        }
        // What differs because of it is told by its name.
        self.step(step).name = name.to_owned();
        self.turn_to(&step.job)?;
        self.row(&row)
    }

    fn step_finished(&mut self, key: &StepKey, end: End) -> io::Result<()> {
        let nested = self.step(key).take_nested(key.phase);
        let lines = self.step(key).finish(end);
        if !key.within.is_empty() {
            // Under the job's step, where there is something to say.
            let says = lines.row.word.is_some() || end.conclusion != Outcome::Success;
            if says || self.options.verbose {
                self.step(&key.outermost()).nest(key, lines);
            }
            return Ok(());
        }
        self.turn_to(&key.job)?;
        let Lines { row, below } = lines;
        self.row(&row)?;
        for Lines { row, below } in nested {
            self.row(&row)?;
            self.below(&below)?;
        }
        self.below(&below)
    }

    fn below(&mut self, lines: &[(usize, String)]) -> io::Result<()> {
        lines
            .iter()
            .try_for_each(|(indent, line)| writeln!(self.out, "{:indent$}{line}", ""))
    }

    fn compared(&mut self, site: &Site, cold_us: u64) {
        match site {
            Site::Run => {}
            Site::Job(job) => {
                if let Some(view) = self.jobs.get_mut(job) {
                    view.cold_us = Some(cold_us);
                }
            }
            Site::Step(step) => self.step(step).compared(cold_us),
        }
    }

    /// What a job took cold.
    fn cold_job(&self, job: &JobKey) -> Option<String> {
        let cold_us = self.jobs.get(job)?.cold_us?;
        Some(cold(cold_us))
    }

    /// The same of the only job, behind the time of the run.
    fn cold_run(&self) -> String {
        let only = self.jobs.keys().next().filter(|_| self.jobs.len() == 1);
        let cold = only.and_then(|job| self.cold_job(job));
        cold.map_or_else(String::new, |cold| format!(" ({cold})"))
    }

    fn cache_looked_up(&mut self, lookup: &Lookup) {
        let total = match lookup {
            Lookup::Hit { .. } => &mut self.totals.hits,
            Lookup::Partial { .. } => &mut self.totals.partial,
            Lookup::Miss { .. } => &mut self.totals.misses,
        };
        *total += 1;
    }

    fn differs(&mut self, difference: &Difference) {
        let shown = match difference.effect {
            Effect::MayFlip | Effect::MayShift => true,
            Effect::None => self.options.verbose,
        };
        let site = match &difference.site {
            Site::Run => None,
            Site::Job(job) => {
                let view = self.jobs.get(job);
                Some(view.map_or_else(|| job.to_string(), |view| view.name.clone()))
            }
            Site::Step(step) => {
                let view = self.steps.get(step);
                Some(view.map_or_else(|| step.to_string(), |view| view.name.clone()))
            }
        };
        let found = (site, difference.kind.to_string());
        if shown && !self.differences.contains(&found) {
            self.differences.push(found);
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
        self.tell_summaries()?;
        writeln!(self.out)?;
        writeln!(self.out, "cache    {hits} · {partial} partial · {misses}")?;
        writeln!(
            self.out,
            "time     {} here{}",
            layout::time(timing.wall_time()),
            self.cold_run()
        )?;
        for (site, difference) in &self.differences {
            let site = site.as_deref().map(|site| layout::cut(site, SITE) + ": ");
            let site = site.unwrap_or_default();
            writeln!(self.out, "differs  {site}{difference}")?;
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
        writeln!(self.out, "{}", row.render(self.options.room, self.paint))
    }
}

impl Plain<Vec<u8>> {
    /// Whether there is anything to take.
    pub(super) fn has_written(&self) -> bool {
        !self.out.is_empty()
    }

    /// Takes what was written since this was called last: whole lines, always.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Writes for so many columns from now on.
    pub(super) fn set_width(&mut self, columns: u16) {
        self.options.room = Room::Terminal(columns);
    }
}

impl<W: Write> Reporter for Plain<W> {
    fn name(&self) -> &'static str {
        "the report"
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::RunStarted(run) => self.run_started(run)?,
            EventKind::ActionResolved(action) => self.action_resolved(action)?,
            EventKind::JobsFound { jobs } => self.jobs_found(jobs),
            EventKind::GroupAwaited(awaited) => self.group_awaited(awaited)?,
            EventKind::Cancelling { job, message } => {
                self.note(job.as_ref(), Style::Bad, message)?;
            }
            EventKind::JobStarted { job, place } => self.job_started(job, place),
            EventKind::JobSkipped { job, reason } => self.job_skipped(job, reason)?,
            EventKind::JobFailed { job, message } => self.job_failed(job, message)?,
            EventKind::OrphanEnded { job, pid, name } if self.options.verbose => {
                let text = format!("Terminate orphan process: pid ({pid}) ({name})");
                self.note(Some(job), Style::Faint, &text)?;
            }
            EventKind::OrphanEnded { .. } => {}
            EventKind::JobFinished { job, end } => self.job_finished(job, *end)?,
            EventKind::StepStarted {
                step, name, named, ..
            } => {
                *self.step(step) = Step::new(shown_name(name, *named));
            }
            EventKind::StepOutput { step, line, text } => self.step_output(step, *line, text)?,
            EventKind::StepSummary { step, text } => self.summary(step, text),
            EventKind::Annotated { step, annotation } => self.step(step).annotated(annotation),
            EventKind::StepSkipped { step, name, reason } => {
                self.step_skipped(step, name, reason)?;
            }
            EventKind::StepFinished { step, end } => self.step_finished(step, *end)?,
            EventKind::CheckedOut {
                step,
                files,
                changed,
            } => self.step(step).checked_out(*files, *changed),
            EventKind::CacheLookedUp {
                step,
                request,
                origin,
                lookup,
            } => {
                self.cache_looked_up(lookup);
                self.step(step).looked_up(request, origin, lookup);
            }
            EventKind::CacheSaved {
                step,
                key,
                size,
                new_bytes,
                ..
            } => self.step(step).saved(key, *size, *new_bytes),
            EventKind::CacheNotSaved { step, key, reason } => {
                self.step(step).not_saved(key, reason);
            }
            EventKind::ArtifactUploaded { step, artifact } => self.step(step).uploaded(artifact),
            EventKind::ArtifactDownloaded { step, artifact } => {
                self.step(step).downloaded(artifact);
            }
            EventKind::Compared { site, cold_us, .. } => self.compared(site, *cold_us),
            EventKind::Differs(difference) => self.differs(difference),
            EventKind::RunFinished { verdict, timing } => self.run_finished(*verdict, *timing)?,
        }
        Ok(())
    }

    fn rest(&mut self) -> io::Result<Option<Duration>> {
        self.out.flush()?;
        Ok(None)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
