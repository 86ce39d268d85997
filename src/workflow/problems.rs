//! Everything wrong with one file and what it calls, collected.

use std::sync::Arc;

use crate::expr::ParseError;
use crate::source::{CallSite, Code, Diagnostic, Scope, Source, Span};
use crate::yaml;

use super::hint;

/// As many errors of a file GitHub reports (`TemplateValidationErrors.cs`).
pub const MOST: usize = 10;

/// The characters of a message with what stands before it; what is longer is cut (`ParseOptions.cs`).
const LONGEST: usize = 500;

/// The errors found so far, in the order GitHub finds them.
#[derive(Debug)]
pub(super) struct Problems {
    source: Arc<Source>,
    /// What is being checked now.
    stage: Code,
    /// Named in every error that is added from now on.
    call: Option<CallSite>,
    found: Vec<Diagnostic>,
}

impl Problems {
    pub(super) fn new(source: Arc<Source>) -> Self {
        Self {
            source,
            stage: Code::Yaml,
            call: None,
            found: Vec::new(),
        }
    }

    /// What is wrong with a called file; GitHub names the call with it.
    pub(super) fn of_called(source: Arc<Source>, call: CallSite) -> Self {
        Self {
            call: Some(call),
            ..Self::new(source)
        }
    }

    /// What is added from now on is told without the call: it is about calls that the file makes itself.
    pub(super) fn forget_call(&mut self) {
        self.call = None;
    }

    /// What is added from now on is of this kind, but for expressions.
    pub(super) fn enter(&mut self, stage: Code) {
        self.stage = stage;
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Adds one, unless there are as many as GitHub reports.
    pub(super) fn add(&mut self, span: Span, message: impl Into<String>) {
        self.add_with_help(span, message, None);
    }

    /// Adds an expression that cannot be compiled; `text` is the value of the scalar that holds it.
    ///
    /// `context` is what the schema lets it use.
    ///
    /// GitHub names the scalar's first line; in a block that may be far from the expression.
    pub(super) fn add_expression<'c>(
        &mut self,
        span: Span,
        text: &str,
        error: ParseError,
        context: impl IntoIterator<Item = &'c str>,
    ) {
        let context: Vec<&str> = context.into_iter().collect();
        let help = hint::instead(&error.message, &context);
        let source = &self.source;
        let part = word_at(source, yaml::locate(source, span, text, error.offset));
        let is_elsewhere = source.position(part.start).line != source.position(span.start).line;
        let found = Diagnostic::new(source, span, Code::Expression, error.message);
        self.push(Diagnostic {
            part: is_elsewhere.then_some(part),
            ..found.with_help(help)
        });
    }

    /// Adds one with what to do about it.
    pub(super) fn add_with_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.add_scoped(Scope::Place, span, message, help);
    }

    /// Adds one of which GitHub may name no place; `span` is what comes nearest to one then.
    pub(super) fn add_scoped(
        &mut self,
        scope: Scope,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(Diagnostic {
            scope,
            help,
            ..Diagnostic::new(&self.source, span, self.stage, message)
        });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Says of the last one what to do about it, unless that was said.
    pub(super) fn explain_last(&mut self, help: &str) {
        if let Some(last) = self.found.last_mut() {
            last.help.get_or_insert_with(|| help.to_owned());
        }
    }

    /// Puts those after the first `from` into the order of the keys, which begin at these places, that they belong to:
    /// GitHub converts a mapping key by key.
    pub(super) fn order_by_key(&mut self, from: usize, keys: &[usize]) {
        let key = |problem: &Diagnostic| {
            if problem.source.path != self.source.path {
                return usize::MAX;
            }
            let number = keys.partition_point(|&key| key <= problem.span.start);
            // What is wrong with the mapping itself was found with its first key.
            number.max(1)
        };
        self.found[from..].sort_by_key(key);
    }

    /// Adds what is wrong with a called file, unless another call has led to the same.
    pub(super) fn absorb(&mut self, called: Self) {
        let same = |known: &Diagnostic, found: &Diagnostic| {
            known.source.path == found.source.path
                && known.span == found.span
                && known.message == found.message
        };
        for found in called.found {
            if !self.found.iter().any(|known| same(known, &found)) {
                self.push(found);
            }
        }
    }

    fn push(&mut self, mut found: Diagnostic) {
        if self.is_full() {
            return;
        }
        if found.call.is_none() && found.scope != Scope::Whole {
            found.call.clone_from(&self.call);
        }
        let whole = found.to_string();
        if let Some((end, _)) = whole.char_indices().nth(LONGEST) {
            let before = whole.len() - found.message.len();
            found.message.truncate(end.saturating_sub(before));
            found.message.push_str("[...]");
        }
        self.found.push(found);
    }

    /// Whether there are as many as GitHub reports.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    /// Whether nothing is wrong so far; otherwise what follows would only repeat it.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What was read, if nothing is wrong with it.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<Diagnostic>> {
        match read {
            Some(read) if self.found.is_empty() => Ok(read),
            _ => Err(self.found),
        }
    }
}

/// The word that begins at an offset, or the character.
fn word_at(source: &Source, start: usize) -> Span {
    let rest = &source.text[start..];
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let end = start + word.max(first);
    Span { start, end }
}
