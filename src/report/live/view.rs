//! What is going on right now, as lines.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::harmless::harmless;
use super::screen::Size;
use crate::clock::Moment;
use crate::event::{Event, EventKind, JobSummary, LogLine, Moved, Transfers};
use crate::ids::{JobKey, StepKey};
use crate::report::layout::{self, Paint, Style, WIDEST, columns, cut};
use crate::report::plain::{log_text, shown_name};

/// Last lines of a running step that are shown.
const TAIL: usize = 4;
/// Last lines of a piece of output that are looked at for them; some may be blank.
const OUTPUT: usize = 20;
/// Bytes of such a line that are kept; no terminal is that wide.
const LONGEST: usize = 4096;
/// A narrower terminal gets no bytes beside the seconds, and less indent.
const NARROW: usize = 40;
/// One of these a tenth of a second.
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// The jobs that run, and what each does.
#[derive(Debug)]
pub(super) struct View {
    transfers: Transfers,
    /// Names of jobs as GitHub shows them.
    names: BTreeMap<JobKey, String>,
    running: BTreeMap<JobKey, Doing>,
    paint: Paint,
    /// Whether lines of running steps are to be shown.
    tails: bool,
}

/// A job's step; the job itself, as long as it has none.
#[derive(Debug)]
struct Doing {
    step: Option<StepKey>,
    name: String,
    since: Moment,
    tail: VecDeque<(LogLine, String)>,
    /// The step that it stands in, if that is shown again once it is done.
    outer: Option<Box<Doing>>,
}

impl Doing {
    fn new(step: Option<&StepKey>, name: &str) -> Self {
        Self {
            step: step.cloned(),
            name: name.to_owned(),
            since: Moment::now(),
            tail: VecDeque::new(),
            outer: None,
        }
    }
}

impl Doing {
    /// Whether a step stands in this one.
    fn holds(&self, step: &StepKey) -> bool {
        let Some((index, within)) = step.within.split_last() else {
            return false;
        };
        let place = |own: &StepKey| own.index == *index && own.within == within;
        self.step.as_ref().is_some_and(place)
    }
}

impl View {
    /// Nothing, so far.
    pub(super) fn new(transfers: Transfers, paint: Paint, tails: bool) -> Self {
        Self {
            transfers,
            names: BTreeMap::new(),
            running: BTreeMap::new(),
            paint,
            tails,
        }
    }

