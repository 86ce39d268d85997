//! A step's log: lines out of bytes, workflow commands carried out, problem matchers asked,
//! secrets masked, facts sent.
//!
//! One log per step. Standard output and error are read line by line each; a command works
//! on either (runner `OutputManager`, `ActionCommandManager`).

mod annotations;
mod commands;
mod lines;
mod problems;
mod shared;

use std::sync::Arc;

use indexmap::IndexMap;

use super::command::Command;
use super::masked::masked;
use crate::agent::protocol::Stream;
use crate::event::{Annotation, EventKind, Level, LogLine, Transfer};
use crate::ids::StepKey;
use annotations::Place;
use commands::Allowed;
use lines::Lines;
use problems::Problems;

pub(super) use shared::{JobLog, Matchers};

/// GitHub keeps ten annotations of each level a step.
const ANNOTATIONS_PER_LEVEL: usize = 10;
/// A longer message is cut (runner `ExecutionContext`).
const MESSAGE_CHARACTERS: usize = 4096;
/// Lines of output are told together up to so many bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// EPERM, EACCES, EINVAL and EOVERFLOW as strerror(3) has them: what chown(2), open(2) and
/// rename(2) answer where a file's owner, present or wanted, is none of the user namespace's.
const REFUSALS: [&str; 4] = [
    "Operation not permitted",
    "Permission denied",
    "Invalid argument",
    "Value too large for defined data type",
];

/// The log of one step.
#[derive(Debug)]
pub(super) struct StepLog {
    job: Arc<JobLog>,
    step: StepKey,
    lines: [Lines; 2],
    /// Lines of output that were not sent yet: never any but while bytes are taken in.
    unsent: Option<String>,
    stop_token: Option<String>,
    echo: bool,
    allowed: Allowed,
    problems: Problems,
    annotations: [usize; 3],
    said: Said,
    /// Once it is looked for: whether the system refused something.
    refused: Option<bool>,
}

/// What the lines of a log asked for.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// `::set-output::`
    pub(super) outputs: IndexMap<String, String>,
    /// `::save-state::`
    pub(super) state: IndexMap<String, String>,
    /// `::set-env::`, where it is allowed, in order.
    pub(super) env: Vec<(String, String)>,
    /// `::add-path::`, where it is allowed, in order.
    pub(super) path: Vec<String>,
    /// A command could not be carried out: the step fails once it has ended.
    pub(super) failed: bool,
}

impl StepLog {
    /// The log of a step.
    pub(super) fn new(job: Arc<JobLog>, step: StepKey) -> Self {
        Self {
            step,
            lines: [Lines::default(), Lines::default()],
            unsent: None,
            stop_token: None,
            echo: job.debug,
            allowed: Allowed::default(),
            problems: Problems::default(),
            annotations: [0; 3],
            said: Said::default(),
            refused: None,
            job,
        }
    }

