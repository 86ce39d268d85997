//! For people: each error with its line of the file underlined, then a summary.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};

use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Checked, end_on_first_line};
use crate::report::layout::count;
use crate::source::{Diagnostic, Span};

/// How it is to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// With colours.
    pub color: bool,
    /// Longer lines of a file are cut around the error; none where there is no terminal.
    pub columns: Option<u16>,
}

/// Bytes of a line before and behind a place that are more than any terminal shows.
const MOST_AROUND: usize = 4096;

/// Writes everything that was found, and a line that sums it up.
///
/// # Errors
/// When it cannot be written.
pub fn text(out: &mut dyn Write, checked: &Checked, look: Look) -> io::Result<()> {
    for found in &checked.found {
        writeln!(out, "{}\n", located(found, look))?;
    }
    writeln!(out, "{}", Summary(checked))
}

/// The message, the place, the line with the place underlined, and what to do about it; without a line end.
pub fn located(found: &Diagnostic, look: Look) -> String {
    let (source, place) = (&found.source, found.position());
    let (start, end) = (found.span.start, end_on_first_line(found));
    let around = around(found);
    let shown = without_c1(&source.text[around.start..around.end]);
    let within = |span: Span| {
        let at = |offset: usize| offset.clamp(around.start, around.end) - around.start;
        at(span.start)..at(span.end)
    };
    let part = found.part.map(within);
    let part = part.map(|part| AnnotationKind::Context.span(part).label("here"));
    let level = match found.code.is_error() {
        true => Level::ERROR,
        false => Level::NOTE,
    };
    let path = harmless(&source.path);
    let snippet = Snippet::source(&*shown)
        .path(path.as_str())
        .line_start(place.line as usize)
        .annotation(AnnotationKind::Primary.span(within(Span { start, end })))
        .annotations(part);
    let call = found.call.as_ref().map(|call| {
        let place = call.source.position(call.span.start);
        let path = &call.source.path;
        format!("called from {path}:{}:{}", place.line, place.column)
    });
    let call = call.map(|call| Level::NOTE.message(harmless(&call)));
    let help = found.help.as_deref().map(harmless);
    let help = help.map(|help| Level::HELP.message(help));
    let report = level
        .primary_title(harmless(&found.message))
        .element(snippet)
        .elements(call)
        .elements(help);
    let renderer = match look.color {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let columns = look.columns.map_or(DEFAULT_TERM_WIDTH, usize::from);
    let text = renderer.term_width(columns).render(&[report]);
    // The renderer counts characters.
    let characters = source.text[around.start..start].chars().count() + 1;
    let written = |column: usize| format!("{path}:{}:{column}\n", place.line);
    match place.column as usize {
        column if column == characters => text,
        column => text.replacen(&written(characters), &written(column), 1),
    }
}

/// The lines from what is wrong to the part it is about. Of a line that has no end nobody reads more than what stands
/// around the place: the renderer would look at all of it each time.
fn around(found: &Diagnostic) -> Span {
    let source = &found.source;
    let line = source.line_span(found.position().line);
    if let Some(part) = found.part_position() {
        let last = source.line_span(part.line);
        let end = last.end.max(line.end);
        return Span { end, ..line };
    }
    let before = found.span.start.saturating_sub(MOST_AROUND);
    let behind = end_on_first_line(found).saturating_add(MOST_AROUND);
    Span {
        start: source.text.floor_char_boundary(before).max(line.start),
        end: source.text.ceil_char_boundary(behind).min(line.end),
    }
}

/// Text that cannot move the cursor but to the next line or tab: other control characters are shown as one that says so.
pub fn harmless(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        _ if c.is_control() => '\u{fffd}',
        _ => c,
    };
    text.chars().map(shown).collect()
}

/// The renderer knows the other control characters, and the places are bytes of what it is given: what stands for these
/// has two bytes as they do.
fn without_c1(line: &str) -> String {
    let shown = |c: char| match c {
        '\u{80}'..='\u{9f}' => '¿',
        _ => c,
    };
    line.chars().map(shown).collect()
}

/// `3 errors in 2 of 14 files`.
struct Summary<'c>(&'c Checked);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(checked) = *self;
        let errors = checked.errors();
        let wrong = checked.found.iter().filter(|found| found.code.is_error());
        let wrong: BTreeSet<&str> = wrong.map(|found| &*found.source.path).collect();
        let files = count(checked.files as u64, "file");
        match errors {
            0 if checked.files == 0 => f.write_str("no workflows or actions to check")?,
            0 => write!(f, "no errors in {files}")?,
            _ if checked.files == 1 => write!(f, "{} in 1 file", count(errors as u64, "error"))?,
            _ => write!(
                f,
                "{} in {} of {files}",
                count(errors as u64, "error"),
                wrong.len()
            )?,
        }
        let notes = checked.found.len() - errors;
        if notes > 0 {
            write!(f, ", {}", count(notes as u64, "note"))?;
        }
        if checked.truncated {
            f.write_str(" or more: ten of a file are named, as GitHub does")?;
        }
        match checked.elsewhere {
            0 => Ok(()),
            1 => f.write_str("; a workflow of another repository that is called was not read"),
            many => write!(
                f,
                "; {many} workflows of other repositories that are called were not read"
            ),
        }
    }
}
