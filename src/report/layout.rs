//! How numbers, times, sizes and keys are written, and how a line of the report is laid out.

use std::time::Duration;

use unicode_width::UnicodeWidthChar as _;

use crate::difference;
use crate::event::{ResolvedAction, RunSummary};
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
    /// A script, as the runner shows it.
    Script,
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
            Style::Script => 36,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// A text in which some of it has colours, as one line: whatever else could move the cursor or
    /// talk to the terminal is shown as one character that says so.
    pub(super) fn harmless(self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let color = color_at(rest).filter(|_| self.0);
            let length = color.unwrap_or(first.len_utf8());
            match first.is_control() && color.is_none() {
                true => shown.push('\u{fffd}'),
                false => shown.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        shown
    }
}

/// What [`Paint::text`] writes of its own.
const COLORS: [&str; 6] = [
    "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m",
];

/// How many bytes of colour a text begins with; none if it begins with something else.
fn color_at(text: &str) -> Option<usize> {
    let color = COLORS.iter().find(|color| text.starts_with(**color));
    color.map(|color| color.len())
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
    /// The key or the name of what it did that to, cut where there is no room.
    pub(super) key: String,
    /// More of it, directly behind.
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
/// Times stand no further right; in less than the other there are no columns.
pub(super) const WIDEST: usize = 100;
const NARROWEST: usize = 60;

/// Columns that are left of a key where every line is taken whole, and on a terminal as long as
/// anything else can be left out; of a name where there are no columns; and the end of a key,
/// which tells it from others.
const KEY: usize = 24;
const LEAST_KEY: usize = 12;
const LEAST_NAME: usize = 4;
const KEY_END: usize = 5;
/// Columns of a mark and what stands around it.
const MARK: usize = 4;

/// What lines are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// A terminal of so many columns, which breaks longer lines anywhere: rows fit into it.
    Terminal(u16),
    /// Whatever takes every line whole: only names and keys are cut, to keep the columns.
    Unbounded,
}

impl Row {
    /// The row for the room there is; its time is always whole.
    pub(super) fn render(&self, room: Room, paint: Paint) -> String {
        let mut row = self.clone();
        let columns = match room {
            Room::Terminal(columns) => usize::from(columns),
            Room::Unbounded => usize::MAX,
        };
        if columns < NARROWEST {
            row.fit_narrow(columns);
            return row.render_narrow(paint);
        }
        row.shorten(row.wide().saturating_sub(WIDEST), NAME, KEY);
        while row.wide_at_least() > columns && !row.more.is_empty() {
            row.more.remove(0);
        }
        let width = columns.saturating_sub(row.more(3));
        let excess = row.wide().saturating_sub(width);
        let excess = row.shorten(excess, NAME, LEAST_KEY);
        row.shorten_more(excess);
        row.render_wide(width.min(WIDEST), paint)
    }

    /// Columns of what stands behind the time, with gaps.
    fn more(&self, gap: usize) -> usize {
        self.more.iter().map(|more| gap + columns(more)).sum()
    }

    /// Columns up to the time, without any fill.
    fn wide(&self) -> usize {
        let word = self.word.map_or(0, |(word, _)| WORD.max(columns(word) + 1));
        let left = NAME.max(columns(&self.name)) + 1 + word;
        let right = SIZE.max(columns(&self.size)) + TIME.max(columns(&self.time));
        MARK + left + columns(&self.key) + columns(&self.detail) + right
    }

    /// Columns of all of it when names, keys and details are cut.
    fn wide_at_least(&self) -> usize {
        let mut cut = self.clone();
        cut.detail.clear();
        cut.shorten(usize::MAX, NAME, LEAST_KEY);
        cut.wide() + cut.more(3)
    }

    /// Cuts the name, and then the key, by so many columns together; gives how many are missing.
    fn shorten(&mut self, excess: usize, least_name: usize, least_key: usize) -> usize {
        let excess = shrink(&mut self.name, excess, least_name, cut);
        shrink(&mut self.key, excess, least_key, cut_inside)
    }

    /// Cuts what is left of it.
    fn shorten_more(&mut self, excess: usize) {
        let excess = shrink(&mut self.detail, excess, 0, cut);
        let excess = shrink(&mut self.key, excess, 0, cut_inside);
        shrink(&mut self.name, excess, 1, cut);
    }

