//! Files a user wrote and places in them: every diagnostic points into one.
//!
//! Spans are byte ranges; positions are what GitHub prints, `(Line: 7, Col: 9)`:
//! both counted from one, columns in UTF-16 units, as C# and JavaScript count them.

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

/// A line and a column, both from one; the column counts UTF-16 units: one for each character
/// but two for those beyond the basic plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// Line number, from one.
    pub line: u32,
    /// Column in UTF-16 units, from one.
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
    /// The UTF-16 units before each block of the text: a place in a line without an end is found
    /// as fast as any other.
    units_before: Vec<usize>,
}

/// Bytes of a block.
const BLOCK: usize = 1024;

/// How many UTF-16 units a piece of UTF-8 has: continuation bytes are `0b10xx_xxxx`; what begins with
/// `0b1111_0xxx` takes two.
fn units(bytes: &[u8]) -> usize {
    let units = |&byte: &u8| match byte {
        0x80..0xc0 => 0,
        0xf0.. => 2,
        _ => 1,
    };
    bytes.iter().map(units).sum()
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
        let mut units_before = vec![0];
        let mut before = 0;
        for block in text.as_bytes().chunks_exact(BLOCK) {
            before += units(block);
            units_before.push(before);
        }
        Arc::new(Self {
            path: path.into(),
            units_before,
            text,
            line_starts,
        })
    }

    /// The same text by another name.
    pub fn renamed(&self, path: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: self.text.clone(),
            line_starts: self.line_starts.clone(),
            units_before: self.units_before.clone(),
        })
    }

    /// Where the byte offset stands; offsets past the end stand at the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self
            .line_starts
            .partition_point(|&start| start <= offset)
            .saturating_sub(1);
        let column = self.units_to(offset) - self.units_to(self.line_starts[line]);
        Position {
            line: line as u32 + 1,
            column: column as u32 + 1,
        }
    }

    /// The UTF-16 units before a byte of the text, or its end.
    fn units_to(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        let rest = &self.text.as_bytes()[block * BLOCK..offset];
        self.units_before[block] + units(rest)
    }

    /// The text of a line (from one), without its line end; empty when there is none.
    pub fn line(&self, line: u32) -> &str {
        let Span { start, end } = self.line_span(line);
        &self.text[start..end]
    }

    /// Where that line is; at the end of the text when there is none.
    pub fn line_span(&self, line: u32) -> Span {
        let index = line as usize - 1;
        let length = self.text.len();
        let start = self.line_starts.get(index).copied().unwrap_or(length);
        let next = self.line_starts.get(index + 1);
        let end = next.map_or(length, |&next| next - 1);
        let text = self.text[start..end].trim_end_matches('\r');
        let end = start + text.len();
        Span { start, end }
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

/// What kind of thing is wrong. Its name in machine formats is its name here, and stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The file is not YAML as GitHub reads it, or larger or deeper than GitHub takes.
    Yaml,
    /// A key or a value that GitHub's schema does not know, or lacks.
    Schema,
    /// An expression that cannot be compiled or has no value where it stands.
    Expression,
    /// What no schema can say: ids, needs, references, inputs, limits.
    Rule,
    /// `actions.lock` is no such file, or a workflow uses what it does not pin.
    Lock,
    /// No error: a step uses an action of this repository that is not there.
    MissingAction,
}

impl Code {
    /// Every code there is.
    pub const ALL: [Self; 6] = [
        Self::Yaml,
        Self::Schema,
        Self::Expression,
        Self::Rule,
        Self::Lock,
        Self::MissingAction,
    ];

    /// Whether GitHub refuses a file that has such a thing; otherwise it is only worth knowing.
    pub fn is_error(self) -> bool {
        self != Self::MissingAction
    }

    /// The name in machine formats.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Schema => "schema",
            Self::Expression => "expression",
            Self::Rule => "rule",
            Self::Lock => "lock",
            Self::MissingAction => "missing-action",
        }
    }

    /// What it is about, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Yaml => "The file is not YAML as GitHub reads it, or beyond GitHub's limits.",
            Self::Schema => "A key or a value is not what GitHub's schema asks for.",
            Self::Expression => "An expression cannot be compiled or has no value.",
            Self::Rule => "GitHub refuses this although its schema allows it.",
            Self::Lock => "A workflow is bound by actions.lock, and the two do not agree.",
            Self::MissingAction => "A step uses an action of this repository that is not there.",
        }
    }
}

/// One thing wrong with a file, worded and placed as GitHub would.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The file.
    pub source: Arc<Source>,
    /// Where in it: the place GitHub names.
    pub span: Span,
    /// The part of an expression that it is about, where that is not on the line GitHub names.
    pub part: Option<Span>,
    /// What kind of thing it is.
    pub code: Code,
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
    /// An error without help.
    pub fn new(source: &Arc<Source>, span: Span, code: Code, message: impl Into<String>) -> Self {
        Self {
            source: Arc::clone(source),
            span,
            part: None,
            code,
            message: message.into(),
            help: None,
            scope: Scope::Place,
            call: None,
        }
    }

    /// The same with what to do about it, where there is something.
    #[must_use]
    pub fn with_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    /// Line and column of the part it is about, where that is not on the line GitHub names.
    pub fn part_position(&self) -> Option<Position> {
        self.part.map(|part| self.source.position(part.start))
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
    fn positions_count_utf16_units_from_one() {
        let source = Source::new("f", "\u{feff}a\r\né😀: x\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        let x = source.text.find('x').expect("x is in the text");
        assert_eq!(source.position(x), Position { line: 2, column: 6 });
        assert_eq!(source.line(1), "a");
        assert_eq!(source.line(2), "é😀: x");
        assert_eq!(source.line(9), "");
    }

    #[test]
    fn positions_in_a_long_line_are_counted_from_its_start() {
        let text = format!("é\n{}", "aé😀".repeat(BLOCK));
        let source = Source::new("f", text.as_str());
        let mut column = 1;
        for (at, character) in text.char_indices().skip(2) {
            assert_eq!(source.position(at), Position { line: 2, column });
            column += character.len_utf16() as u32;
        }
        let end = source.position(text.len());
        assert_eq!(end, Position { line: 2, column });
        let whole = Source::new("f", "a".repeat(BLOCK));
        let column = BLOCK as u32 + 1;
        assert_eq!(whole.position(BLOCK), Position { line: 1, column });
    }

    #[test]
    fn a_code_is_called_what_it_serialises_as() {
        for code in Code::ALL {
            assert_eq!(
                serde_json::to_value(code).expect("it has a name"),
                code.name()
            );
        }
    }
}
