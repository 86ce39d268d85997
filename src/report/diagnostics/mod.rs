//! What is wrong with files, for people and programs: one form per file.
//!
//! [`located`] is the only renderer of an error with its place; what is printed of other people's text cannot talk to the
//! terminal.

mod annotations;
mod json;
mod sarif;
mod text;

pub use annotations::annotations;
pub use json::json;
pub use sarif::sarif;
pub use text::{Look, harmless, located, text};

use crate::source::{Diagnostic, Position};

/// What was checked, and what was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many files were read.
    pub files: usize,
    /// How many workflows of other repositories are called, which nobody here can read.
    pub elsewhere: usize,
    /// Whether a file has as many errors as are named of one, and so perhaps more.
    pub truncated: bool,
    /// What was found, by file and place.
    pub found: Vec<Diagnostic>,
}

impl Checked {
    /// How many of what was found are errors.
    pub fn errors(&self) -> usize {
        self.found
            .iter()
            .filter(|found| found.code.is_error())
            .count()
    }
}

/// Where something ends on the line on which it begins: what has several lines is pointed at by its first.
fn end_on_first_line(found: &Diagnostic) -> usize {
    let line = found.source.line_span(found.position().line);
    found
        .span
        .end
        .clamp(found.span.start, line.end.max(found.span.start))
}

/// Where it ends at all.
fn end(found: &Diagnostic) -> Position {
    found.source.position(found.span.end.max(found.span.start))
}
