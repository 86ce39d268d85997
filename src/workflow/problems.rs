//! Everything wrong with one file, collected.

use std::sync::Arc;

use crate::source::{Diagnostic, Source, Span};

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

    /// The errors, if there are any; what follows would only repeat them.
    pub(super) fn check(&mut self) -> Result<(), Vec<Diagnostic>> {
        match self.found.is_empty() {
            true => Ok(()),
            false => Err(std::mem::take(&mut self.found)),
        }
    }
}
