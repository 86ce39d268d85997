//! One segment of a glob pattern, as minimatch 3 reads it under the options that
//! `@actions/glob` sets: `dot, nobrace, noext, nocomment, nonegate`.
//!
//! Knows `*`, `?`, `[sets]`, `**` as a whole segment and `\` escapes; braces and
//! extended globs are literal text. Knows nothing of paths.

/// A segment between two slashes of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**`: any number of segments.
    Globstar,
    /// Text without wildcards, unescaped.
    Literal(String),
    /// Anything else; matches no empty name.
    Wild(Vec<Token>),
}

/// A piece of a segment with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[a-z]`, `[!a]`, `[^a]`
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// A set with a range out of order, such as `[z-a]`.
    Never,
}

impl Segment {
    /// Reads a segment; every text is valid.
    pub(super) fn new(text: &str) -> Self {
        if text == "**" {
            return Self::Globstar;
        }
        let tokens = tokens(text);
        let literal: Option<String> = tokens
            .iter()
            .map(|token| match token {
                Token::Char(c) => Some(*c),
                _ => None,
            })
            .collect();
        literal.map_or(Self::Wild(tokens), Self::Literal)
    }

    /// Whether a name is one that this segment stands for. Bytes that are no UTF-8 count as
    /// U+FFFD, which is how Node.js shows them to the original.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Globstar => true,
            Self::Literal(text) => text.as_bytes() == name,
            Self::Wild(tokens) => {
                !name.is_empty() && match_tokens(tokens, &String::from_utf8_lossy(name))
            }
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
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    // As in `literal`.
    let mut sets_close = true;
    while let Some(&c) = chars.get(at) {
        at += 1;
        tokens.push(match c {
            '*' => Token::Many,
            '?' => Token::One,
            '\\' if at < chars.len() => {
                at += 1;
                Token::Char(chars[at - 1])
            }
            '[' if sets_close => match set(&chars[at..]) {
                Some((token, length)) => {
                    at += length;
                    token
                }
                // An open set is a bracket, and what follows is read anew.
                None => {
                    sets_close = false;
                    Token::Char(c)
                }
            },
            _ => Token::Char(c),
        });
    }
    tokens
}

/// Reads a set after its `[`: the token and the length with the `]`; none when it is not closed.
fn set(rest: &[char]) -> Option<(Token, usize)> {
    let negated = matches!(rest.first(), Some('!' | '^'));
    let mut members = Vec::new();
    let mut at = usize::from(negated);
    loop {
        let &c = rest.get(at)?;
        match c {
            '\\' if at + 1 < rest.len() => {
                at += 1;
                members.push((rest[at], true));
            }
            // In the first place, and only there, the bracket stands for itself.
            ']' if at > 0 => break,
            _ => members.push((c, false)),
        }
        at += 1;
    }
    let token = ranges(&members).map_or(Token::Never, |ranges| Token::Set { negated, ranges });
    Some((token, at + 1))
}

/// The members of a set as ranges; none when one is out of order. The flag of a member says
/// that it was escaped: an escaped dash makes no range.
fn ranges(members: &[(char, bool)]) -> Option<Vec<(char, char)>> {
    let mut ranges = Vec::new();
    let mut rest = members;
    loop {
        rest = match *rest {
            [] => return Some(ranges),
            [(low, _), ('-', false), (high, _), ref rest @ ..] => {
                if low > high {
                    return None;
                }
                ranges.push((low, high));
                rest
            }
            [(only, _), ref rest @ ..] => {
                ranges.push((only, only));
                rest
            }
        };
    }
}

/// Matches with one point to come back to: the last `*`, which is all that globs need.
fn match_tokens(tokens: &[Token], name: &str) -> bool {
    let (mut token, mut rest) = (0, name);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        match (tokens.get(token), rest.chars().next()) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                token += 1;
                retry = Some((token, rest));
                continue;
            }
            (Some(single), Some(c)) if single.takes(c) => {
                token += 1;
                rest = &rest[c.len_utf8()..];
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = retry else {
            return false;
        };
        let Some(skipped) = from.chars().next() else {
            return false;
        };
        rest = &from[skipped.len_utf8()..];
        token = after;
        retry = Some((after, rest));
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One => true,
            Self::Set { negated, ranges } => {
                *negated != ranges.iter().any(|&(low, high)| (low..=high).contains(&c))
            }
            Self::Many | Self::Never => false,
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
        assert!(!matches("*", ""));
        assert!(matches("a**b", "a-b"));
    }

    #[test]
    fn sets_are_javascript_s() {
        assert!(matches("[a-c]x", "bx"));
        assert!(matches("[!a]", "b") && matches("[^a]", "b") && !matches("[^a]", "a"));
        assert!(matches("[]a]", "]"));
        assert!(!matches("[z-a]", "b") && !matches("x[z-a]", "x"));
        assert!(matches("[a\\-c]", "-") && !matches("[a\\-c]", "b"));
        // A POSIX class is a set of its letters, then a bracket.
        assert!(matches("[[:alpha:]]", "a]") && !matches("[[:alpha:]]", "a"));
    }

    #[test]
    fn braces_extended_globs_and_open_sets_are_text() {
        assert!(matches("{a,b}", "{a,b}") && !matches("{a,b}", "a"));
        assert!(matches("+(a)", "+(a)") && !matches("+(a)", "aa"));
        assert!(matches("[ab", "[ab") && matches("[a*", "[abc"));
        assert!(matches("\\*", "*") && !matches("\\*", "a"));
    }

    #[test]
    fn a_set_of_one_character_is_literal_for_search_paths() {
        assert_eq!(literal("a[*]b").as_deref(), Some("a*b"));
        assert_eq!(literal("[ab]"), None);
        assert_eq!(literal("a\\*").as_deref(), Some("a*"));
        assert_eq!(literal("[a").as_deref(), Some("[a"));
    }
}
