//! A matcher at work on the lines of one step.

use std::borrow::Cow;
use std::sync::Arc;

use super::definition::{Definition, Groups};
pub(in crate::exec) use super::pattern::TooSlow;

/// What matched lines say, as texts; empty where they do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::exec) struct Match {
    pub(in crate::exec) file: String,
    pub(in crate::exec) from_path: String,
    pub(in crate::exec) line: String,
    pub(in crate::exec) column: String,
    pub(in crate::exec) severity: String,
    pub(in crate::exec) code: String,
    pub(in crate::exec) message: String,
}

/// A matcher, and how far the lines before have come in it.
#[derive(Debug)]
pub(in crate::exec) struct Running {
    pub(in crate::exec) definition: Arc<Definition>,
    /// What the lines before matched up to each pattern but the last.
    begun: Vec<Option<Match>>,
}

impl Running {
    /// A matcher that has seen no line.
    pub(in crate::exec) fn new(definition: Arc<Definition>) -> Self {
        let begun = vec![None; definition.patterns.len() - 1];
        Self { definition, begun }
    }

    /// Forgets the lines before.
    pub(in crate::exec) fn reset(&mut self) {
        self.begun.fill(None);
    }

    /// Takes in a line, without colours; gives what it completes.
    ///
    /// # Errors
    /// When an expression takes too long.
    pub(in crate::exec) fn take(&mut self, line: &str) -> Result<Option<Match>, TooSlow> {
        let definition = Arc::clone(&self.definition);
        let last = definition.patterns.len() - 1;
        // From the last one on: a line must not go through two patterns.
        for index in (0..=last).rev() {
            let pattern = &definition.patterns[index];
            let before = match index
                .checked_sub(1)
                .map(|before| self.begun[before].clone())
            {
                None => Match::default(),
                Some(Some(before)) => before,
                // Lines that match must follow each other.
                Some(None) if index < last => {
                    self.begun[index] = None;
                    continue;
                }
                Some(None) => continue,
            };
            let found = pattern.expression.first(line)?;
            let found = found.map(|groups| before.clone().and(&groups, pattern.groups));
            match found {
                Some(found) if index == last => {
                    self.reset();
                    if pattern.is_loop {
                        self.begun[index - 1] = Some(before);
                    }
                    return Ok(Some(found.or(&definition)));
                }
                None if index == last => {
                    if let Some(before) = index.checked_sub(1) {
                        self.begun[before] = None;
                    }
                }
                found => self.begun[index] = found,
            }
        }
        Ok(None)
    }
}

impl Match {
    /// With what one more line says; what is known already stays.
    fn and(mut self, found: &[&str], groups: Groups) -> Self {
        let set = |known: &mut String, group: Option<usize>| {
            if let Some(text) = group.and_then(|group| found.get(group)) {
                *known = (*text).to_owned();
            }
        };
        set(&mut self.file, groups.file);
        set(&mut self.from_path, groups.from_path);
        set(&mut self.line, groups.line);
        set(&mut self.column, groups.column);
        set(&mut self.severity, groups.severity);
        set(&mut self.code, groups.code);
        set(&mut self.message, groups.message);
        self
    }

    /// With what the matcher says of all its matches.
    fn or(mut self, definition: &Definition) -> Self {
        if self.severity.is_empty() {
            self.severity.clone_from(&definition.severity);
        }
        if self.from_path.is_empty() {
            self.from_path.clone_from(&definition.from_path);
        }
        self
    }
}

/// A line as matchers see it: without what sets colours.
pub(in crate::exec) fn without_colours(line: &str) -> Cow<'_, str> {
    const START: &str = "\u{1b}[";
    if !line.contains(START) {
        return line.into();
    }
    let mut parts = line.split(START);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let part = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        plain.push_str(part.strip_prefix('m').unwrap_or(part));
    }
    plain.into()
}
