//! Patterns of single names, as `new Minimatch(pattern)` reads them without options
//! (download-artifact's `pattern`).

use super::segment::Segment;

/// What a name is compared with.
#[derive(Debug)]
pub struct NamePattern {
    negated: bool,
    /// One of them has to match: what braces expand to.
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    segment: Segment,
    /// Whether it may match a name that begins with a dot.
    dot: bool,
}

/// A pattern that lrun does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("lrun does not know {what} in the pattern '{pattern}'")]
pub struct UnknownPattern {
    /// As it was given.
    pub pattern: String,
    /// What it does not know.
    pub what: &'static str,
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Extended globs and ranges in braces are not known here.
    pub fn new(pattern: &str) -> Result<Self, UnknownPattern> {
        let unknown = |what| UnknownPattern {
            pattern: pattern.to_owned(),
            what,
        };
        let text = pattern.trim_start_matches('!');
        let negated = (pattern.len() - text.len()) % 2 == 1;
        let extended = |pair: &[u8]| pair[1] == b'(' && b"?*+@!".contains(&pair[0]);
        if text.as_bytes().windows(2).any(extended) {
            return Err(unknown("extended globs"));
        }
        if text.contains('{') && text.contains("..") {
            return Err(unknown("ranges in braces"));
        }
        let choices = match text.starts_with('#') && !negated {
            // A comment.
            true => Vec::new(),
            false => braces(text)
                .iter()
                .filter(|choice| !choice.contains('/'))
                .map(|choice| Choice::new(choice))
                .collect(),
        };
        Ok(Self { negated, choices })
    }

    /// Whether the name is one of those the pattern stands for.
    pub fn matches(&self, name: &str) -> bool {
        let any = self.choices.iter().any(|choice| choice.matches(name));
        any != self.negated
    }
}

impl Choice {
    fn new(text: &str) -> Self {
        let segment = match text {
            // Of one name it is what `*` is.
            "**" => Segment::any_name(),
            text => Segment::new(text),
        };
        let dot = segment.may_begin_with_dot();
        Self { segment, dot }
    }

    fn matches(&self, name: &str) -> bool {
        (self.dot || !name.starts_with('.')) && self.segment.matches(name.as_bytes())
    }
}

/// What `{a,b}` stands for, each alternative in its turn; braces without a comma are text.
fn braces(text: &str) -> Vec<String> {
    let Some((start, parts, end)) = first_braces(text) else {
        return vec![text.to_owned()];
    };
    let (before, after) = (&text[..start], &text[end..]);
    let tails = braces(after);
    let mut all = Vec::new();
    for part in parts.iter().flat_map(|part| braces(part)) {
        all.extend(tails.iter().map(|tail| format!("{before}{part}{tail}")));
    }
    all
}

/// The first braces with a comma between them: where they start, what they choose from, and the
/// first byte behind them.
fn first_braces(text: &str) -> Option<(usize, Vec<&str>, usize)> {
    let starts = text.match_indices('{').map(|(at, _)| at);
    starts.into_iter().find_map(|start| {
        let mut depth = 0;
        let mut commas = vec![start];
        for (at, byte) in text.bytes().enumerate().skip(start) {
            match byte {
                b'{' => depth += 1,
                b',' if depth == 1 => commas.push(at),
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && commas.len() > 1 {
                commas.push(at);
                let parts = commas.windows(2).map(|pair| &text[pair[0] + 1..pair[1]]);
                return Some((start, parts.collect(), at + 1));
            }
            if depth == 0 {
                return None;
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        NamePattern::new(pattern).expect(pattern).matches(name)
    }

    #[test]
    fn names_match_as_minimatch_has_it() {
        for (pattern, name) in [
            ("wheels-*", "wheels-linux"),
            ("**", "all"),
            ("{a,b-{c,d}}-x", "b-d-x"),
            ("{a}", "{a}"),
            ("!wheels-*", "docs"),
            ("!!a", "a"),
            (".*", ".hidden"),
            ("a?[0-9]", "ab7"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("wheels-*", "Wheels-linux"),
            ("*", ".hidden"),
            ("#a", "#a"),
            ("a/b", "a"),
            ("!wheels-*", "wheels-x"),
            ("{a,b}", "{a,b}"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for pattern in ["+(a|b)", "a@(b)", "{1..3}"] {
            assert!(NamePattern::new(pattern).is_err(), "{pattern}");
        }
    }
}