    /// Leaves out what does not fit, the least important first, and cuts the rest.
    fn fit_narrow(&mut self, most: usize) {
        let gap = |text: &str| {
            if text.is_empty() {
                0
            } else {
                2 + columns(text)
            }
        };
        let word = |row: &Self| row.word.map_or(0, |(word, _)| gap(word));
        let fixed = |row: &Self| MARK + word(row) + gap(&row.size) + gap(&row.time) + row.more(2);
        while fixed(self) + LEAST_NAME > most && !self.more.is_empty() {
            self.more.remove(0);
        }
        if fixed(self) + LEAST_NAME > most {
            self.size.clear();
        }
        if fixed(self) + LEAST_NAME > most {
            self.word = None;
        }
        let about = columns(&self.key) + columns(&self.detail);
        let about = if about > 0 { 2 + about } else { 0 };
        let all = fixed(self) + columns(&self.name) + about;
        let excess = self.shorten(all.saturating_sub(most), LEAST_NAME, LEAST_KEY);
        self.shorten_more(excess);
    }

    /// The row with its time at the right of `width` columns; what is too long for them pushes
    /// it on.
    fn render_wide(&self, width: usize, paint: Paint) -> String {
        let (mark, style) = self.mark.shown();
        let name_gap = " ".repeat(NAME.saturating_sub(columns(&self.name)) + 1);
        let mut left = format!("{}{name_gap}", self.name);
        let mut painted = left.clone();
        if let Some((word, style)) = self.word {
            let gap = " ".repeat(WORD.saturating_sub(columns(word)).max(1));
            left += &format!("{word}{gap}");
            painted += &format!("{}{gap}", paint.text(style, word));
        }
        let about = format!("{}{}", self.key, self.detail);
        left += &about;
        painted += &about;
        let right = format!("{:>SIZE$}{:>TIME$}", self.size, self.time);
        let room = width.saturating_sub(MARK + columns(&right));
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
            &format!("{}{}", self.key, self.detail),
            &self.size,
            &self.time,
            &more,
        ];
        let parts: Vec<&str> = parts.map(|part| part.trim_end()).to_vec();
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("  ")
    }
}

/// Cuts a text by `excess` columns, to no fewer than `least`; gives how many are missing.
fn shrink(text: &mut String, excess: usize, least: usize, cut: fn(&str, usize) -> String) -> usize {
    let before = columns(text);
    let to = before.saturating_sub(excess).max(least);
    *text = cut(text, to);
    excess.saturating_sub(before - columns(text))
}

/// The text in at most so many columns, with its end where there is room for more than that.
fn cut_inside(text: &str, most: usize) -> String {
    if columns(text) <= most || most <= 2 * KEY_END {
        return cut(text, most);
    }
    let (mut start, mut left) = (text.len(), KEY_END);
    for (at, character) in text.char_indices().rev() {
        let width = character.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        start = at;
    }
    // Something is missing before the end, so that this ends in an ellipsis.
    let beginning = cut(text, most - (KEY_END - left));
    beginning + &text[start..]
}

impl Mark {
    pub(super) fn shown(self) -> (&'static str, Style) {
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

/// The text in at most so many columns; where something is missing there is an ellipsis.
pub(super) fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut left = most.saturating_sub(1);
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        cut.push(character);
    }
    if most > 0 {
        cut.push('…');
    }
    cut
}

/// `ci.yml · push · main@3f2c1ab + 1 changed file`
pub(super) fn title(run: &RunSummary) -> String {
    let file = run.workflow_path.rsplit('/').next().unwrap_or_default();
    format!("{file} · {}", state(run))
}

/// `push · main@3f2c1ab + 1 changed file`
pub(super) fn state(run: &RunSummary) -> String {
    let git_ref = ["refs/heads/", "refs/tags/", "refs/"]
        .iter()
        .find_map(|prefix| run.git_ref.strip_prefix(prefix))
        .unwrap_or(&run.git_ref);
    let commit = run.head_sha.get(..7).unwrap_or(&run.head_sha);
    let mut state = format!("{} · {git_ref}@{commit}", run.event_name);
    if run.changed_files > 0 {
        state += &format!(" + {}", count(run.changed_files, "changed file"));
    }
    state
}

