//! For people: each error with its line of the file underlined, then a summary.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};

use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Checked, end_on_first_line};
use crate::source::{Diagnostic, Span};

/// How it is to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// With colours.
    pub color: bool,
    /// Longer lines of a file are cut around the error; none where there is no terminal.
    pub columns: Option<u16>,
}

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
    let line = source.line_span(place.line);
    let last = found.part_position().filter(|part| part.line > place.line);
    let last = last.map_or(line, |part| source.line_span(part.line));
    let shown = without_c1(&source.text[line.start..last.end]);
    let within = |span: Span| {
        let at = |offset: usize| offset.clamp(line.start, last.end) - line.start;
        at(span.start)..at(span.end)
    };
    let (start, end) = (found.span.start, end_on_first_line(found));
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
    let characters = source.text[line.start..start].chars().count() + 1;
    let written = |column: usize| format!("{path}:{}:{column}\n", place.line);
    match place.column as usize {
        column if column == characters => text,
        column => text.replacen(&written(characters), &written(column), 1),
    }
}

/// Text that cannot move the cursor: control characters are shown as one that says so.
pub(in crate::report) fn harmless(text: &str) -> String {
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
        let files = counted(checked.files, "file");
        match errors {
            0 if checked.files == 0 => f.write_str("no workflows or actions to check")?,
            0 => write!(f, "no errors in {files}")?,
            _ if checked.files == 1 => write!(f, "{} in 1 file", counted(errors, "error"))?,
            _ => write!(
                f,
                "{} in {} of {files}",
                counted(errors, "error"),
                wrong.len()
            )?,
        }
        let notes = checked.found.len() - errors;
        if notes > 0 {
            write!(f, ", {}", counted(notes, "note"))?;
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

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
