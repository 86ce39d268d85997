//! One segment of a glob pattern, as minimatch 10 reads it under the options that
//! `@actions/glob` 0.7, which the runner's `hashFiles` is built with, sets: `dot, nobrace, noext,
//! nocomment, nonegate`.
//!
//! Knows `*`, `?`, `[sets]`, `**` as a whole segment and `\` escapes; braces and
//! extended globs are literal text. Knows nothing of paths. Like JavaScript's regular expressions
//! it counts UTF-16 units, or characters where a POSIX class stands in the segment.

use super::set::{Set, SetReader};

/// A segment between two slashes of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// `**`: any number of segments.
    Globstar,
    /// Text without wildcards, unescaped.
    Literal(String),
    /// Anything else; matches no empty name.
    Wild {
        tokens: Vec<Token>,
        /// Whether it is matched by characters instead of UTF-16 units.
        by_characters: bool,
    },
}

/// A piece of a segment with wildcards.
#[derive(Debug, Clone)]
pub(super) enum Token {
    /// This unit.
    Unit(u16),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[a-z]`, `[!a]`, `[^a]`
    Set(Set),
    /// A set that nothing is in, such as `[z-a]`.
    Never,
}

impl Segment {
    /// Reads a segment; every text is valid.
    pub(super) fn new(text: &str) -> Self {
        if text == "**" {
            return Self::Globstar;
        }
        let tokens = tokens(text);
        let literal: Option<Vec<u16>> = tokens
            .iter()
            .map(|token| match token {
                Token::Unit(unit) => Some(*unit),
                _ => None,
            })
            .collect();
        if let Some(units) = literal {
            return Self::Literal(String::from_utf16_lossy(&units));
        }
        let by_characters = tokens
            .iter()
            .any(|token| matches!(token, Token::Set(set) if set.is_of_characters()));
        Self::Wild {
            tokens,
            by_characters,
        }
    }

    /// What `*` is.
    pub(super) fn any_name() -> Self {
        Self::Wild {
            tokens: vec![Token::Many],
            by_characters: false,
        }
    }

    /// Whether it may match a name that begins with a dot where such names are hidden: only if
    /// it begins with one itself.
    pub(super) fn may_begin_with_dot(&self) -> bool {
        match self {
            Self::Wild { tokens, .. } => {
                matches!(tokens.first(), Some(Token::Unit(unit)) if *unit == u16::from(b'.'))
            }
            Self::Globstar | Self::Literal(_) => true,
        }
    }

    /// Whether it is `**`.
    pub(super) fn is_globstar(&self) -> bool {
        matches!(self, Self::Globstar)
    }

    /// Whether a name is one that this segment stands for. Bytes that are no UTF-8 count as
    /// U+FFFD, which is how Node.js shows them to the original.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        let (tokens, by_characters) = match self {
            Self::Globstar => return true,
            Self::Literal(text) => return text.as_bytes() == name,
            Self::Wild {
                tokens,
                by_characters,
            } => (tokens, *by_characters),
        };
        if name.is_empty() {
            return false;
        }
        if name.is_ascii() {
            return match_tokens(tokens, name);
        }
        let name = String::from_utf8_lossy(name);
        match by_characters {
            true => match_tokens(tokens, &name.chars().collect::<Vec<_>>()),
            false => match_tokens(tokens, &name.encode_utf16().collect::<Vec<_>>()),
        }
    }
}

/// The text of a segment that names one thing only; none when it has wildcards. Differs from
/// [`Segment::Literal`] where the original does: a set of one character is literal here.
pub(super) fn literal(segment: &str) -> Option<String> {
    let chars: Vec<char> = segment.chars().collect();
    let mut text = String::new();
    let mut at = 0;
    // Where one set is not closed none behind it is, and nobody need look to the end again.
    let mut sets_close = true;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' if at + 1 < chars.len() => {
                at += 1;
                text.push(chars[at]);
            }
            '*' | '?' => return None,
            '[' if sets_close => match literal_set(&chars[at + 1..]) {
                LiteralSet::One(member, length) => {
                    text.push(member);
                    at += length;
                }
                LiteralSet::Several => return None,
                LiteralSet::Empty => text.push(c),
                LiteralSet::Open => {
                    sets_close = false;
                    text.push(c);
                }
            },
            _ => text.push(c),
        }
        at += 1;
    }
    Some(text)
}

enum LiteralSet {
    /// The only member, and the length of the set after its `[`.
    One(char, usize),
    Several,
    /// Closed at once: no set.
    Empty,
    /// Not closed: no set either.
    Open,
}

fn literal_set(rest: &[char]) -> LiteralSet {
    let mut members = Vec::new();
    let mut at = 0;
    while let Some(&c) = rest.get(at) {
        match c {
            '\\' if at + 1 < rest.len() => {
                at += 1;
                members.push(rest[at]);
            }
            ']' => {
                return match members[..] {
                    [] => LiteralSet::Empty,
                    [only] => LiteralSet::One(only, at + 1),
                    _ => LiteralSet::Several,
                };
            }
            _ => members.push(c),
        }
        at += 1;
    }
    LiteralSet::Open
}

fn tokens(text: &str) -> Vec<Token> {
    let units: Vec<u16> = text.encode_utf16().collect();
    if let Some(tokens) = raw(text, &units) {
        return tokens;
    }
    let mut sets = SetReader::default();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&unit) = units.get(at) {
        at += 1;
        tokens.push(match u8::try_from(unit) {
            // Some are as many as one.
            Ok(b'*') if matches!(tokens.last(), Some(Token::Many)) => continue,
            Ok(b'*') => Token::Many,
            Ok(b'?') => Token::One,
            Ok(b'\\') if at < units.len() => {
                at += 1;
                Token::Unit(units[at - 1])
            }
            Ok(b'[') => match sets.read(&units[at..]) {
                Some((token, length)) => {
                    at += length;
                    token
                }
                // An open set is a bracket, and what follows is read anew.
                None => Token::Unit(unit),
            },
            _ => Token::Unit(unit),
        });
    }
    tokens
}

/// The most common forms, `*.ext` and `??ext`, have a way of their own in minimatch, on which
/// backslashes are taken as they are.
fn raw(text: &str, units: &[u16]) -> Option<Vec<Token>> {
    let (wildcard, first) = match text.chars().next()? {
        first @ '*' => (Token::Many, first),
        first @ '?' => (Token::One, first),
        _ => return None,
    };
    let extension = text.trim_start_matches(first);
    if extension.contains(['+', '@', '!', '?', '*', '[', '(']) {
        return None;
    }
    let wildcards = match first {
        '*' => 1,
        _ => text.len() - extension.len(),
    };
    let extension = &units[text.len() - extension.len()..];
    let wildcards = std::iter::repeat_n(wildcard, wildcards);
    let extension = extension.iter().map(|&unit| Token::Unit(unit));
    Some(wildcards.chain(extension).collect())
}

/// Matches with one point to come back to: the last `*`, which is all that globs need.
fn match_tokens<U: Copy + Into<u32>>(tokens: &[Token], name: &[U]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (tokens.get(token), name.get(at)) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                token += 1;
                retry = Some((token, at));
                continue;
            }
            (Some(single), Some(&unit)) => {
                let taken = single.takes(&tokens[token + 1..], unit.into());
                if taken > 0 {
                    token += taken;
                    at += 1;
                    continue;
                }
            }
            _ => {}
        }
        let Some((after, from)) = retry else {
            return false;
        };
        if from == name.len() {
            return false;
        }
        (token, at) = (after, from + 1);
        retry = Some((after, from + 1));
    }
}

impl Token {
    /// How many tokens, this one and the next, take this unit or character: none if it is
    /// another. A character is written as two units where it is beyond U+FFFF.
    fn takes(&self, next: &[Self], unit: u32) -> usize {
        match (self, next) {
            (Self::Unit(own), _) if u32::from(*own) == unit => 1,
            (Self::Unit(high), [Self::Unit(low), ..]) if unit > 0xffff => {
                let pair = char::from_u32(unit).map(|c| {
                    let mut units = [0; 2];
                    c.encode_utf16(&mut units);
                    units
                });
                2 * usize::from(pair == Some([*high, *low]))
            }
            (Self::One, _) => 1,
            (Self::Set(set), _) => usize::from(set.has(unit)),
            (Self::Unit(_) | Self::Many | Self::Never, _) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Segment::new(pattern).matches(name.as_bytes())
    }

    #[test]
    fn wildcards_match_within_a_name_dot_files_too() {
        assert!(matches("*", ".hidden"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("a*b", "a-b-c"));
        assert!(matches("?", "é"));
        // JavaScript's regular expressions see two units.
        assert!(!matches("?", "𝒜") && matches("??", "𝒜") && matches("[𝒜][𝒜]", "𝒜"));
        assert!(!matches("*", ""));
        assert!(matches("a**b", "a-b"));
    }

    #[test]
    fn sets_are_javascript_s() {
        assert!(matches("[a-c]x", "bx"));
        assert!(matches("[!a]", "b") && matches("[^a]", "b") && !matches("[^a]", "a"));
        assert!(matches("[]a]", "]"));
        assert!(!matches("[z-a]", "b") && !matches("x[z-a]", "x"));
        assert!(matches("[z-ab]", "b") && !matches("[!]", "a") && matches("[!]", "[!]"));
        assert!(matches("[a\\-c]", "-") && !matches("[a\\-c]", "b"));
        assert!(matches("[[:alpha:]]", "é") && !matches("[[:alpha:]]", "1"));
        assert!(matches("[![:digit:]x]?", "𝒜𝒜") && !matches("[![:digit:]x]", "x"));
    }

    #[test]
    fn braces_extended_globs_and_open_sets_are_text() {
        assert!(matches("{a,b}", "{a,b}") && !matches("{a,b}", "a"));
        assert!(matches("+(a)", "+(a)") && !matches("+(a)", "aa"));
        assert!(matches("[ab", "[ab") && matches("[a*", "[abc"));
        assert!(matches("\\*", "*") && !matches("\\*", "a"));
        assert!(matches("a*\\b", "ab") && matches("*\\b", "a\\b") && !matches("*\\b", "ab"));
    }

    #[test]
    fn a_set_of_one_character_is_literal_for_search_paths() {
        assert_eq!(literal("a[*]b").as_deref(), Some("a*b"));
        assert_eq!(literal("[ab]"), None);
        assert_eq!(literal("a\\*").as_deref(), Some("a*"));
        assert_eq!(literal("[a").as_deref(), Some("[a"));
    }
}
