//! A step's log: lines out of bytes, workflow commands carried out, secrets masked, facts sent.
//!
//! One log per step. Standard output and error are read line by line each; a command works
//! on either (runner `ActionCommandManager`).

use indexmap::IndexMap;

use super::command::{Command, CommandName};
use super::mask::Masker;
use super::masked::masked;
use crate::agent::protocol::Stream;
use crate::event::{Annotation, EventKind, Events, Level, LogLine, Transfer};
use crate::ids::StepKey;

/// GitHub keeps ten annotations of each level a step.
const ANNOTATIONS_PER_LEVEL: usize = 10;
/// A longer message is cut (runner `ExecutionContext`).
const MESSAGE_CHARACTERS: usize = 4096;
/// A line longer than this is cut in pieces, so that a job cannot fill lrun's memory.
const LINE_BYTES: usize = 1 << 20;

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
    events: Events,
    step: StepKey,
    masker: Masker,
    partial: [Vec<u8>; 2],
    stop_token: Option<String>,
    echo: bool,
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
    /// A command could not be carried out: the step fails once it has ended.
    pub(super) failed: bool,
}

impl StepLog {
    /// The log of a step; `masker` is the job's.
    pub(super) fn new(events: Events, step: StepKey, masker: Masker) -> Self {
        Self {
            events,
            step,
            masker,
            partial: [Vec::new(), Vec::new()],
            stop_token: None,
            echo: false,
            annotations: [0; 3],
            said: Said::default(),
            refused: None,
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

    /// Ends the log: the last unfinished lines are taken as they stand.
    pub(super) fn finish(mut self) -> Said {
        for stream in [0, 1] {
            let rest = std::mem::take(&mut self.partial[stream]);
            if !rest.is_empty() {
                self.take_line(&rest);
            }
        }
        self.said
    }

    /// Sends a fact about this step, without secrets.
    pub(super) fn send(&self, kind: EventKind) {
        self.events.send(masked(kind, &self.masker));
    }

    /// The step.
    pub(super) fn step(&self) -> &StepKey {
        &self.step
    }

    /// Begins a save or a restore of this step, of so many bytes where that is known.
    pub(super) fn transfer(&self, total: Option<u64>) -> Transfer {
        self.events.transfers().begin(self.step.clone(), total)
    }

    /// A line of the runner's or a built-in action's own.
    pub(super) fn runner(&self, text: impl AsRef<str>) {
        self.line(LogLine::Runner, text.as_ref());
    }

    /// `##[error]…`, with its annotation.
    pub(super) fn error(&mut self, message: impl AsRef<str>) {
        self.annotate(Level::Error, message.as_ref(), None);
    }

    /// `##[warning]…`, with its annotation.
    pub(super) fn warning(&mut self, message: impl AsRef<str>) {
        self.annotate(Level::Warning, message.as_ref(), None);
    }

    /// The lines between which the runner shows what it is about to run.
    pub(super) fn group(&self, title: &str, lines: impl IntoIterator<Item = String>) {
        self.line(LogLine::Group, title);
        for line in lines {
            self.line(LogLine::Runner, &line);
        }
        self.line(LogLine::EndGroup, "");
    }

    /// Takes in what a process wrote.
    pub(super) fn feed(&mut self, stream: Stream, bytes: &[u8]) {
        let index = stream as usize;
        let mut buffer = std::mem::take(&mut self.partial[index]);
        buffer.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(length) = buffer[start..].iter().position(|&byte| byte == b'\n') {
            self.take_line(&buffer[start..start + length]);
            start += length + 1;
        }
        buffer.drain(..start);
        if buffer.len() > LINE_BYTES {
            self.take_line(&buffer);
            buffer.clear();
        }
        self.partial[index] = buffer;
    }

    fn take_line(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches('\r');
        if self.refused == Some(false) {
            self.refused = Some(REFUSALS.iter().any(|words| text.contains(words)));
        }
        match Command::parse(text, self.stop_token.as_deref()) {
            None => self.line(LogLine::Output, text),
            Some(command) => {
                self.carry_out(&command);
                if self.echo {
                    self.line(LogLine::Output, text);
                }
            }
        }
    }

    /// A line of any kind.
    pub(super) fn line(&self, line: LogLine, text: &str) {
        self.events.send(EventKind::StepOutput {
            step: self.step.clone(),
            line,
            text: self.masker.mask(text).into_owned(),
        });
    }

    fn carry_out(&mut self, command: &Command) {
        let data = &command.data;
        match command.name {
            CommandName::Error => self.annotate(Level::Error, data, Some(command)),
            CommandName::Warning => self.annotate(Level::Warning, data, Some(command)),
            CommandName::Notice => self.annotate(Level::Notice, data, Some(command)),
            CommandName::Debug => self.line(LogLine::Debug, data),
            CommandName::Group => self.line(LogLine::Group, data),
            CommandName::EndGroup => self.line(LogLine::EndGroup, ""),
            CommandName::AddMask => self.add_mask(data),
            CommandName::StopCommands => self.stop_commands(data),
            CommandName::ResumeCommands => self.stop_token = None,
            CommandName::Echo => self.set_echo(data),
            CommandName::SetOutput => self.set_output(command),
            CommandName::SetEnv => self.refuse_disabled("set-env"),
            CommandName::AddPath => self.refuse_disabled("add-path"),
            CommandName::SaveState => self.save_state(command),
            // Problem matchers come from setup actions: accepted, they change nothing.
            CommandName::AddMatcher | CommandName::RemoveMatcher => {}
        }
    }

    fn refuse_disabled(&mut self, name: &str) {
        self.refuse(&format!(
            "The `{name}` command is disabled. Please upgrade to using Environment Files or \
             opt into unsecure command execution by setting the \
             `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`."
        ));
    }

    fn annotate(&mut self, level: Level, message: &str, command: Option<&Command>) {
        let line = match level {
            Level::Error => LogLine::Error,
            Level::Warning => LogLine::Warning,
            Level::Notice => LogLine::Notice,
        };
        self.line(line, message);
        let count = &mut self.annotations[level as usize];
        *count += 1;
        if *count > ANNOTATIONS_PER_LEVEL {
            return;
        }
        let property = |name: &str| command?.property(name);
        let text = |name: &str| Some(self.masker.mask(property(name)?).into_owned());
        let number = |name: &str| property(name)?.trim().parse().ok();
        let message: String = message.chars().take(MESSAGE_CHARACTERS).collect();
        let annotation = Annotation {
            level,
            message: self.masker.mask(&message).into_owned(),
            title: text("title"),
            file: text("file"),
            line: number("line"),
            end_line: number("endLine"),
            column: number("col"),
            end_column: number("endColumn"),
        };
        self.events.send(EventKind::Annotated {
            step: self.step.clone(),
            annotation,
        });
    }

    /// A command that cannot be carried out fails the step once it has ended.
    fn refuse(&mut self, message: &str) {
        self.said.failed = true;
        self.error(message);
    }

    fn add_mask(&mut self, value: &str) {
        if value.trim().is_empty() {
            self.warning("Can't add secret mask for empty string in ##[add-mask] command.");
        } else {
            self.masker.add([value]);
        }
    }

    fn stop_commands(&mut self, token: &str) {
        let is_command = CommandName::from_name(token).is_some();
        if token.is_empty() || token == "pause-logging" || is_command {
            self.refuse(&format!(
                "Invalid stop token '{token}'. Please use a token that is not empty, not \
                 'pause-logging' and no workflow command."
            ));
        } else {
            self.stop_token = Some(token.to_owned());
        }
    }

    fn set_echo(&mut self, data: &str) {
        match data.trim().to_ascii_lowercase().as_str() {
            "on" => self.echo = true,
            "off" => self.echo = false,
            _ => self.refuse(&format!(
                "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{data}'."
            )),
        }
    }

    fn save_state(&mut self, command: &Command) {
        match command.property("name").filter(|name| !name.is_empty()) {
            Some(name) => {
                let name = name.to_owned();
                self.said.state.insert(name, command.data.clone());
            }
            None => self.refuse("Required field 'name' is missing in ##[save-state] command."),
        }
    }

    fn set_output(&mut self, command: &Command) {
        match command.property("name").filter(|name| !name.is_empty()) {
            Some(name) => {
                let name = name.to_owned();
                self.said.outputs.insert(name, command.data.clone());
            }
            None => self.refuse("Required field 'name' is missing in ##[set-output] command."),
        }
    }
}
