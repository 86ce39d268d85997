//! What is known of a step until its line is printed, and that line.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

use crate::event::{Annotation, End, Level, LogLine, MovedArtifact};
use crate::explain::{self, Line};
use crate::ids::{Phase, StepKey};
use crate::lookup::{CacheRequest, KeyOrigin, Lookup, NotSaved};
use crate::outcome::{Outcome, Timing};
use crate::report::layout::{self, Mark, Row, Style};

/// Lines of a failed step that are shown.
const TAIL: usize = 20;
/// Errors before them that are shown too.
const ERRORS: usize = 50;
/// Bytes of a line of output that are kept for that.
const LONGEST: usize = 16 * 1024;

/// A step that has begun.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) name: String,
    /// Its line so far.
    row: Row,
    /// What belongs below its line, with its indent.
    below: Vec<(usize, String)>,
    /// The last lines it wrote.
    tail: VecDeque<(LogLine, String)>,
    /// Errors before the tail.
    errors: Vec<String>,
    /// Other lines before the tail.
    dropped: u64,
    /// Whether some of its output was shown as it came.
    shown: bool,
    /// What it took cold, in microseconds.
    cold_us: Option<u64>,
    /// The artifacts that it downloaded, all together.
    downloaded: Option<MovedArtifact>,
    /// Lines of the steps of the composite action that it uses, with their places.
    nested: Vec<(Vec<u32>, Lines)>,
}

/// Lines of a finished step.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) row: Row,
    /// Printed below, with their indents.
    pub(super) below: Vec<(usize, String)>,
}