/// `o/r@v1 is 3f2c1ab`; none where the ref is the commit itself.
pub(super) fn resolved(action: &ResolvedAction) -> Option<String> {
    let ResolvedAction {
        repository,
        git_ref,
        commit,
        folder,
    } = action;
    let is = match (commit, folder) {
        (_, Some(folder)) => folder,
        (Some(commit), None) if !commit.eq_ignore_ascii_case(git_ref) => {
            commit.get(..7).unwrap_or(commit)
        }
        _ => return None,
    };
    Some(format!("{repository}@{git_ref} is {is}"))
}

/// A text as lines for the room there is, broken at spaces: the first `indent` columns in, the
/// others `hanging`. Escape sequences take up no columns.
pub(super) fn wrap(text: &str, indent: usize, hanging: usize, room: Room) -> Vec<String> {
    let most = match room {
        Room::Terminal(most) => usize::from(most),
        Room::Unbounded => usize::MAX,
    };
    let mut lines = Vec::new();
    let (mut line, mut taken) = (" ".repeat(indent), indent);
    let mut is_empty = true;
    for word in text.split(' ') {
        // Spaces of a column's fill end with their line.
        if is_empty && !lines.is_empty() && word.is_empty() {
            continue;
        }
        let width = columns(&unpainted(word));
        if !is_empty && taken + 1 + width > most {
            lines.push(line.trim_end().to_owned());
            (line, taken, is_empty) = (" ".repeat(hanging), hanging, true);
        }
        if !is_empty {
            line.push(' ');
            taken += 1;
        }
        line.push_str(word);
        taken += width;
        is_empty = word.is_empty() && is_empty && !lines.is_empty();
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// A text without what [`Paint`] adds to it.
fn unpainted(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    plain.extend(parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)));
    plain
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

    #[test]
    fn text_is_cut_by_the_columns_it_takes() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("e\u{301}tude", 3), "e\u{301}t…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
    }

    #[test]
    fn a_line_has_the_colours_of_lrun_and_no_other_sequence() {
        use Style::{Bad, Faint, Good, Poor, Strong};
        for style in [Strong, Good, Poor, Bad, Faint] {
            let painted = Paint(true).text(style, "a");
            assert_eq!(Paint(true).harmless(&painted), painted);
            assert!(!Paint(false).harmless(&painted).contains('\x1b'));
        }
        assert_eq!(
            Paint(true).harmless("a\x1b[8mb\x1b[2J\nc\r\u{9b}1mé"),
            "a\u{fffd}[8mb\u{fffd}[2J\u{fffd}c\u{fffd}\u{fffd}1mé"
        );
    }

    #[test]
    fn a_text_is_broken_at_spaces() {
        let text = format!("one {} three", Paint(true).text(Style::Good, "two"));
        let lines = wrap(&text, 1, 2, Room::Terminal(8));
        assert_eq!(lines, [" one \x1b[32mtwo\x1b[0m", "  three"]);
        assert_eq!(
            wrap("a-long-word b", 0, 4, Room::Terminal(5)),
            ["a-long-word", "    b"]
        );
        assert_eq!(wrap(&text, 0, 2, Room::Unbounded), [text]);
        assert_eq!(
            wrap("   a      b", 0, 2, Room::Terminal(6)),
            ["   a", "  b"]
        );
    }

    #[test]
    fn a_row_fits_the_terminal_and_keeps_its_times() {
        let row = Row {
            mark: Mark::Good,
            name: "a rather long name of a step ".repeat(7),
            word: Some(("PARTIAL", Style::Poor)),
            key: "live-a-rather-long-日本-key-".repeat(7),
            detail: " by restore-keys 1 (run 12, dirty)".to_owned(),
            size: "71 MB".to_owned(),
            time: "4.31 s".to_owned(),
            more: vec!["cpu 8.20 s".to_owned(), "cold 38.2 s".to_owned()],
        };
        let short = Row {
            name: "make".to_owned(),
            word: None,
            key: String::new(),
            detail: String::new(),
            ..row.clone()
        };
        for row in [row, short] {
            for most in 20..=140 {
                let line = row.render(Room::Terminal(most), Paint(false));
                assert!(columns(&line) <= usize::from(most), "{line}");
                assert!(line.contains("4.31 s"), "{line}");
                let has_cold = most >= 80;
                assert!(!has_cold || line.ends_with("cold 38.2 s"), "{line}");
            }
            let row = Row {
                detail: String::new(),
                ..row
            };
            let piped = row.render(Room::Unbounded, Paint(false));
            let (left, _) = piped.split_once("   cpu").expect("it has more");
            assert_eq!(columns(left), WIDEST, "{piped}");
        }
    }
}
