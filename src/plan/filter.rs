//! The filters of triggers: `branches`, `tags`, `paths` and their `-ignore` forms.
//!
//! A dialect of its own (docs: "Filter pattern cheat sheet"), not the globs of `hashFiles`.

use regex::Regex;

/// The patterns of one filter key, compiled.
#[derive(Debug, Clone)]
pub struct Filter {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    negated: bool,
    regex: Regex,
}

/// A pattern that is none.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the filter pattern '{pattern}' is not valid: {problem}")]
pub struct InvalidPattern {
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Filter {
    /// Compiles the patterns of a key, in their order.
    ///
    /// # Errors
    /// When a pattern is none: an open bracket, a quantifier with nothing before it.
    pub fn new(patterns: &[impl AsRef<str>]) -> Result<Self, InvalidPattern> {
        let patterns = patterns.iter().map(AsRef::as_ref);
        Ok(Self {
            patterns: patterns.map(Pattern::compile).collect::<Result<_, _>>()?,
        })
    }

    /// Whether a workflow with these `branches`, `tags` or `paths` runs: some name is included.
    /// Of the patterns that match a name the last one decides; `!` excludes.
    pub fn includes<S: AsRef<str>>(&self, names: &[S]) -> bool {
        names.iter().any(|name| self.selects(name.as_ref()))
    }

    /// Whether the same patterns as `branches-ignore` and so on keep a workflow from running:
    /// every name is one of them. A change of no files is not.
    pub fn ignores<S: AsRef<str>>(&self, names: &[S]) -> bool {
        !names.is_empty() && names.iter().all(|name| self.selects(name.as_ref()))
    }

    /// Which of the patterns decides about a name, counted from zero: the last that matches it.
    pub fn deciding(&self, name: &str) -> Option<usize> {
        self.patterns
            .iter()
            .rposition(|pattern| pattern.regex.is_match(name))
    }

    /// Whether a name is selected: the pattern that decides about it has no `!`.
    pub fn selects(&self, name: &str) -> bool {
        self.deciding(name)
            .is_some_and(|index| !self.patterns[index].negated)
    }

    /// Whether all patterns have a `!`: such a filter includes nothing.
    pub fn only_excludes(&self) -> bool {
        self.patterns.iter().all(|pattern| pattern.negated)
    }
}

impl Pattern {
    fn compile(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = |problem| InvalidPattern {
            pattern: text.to_owned(),
            problem,
        };
        let (negated, glob) = match text.strip_prefix('!') {
            Some(glob) => (true, glob),
            None => (false, text),
        };
        let source = translate(glob).map_err(invalid)?;
        let regex = Regex::new(&source).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => invalid("it is too long"),
            _ => invalid("its brackets make no sense"),
        })?;
        Ok(Self { negated, regex })
    }
}

/// The regular expression of a glob.
fn translate(glob: &str) -> Result<String, &'static str> {
    let mut source = String::from(r"\A(?s:");
    let mut rest = glob;
    let mut quantifiable = false;
    while let Some(character) = rest.chars().next() {
        let at_segment = source.ends_with('/') || rest.len() == glob.len();
        let (length, piece) = match character {
            '*' if at_segment && rest.starts_with("**/") => (3, "(?:.*/)?".to_owned()),
            '*' if rest.starts_with("**") => (2, ".*".to_owned()),
            '*' => (1, "[^/]*".to_owned()),
            '?' | '+' if quantifiable => (1, character.to_string()),
            '?' | '+' => return Err("there is nothing before its quantifier"),
            '[' => {
                let end = rest.find(']').ok_or("a bracket is not closed")?;
                (end + 1, class(&rest[1..end])?)
            }
            '\\' => {
                let escaped = rest[1..].chars().next().ok_or("it ends in a backslash")?;
                (1 + escaped.len_utf8(), literal(escaped))
            }
            _ => (character.len_utf8(), literal(character)),
        };
        quantifiable = !matches!(character, '*' | '?' | '+');
        source.push_str(&piece);
        rest = &rest[length..];
    }
    source.push_str(r")\z");
    Ok(source)
}

fn literal(character: char) -> String {
    regex::escape(character.encode_utf8(&mut [0; 4]))
}

/// `[0-9]`: letters, digits and ranges of them, nothing else.
fn class(inner: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if inner.is_empty() || !inner.bytes().all(plain) {
        return Err("brackets may hold letters, digits and ranges of them only");
    }
    Ok(format!("[{inner}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_are_none_are_refused() {
        for pattern in ["[a", "[]", "[.]", "?a", "a\\", "[z-a]", "a++"] {
            assert!(Filter::new(&[pattern]).is_err(), "{pattern}");
        }
    }

    #[test]
    fn characters_are_literal_behind_a_backslash() {
        let filter = Filter::new(&["a\\*b\\.c"]).expect("it is a pattern");
        assert!(filter.includes(&["a*b.c"]));
        assert!(!filter.includes(&["axb.c"]));
    }

    #[test]
    fn patterns_that_only_exclude_include_nothing() {
        let filter = Filter::new(&["!docs/**"]).expect("it is a pattern");
        assert!(!filter.includes(&["src/a"]));
    }

    #[test]
    fn all_names_must_be_ignored() {
        let filter = Filter::new(&["docs/**"]).expect("it is a pattern");
        assert!(filter.ignores(&["docs/a", "docs/b/c"]));
        assert!(!filter.ignores(&["docs/a", "src/b"]));
        assert!(!filter.ignores::<&str>(&[]));
    }
}