    /// Takes in what happened just now.
    pub(super) fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted(run) => {
                self.name(&run.jobs);
            }
            EventKind::JobsFound { jobs } => self.name(jobs),
            EventKind::JobStarted { job, .. } => self.idle(job),
            EventKind::JobFinished { job, .. } => {
                self.running.remove(job);
            }
            EventKind::StepStarted {
                step, name, named, ..
            } => {
                let mut doing = Doing::new(Some(step), shown_name(name, *named));
                let before = self.running.remove(&step.job);
                doing.outer = before.filter(|before| before.holds(step)).map(Box::new);
                self.running.insert(step.job.clone(), doing);
            }
            EventKind::StepFinished { step, .. } if self.is_shown(step) => {
                let done = self.running.remove(&step.job);
                match done.and_then(|done| done.outer) {
                    Some(outer) => {
                        self.running.insert(step.job.clone(), *outer);
                    }
                    None => self.idle(&step.job),
                }
            }
            EventKind::StepOutput { step, line, text } if self.tails && line.is_many() => {
                let last: Vec<_> = text.rsplit('\n').take(OUTPUT).collect();
                for text in last.into_iter().rev() {
                    self.step_output(step, *line, text);
                }
            }
            EventKind::StepOutput { step, line, text } if self.tails => {
                self.step_output(step, *line, text);
            }
            _ => {}
        }
    }

    fn name(&mut self, jobs: &[JobSummary]) {
        let names = jobs.iter().map(|job| (job.job.clone(), job.name.clone()));
        self.names.extend(names);
    }

    /// Between its steps a job is shown by its name.
    fn idle(&mut self, job: &JobKey) {
        let name = self.job_name(job);
        self.running.insert(job.clone(), Doing::new(None, &name));
    }

    /// Of several steps beside each other the last one to start is shown.
    fn is_shown(&self, step: &StepKey) -> bool {
        let doing = self.running.get(&step.job);
        doing.is_some_and(|doing| doing.step.as_ref() == Some(step))
    }

    fn job_name(&self, job: &JobKey) -> String {
        let name = self.names.get(job).cloned();
        name.unwrap_or_else(|| job.to_string())
    }

    fn step_output(&mut self, step: &StepKey, line: LogLine, text: &str) {
        let doing = self.running.get_mut(&step.job);
        let Some(doing) = doing.filter(|doing| doing.step.as_ref() == Some(step)) else {
            return;
        };
        if matches!(line, LogLine::Debug | LogLine::EndGroup) || text.trim().is_empty() {
            return;
        }
        let beginning = &text[..text.floor_char_boundary(LONGEST)];
        doing.tail.push_back((line, beginning.to_owned()));
        if doing.tail.len() > TAIL {
            doing.tail.pop_front();
        }
    }

    /// Whether there is anything to show.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Everything in lines: each narrower than the terminal, all together at most half of it.
    pub(super) fn lines(&self, size: Size) -> Vec<String> {
        let width = usize::from(size.columns).min(WIDEST + 1).saturating_sub(1);
        let room = usize::from(size.rows / 2).max(1);
        let all = self.running.len();
        let heads = if all > room { room - 1 } else { all };
        let tail = (room - heads).checked_div(heads).unwrap_or(0);
        let mut lines = Vec::new();
        for (job, doing) in self.running.iter().take(heads) {
            lines.push(self.head(job, doing, width));
            lines.extend(self.tail(doing, tail, width));
        }
        if heads < all {
            let more = format!("  … and {} more", all - heads);
            lines.push(cut(&more, width));
        }
        lines
    }

    fn head(&self, job: &JobKey, doing: &Doing, width: usize) -> String {
        let since = doing.since.elapsed();
        let moved = doing.step.as_ref().and_then(|step| self.transfers.of(step));
        let mut left = format!("  {} ", spinner(since));
        if doing.step.is_some() && self.names.len() > 1 {
            left += &format!("{} · ", harmless(&self.job_name(job), false));
        }
        left += &harmless(&doing.name, false);
        let mut right = format!(" {}", seconds(since));
        if let Some(moved) = moved.filter(|_| width >= NARROW) {
            right = format!(" {}{right:>10}", bytes(moved));
        }
        let room = width.saturating_sub(columns(&right));
        let left = cut(&left, room);
        let fill = " ".repeat(room.saturating_sub(columns(&left)));
        cut(&format!("{left}{fill}{right}"), width)
    }

    fn tail(&self, doing: &Doing, most: usize, width: usize) -> Vec<String> {
        let indent = if width < NARROW { 4 } else { 6 };
        let missing = doing.tail.len().saturating_sub(most);
        let lines = doing.tail.iter().skip(missing).map(|(line, text)| {
            let text = harmless(&log_text(*line, text), false);
            let text = cut(&text, width.saturating_sub(indent));
            format!("{:indent$}{}", "", self.paint.text(Style::Faint, &text))
        });
        // Where not even the indent fits there is nothing to see.
        lines.filter(|_| width > indent).collect()
    }
}

fn spinner(since: Duration) -> char {
    let tenths = (since.as_millis() / 100) as usize;
    SPINNER[tenths % SPINNER.len()]
}

/// Whole seconds: the rest would only flicker.
fn seconds(since: Duration) -> String {
    match since.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        _ => layout::time(since),
    }
}

fn bytes(moved: Moved) -> String {
    let done = layout::size(moved.bytes);
    match moved.total {
        Some(total) => format!("{done} of {}", layout::size(total)),
        None => done,
    }
}
