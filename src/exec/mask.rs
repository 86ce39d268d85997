//! Hiding secrets in what is shown and kept.
//!
//! Values, each of their lines, and the forms they take when a tool encodes them
//! (`ValueEncoders.cs` of the runner) become `***`. One pass over a text finds all of them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use aho_corasick::AhoCorasick;

const MASK: &str = "***";
/// Parts of a value shorter than this are too common to hide (`ValueEncoders.cs`).
const SHORTEST_PART: usize = 6;

/// Knows what to hide. One for a job, whose steps share it by cloning; a value once added stays.
#[derive(Clone, Default)]
pub struct Masker(Arc<RwLock<Secrets>>);

#[derive(Default)]
struct Secrets {
    values: BTreeSet<String>,
    automaton: Option<AhoCorasick>,
}

impl Masker {
    /// Hides these values from now on. Blank ones are passed over: they are everywhere.
    pub fn add<'a>(&self, values: impl IntoIterator<Item = &'a str>) {
        // What a panic left is whole: the automaton is made of all values anew.
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        secrets.add(values);
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.secrets().values.is_empty()
    }

    /// The text with every value in it hidden; borrowed when there is none. Values that touch
    /// or overlap become one mask, so that it does not tell them apart.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.secrets().mask(text)
    }

    /// Where the beginning of a longer text may be cut off: behind it stands whatever may be the
    /// beginning of a value or of a character. Never at its start.
    pub fn cut(&self, bytes: &[u8]) -> usize {
        let at = self.secrets().cut(bytes);
        let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let back = (0..4).map(|back| at.saturating_sub(back));
        let at = back.into_iter().find(|at| !continues(at)).unwrap_or(at);
        // Text of nothing but secrets is masked whichever way it is cut.
        if at == 0 { bytes.len() } else { at }
    }

    fn secrets(&self) -> RwLockReadGuard<'_, Secrets> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secrets {
    fn add<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) {
        let before = self.values.len();
        for value in values {
            let lines = value.split(['\n', '\r']).map(str::trim);
            let plains = std::iter::once(value).chain(lines);
            for plain in plains.filter(|plain| !plain.trim().is_empty()) {
                self.values
                    .extend(forms(plain).filter(|form| !form.is_empty()));
            }
        }
        if self.values.len() != before {
            self.automaton = AhoCorasick::new(&self.values).ok();
        }
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        let Some(automaton) = &self.automaton else {
            return bytes.len();
        };
        let longest = self.values.iter().map(String::len).max().unwrap_or(1);
        let at = bytes.len().saturating_sub(longest - 1);
        let found = automaton.find_overlapping_iter(bytes);
        let mut ranges = merged(found.map(|found| found.range())).into_iter();
        match ranges.find(|range| range.start < at && at < range.end) {
            Some(range) if range.start == 0 => range.end,
            Some(range) => range.start,
            None => at,
        }
    }

    fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.values.is_empty() {
            return text.into();
        }
        let Some(automaton) = &self.automaton else {
            // Gigabytes of secrets: too many to look for, so nothing may be shown.
            return MASK.into();
        };
        let ranges = merged(
            automaton
                .find_overlapping_iter(text)
                .map(|found| found.range()),
        );
        if ranges.is_empty() {
            return text.into();
        }
        let mut masked = String::with_capacity(text.len());
        let mut shown = 0;
        for range in ranges {
            masked.push_str(&text[shown..range.start]);
            masked.push_str(MASK);
            shown = range.end;
        }
        masked.push_str(&text[shown..]);
        masked.into()
    }
}

impl fmt::Debug for Masker {
    /// Without the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masker({} values)", self.secrets().values.len())
    }
}

/// Ranges that come ordered by their end, without overlap and gaps of nothing.
fn merged(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::new();
    for mut range in ranges {
        while let Some(last) = merged.pop_if(|last| last.end >= range.start) {
            range.start = range.start.min(last.start);
        }
        merged.push(range);
    }
    merged
}

/// A value and what tools make of it.
fn forms(value: &str) -> impl Iterator<Item = String> {
    let bytes = value.as_bytes();
    let shifted = |by: usize| base64(bytes.get(by..).unwrap_or_default());
    let (before, after) = around_ampersand(value);
    [
        value.to_owned(),
        base64(bytes),
        // Inside a longer text that is encoded, a value stands at any of three offsets.
        shifted(1),
        shifted(2),
        value.replace('"', "\\\""),
        value.replace('\'', "''"),
        json(value),
        uri(value),
        xml(value),
        without_quotes(value).to_owned(),
        before.to_owned(),
        after.to_owned(),
    ]
    .into_iter()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 0x3f;
            let padding = digit > chunk.len();
            text.push(if padding {
                '='
            } else {
                DIGITS[index as usize].into()
            });
        }
    }
    text
}

