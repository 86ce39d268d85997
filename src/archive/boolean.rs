//! Booleans among the inputs of actions, as `core.getBooleanInput` reads them.

/// An input that is no boolean of YAML's core schema, in the toolkit's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Input does not meet YAML 1.2 \"Core Schema\" specification: {input}\nSupport boolean input list: `true | True | TRUE | false | False | FALSE`"
)]
pub struct NotABoolean {
    /// Its name.
    pub input: &'static str,
}

pub(super) fn boolean(input: &'static str, value: &str) -> Result<bool, NotABoolean> {
    match value {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(NotABoolean { input }),
    }
}
