//! One key under `on.EVENT`, judged: which names its patterns select, and whether it lets an event pass.

use super::filter::Filter;
use crate::source::{Position, Source};
use crate::workflow::Token;

/// A filter key and what it says of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedFilter {
    /// The key in full: `on.push.paths`.
    pub key: String,
    /// Whether it lets the event pass.
    pub passes: bool,
    /// Why, as a clause that begins with the key.
    pub why: String,
    /// Its patterns, in order.
    pub patterns: Vec<JudgedPattern>,
    /// The names it looked at, in order.
    pub names: Vec<JudgedName>,
}

/// One pattern of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedPattern {
    /// As it is written.
    pub text: String,
    /// Where.
    pub position: Position,
    /// About how many of the names it decides.
    pub decides: usize,
}

/// A branch, a tag, a path or another name that a filter looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedName {
    /// The name.
    pub name: String,
    /// The pattern that decides about it, counted from zero: the last that matches.
    pub pattern: Option<usize>,
    /// Whether it is included; under a key that ends in `-ignore` whether it is ignored.
    pub selected: bool,
}

/// A key of patterns, and the names it is to look at.
pub(super) struct Question<'a> {
    pub(super) source: &'a Source,
    /// In full.
    pub(super) key: String,
    /// The pattern or the list of them.
    pub(super) patterns: &'a Token,
    pub(super) names: &'a [&'a str],
    /// What the names are: `3 files changed since origin/main`; with one or none without a number;
    /// empty for the one name of a branch, a tag or an action.
    pub(super) among: &'a str,
}

impl Question<'_> {
    /// The answer of `branches`, `tags` or `paths`, or of an `-ignore` form.
    pub(super) fn glob(self) -> JudgedFilter {
        let texts: Vec<&str> = self.texts().map(|(text, _)| text).collect();
        let filter = match Filter::new(&texts) {
            Ok(filter) => filter,
            Err(error) => {
                let why = format!("{}: {error}, so GitHub refuses the file", self.key);
                return self.judged(false, why, |_| (None, false));
            }
        };
        let ignores = self.key.ends_with("-ignore");
        let passes = match ignores {
            true => !filter.ignores(self.names),
            false => filter.includes(self.names),
        };
        let judge = |name: &str| (filter.deciding(name), filter.selects(name));
        let mut judged = self.judged(passes, String::new(), judge);
        judged.why = match filter.only_excludes() && !ignores {
            true => format!(
                "{} has only patterns with '!', which include nothing",
                self.key
            ),
            false => self.why(&judged, ignores),
        };
        judged
    }

    /// The answer of a list of words that are compared as they are: `types`, `workflows`.
    pub(super) fn words(self) -> JudgedFilter {
        let position = |name: &str| self.texts().position(|(text, _)| text == name);
        let passes = self.names.iter().any(|name| position(name).is_some());
        let judge = |name: &str| (position(name), position(name).is_some());
        let mut judged = self.judged(passes, String::new(), judge);
        judged.why = self.why(&judged, false);
        judged
    }

    /// Passed or not whatever the patterns say.
    pub(super) fn aside(self, passes: bool, why: &str) -> JudgedFilter {
        let why = format!("{} {why}", self.key);
        self.judged(passes, why, |_| (None, false))
    }

    fn texts(&self) -> impl Iterator<Item = (&str, Position)> {
        let items = self.patterns.items().iter();
        items.filter_map(|item| Some((item.as_str()?, self.source.position(item.span.start))))
    }

    fn judged(
        &self,
        passes: bool,
        why: String,
        judge: impl Fn(&str) -> (Option<usize>, bool),
    ) -> JudgedFilter {
        let names: Vec<JudgedName> = self
            .names
            .iter()
            .map(|name| {
                let (pattern, selected) = judge(name);
                JudgedName {
                    name: (*name).to_owned(),
                    pattern,
                    selected,
                }
            })
            .collect();
        let decides = |index| {
            names
                .iter()
                .filter(|name| name.pattern == Some(index))
                .count()
        };
        let patterns = self.texts().enumerate();
        JudgedFilter {
            key: self.key.clone(),
            passes,
            why,
            patterns: patterns
                .map(|(index, (text, position))| JudgedPattern {
                    text: text.to_owned(),
                    position,
                    decides: decides(index),
                })
                .collect(),
            names,
        }
    }

    /// Why it passes or not, as far as patterns decide.
    fn why(&self, judged: &JudgedFilter, ignores: bool) -> String {
        match (judged.names.as_slice(), self.among) {
            ([name], "") => self.why_one(judged, name),
            _ => self.why_several(judged, ignores),
        }
    }

    /// The same of one name.
    fn why_one(
        &self,
        judged: &JudgedFilter,
        JudgedName { name, pattern, .. }: &JudgedName,
    ) -> String {
        let key = &self.key;
        let by = pattern.map(|index| &judged.patterns[index]);
        let by = by.map(|by| format!("'{}' in line {}", by.text, by.position.line));
        match (judged.passes, by) {
            (true, Some(by)) => format!("{key} lets '{name}' pass: {by}"),
            (true, None) => format!("{key} does not name '{name}'"),
            (false, Some(by)) => format!("{key} keeps '{name}' out: {by}"),
            (false, None) => format!("{key} keeps '{name}' out: it does not name it"),
        }
    }

    /// The same of what is in the plural: files.
    fn why_several(&self, judged: &JudgedFilter, ignores: bool) -> String {
        let Self { key, among, .. } = self;
        let verb = if ignores { "ignore" } else { "include" };
        let selected = judged.names.iter().filter(|name| name.selected).count();
        match (judged.names.len(), selected) {
            (0, _) => format!("{key} has nothing to {verb}: no {among}"),
            (1, 0) => format!("{key} does not {verb} the only {among}"),
            (1, _) => format!("{key} {verb}s the only {among}"),
            (_, 0) => format!("{key} {verb}s none of the {among}"),
            (all, some) if all == some => format!("{key} {verb}s all of the {among}"),
            (_, some) => format!("{key} {verb}s {some} of the {among}"),
        }
    }
}