/// The inside of a JSON string.
fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    // Newtonsoft escapes these line ends too.
    quoted[1..quoted.len() - 1]
        .replace('\u{85}', "\\u0085")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Percent-encoded but for RFC 3986's unreserved characters.
fn uri(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(byte.into());
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn xml(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

/// The inside of a quoted value that is long enough.
fn without_quotes(value: &str) -> &str {
    const SHORTEST: usize = 9;
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|_| value.len() >= SHORTEST)
        .unwrap_or_default()
}

/// What PowerShell prints of a value apart when it takes `&` or `&+` for an operator.
fn around_ampersand(value: &str) -> (&str, &str) {
    let (before, after) = if let Some(at) = value.find("&+") {
        let (before, after) = value.split_at(at + "&+".len());
        // The letter behind it gets a colour, and stands alone.
        let mut rest = after.chars();
        rest.next();
        (before, rest.as_str())
    } else if let Some(at) = value.rfind('&') {
        value.split_at(at + 1)
    } else {
        return ("", "");
    };
    let long = |part: &&str| part.len() >= SHORTEST_PART;
    (
        Some(before).filter(long).unwrap_or_default(),
        Some(after).filter(long).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masker(values: &[&str]) -> Masker {
        let masker = Masker::default();
        masker.add(values.iter().copied());
        masker
    }

    #[test]
    fn values_and_their_lines_are_hidden() {
        let masker = masker(&["first line\n  second line \n"]);
        assert_eq!(masker.mask("a second line, a first line"), "a ***, a ***");
        assert_eq!(masker.mask("first line\n  second line \n"), "***");
    }

    #[test]
    fn encoded_values_are_hidden() {
        let masker = masker(&["p&ss \"w'rd<"]);
        for encoded in [
            "cCZzcyAidydyZDw=",
            "JnNzICJ3J3JkPA==",
            "c3MgIncncmQ8",
            "p&ss \\\"w'rd<",
            "p&ss \"w''rd<",
            "p%26ss%20%22w%27rd%3C",
            "p&amp;ss &quot;w&apos;rd&lt;",
        ] {
            assert_eq!(masker.mask(&format!("x{encoded}y")), "x***y", "{encoded}");
        }
    }

    #[test]
    fn what_powershell_prints_apart_is_hidden() {
        let operator = masker(&["secretpart1&secretpart2&secretpart3"]);
        assert_eq!(
            operator.mask("secretpart1&secretpart2& secretpart3"),
            "*** ***"
        );
        let operator = masker(&["secretpart1&+secretpart2&secretpart3"]);
        assert_eq!(
            operator.mask("secretpart1&+ s ecretpart2&secretpart3"),
            "*** s ***"
        );
        // Short parts are too common to hide.
        assert_eq!(masker(&["a&b"]).mask("a& b"), "a& b");
    }

    #[test]
    fn line_ends_that_json_escapes_are_hidden() {
        let masker = masker(&["a\u{2028}b\u{85}c"]);
        assert_eq!(masker.mask("\"a\\u2028b\\u0085c\""), "\"***\"");
    }

    #[test]
    fn a_text_is_cut_where_no_value_is() {
        let masker = masker(&["abcd"]);
        // The longest of its forms has eight characters.
        assert_eq!(masker.cut(b"xxxxxxxxab"), 3);
        assert_eq!(masker.cut(b"xxabcdxxxx"), 2);
        assert_eq!(masker.cut(b"abcdabcd"), 8);
        assert_eq!(Masker::default().cut("xé".as_bytes()), 3);
        assert_eq!(Masker::default().cut(&"xé".as_bytes()[..2]), 2);
    }

    #[test]
    fn overlapping_and_adjacent_values_become_one_mask() {
        let masker = masker(&["abcd", "bc", "cde", "xyz"]);
        assert_eq!(masker.mask("-abcde-bc-xyzxyz"), "-***-***-***");
    }

    #[test]
    fn a_text_without_secrets_is_not_copied() {
        assert!(matches!(masker(&[]).mask("text"), Cow::Borrowed("text")));
        assert!(matches!(
            masker(&["", " \n"]).mask("te \nxt"),
            Cow::Borrowed(_)
        ));
        assert!(matches!(
            masker(&["secret"]).mask("text"),
            Cow::Borrowed("text")
        ));
    }

    #[test]
    fn base64_is_padded() {
        let encoded = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
