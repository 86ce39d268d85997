//! Everything wrong with one file, collected.

use std::sync::Arc;

use crate::expr::ParseError;
use crate::source::{Diagnostic, Source, Span};
use crate::yaml;

/// As many errors of a file GitHub reports (`TemplateValidationErrors.cs`).
const MOST: usize = 10;

/// The errors found so far, in the order GitHub finds them.
#[derive(Debug)]
pub(super) struct Problems {
    source: Arc<Source>,
    found: Vec<Diagnostic>,
}

impl Problems {
    pub(super) fn new(source: Arc<Source>) -> Self {
        let found = Vec::new();
        Self { source, found }
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
        let source = &self.source;
        let exact = source.position(yaml::locate(source, span, text, error.offset));
        let elsewhere = exact.line != source.position(span.start).line;
        let (line, column) = (exact.line, exact.column);
        let place = elsewhere.then(|| format!("the expression is on line {line}, column {column}"));
        let names = context
            .into_iter()
            .filter_map(|entry| entry.split('(').next());
        let names = Vec::from_iter(names).join(", ");
        let is_unknown = error.message.starts_with("Unrecognized") && !names.is_empty();
        let names = is_unknown.then(|| format!("an expression here may use {names}"));
        let help = Vec::from_iter(place.into_iter().chain(names)).join("; ");
        self.add_with_help(
            span,
            error.message,
            Some(help).filter(|help| !help.is_empty()),
        );
    }

    /// Adds one with what to do about it.
    pub(super) fn add_with_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        if self.found.len() < MOST {
            self.found.push(Diagnostic {
                source: Arc::clone(&self.source),
                span,
                message: message.into(),
                help,
            });
        }
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
