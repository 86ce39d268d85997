//! How numbers, times, sizes and keys are written, and how a line of the report is laid out.

use std::time::Duration;

use unicode_width::UnicodeWidthChar as _;

use crate::difference;
use crate::event::RunSummary;
pub(super) use crate::explain::{count, shorten};

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Names of jobs.
    Strong,
    Good,
    Poor,
    Bad,
    /// What may be overlooked.
    Faint,
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    /// The text in the colour of its style.
    pub(super) fn text(self, style: Style, text: &str) -> String {
        let code = match style {
            _ if !self.0 || text.is_empty() => return text.to_owned(),
            Style::Strong => 1,
            Style::Good => 32,
            Style::Poor => 33,
            Style::Bad => 31,
            Style::Faint => 2,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// A line about a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// `✓`, `✗` or `-`.
    pub(super) mark: Mark,
    /// The step's name.
    pub(super) name: String,
    /// One word on what it did.
    pub(super) word: Word,
    /// More of it.
    pub(super) detail: String,
    /// Stand at the right: a size and a time.
    pub(super) size: String,
    pub(super) time: String,
    /// Behind the time.
    pub(super) more: Vec<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    Bad,
    #[default]
    None,
}

/// A word in capitals or small letters, and its colour.
pub(super) type Word = Option<(&'static str, Style)>;

/// Columns of a name, and of the word behind it.
const NAME: usize = 20;
const WORD: usize = 9;
/// Columns of a size and of a time, both flush right.
const SIZE: usize = 9;
const TIME: usize = 10;
/// A report is never wider; in less than the other there are no columns.
pub(super) const WIDEST: usize = 100;
const NARROWEST: usize = 60;

impl Row {
    /// The row in `width` columns; what is too long for them pushes the rest to the right.
    pub(super) fn render(&self, width: u16, paint: Paint) -> String {
        let width = usize::from(width).min(WIDEST);
        if width < NARROWEST {
            return self.render_narrow(paint);
        }
        let (mark, style) = self.mark.shown();
        let name_gap = " ".repeat(NAME.saturating_sub(columns(&self.name)) + 1);
        let mut left = format!("{}{name_gap}", self.name);
        let mut painted = left.clone();
        if let Some((word, style)) = self.word {
            let gap = " ".repeat(WORD.saturating_sub(columns(word)).max(1));
            left += &format!("{word}{gap}");
            painted += &format!("{}{gap}", paint.text(style, word));
        }
        left += &self.detail;
        painted += &self.detail;
        let right = format!("{:>SIZE$}{:>TIME$}", self.size, self.time);
        let room = width.saturating_sub(4 + columns(&right));
        let fill = " ".repeat(room.saturating_sub(columns(&left)));
        let more: String = self.more.iter().map(|more| format!("   {more}")).collect();
        let more = paint.text(Style::Faint, &more);
        let line = format!("  {} {painted}{fill}{right}{more}", paint.text(style, mark));
        line.trim_end().to_owned()
    }

    /// The same texts one behind the other.
    fn render_narrow(&self, paint: Paint) -> String {
        let (mark, style) = self.mark.shown();
        let word = self.word.map(|(word, style)| paint.text(style, word));
        let more = paint.text(Style::Faint, &self.more.join("  "));
        let mark = format!("  {} {}", paint.text(style, mark), self.name);
        let parts = [
            &mark,
            &word.unwrap_or_default(),
            &self.detail,
            &self.size,
            &self.time,
            &more,
        ];
        let parts: Vec<&str> = parts.map(|part| part.trim_end()).to_vec();
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("  ")
    }
}

impl Mark {
    fn shown(self) -> (&'static str, Style) {
        match self {
            Self::Good => ("✓", Style::Good),
            Self::Bad => ("✗", Style::Bad),
            Self::None => ("-", Style::Faint),
        }
    }
}

/// Columns that text without escape sequences takes up: character by character, as terminals
/// count, most of which know nothing of joined ones.
pub(super) fn columns(text: &str) -> usize {
    text.chars().filter_map(char::width).sum()
}

/// `ci.yml · push · main@3f2c1ab + 1 changed file`
pub(super) fn title(run: &RunSummary) -> String {
    let file = run.workflow_path.rsplit('/').next().unwrap_or_default();
    let git_ref = ["refs/heads/", "refs/tags/", "refs/"]
        .iter()
        .find_map(|prefix| run.git_ref.strip_prefix(prefix))
        .unwrap_or(&run.git_ref);
    let commit = run.head_sha.get(..7).unwrap_or(&run.head_sha);
    let mut title = format!("{file} · {} · {git_ref}@{commit}", run.event_name);
    if run.changed_files > 0 {
        title += &format!(" + {}", count(run.changed_files, "changed file"));
    }
    title
}

/// `4 ms`, `4.31 s`, `38.2 s`, `1 m 05 s`.
pub(super) fn time(duration: Duration) -> String {
    let (millis, seconds) = (duration.as_millis(), duration.as_secs_f64());
    match millis {
        0 => "<1 ms".to_owned(),
        1..1_000 => format!("{millis} ms"),
        1_000..10_000 => format!("{seconds:.2} s"),
        10_000..60_000 => format!("{seconds:.1} s"),
        _ => {
            let whole = duration.as_secs();
            format!("{} m {:02} s", whole / 60, whole % 60)
        }
    }
}

/// `512 B`, `0.4 MB`, `283 MB`: decimal units, as download pages have them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    // 999.5 would round to 1000.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    let decimals = usize::from(value < 9.95);
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// How a run ended, or that it did not.
pub(super) fn verdict(verdict: Option<difference::Verdict>, alive: bool) -> String {
    match verdict {
        Some(verdict) => verdict.to_string(),
        None if alive => "not over".to_owned(),
        None => "killed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_the_unit_a_reader_wants() {
        let times = [0, 6_000, 999_999, 4_310_000, 38_240_000, 125_000_000]
            .map(|us| time(Duration::from_micros(us)));
        assert_eq!(
            times,
            ["<1 ms", "6 ms", "999 ms", "4.31 s", "38.2 s", "2 m 05 s"]
        );
        let sizes = [0, 999, 1_000, 400_000, 999_600, 9_940_000, 283_000_000].map(size);
        assert_eq!(
            sizes,
            [
                "0 B", "999 B", "1.0 kB", "400 kB", "1.0 MB", "9.9 MB", "283 MB"
            ]
        );
    }
}
