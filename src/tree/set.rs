//! `[sets]` of a glob pattern, as minimatch 10 reads them (`brace-expressions.js`).

use regex::Regex;

use super::segment::Token;

/// A set of units, or with a POSIX class of characters.
#[derive(Debug, Clone)]
pub(super) enum Set {
    /// `[a-z]`
    Units {
        /// It is everything but these.
        negated: bool,
        /// First and last unit.
        ranges: Vec<(u16, u16)>,
    },
    /// `[[:alpha:]]`
    Characters(Regex),
}

impl Set {
    /// Whether it has a POSIX class, so that the segment is matched by characters.
    pub(super) fn is_of_characters(&self) -> bool {
        matches!(self, Self::Characters(_))
    }

    /// Whether the unit or character is in it.
    pub(super) fn has(&self, unit: u32) -> bool {
        match self {
            Self::Units { negated, ranges } => {
                let is_in = |&(low, high): &(u16, u16)| (low.into()..=high.into()).contains(&unit);
                *negated != ranges.iter().any(is_in)
            }
            Self::Characters(regex) => char::from_u32(unit)
                .is_some_and(|character| regex.is_match(character.encode_utf8(&mut [0; 4]))),
        }
    }
}

/// POSIX classes as Unicode's; of those with `true` the complement.
const CLASSES: [(&str, &str, bool); 12] = [
    ("[:alnum:]", r"\p{L}\p{Nl}\p{Nd}", false),
    ("[:alpha:]", r"\p{L}\p{Nl}", false),
    ("[:blank:]", r"\p{Zs}\t", false),
    ("[:cntrl:]", r"\p{Cc}", false),
    ("[:digit:]", r"\p{Nd}", false),
    ("[:graph:]", r"\p{Z}\p{C}", true),
    ("[:lower:]", r"\p{Ll}", false),
    ("[:print:]", r"\p{C}", false),
    ("[:punct:]", r"\p{P}", false),
    ("[:space:]", r"\p{Z}\t\r\n\x0b\x0c", false),
    ("[:upper:]", r"\p{Lu}", false),
    ("[:word:]", r"\p{L}\p{Nl}\p{Nd}\p{Pc}", false),
];

/// Those of them that are no more than units.
const UNITS: [(&str, &[(u16, u16)]); 2] = [
    ("[:ascii:]", &[(0, 0x7f)]),
    ("[:xdigit:]", &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)]),
];

/// Reads the sets of one segment, in their order.
#[derive(Debug, Default)]
pub(super) struct SetReader {
    /// A set was not closed: none behind it is, and nobody need look to the end again.
    none_closes: bool,
}

impl SetReader {
    /// Reads a set behind its `[`: the token, and the length with the `]`. None when it is not
    /// closed.
    pub(super) fn read(&mut self, rest: &[u16]) -> Option<(Token, usize)> {
        if self.none_closes {
            return None;
        }
        let mut members = Members::default();
        let read = members.read(rest);
        // The end of a POSIX class alone may close a set that begins in it.
        self.none_closes = read.is_none() && !members.has_class;
        let length = read?;
        Some((members.token(), length))
    }
}

/// What is between the brackets.
#[derive(Default)]
struct Members {
    negated: bool,
    ranges: Vec<(u16, u16)>,
    /// Classes of characters, and those that stand for their complement.
    classes: String,
    complements: String,
    has_class: bool,
    /// A range ends in a class: nothing is in such a set, nor matches what has it.
    is_broken: bool,
}

