//! What changed between two versions of a hashed file: entries of a lock file, else lines. Pure.

use std::collections::BTreeMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::LineChange;
use super::lock_file::{Entry, entries};

/// Changes kept of a file; the rest is counted.
const KEPT: usize = 5;
/// Characters kept of a line.
const WIDTH: usize = 120;
/// Comparing takes at most this many steps: two files of a few thousand lines without a line
/// in common. Of what is longer only the first line that differs is told.
const STEPS: usize = 25_000_000;

/// What changed in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The first changes, in the order of their lines.
    pub lines: Vec<LineChange>,
    /// How many follow.
    pub more: u32,
}

/// What changed in the file at `path`, whose name tells lock files. Nothing is told of what is
/// not text.
pub fn changes(path: &str, was: &[u8], is: &[u8]) -> Changed {
    let (Ok(was), Ok(is)) = (std::str::from_utf8(was), std::str::from_utf8(is)) else {
        return Changed::default();
    };
    let mut all = match (entries(path, was), entries(path, is)) {
        (Some(was), Some(is)) => of_entries(&was, &is),
        _ => Vec::new(),
    };
    if all.is_empty() {
        all = of_lines(was, is);
    }
    let more = all.len().saturating_sub(KEPT);
    all.truncate(KEPT);
    Changed {
        lines: all,
        more: u32::try_from(more).unwrap_or(u32::MAX),
    }
}

/// Entries whose versions differ, by the line of the version now.
fn of_entries(was: &[Entry<'_>], is: &[Entry<'_>]) -> Vec<LineChange> {
    let (was_by_name, is_by_name) = (by_name(was), by_name(is));
    let names = was_by_name.keys().chain(is_by_name.keys());
    let names: std::collections::BTreeSet<&str> = names.copied().collect();
    let none = Vec::new();
    let mut changes: Vec<LineChange> = Vec::new();
    for name in names {
        let was = was_by_name.get(name).unwrap_or(&none);
        let is = is_by_name.get(name).unwrap_or(&none);
        let gone = without(was, is);
        let new = without(is, was);
        changes.extend((0..gone.len().max(new.len())).filter_map(|index| {
            let (gone, new) = (gone.get(index), new.get(index));
            Some(LineChange {
                line: new.or(gone)?.line,
                entry: Some(cut(name)),
                was: gone.map(|entry| cut(entry.version)),
                is: new.map(|entry| cut(entry.version)),
            })
        }));
    }
    changes.sort_by_key(|change| change.line);
    changes
}

fn by_name<'a, 'e>(entries: &'e [Entry<'a>]) -> BTreeMap<&'a str, Vec<&'e Entry<'a>>> {
    let mut all: BTreeMap<&str, Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in entries {
        all.entry(entry.name).or_default().push(entry);
    }
    all
}

