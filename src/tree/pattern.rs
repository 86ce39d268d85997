//! One line of an `@actions/glob` pattern list: where the search for it starts, and which
//! absolute paths it matches.

use super::glob::{GlobError, Roots};
use super::segment::{Segment, literal};

/// A pattern, rooted.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// Begins with an odd number of `!`: takes away what it matches.
    pub(super) negate: bool,
    /// Ends in `/`: matches directories only.
    pub(super) directories_only: bool,
    /// The literal path before the first segment with a wildcard.
    pub(super) search_path: Vec<u8>,
    /// Made by [`Pattern::descendants`].
    implicit: bool,
    segments: Vec<Segment>,
}

impl Pattern {
    /// Reads a trimmed line that is neither empty nor a comment.
    pub(super) fn new(line: &str, roots: &Roots<'_>) -> Result<Self, GlobError> {
        let mut text = line.trim();
        let mut negate = false;
        while let Some(rest) = text.strip_prefix('!') {
            negate = !negate;
            text = rest.trim();
        }
        let text = rooted(text, roots)?;
        let mut segments: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let search_path = search_path(&segments);
        // Any number of segments twice is any number of segments.
        segments.dedup_by(|next, before| *next == "**" && *before == "**");
        Ok(Self {
            negate,
            directories_only: text.ends_with('/'),
            search_path,
            implicit: false,
            segments: segments.into_iter().map(Segment::new).collect(),
        })
    }

    /// The pattern for all that is below what this one matches; none where it says so itself.
    pub(super) fn descendants(&self) -> Option<Self> {
        if self.ends_in_globstar() && !self.directories_only {
            return None;
        }
        let mut below = self.clone();
        below.directories_only = false;
        below.implicit = true;
        below.segments.push(Segment::Globstar);
        Some(below)
    }

    /// Whether the path, given by its segments, matches.
    pub(super) fn matches(&self, path: &[&[u8]]) -> bool {
        if self.ends_in_globstar() && !self.implicit {
            // `dir/**` matches `dir` itself: the original asks for `dir/`.
            let with_end: Vec<&[u8]> = path.iter().copied().chain([&b""[..]]).collect();
            return match_segments(&self.segments, &with_end, Extent::Whole);
        }
        match_segments(&self.segments, path, Extent::Whole)
    }

    /// Whether something below the path could match.
    pub(super) fn may_match_below(&self, path: &[&[u8]]) -> bool {
        match_segments(&self.segments, path, Extent::Beginning)
    }

    fn ends_in_globstar(&self) -> bool {
        self.segments.last() == Some(&Segment::Globstar)
    }
}

/// Makes a pattern absolute and free of doubled slashes, or says what is wrong with it.
fn rooted(written: &str, roots: &Roots<'_>) -> Result<String, GlobError> {
    if written.is_empty() {
        return Err(GlobError::EmptyPattern);
    }
    let pattern = single_slashes(written);
    let relative_pathing = pattern
        .split('/')
        .enumerate()
        .filter_map(|(index, segment)| Some((index, literal(segment)?)))
        .any(|(index, text)| text == ".." || (text == "." && index > 0));
    if relative_pathing {
        let pattern = written.to_owned();
        return Err(GlobError::RelativePathing { pattern });
    }
    let first = pattern.split('/').next().unwrap_or_default();
    Ok(match first {
        "" => pattern,
        "." => format!("{}{}", escaped(roots.workspace), &pattern[1..]),
        "~" => format!("{}{}", escaped(roots.home), &pattern[1..]),
        _ => single_slashes(&format!("{}/{pattern}", escaped(roots.workspace))),
    })
}

fn single_slashes(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '/' || !single.ends_with('/') {
            single.push(c);
        }
    }
    single
}

/// A path as a pattern that matches it alone.
fn escaped(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '\\' => pattern.push_str("\\\\"),
            '[' | '?' | '*' => pattern.extend(['[', c, ']']),
            _ => pattern.push(c),
        }
    }
    pattern
}

fn search_path(segments: &[&str]) -> Vec<u8> {
    let mut path = String::new();
    for text in segments.iter().map_while(|segment| literal(segment)) {
        path.push('/');
        path.push_str(&text);
    }
    if path.is_empty() {
        path.push('/');
    }
    path.into_bytes()
}

/// How much of a path has to be matched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// The path may go on.
    Beginning,
}

/// minimatch's `matchOne`, but for its time: it follows all ways through the pattern at once, so
/// that many `**` cost no more than their number. An empty last segment of the path stands for a
/// slash at its end.
fn match_segments(pattern: &[Segment], path: &[&[u8]], extent: Extent) -> bool {
    // How much of the pattern may be matched by the path so far, in rising order.
    let mut matched = vec![0];
    for (index, name) in path.iter().enumerate() {
        let mut next = Vec::with_capacity(matched.len() + 1);
        let mut at = 0;
        while let Some(&count) = matched.get(at) {
            at += 1;
            match &pattern[count..] {
                [] if name.is_empty() && index + 1 == path.len() => return true,
                [] => {}
                [Segment::Globstar] => return true,
                [Segment::Globstar, ..] if extent == Extent::Beginning => return true,
                [Segment::Globstar, ..] => {
                    // It takes this name and perhaps more, or none.
                    push(&mut next, count);
                    if matched.get(at) != Some(&(count + 1)) {
                        matched.insert(at, count + 1);
                    }
                }
                [segment, ..] if segment.matches(name) => push(&mut next, count + 1),
                _ => {}
            }
        }
        matched = next;
    }
    match extent {
        Extent::Whole => matched.last() == Some(&pattern.len()),
        Extent::Beginning => !matched.is_empty(),
    }
}

fn push(counts: &mut Vec<usize>, count: usize) {
    if counts.last() != Some(&count) {
        counts.push(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_globstars_take_no_longer_than_their_number() {
        let roots = Roots {
            workspace: "/w",
            home: "/h",
        };
        let pattern = format!("{}b", "**/a/".repeat(500));
        let pattern = Pattern::new(&pattern, &roots).expect("it is a pattern");
        let mut path = vec![&b"w"[..]];
        path.extend([&b"a"[..]; 1000]);
        assert!(!pattern.matches(&path));
        path.push(b"b");
        assert!(pattern.matches(&path));
        path.remove(600);
        path.truncate(400);
        assert!(!pattern.matches(&path));
        assert!(pattern.may_match_below(&path));
    }
}