impl Members {
    /// Reads up to the `]`, and gives the length with it.
    fn read(&mut self, rest: &[u16]) -> Option<usize> {
        const BRACKET: u16 = b'[' as u16;
        const CLOSING: u16 = b']' as u16;
        const BACKSLASH: u16 = b'\\' as u16;
        const DASH: u16 = b'-' as u16;
        const EXCLAMATION: u16 = b'!' as u16;
        const CARET: u16 = b'^' as u16;
        self.negated = matches!(rest.first(), Some(&(EXCLAMATION | CARET)));
        let begin = usize::from(self.negated);
        let mut at = begin;
        let mut is_escaped = false;
        let mut range: Option<u16> = None;
        loop {
            let unit = *rest.get(at)?;
            // In the first place, and only there, the bracket stands for itself.
            if unit == CLOSING && at > begin && !is_escaped {
                return Some(at + 1);
            }
            if unit == BACKSLASH && !is_escaped {
                is_escaped = true;
                at += 1;
                continue;
            }
            if unit == BRACKET
                && !is_escaped
                && let Some(length) = self.class(&rest[at..])
            {
                if range.is_some() {
                    self.is_broken = true;
                    return Some(rest.len());
                }
                at += length;
                continue;
            }
            is_escaped = false;
            if let Some(low) = range.take() {
                // A range out of order is left out.
                if low <= unit {
                    self.ranges.push((low, unit));
                }
            } else if rest[at + 1..].starts_with(&[DASH, CLOSING]) {
                self.ranges.extend([(unit, unit), (DASH, DASH)]);
                at += 1;
            } else if rest.get(at + 1) == Some(&DASH) {
                range = Some(unit);
                at += 1;
            } else {
                self.ranges.push((unit, unit));
            }
            at += 1;
        }
    }

    /// Takes a POSIX class that stands here, and gives its length.
    fn class(&mut self, rest: &[u16]) -> Option<usize> {
        let stands_here = |name: &str| {
            rest.len() >= name.len() && name.encode_utf16().eq(rest[..name.len()].iter().copied())
        };
        if let Some((name, ranges)) = UNITS.iter().find(|(name, _)| stands_here(name)) {
            self.has_class = true;
            self.ranges.extend(*ranges);
            return Some(name.len());
        }
        let (name, class, is_complement) = CLASSES.iter().find(|(name, ..)| stands_here(name))?;
        self.has_class = true;
        match is_complement {
            true => self.complements.push_str(class),
            false => self.classes.push_str(class),
        }
        Some(name.len())
    }

    fn token(self) -> Token {
        if self.is_broken {
            return Token::Never;
        }
        if !self.classes.is_empty() || !self.complements.is_empty() {
            let regex = Regex::new(&self.source());
            return regex.map_or(Token::Never, |regex| Token::Set(Set::Characters(regex)));
        }
        match *self.ranges {
            [] => Token::Never,
            [(low, high)] if low == high && !self.negated => Token::Unit(low),
            _ => Token::Set(Set::Units {
                negated: self.negated,
                ranges: self.ranges,
            }),
        }
    }

    /// The set as a regular expression for one character. Units beside each other are one
    /// character here where they belong together.
    fn source(&self) -> String {
        let units = self.ranges.iter().flat_map(|&(low, high)| {
            let dash = (low != high).then_some(b'-'.into());
            let high = (low != high).then_some(high);
            [Some(low), dash, high]
                .into_iter()
                .flatten()
                .zip([false, true, false])
        });
        let mut literal: Vec<u16> = Vec::new();
        for (unit, is_dash) in units {
            match u8::try_from(unit) {
                Ok(byte) if !is_dash => literal.extend(format!("\\x{{{byte:x}}}").encode_utf16()),
                _ => literal.push(unit),
            }
        }
        let (set, complement) = match self.negated {
            true => ("^", ""),
            false => ("", "^"),
        };
        let set = format!(
            "[{set}{}{}]",
            String::from_utf16_lossy(&literal),
            self.classes
        );
        let complement = format!("[{complement}{}]", self.complements);
        match (
            literal.is_empty() && self.classes.is_empty(),
            self.complements.is_empty(),
        ) {
            (true, _) => format!("^(?:{complement})$"),
            (_, true) => format!("^(?:{set})$"),
            _ => format!("^(?:{set}|{complement})$"),
        }
    }
}