/// The entries whose versions are not among the others'.
fn without<'a, 'e>(entries: &[&'e Entry<'a>], others: &[&Entry<'_>]) -> Vec<&'e Entry<'a>> {
    let is_there = |entry: &&&Entry<'_>| others.iter().all(|other| other.version != entry.version);
    entries.iter().filter(is_there).copied().collect()
}

fn of_lines(was: &str, is: &str) -> Vec<LineChange> {
    let (was, is): (Vec<_>, Vec<_>) = (was.lines().collect(), is.lines().collect());
    let same = was.iter().zip(&is).take_while(|(was, is)| was == is);
    let start = same.count();
    let (was_rest, is_rest) = (&was[start..], &is[start..]);
    if was_rest.len().saturating_mul(is_rest.len()) > STEPS {
        return change(start, was_rest.first(), is_rest.first())
            .into_iter()
            .collect();
    }
    let operations = capture_diff_slices(Algorithm::Myers, was_rest, is_rest);
    operations
        .iter()
        .filter(|operation| !matches!(operation, DiffOp::Equal { .. }))
        .flat_map(|operation| {
            let (gone, new) = (operation.old_range(), operation.new_range());
            let count = gone.len().max(new.len());
            (0..count).filter_map(move |index| {
                let gone_at = (index < gone.len()).then(|| gone.start + index);
                let new_at = (index < new.len()).then(|| new.start + index);
                let at = start + new_at.or(gone_at)?;
                let gone = gone_at.map(|at| &was_rest[at]);
                change(at, gone, new_at.map(|at| &is_rest[at]))
            })
        })
        .collect()
}

/// The change of a line by its index; none where neither side has one.
fn change(index: usize, was: Option<&&str>, is: Option<&&str>) -> Option<LineChange> {
    if was.is_none() && is.is_none() {
        return None;
    }
    Some(LineChange {
        line: u32::try_from(index + 1).unwrap_or(u32::MAX),
        entry: None,
        was: was.map(|text| cut(text)),
        is: is.map(|text| cut(text)),
    })
}

/// A text without blanks around it, and no longer than is shown.
fn cut(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(WIDTH) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each change as `line entry was > is`.
    fn told(path: &str, was: &str, is: &str) -> Vec<String> {
        let changed = changes(path, was.as_bytes(), is.as_bytes());
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let mut lines: Vec<String> = changed
            .lines
            .iter()
            .map(|c| {
                format!(
                    "{} {} {} > {}",
                    c.line,
                    text(&c.entry),
                    text(&c.was),
                    text(&c.is)
                )
            })
            .collect();
        if changed.more > 0 {
            lines.push(format!("{} more", changed.more));
        }
        lines
    }

    fn lock(packages: &[(&str, &str)]) -> String {
        let package = |(name, version): &(&str, &str)| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nchecksum = \"{name}{version}\"\n\n"
            )
        };
        format!(
            "# generated\nversion = 4\n\n{}",
            packages.iter().map(package).collect::<String>()
        )
    }

    #[test]
    fn a_lock_file_s_entries_are_told_by_name() {
        let was = lock(&[("a", "1.0.0"), ("regex", "1.11.1"), ("gone", "3.0.0")]);
        let is = lock(&[("a", "1.0.0"), ("regex", "1.11.2"), ("new", "0.1.0")]);
        assert_eq!(
            told("x/Cargo.lock", &was, &is),
            [
                "11 regex 1.11.1 > 1.11.2",
                "16 gone 3.0.0 > -",
                "16 new - > 0.1.0"
            ]
        );
    }

    #[test]
    fn an_entry_may_have_several_versions() {
        let was = lock(&[("syn", "1.0.0"), ("syn", "2.0.0")]);
        let is = lock(&[("syn", "1.0.0"), ("syn", "2.0.1")]);
        assert_eq!(told("Cargo.lock", &was, &is), ["11 syn 2.0.0 > 2.0.1"]);
    }

    #[test]
    fn other_files_and_other_changes_are_told_by_line() {
        assert_eq!(
            told("deps.txt", "one\ntwo\n  three\n", "one\n2\n  three\nfour\n"),
            ["2 - two > 2", "4 - - > four"]
        );
        assert_eq!(told("deps.txt", "one\ntwo\n", "two\n"), ["1 - one > -"]);
        let was = lock(&[("a", "1.0.0")]);
        let is = was.replace("checksum = \"a1.0.0\"", "checksum = \"other\"");
        assert_eq!(
            told("Cargo.lock", &was, &is),
            ["7 - checksum = \"a1.0.0\" > checksum = \"other\""]
        );
    }

    #[test]
    fn what_is_shown_has_bounds() {
        let many: String = (0..9).map(|number| format!("{number}\n")).collect();
        let told_of_many = told("x", "", &many);
        assert_eq!(told_of_many.len(), KEPT + 1);
        assert_eq!(told_of_many[KEPT], "4 more");
        let long = "é".repeat(1000);
        assert_eq!(
            told("x", &long, "short"),
            [format!("1 - {}… > short", "é".repeat(WIDTH))]
        );
        let lines = |word: &str| -> String { (0..6_000).map(|n| format!("{word}{n}\n")).collect() };
        assert_eq!(told("x", &lines("a"), &lines("b")), ["1 - a0 > b0"]);
    }

    #[test]
    fn what_is_not_text_has_no_lines() {
        assert_eq!(changes("x", b"\xff\x00", b"text"), Changed::default());
    }
}
