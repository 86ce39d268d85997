//! Files a user wrote and places in them: every diagnostic points into one.
//!
//! Spans are byte ranges; positions are what GitHub prints, `(Line: 7, Col: 9)`:
//! both counted from one, columns in characters.

use std::fmt;
use std::sync::Arc;

/// A byte range of a [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A line and a column, both from one; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// Line number, from one.
    pub line: u32,
    /// Column in characters, from one.
    pub column: u32,
}

/// The text of one file and the name it is shown by.
#[derive(Debug)]
pub struct Source {
    /// The path as the user would write it, such as `.github/workflows/ci.yml`.
    pub path: String,
    /// The whole text, without a byte order mark.
    pub text: String,
    line_starts: Vec<usize>,
}

impl Source {
    /// Takes the text of `path`; a leading byte order mark is dropped.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Arc::new(Self {
            path: path.into(),
            text,
            line_starts,
        })
    }

    /// Where the byte offset stands; offsets past the end stand at the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self
            .line_starts
            .partition_point(|&start| start <= offset)
            .saturating_sub(1);
        let before = &self.text.as_bytes()[self.line_starts[line]..offset];
        // Count characters, not bytes: continuation bytes are 0b10xx_xxxx.
        let column = before.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        Position {
            line: line as u32 + 1,
            column: column as u32 + 1,
        }
    }

    /// The text of a line (from one), without its line end; empty when there is none.
    pub fn line(&self, line: u32) -> &str {
        let index = line as usize - 1;
        let Some(&start) = self.line_starts.get(index) else {
            return "";
        };
        let end = self
            .line_starts
            .get(index + 1)
            .map_or(self.text.len(), |&next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place in the file it was read from.
    pub span: Span,
}

impl<T> Located<T> {
    /// A value at a place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// One thing wrong with a file, worded and placed as GitHub would.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The file.
    pub source: Arc<Source>,
    /// Where in it.
    pub span: Span,
    /// What is wrong: GitHub's wording where GitHub has one.
    pub message: String,
    /// What to do about it, where that is not plain from the message.
    pub help: Option<String>,
    /// What GitHub's text names before the message.
    pub scope: Scope,
    /// Where the call stands through which the file was read, if GitHub names it.
    pub call: Option<CallSite>,
}

/// What GitHub's text of a [`Diagnostic`] names before the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The file with line and column.
    Place,
    /// The file alone: no single place is at fault.
    File,
    /// Not even that: the workflow with all it calls is at fault.
    Whole,
}

/// A reference in one file through which another was read.
#[derive(Debug, Clone)]
pub struct CallSite {
    /// The file that has the reference.
    pub source: Arc<Source>,
    /// The reference.
    pub span: Span,
}

impl Diagnostic {
    /// What is wrong at a place.
    pub fn new(source: Arc<Source>, span: Span, message: impl Into<String>) -> Self {
        Self {
            source,
            span,
            message: message.into(),
            help: None,
            scope: Scope::Place,
            call: None,
        }
    }

    /// Line and column of the start.
    pub fn position(&self) -> Position {
        self.source.position(self.span.start)
    }
}

impl fmt::Display for Diagnostic {
    /// GitHub's own form: `FILE (Line: 7, Col: 9): message`, and for a called file
    /// `In CALLER (Line: 4, Col: 11): Error from called workflow FILE (Line: 7, Col: 9): message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(call) = &self.call {
            write_place(f, "In ", &call.source, call.span)?;
            f.write_str("Error from called workflow ")?;
        }
        match self.scope {
            Scope::Place => write_place(f, "", &self.source, self.span)?,
            Scope::File => write!(f, "{}: ", self.source.path)?,
            Scope::Whole => {}
        }
        f.write_str(&self.message)
    }
}

fn write_place(
    f: &mut fmt::Formatter<'_>,
    before: &str,
    source: &Source,
    span: Span,
) -> fmt::Result {
    let Position { line, column } = source.position(span.start);
    write!(f, "{before}{} (Line: {line}, Col: {column}): ", source.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("f", "\u{feff}a\né: x\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        let x = source.text.find('x').expect("x is in the text");
        assert_eq!(source.position(x), Position { line: 2, column: 4 });
        assert_eq!(source.line(2), "é: x");
        assert_eq!(source.line(9), "");
    }
}