    /// The `env` context of the step, and beneath it the environment of the job's processes:
    /// what they allow of commands that are not safe.
    pub(super) fn allow_by<'e>(
        &mut self,
        environments: impl IntoIterator<Item = &'e IndexMap<String, String>>,
    ) {
        for environment in environments {
            self.allowed.by(environment);
        }
    }

    /// Looks from here on for lines that tell that the system refused something.
    pub(super) fn look_for_refusals(&mut self) {
        self.refused = Some(false);
    }

    /// There was such a line.
    pub(super) fn was_refused(&self) -> bool {
        self.refused == Some(true)
    }

    /// Nothing more will be taken in: the last unfinished lines are taken as they stand.
    pub(super) async fn end_output(&mut self) {
        for stream in [0, 1] {
            let mut lines = std::mem::take(&mut self.lines[stream]);
            if let Some((rest, begins)) = lines.rest() {
                self.take_line(&rest, begins).await;
            }
        }
        self.send_output();
    }

    /// Ends the log.
    pub(super) fn finish(self) -> Said {
        self.said
    }

    /// Sends a fact about this step, without secrets.
    pub(super) fn send(&self, kind: EventKind) {
        self.job.events.send(masked(kind, &self.job.masker));
    }

    /// The step.
    pub(super) fn step(&self) -> &StepKey {
        &self.step
    }

    /// Begins a save or a restore of this step, of so many bytes where that is known.
    pub(super) fn transfer(&self, total: Option<u64>) -> Transfer {
        self.job.events.transfers().begin(self.step.clone(), total)
    }

    /// A line of the runner's or a built-in action's own.
    pub(super) fn runner(&self, text: impl AsRef<str>) {
        self.line(LogLine::Runner, text.as_ref());
    }

    /// The same of a text of several lines.
    pub(super) fn runner_lines(&self, text: &str) {
        // Masked whole: a value of several lines is one mask.
        for line in self.mask(text).split('\n') {
            self.line(LogLine::Runner, line);
        }
    }

    /// `##[error]…`, with its annotation.
    pub(super) fn error(&mut self, message: impl AsRef<str>) {
        self.annotate(Level::Error, message.as_ref(), Place::default());
    }

    /// `##[warning]…`, with its annotation.
    pub(super) fn warning(&mut self, message: impl AsRef<str>) {
        self.annotate(Level::Warning, message.as_ref(), Place::default());
    }

    /// `##[debug]…`, where that is asked for.
    pub(super) fn debug(&self, message: impl AsRef<str>) {
        if self.job.debug {
            self.line(LogLine::Debug, message.as_ref());
        }
    }

    /// The lines between which the runner shows what it is about to run.
    pub(super) fn group(&self, title: &str, lines: impl IntoIterator<Item = String>) {
        self.line(LogLine::Group, title);
        for line in lines {
            self.line(LogLine::Runner, &line);
        }
        self.line(LogLine::EndGroup, "");
    }

    /// What the step said for people, one line masked after the other.
    pub(super) fn summary(&self, text: &str) {
        let masked: Vec<_> = text.lines().map(|line| self.mask(line)).collect();
        self.job.events.send(EventKind::StepSummary {
            step: self.step.clone(),
            text: masked.join("\n"),
        });
    }

    /// Takes in what a process wrote, and waits while too much of it has not been told yet. Once
    /// begun it has to go on to its end, or lines are lost.
    pub(super) async fn feed(&mut self, stream: Stream, bytes: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines[stream as usize]);
        let mut rest = match lines.is_between() {
            true => self.take_block(bytes),
            false => bytes,
        };
        while let Some((line, begins)) = lines.next(&mut rest, &self.job.masker) {
            self.take_line(&line, begins).await;
        }
        self.lines[stream as usize] = lines;
        self.send_output();
        self.job.events.room().await;
    }

    /// Takes in all whole lines at once where none of them means anything, which is so of nearly
    /// all that steps write. Gives what is left.
    fn take_block<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(end) = memchr::memrchr(b'\n', bytes) else {
            return bytes;
        };
        let (block, rest) = (&bytes[..end], &bytes[end + 1..]);
        let has = |what: &[u8]| memchr::memmem::find(block, what).is_some();
        if self.refused == Some(false)
            || self.problems.are_any(&self.job.matchers)
            || has(b"::")
            || has(b"##[")
            || has(b"\r")
        {
            return bytes;
        }
        let text = String::from_utf8_lossy(block);
        match self.job.masker.mask(&text) {
            std::borrow::Cow::Borrowed(text) => self.keep_unsent(text),
            std::borrow::Cow::Owned(_) => return bytes,
        }
        rest
    }

    /// Takes in a line, or a piece of one that is too long; only its beginning may be a command.
    async fn take_line(&mut self, bytes: &[u8], begins: bool) {
        let text = String::from_utf8_lossy(bytes);
        if self.refused == Some(false) {
            self.refused = Some(REFUSALS.iter().any(|words| text.contains(words)));
        }
        if begins {
            if let Some(command) = Command::parse(&text, self.stop_token.as_deref()) {
                self.send_output();
                return self.carry_out(&command, &text).await;
            }
            if self.find_problem(&text).await {
                return;
            }
        }
        self.output(&text);
    }

    /// A line of output, told with those after it.
    fn output(&mut self, text: &str) {
        let text = text.replace_marks();
        let job = Arc::clone(&self.job);
        self.keep_unsent(&job.masker.mask(&text));
    }

    fn keep_unsent(&mut self, text: &str) {
        match &mut self.unsent {
            Some(unsent) => {
                unsent.push('\n');
                unsent.push_str(text);
            }
            unsent => *unsent = Some(text.to_owned()),
        }
        let length = self.unsent.as_ref().map_or(0, String::len);
        if length >= BATCH_BYTES {
            self.send_output();
        }
    }

    fn send_output(&mut self) {
        if let Some(text) = self.unsent.take() {
            self.job.events.send(EventKind::StepOutput {
                step: self.step.clone(),
                line: LogLine::Output,
                text,
            });
        }
    }

    /// A line of any kind.
    pub(super) fn line(&self, line: LogLine, text: &str) {
        self.job.events.send(EventKind::StepOutput {
            step: self.step.clone(),
            line,
            text: self.mask(text),
        });
    }

    fn mask(&self, text: &str) -> String {
        self.job.masker.mask(text).into_owned()
    }

    /// What is said of the code: a line, and up to ten of a level beside it.
    fn annotate(&mut self, level: Level, message: &str, place: Place) {
        self.annotate_line(level, message, message, place);
    }

    /// The same where the line has other words than the message.
    fn annotate_line(&mut self, level: Level, shown: &str, message: &str, place: Place) {
        let line = match level {
            Level::Error => LogLine::Error,
            Level::Warning => LogLine::Warning,
            Level::Notice => LogLine::Notice,
        };
        self.line(line, shown);
        let count = &mut self.annotations[level as usize];
        *count += 1;
        if *count > ANNOTATIONS_PER_LEVEL {
            return;
        }
        let text = |text: Option<String>| text.map(|text| self.mask(&text));
        let annotation = Annotation {
            level,
            // Cut afterwards: half a secret would not be found.
            message: beginning(self.mask(message)),
            title: text(place.title),
            file: text(place.file),
            line: place.line,
            end_line: place.end_line,
            column: place.column,
            end_column: place.end_column,
        };
        self.job.events.send(EventKind::Annotated {
            step: self.step.clone(),
            annotation,
        });
    }

    /// Whether another annotation of a level would be kept.
    fn takes_annotation(&self, level: Level) -> bool {
        self.annotations[level as usize] < ANNOTATIONS_PER_LEVEL
    }
}

fn beginning(mut message: String) -> String {
    if let Some((at, _)) = message.char_indices().nth(MESSAGE_CHARACTERS) {
        message.truncate(at);
    }
    message
}

/// What the runner itself writes at the beginning and the end of an action's part of a log: said
/// by a step it must not look like that.
trait Marks {
    fn replace_marks(&self) -> std::borrow::Cow<'_, str>;
}

impl Marks for str {
    fn replace_marks(&self) -> std::borrow::Cow<'_, str> {
        const MARKS: [(&str, &str); 2] = [
            ("##[start-action", "##\\[start-action"),
            ("##[end-action", "##\\[end-action"),
        ];
        if !self.contains("##[") {
            return self.into();
        }
        let mut text = self.to_owned();
        for (mark, harmless) in MARKS {
            text = text.replace(mark, harmless);
        }
        text.into()
    }
}
