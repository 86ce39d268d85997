//! What a step does beyond this machine, as far as the tables know.

use std::fmt;

use super::shell::{self, UNKNOWN};
use super::table::{Action, Command, Condition, Does, OF_ACTIONS, OF_COMMANDS};

/// What a step does beyond this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideEffect {
    /// The action or the command.
    pub by: String,
    /// What it does.
    pub does: Does,
}

impl fmt::Display for SideEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.by, self.does)?;
        match self.does.may_be_allowed() {
            true => f.write_str("; --allow-publish runs it"),
            false => Ok(()),
        }
    }
}

/// What is known of an input of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// It is not given.
    Absent,
    /// It is this.
    Known(String),
    /// It is known only once the job runs.
    Unknown,
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It stays here.
    Harmless,
    /// That depends on what is known only once the job runs.
    Open,
    /// It does this.
    Does(SideEffect),
}

/// What an action is judged under.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The name of the run's event.
    pub event: &'a str,
    /// Whether the run's own token has a value.
    pub has_token: bool,
    /// Whether `--allow-publish` is given.
    pub allowed: bool,
}

/// Judges an action by its reference and its inputs.
pub fn of_action(
    reference: &str,
    input: &dyn Fn(&str) -> Input,
    circumstances: Circumstances<'_>,
) -> Judged {
    let (name, _) = reference.split_once('@').unwrap_or((reference, ""));
    let mut is_open = false;
    for entry in &OF_ACTIONS.action {
        let is_lifted = circumstances.allowed && entry.does.may_be_allowed();
        if is_lifted || !entry.names(name) {
            continue;
        }
        match entry.applies(input, circumstances) {
            Some(true) if entry.does == Does::Nothing => return Judged::Harmless,
            Some(true) if !is_open => {
                return Judged::Does(SideEffect {
                    by: name.to_owned(),
                    does: entry.does,
                });
            }
            Some(true) => return Judged::Open,
            Some(false) => {}
            None => is_open = true,
        }
    }
    match is_open {
        true => Judged::Open,
        false => Judged::Harmless,
    }
}

impl Action {
    fn names(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.uses.iter().any(|uses| {
            let uses = uses.to_ascii_lowercase();
            match uses.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == uses,
            }
        })
    }

    /// None where it is known only later.
    fn applies(
        &self,
        input: &dyn Fn(&str) -> Input,
        circumstances: Circumstances<'_>,
    ) -> Option<bool> {
        let event = circumstances.event;
        if !self.events.is_empty() && !self.events.iter().any(|one| one == event) {
            return Some(false);
        }
        let holds = |condition: &Condition| condition.holds(&input(&condition.input));
        let when = all(self.when.iter().map(holds));
        let unless = all(self.unless.iter().map(|one| holds(one).map(|holds| !holds)));
        let logged_in = match (&self.token, self.credentials.is_empty()) {
            (Some(token), _) => match input(token) {
                Input::Absent => Some(circumstances.has_token),
                given => is_given(&given),
            },
            (None, true) => Some(false),
            (None, false) => all(self.credentials.iter().map(|name| is_given(&input(name)))),
        };
        all([when, unless, logged_in.map(|is| !is)])
    }
}

impl Condition {
    fn holds(&self, input: &Input) -> Option<bool> {
        let text = match input {
            Input::Unknown => return None,
            Input::Absent => "",
            Input::Known(text) => text.trim(),
        };
        let is_one = self.is.iter().any(|one| text.eq_ignore_ascii_case(one));
        // What is absent is the default, not the empty text.
        let is = is_one && (*input != Input::Absent || self.is.is_empty());
        let given = self.given == Some(!text.is_empty());
        let mentions = self.mentions.iter().any(|one| text.contains(one.as_str()));
        Some(is || given || mentions)
    }
}

fn is_given(input: &Input) -> Option<bool> {
    match input {
        Input::Absent => Some(false),
        Input::Known(text) => Some(!text.is_empty()),
        Input::Unknown => None,
    }
}

