//! Regular expressions as the runner reads them: .NET's with `RegexOptions.ECMAScript`.
//!
//! They are written anew for an engine that has look-around and back references and counts its
//! steps, so that none runs for ever. What is different is what stands for itself: ASCII digits,
//! words and blanks, braces that repeat nothing, brackets inside a class.

use fancy_regex::{Regex, RegexBuilder, RuntimeError};

/// Steps after which a match is given up: about what an engine does in the runner's second.
const STEPS: usize = 1_000_000;

/// A regular expression.
#[derive(Debug)]
pub(super) struct Expression {
    regex: Regex,
    /// The engine's number of each of .NET's groups, which counts those with a name last.
    numbers: Vec<usize>,
}

/// A match was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) struct TooSlow;

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let translated = Translation::of(text)?;
        let regex = RegexBuilder::new(&translated)
            .backtrack_limit(STEPS)
            .build()
            .map_err(|error| error.to_string())?;
        let names: Vec<_> = regex.capture_names().collect();
        let with = |named: bool| {
            let numbers = names.iter().enumerate();
            numbers.filter_map(move |(at, name)| (name.is_some() == named).then_some(at))
        };
        let numbers = with(false).chain(with(true)).collect();
        Ok(Self { regex, numbers })
    }

    /// How many groups it has, with the whole match.
    pub(super) fn groups(&self) -> usize {
        self.numbers.len()
    }

    /// The groups of its first match in a line.
    ///
    /// # Errors
    /// When it takes too long.
    pub(super) fn first<'l>(&self, line: &'l str) -> Result<Option<Vec<&'l str>>, TooSlow> {
        let captures = match self.regex.captures(line) {
            Ok(captures) => captures,
            Err(error) => return Err(too_slow(&error)),
        };
        Ok(captures.map(|captures| {
            let group = |&number: &usize| captures.get(number).map_or("", |group| group.as_str());
            self.numbers.iter().map(group).collect()
        }))
    }
}

/// Whatever ends a search early is its length: [`RuntimeError`] has no other kinds.
fn too_slow(error: &fancy_regex::Error) -> TooSlow {
    debug_assert!(matches!(
        error,
        fancy_regex::Error::RuntimeError(
            RuntimeError::BacktrackLimitExceeded | RuntimeError::StackOverflow
        )
    ));
    TooSlow
}

const DIGITS: &str = "0-9";
const WORD: &str = "A-Za-z0-9_";
const BLANKS: &str = r" \t\n\x0B\x0C\r";

/// An expression being written anew.
struct Translation<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    out: String,
}

impl<'t> Translation<'t> {
    fn of(text: &'t str) -> Result<String, String> {
        let mut translation = Self {
            rest: text.chars().peekable(),
            out: String::with_capacity(text.len() + 16),
        };
        while let Some(c) = translation.rest.next() {
            match c {
                '\\' => translation.escape()?,
                '[' => translation.class()?,
                '{' if !translation.repeats() => translation.out.push_str(r"\{"),
                '{' => translation.repetition(),
                '}' => translation.out.push_str(r"\}"),
                ']' => translation.out.push_str(r"\]"),
                c => translation.out.push(c),
            }
        }
        Ok(translation.out)
    }

    /// Whether what follows a brace makes it a repetition: `2}`, `2,}`, `2,3}`.
    fn repeats(&self) -> bool {
        let inner: Option<String> = {
            let text: String = self.rest.clone().collect();
            text.split_once('}').map(|(inner, _)| inner.to_owned())
        };
        let Some(inner) = inner else { return false };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match inner.split_once(',') {
            None => is_number(&inner),
            Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
        }
    }

    fn repetition(&mut self) {
        self.out.push('{');
        for c in self.rest.by_ref() {
            self.out.push(c);
            if c == '}' {
                break;
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let c = self.rest.next().ok_or("it ends in a backslash")?;
        match c {
            'd' => self.class_of("", DIGITS),
            'D' => self.class_of("^", DIGITS),
            'w' => self.class_of("", WORD),
            'W' => self.class_of("^", WORD),
            's' => self.class_of("", BLANKS),
            'S' => self.class_of("^", BLANKS),
            'b' => {
                self.boundary("(?<=[A-Za-z0-9_])(?![A-Za-z0-9_])|(?<![A-Za-z0-9_])(?=[A-Za-z0-9_])")
            }
            'B' => {
                self.boundary("(?<=[A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<![A-Za-z0-9_])(?![A-Za-z0-9_])")
            }
            'A' | 'z' | 'Z' | '1'..='9' => self.out.extend(['\\', c]),
            'k' => self.out.push_str(r"\k"),
            c => self.character(c)?,
        }
        Ok(())
    }

    fn class_of(&mut self, not: &str, set: &str) {
        self.out.push_str(&format!("[{not}{set}]"));
    }

    fn boundary(&mut self, alternatives: &str) {
        self.out.push_str(&format!("(?:{alternatives})"));
    }

    /// An escape that stands for one character.
    fn character(&mut self, c: char) -> Result<(), String> {
        let code = match c {
            't' => 0x09,
            'n' => 0x0a,
            'v' => 0x0b,
            'f' => 0x0c,
            'r' => 0x0d,
            'a' => 0x07,
            'e' => 0x1b,
            '0' => 0,
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'c' => match self.rest.next() {
                Some(letter) if letter.is_ascii_alphabetic() => u32::from(letter) & 0x1f,
                _ => return Err(r"\c needs a letter".to_owned()),
            },
            'p' | 'P' => return Err(format!(r"\{c} is not known to ECMAScript")),
            c if c.is_ascii_alphanumeric() => return Err(format!(r"\{c} is not known")),
            c => u32::from(c),
        };
        self.out.push_str(&format!(r"\x{{{code:X}}}"));
        Ok(())
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<u32, String> {
        let text: String = self.rest.by_ref().take(digits).collect();
        let whole = text.len() == digits;
        let number = u32::from_str_radix(&text, 16).ok().filter(|_| whole);
        number.ok_or_else(|| format!("'{text}' is no number of {digits} hexadecimal digits"))
    }

    /// A class, behind its opening bracket.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            match self.rest.next().ok_or("a class has no end")? {
                // The first one stands for itself (.NET).
                ']' if !is_first => break,
                '\\' => self.escape_in_class()?,
                // What would begin a class in the class, or an operator between two.
                c @ ('[' | ']' | '&' | '~' | '^') => self.out.extend(['\\', c]),
                c => self.out.push(c),
            }
            is_first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn escape_in_class(&mut self) -> Result<(), String> {
        let c = self.rest.next().ok_or("it ends in a backslash")?;
        match c {
            'd' => self.out.push_str(DIGITS),
            'w' => self.out.push_str(WORD),
            's' => self.out.push_str(BLANKS),
            'D' => self.class_of("^", DIGITS),
            'W' => self.class_of("^", WORD),
            'S' => self.class_of("^", BLANKS),
            'b' => self.out.push_str(r"\x08"),
            c => self.character(c)?,
        }
        Ok(())
    }
}
