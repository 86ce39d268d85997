//! For programs: one object. Fields are only ever added; `version` counts changes that are more.

use std::io::{self, Write};

use serde::Serialize;

use super::{Checked, end};
use crate::source::{Diagnostic, Position};

#[derive(Serialize)]
struct Document<'c> {
    version: u32,
    files: usize,
    errors: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    diagnostics: Vec<Entry<'c>>,
}

#[derive(Serialize)]
struct Entry<'c> {
    file: &'c str,
    line: u32,
    col: u32,
    end: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Place>,
    level: &'static str,
    code: &'static str,
    message: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'c str>,
}

#[derive(Serialize)]
struct Place {
    line: u32,
    col: u32,
}

/// Writes everything that was found as one JSON object.
///
/// # Errors
/// When it cannot be written.
pub fn json(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let document = Document {
        version: 1,
        files: checked.files,
        errors: checked.errors(),
        truncated: checked.truncated,
        diagnostics: checked.found.iter().map(entry).collect(),
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&document)?)
}

fn entry(found: &Diagnostic) -> Entry<'_> {
    let Position { line, column } = found.position();
    Entry {
        file: &found.source.path,
        line,
        col: column,
        end: place(end(found)),
        part: found.part_position().map(place),
        level: if found.code.is_error() {
            "error"
        } else {
            "note"
        },
        code: found.code.name(),
        message: &found.message,
        help: found.help.as_deref(),
    }
}

fn place(Position { line, column }: Position) -> Place {
    Place { line, col: column }
}