/// Whether all hold: not, as soon as one does not.
fn all(conditions: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for condition in conditions {
        match condition {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

/// Judges a script for a shell; [`UNKNOWN`] stands in it for what is not known yet.
/// `reads_empty` is whether its step reads a secret that is empty, `allowed` whether
/// `--allow-publish` is given.
pub fn of_script(script: &str, reads_empty: bool, allowed: bool) -> Option<SideEffect> {
    let found = shell::commands(script);
    found.iter().find_map(|words| {
        let inner = unwrapped(words);
        if let Some(script) = inner_script(inner) {
            return of_script(script, reads_empty, allowed);
        }
        let entry = OF_COMMANDS.command.iter().find_map(|entry| {
            let counts = !(allowed && entry.does.may_be_allowed())
                && (reads_empty || entry.does != Does::Login);
            let name = entry.matching(inner).filter(|_| counts)?;
            Some((name, entry.does))
        });
        entry.map(|(name, does)| SideEffect {
            by: format!("`{name}`"),
            does,
        })
    })
}

/// Whether a step's script is one for a shell whose commands can be told.
pub fn is_read(shell: Option<&str>) -> bool {
    let Some(shell) = shell else {
        return true;
    };
    let program = shell.split_whitespace().next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    matches!(
        program,
        "" | "bash" | "sh" | "dash" | "zsh" | "ksh" | "pwsh" | "powershell"
    ) || program.contains(UNKNOWN)
}

/// The program that a word names.
fn program(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(".exe").unwrap_or(name);
    name.strip_suffix(".cmd").unwrap_or(name)
}

/// The command that others such as `sudo` run in the end.
fn unwrapped(words: &[String]) -> &[String] {
    let mut words = words;
    while let Some(inner) = unwrapped_once(words).filter(|inner| !inner.is_empty()) {
        words = inner;
    }
    words
}

fn unwrapped_once(words: &[String]) -> Option<&[String]> {
    let longest = OF_COMMANDS.wrappers.iter().filter_map(|(name, wrapper)| {
        let mut given = words.iter().enumerate();
        let mut count = 0;
        for wanted in name.split(' ') {
            let (index, word) = given.next()?;
            let word = if index == 0 { program(word) } else { word };
            (word == wanted).then_some(())?;
            count += 1;
        }
        Some((count, wrapper))
    });
    let (count, wrapper) = longest.max_by_key(|(count, _)| *count)?;
    let mut rest = &words[count..];
    while let [first, ..] = rest {
        let is_assignment = first.split_once('=').is_some_and(|(name, _)| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        if wrapper.values.contains(first) {
            rest = rest.get(2..).unwrap_or_default();
        } else if first.starts_with('-') || is_assignment {
            rest = &rest[1..];
        } else {
            break;
        }
    }
    rest.get(wrapper.words..)
}

/// The script of `bash -c 'script'`.
fn inner_script(words: &[String]) -> Option<&str> {
    let is_shell = matches!(program(words.first()?), "bash" | "sh" | "dash" | "zsh");
    let mut words = words.iter();
    let is_script =
        |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    words.position(is_script).filter(|_| is_shell)?;
    words.next().map(String::as_str)
}

impl Command {
    /// Which of its names a command has, if it is one of these.
    fn matching(&self, words: &[String]) -> Option<&str> {
        let (first, arguments) = words.split_first()?;
        let program = program(first);
        let name = self.run.iter().find(|name| {
            let mut wanted = name.split(' ');
            wanted.next() == Some(program) && self.has_words(wanted, program, arguments)
        })?;
        let has = |option: &String| arguments.iter().any(|word| is_option(word, option));
        let is_first = |option: &String| arguments.first() == Some(option);
        let mentions = |text: &String| arguments.iter().any(|word| word.contains(text.as_str()));
        let does = (self.when.is_empty() || self.when.iter().any(has))
            && !self.unless.iter().any(has)
            && !self.first.iter().any(is_first)
            && (self.mentions.is_empty() || self.mentions.iter().any(mentions))
            && (!self.remote || arguments.iter().any(|word| is_remote(word)));
        does.then_some(name.as_str())
    }

    /// Whether the words that must follow do.
    fn has_words<'w>(
        &self,
        wanted: impl Iterator<Item = &'w str>,
        program: &str,
        arguments: &[String],
    ) -> bool {
        let is = |word: &str, wanted: &str| match wanted.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == wanted,
        };
        if self.anywhere {
            let mut wanted = wanted;
            // `:module:publish` is the task of a module.
            let task = |word: &'_ String| word.rsplit(':').next().unwrap_or_default().to_owned();
            return wanted.all(|wanted| {
                let mut words = arguments.iter();
                words.any(|word| is(word, wanted) || is(&task(word), wanted))
            });
        }
        let mut operands = operands(program, arguments);
        wanted
            .into_iter()
            .all(|wanted| operands.next().is_some_and(|word| is(word, wanted)))
    }
}

/// The arguments that are no options nor values of them.
fn operands<'w>(program: &str, arguments: &'w [String]) -> impl Iterator<Item = &'w str> {
    let values = OF_COMMANDS.values.get(program);
    let mut is_value = false;
    arguments.iter().map(String::as_str).filter(move |word| {
        if std::mem::take(&mut is_value) {
            return false;
        }
        is_value = values.is_some_and(|values| values.iter().any(|value| value == word));
        // `cargo +nightly`
        !word.starts_with(['-', '+'])
    })
}

/// `--push` and `--push=true`; not `--push=false`.
fn is_option(word: &str, option: &str) -> bool {
    match word.strip_prefix(option) {
        Some("") => true,
        Some(value) => option.starts_with("--") && value.starts_with('=') && value != "=false",
        None => false,
    }
}

/// `host:path`, `user@host:path`, `rsync://…`; no drive, no address of this machine.
fn is_remote(word: &str) -> bool {
    let Some((host, _)) = word.split_once(':') else {
        return false;
    };
    let host = host.rsplit('@').next().unwrap_or_default();
    host.len() > 1 && !host.contains('/') && !matches!(host, "localhost" | "127.0.0.1" | "file")
}

#[cfg(test)]
mod tests;