impl Step {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The lines to show for a line of its log, the first time under its name.
    pub(super) fn live(&mut self, line: LogLine, text: &str) -> Vec<String> {
        if line == LogLine::EndGroup {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if !self.shown {
            self.shown = true;
            lines.push(format!("    {}", self.name));
        }
        lines.push(format!("      {}", log_text(line, text)));
        lines
    }

    /// Keeps a line of its log for the case that it fails.
    pub(super) fn keep(&mut self, line: LogLine, text: &str) {
        if line == LogLine::EndGroup {
            return;
        }
        self.tail.push_back((line, log_text(line, text)));
        self.shorten();
    }

    /// The same of lines of output, of which there may be very many: only the last are looked at.
    pub(super) fn keep_output(&mut self, text: &str) {
        let before = (0..text.len())
            .rev()
            .filter(|&at| text.as_bytes()[at] == b'\n')
            .nth(TAIL);
        let (before, last) = match before {
            Some(at) => (Some(&text[..at]), &text[at + 1..]),
            None => (None, text),
        };
        if let Some(before) = before {
            while !self.tail.is_empty() {
                self.drop_first();
            }
            self.dropped += 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count() as u64;
        }
        for line in last.split('\n') {
            let beginning = &line[..line.floor_char_boundary(LONGEST)];
            self.tail.push_back((LogLine::Output, beginning.to_owned()));
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        if self.tail.len() > TAIL {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        match self.tail.pop_front() {
            // All of them, unless the step does nothing but fail.
            Some((LogLine::Error, text)) if self.errors.len() < ERRORS => self.errors.push(text),
            _ => self.dropped += 1,
        }
    }

    /// Messages are in the log already; what it lacks is the place.
    pub(super) fn annotated(&mut self, annotation: &Annotation) {
        let level = match annotation.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let Some(file) = &annotation.file else {
            // Errors stand among the lines of the step that failed by them.
            if annotation.level == Level::Warning {
                self.below
                    .push((6, format!("{level}: {}", annotation.message)));
            }
            return;
        };
        let mut place = file.clone();
        for number in [annotation.line, annotation.column].into_iter().flatten() {
            place += &format!(":{number}");
        }
        let line = format!("{level} at {place}: {}", annotation.message);
        self.below.push((6, line));
    }

    pub(super) fn checked_out(&mut self, files: u64, changed: u64) {
        self.row.detail = layout::count(files, "file");
        if changed > 0 {
            self.row.detail += &format!(", {changed} changed");
        }
    }

    pub(super) fn looked_up(
        &mut self,
        request: &CacheRequest,
        origin: &KeyOrigin,
        lookup: &Lookup,
    ) {
        match lookup {
            Lookup::Hit { entry } => {
                let (key, basis) = (layout::shorten(&entry.key), explain::basis(entry));
                self.row.word = Some(("HIT", Style::Good));
                (self.row.key, self.row.detail) = (key, format!(" ({basis})"));
                self.row.size = layout::size(entry.size);
            }
            Lookup::Partial { entry, by, .. } => {
                let (key, by) = (layout::shorten(&entry.key), explain::matched_by(*by));
                let basis = explain::basis(entry);
                self.row.word = Some(("PARTIAL", Style::Poor));
                (self.row.key, self.row.detail) = (key, format!(" {by} ({basis})"));
                self.row.size = layout::size(entry.size);
            }
            Lookup::Miss { .. } => {
                self.row.word = Some(("MISS", Style::Bad));
                self.row.key = layout::shorten(&request.key);
            }
        }
        let why = explain::reasons(request, lookup);
        let lines = why
            .into_iter()
            .map(|Line(depth, line)| (6 + 2 * depth, line));
        self.below.extend(lines);
        if matches!(lookup, Lookup::Miss { .. }) {
            let unmatched = explain::unmatched(origin).into_iter();
            self.below.extend(unmatched.map(|Line(_, line)| (6, line)));
        }
    }

    pub(super) fn saved(&mut self, key: &str, size: u64, new_bytes: u64) {
        let (key, new) = (layout::shorten(key), layout::size(new_bytes));
        self.row.word = Some(("saved", Style::Good));
        (self.row.key, self.row.detail) = (key, format!(", {new} new"));
        self.row.size = layout::size(size);
    }

    pub(super) fn not_saved(&mut self, key: &str, why: &NotSaved) {
        let (text, problems) = explain::not_saved(why);
        self.row.word = Some(("not saved", Style::Faint));
        (self.row.key, self.row.detail) = (layout::shorten(key), format!(": {text}"));
        let problems = problems.iter().map(|problem| (6, problem.clone()));
        self.below.extend(problems);
    }

    pub(super) fn uploaded(&mut self, artifact: &MovedArtifact) {
        self.moved("uploaded", artifact);
    }

    pub(super) fn downloaded(&mut self, artifact: &MovedArtifact) {
        let all = self.downloaded.get_or_insert_with(|| MovedArtifact {
            name: String::new(),
            files: 0,
            size: 0,
        });
        let comma = if all.name.is_empty() { "" } else { ", " };
        all.name += &format!("{comma}{}", artifact.name);
        all.files += artifact.files;
        all.size += artifact.size;
        let all = all.clone();
        self.moved("downloaded", &all);
    }

    fn moved(&mut self, word: &'static str, artifact: &MovedArtifact) {
        self.row.word = Some((word, Style::Good));
        self.row.key.clone_from(&artifact.name);
        self.row.detail = format!(", {}", layout::count(artifact.files, "file"));
        self.row.size = layout::size(artifact.size);
    }

    pub(super) fn compared(&mut self, cold_us: u64) {
        self.cold_us = Some(cold_us);
    }

    /// Takes in the lines of a step that stands in it.
    pub(super) fn nest(&mut self, key: &StepKey, mut lines: Lines) {
        let depth = key.within.len();
        lines.row.name = format!("{:1$}{2}", "", 2 * depth, lines.row.name);
        for (indent, _) in &mut lines.below {
            *indent += 2 * depth;
        }
        let place = key.within.iter().chain([&key.index]).copied().collect();
        self.nested.push((place, lines));
    }

    /// The lines of the steps that stand in it, each below the one it stands in.
    pub(super) fn take_nested(&mut self, phase: Phase) -> Vec<Lines> {
        let mut nested = std::mem::take(&mut self.nested);
        nested.sort_by(|(one, _), (other, _)| in_order(one, other, phase));
        nested.into_iter().map(|(_, lines)| lines).collect()
    }

    /// Its lines. Only its name is known from then on.
    pub(super) fn finish(&mut self, ended: End) -> Lines {
        let name = self.name.clone();
        let done = std::mem::replace(self, Self::new(&name));
        let mut row = Row {
            mark: mark(ended.outcome),
            name,
            time: layout::time(ended.timing.wall_time()),
            more: cpu(ended.timing)
                .into_iter()
                .chain(compared(ended.timing, done.cold_us))
                .collect(),
            ..done.row
        };
        if ended.outcome != Outcome::Failure {
            return Lines {
                row,
                below: done.below,
            };
        }
        if ended.conclusion == Outcome::Success {
            row.word = row.word.or(Some(("failed", Style::Poor)));
            row.detail += "continue-on-error";
        }
        let dropped =
            (done.dropped > 0).then(|| format!("… {} before", layout::count(done.dropped, "line")));
        let log = done.errors.into_iter().chain(dropped);
        let log = log.chain(done.tail.into_iter().map(|(_, text)| text));
        Lines {
            row,
            below: log.map(|text| (6, text)).chain(done.below).collect(),
        }
    }
}

/// The order of steps within composite actions: each behind the one it stands in. Post parts run in
/// the reverse order.
fn in_order(one: &[u32], other: &[u32], phase: Phase) -> Ordering {
    let mut places = one.iter().zip(other);
    match places.find(|(one, other)| one != other) {
        Some((one, other)) if phase == Phase::Post => other.cmp(one),
        Some((one, other)) => one.cmp(other),
        None => one.len().cmp(&other.len()),
    }
}

/// The mark of an outcome.
pub(super) fn mark(outcome: Outcome) -> Mark {
    match outcome {
        Outcome::Success => Mark::Good,
        Outcome::Failure | Outcome::Cancelled => Mark::Bad,
        Outcome::Skipped => Mark::None,
    }
}

/// Shorter than this nobody waits.
const SHORT_US: u64 = 100_000;

/// What a step took cold, unless that says nothing.
fn compared(timing: Timing, cold_us: Option<u64>) -> Option<String> {
    let worth = cold_us.filter(|&cold_us| cold_us.max(timing.wall_us) >= SHORT_US);
    worth.map(cold)
}

/// `cold 38.2 s`.
pub(super) fn cold(cold_us: u64) -> String {
    format!("cold {}", layout::time(Duration::from_micros(cold_us)))
}

/// The CPU time, where it says something that the time does not.
fn cpu(timing: Timing) -> Option<String> {
    let cpu = timing.user_us + timing.system_us;
    let differs = cpu.abs_diff(timing.wall_us) * 10 > timing.wall_us;
    if cpu == 0 || timing.wall_us < SHORT_US || !differs {
        return None;
    }
    Some(format!("cpu {}", layout::time(timing.cpu_time())))
}

/// A step's name as people see it: one that GitHub made up starts with what it says of every
/// step.
pub(in crate::report) fn shown_name(name: &str, named: bool) -> &str {
    let made_up = name.strip_prefix("Run ").filter(|_| !named);
    made_up.unwrap_or(name)
}

/// A line of a log as people see it.
pub(in crate::report) fn log_text(line: LogLine, text: &str) -> String {
    match line {
        LogLine::Output | LogLine::Runner | LogLine::Script | LogLine::EndGroup => text.to_owned(),
        LogLine::Error => format!("Error: {text}"),
        LogLine::Warning => format!("Warning: {text}"),
        LogLine::Notice => format!("Notice: {text}"),
        LogLine::Debug => format!("Debug: {text}"),
        LogLine::Group => format!("▸ {text}"),
        LogLine::Command => format!("$ {text}"),
    }
}
