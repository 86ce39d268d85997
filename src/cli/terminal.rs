//! What standard output is.

use std::io::IsTerminal as _;

use super::args::OutputArguments;
use crate::config::Settings;
use crate::report::{PlainOptions, Room, Size};

/// The size of a terminal that does not know its own.
const UNKNOWN: Size = Size {
    columns: 80,
    rows: 24,
};

/// How large the terminal on standard output is; none when it is none.
pub(super) fn size() -> Option<Size> {
    std::io::stdout().is_terminal().then(|| {
        let known = terminal_size::terminal_size();
        let known = known.filter(|(columns, rows)| columns.0 > 0 && rows.0 > 0);
        known.map_or(UNKNOWN, |(columns, rows)| Size {
            columns: columns.0,
            rows: rows.0,
        })
    })
}

/// The same as long as it is one.
pub(super) fn size_now() -> Size {
    size().unwrap_or(UNKNOWN)
}

/// Whether it knows escape sequences: lines can be drawn on it and taken away again.
pub(super) fn is_live(settings: &Settings) -> bool {
    // terminfo(5): a dumb terminal can do nothing but end lines; without TERM nobody knows.
    let term = settings.environment.get("TERM");
    size().is_some() && term.is_some_and(|term| term != "dumb")
}

/// Whether colours are written on it.
pub(super) fn has_color(settings: &Settings) -> bool {
    is_live(settings) && settings.color.value
}

/// How the plain report is to look on it.
pub(super) fn plain_options(output: &OutputArguments, settings: &Settings) -> PlainOptions {
    PlainOptions {
        verbose: output.verbose,
        summaries: output.summary || output.verbose,
        color: has_color(settings),
        room: size().map_or(Room::Unbounded, |size| Room::Terminal(size.columns)),
    }
}
