//! Which patterns of `branches`, `tags` and `paths` are surely none.
//!
//! What such a pattern matches is not decided here, and what only might be refused is let pass.

/// What is wrong with a pattern (docs.github.com, "filter pattern cheat sheet"); none where it may be one.
pub(super) fn wrong_with(pattern: &str) -> Option<&'static str> {
    let glob = pattern.strip_prefix('!').unwrap_or(pattern);
    if glob.starts_with(['?', '+']) {
        return Some("there is nothing before its quantifier");
    }
    let mut rest = glob.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' if rest.next().is_none() => return Some("it ends in a backslash"),
            '[' if !rest.any(|inner| inner == ']') => return Some("a bracket is not closed"),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_no_pattern_is_wrong() {
        for pattern in ["[a", "a[", "![", "?a", "!+", "a\\", "[a]b["] {
            assert!(wrong_with(pattern).is_some(), "{pattern}");
        }
        for pattern in [
            "", "!", "[a]", "a?", "a+", "\\[a", "\\?", "a]", "*?", "[.]", "a/+",
        ] {
            assert_eq!(wrong_with(pattern), None, "{pattern}");
        }
    }
}
