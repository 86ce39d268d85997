//! For a job on GitHub: `::error` commands, which become annotations of the lines.

use std::io::{self, Write};

use super::{Checked, end_on_first_line};
use crate::source::{Diagnostic, Position};

/// Writes a command for everything that was found.
///
/// # Errors
/// When it cannot be written.
pub fn annotations(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    checked
        .found
        .iter()
        .try_for_each(|found| writeln!(out, "{}", annotation(found)))
}

fn annotation(found: &Diagnostic) -> String {
    let command = if found.code.is_error() {
        "error"
    } else {
        "notice"
    };
    let Position { line, column } = found.position();
    let end = found.source.position(end_on_first_line(found)).column;
    let part = found.part_position();
    let part = part.map(|part| format!("on line {}, column {}", part.line, part.column));
    let more = part
        .iter()
        .chain(&found.help)
        .map(|more| format!("\n{more}"));
    format!(
        "::{command} file={},line={line},col={column},endColumn={end}::{}{}",
        property(&found.source.path),
        data(&found.message),
        data(&more.collect::<String>())
    )
}

/// What a value of a command cannot have as it is (`ActionCommand.cs`).
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Properties end with a comma, or the colons.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
