//! What a file of problem matchers says, checked as the runner checks it
//! (`IssueMatchersConfig.Validate`).

use std::collections::HashSet;

use serde::Deserialize;

use super::pattern::Expression;

/// Why a file of problem matchers is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::exec) enum MatcherError {
    /// It is not JSON, or not of the right form.
    #[error("it is no file of problem matchers: {0}")]
    Json(String),
    /// A matcher without a name.
    #[error("Owner must not be empty")]
    NoOwner,
    /// Two matchers of one name.
    #[error("Duplicate owner name '{owner}'")]
    DuplicateOwner {
        /// The name.
        owner: String,
    },
    /// A severity that is none.
    #[error("Matcher '{owner}' contains unexpected default severity '{severity}'")]
    Severity {
        /// The matcher.
        owner: String,
        /// What it says.
        severity: String,
    },
    /// A matcher that looks for nothing.
    #[error("Matcher '{owner}' does not contain any patterns")]
    NoPatterns {
        /// The matcher.
        owner: String,
    },
    /// `loop` where the runner has none.
    #[error("Only the last pattern in a multiline matcher may set 'loop'")]
    LoopNotLast,
    /// `loop` of a pattern that says nothing.
    #[error("The loop pattern must set 'message'")]
    LoopWithoutMessage,
    /// Two patterns give the same property.
    #[error("The property '{property}' is set twice")]
    SetTwice {
        /// The property.
        property: &'static str,
    },
    /// A group that the regular expression does not have.
    #[error("The property '{property}' is set to {group} which is out of range")]
    OutOfRange {
        /// The property.
        property: &'static str,
        /// The group.
        group: i64,
    },
    /// No pattern says anything.
    #[error("At least one pattern must set 'message'")]
    NoMessage,
    /// A regular expression that is none.
    #[error("Matcher '{owner}': the regular expression '{regexp}' cannot be read: {why}")]
    Expression {
        /// The matcher.
        owner: String,
        /// The expression.
        regexp: String,
        /// Why.
        why: String,
    },
}

#[derive(Deserialize)]
struct Written {
    #[serde(default, rename = "problemMatcher")]
    matchers: Option<Vec<WrittenMatcher>>,
}

#[derive(Deserialize)]
struct WrittenMatcher {
    owner: Option<String>,
    severity: Option<String>,
    #[serde(rename = "fromPath")]
    from_path: Option<String>,
    pattern: Option<Vec<WrittenPattern>>,
}

#[derive(Deserialize)]
struct WrittenPattern {
    regexp: Option<String>,
    file: Option<i64>,
    #[serde(rename = "fromPath")]
    from_path: Option<i64>,
    line: Option<i64>,
    column: Option<i64>,
    severity: Option<i64>,
    code: Option<i64>,
    message: Option<i64>,
    #[serde(default, rename = "loop")]
    is_loop: bool,
}

/// A problem matcher.
#[derive(Debug)]
pub(in crate::exec) struct Definition {
    /// Its name; compared without regard to case.
    pub(in crate::exec) owner: String,
    /// The severity of matches that have none of their own; empty is an error.
    pub(super) severity: String,
    /// The file from whose directory files are named, for matches that have none of their own.
    pub(super) from_path: String,
    /// What consecutive lines must look like; at least one.
    pub(super) patterns: Vec<Pattern>,
}

/// What one line must look like, and the groups that say something.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) expression: Expression,
    pub(super) groups: Groups,
    pub(super) is_loop: bool,
}

/// The groups that say something, each by its number.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Groups {
    pub(super) file: Option<usize>,
    pub(super) from_path: Option<usize>,
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    pub(super) severity: Option<usize>,
    pub(super) code: Option<usize>,
    pub(super) message: Option<usize>,
}

/// The matchers that a file defines, in its order; none where it has no `problemMatcher`.
///
/// # Errors
/// See [`MatcherError`]: then none of them is taken.
pub(in crate::exec) fn parse(text: &str) -> Result<Vec<Definition>, MatcherError> {
    let text = text.trim_start_matches('\u{feff}');
    let written: Written =
        serde_json::from_str(text).map_err(|error| MatcherError::Json(error.to_string()))?;
    let mut owners = HashSet::new();
    let mut definitions = Vec::new();
    for written in written.matchers.unwrap_or_default() {
        let definition = definition(written)?;
        if !owners.insert(definition.owner.to_uppercase()) {
            return Err(MatcherError::DuplicateOwner {
                owner: definition.owner,
            });
        }
        definitions.push(definition);
    }
    Ok(definitions)
}

fn definition(written: WrittenMatcher) -> Result<Definition, MatcherError> {
    let owner = written.owner.unwrap_or_default();
    if owner.is_empty() {
        return Err(MatcherError::NoOwner);
    }
    let severity = written.severity.unwrap_or_default();
    if !["", "ERROR", "WARNING", "NOTICE"].contains(&&*severity.to_uppercase()) {
        return Err(MatcherError::Severity { owner, severity });
    }
    let written_patterns = written.pattern.unwrap_or_default();
    let last = written_patterns.len().wrapping_sub(1);
    let mut seen = HashSet::new();
    let mut patterns = Vec::new();
    for (index, written) in written_patterns.into_iter().enumerate() {
        if written.is_loop && (index == 0 || index != last) {
            return Err(MatcherError::LoopNotLast);
        }
        if written.is_loop && written.message.is_none() {
            return Err(MatcherError::LoopWithoutMessage);
        }
        patterns.push(pattern(&owner, &written, &mut seen)?);
    }
    if patterns.is_empty() {
        return Err(MatcherError::NoPatterns { owner });
    }
    if !seen.contains("message") {
        return Err(MatcherError::NoMessage);
    }
    Ok(Definition {
        owner,
        severity,
        from_path: written.from_path.unwrap_or_default(),
        patterns,
    })
}

fn pattern(
    owner: &str,
    written: &WrittenPattern,
    seen: &mut HashSet<&'static str>,
) -> Result<Pattern, MatcherError> {
    let regexp = written.regexp.clone().unwrap_or_default();
    let expression = match Expression::new(&regexp) {
        Ok(expression) => expression,
        Err(why) => {
            let owner = owner.to_owned();
            return Err(MatcherError::Expression { owner, regexp, why });
        }
    };
    let mut group = |property: &'static str, group: Option<i64>| {
        let Some(group) = group else { return Ok(None) };
        if !seen.insert(property) {
            return Err(MatcherError::SetTwice { property });
        }
        let in_range = usize::try_from(group).ok();
        match in_range.filter(|group| *group < expression.groups()) {
            Some(group) => Ok(Some(group)),
            None => Err(MatcherError::OutOfRange { property, group }),
        }
    };
    let groups = Groups {
        file: group("file", written.file)?,
        from_path: group("fromPath", written.from_path)?,
        line: group("line", written.line)?,
        column: group("column", written.column)?,
        severity: group("severity", written.severity)?,
        code: group("code", written.code)?,
        message: group("message", written.message)?,
    };
    Ok(Pattern {
        expression,
        groups,
        is_loop: written.is_loop,
    })
}
