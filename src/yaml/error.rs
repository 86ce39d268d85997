//! What ends the reading of a file. The wording is GitHub's where GitHub has one.

use crate::source::Span;

/// Why a file could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Error {
    /// The place in the file.
    pub span: Span,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a file before its keys mean anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file has more characters than [`super::Limits::characters`].
    #[error("The maximum file size of {limit} characters has been exceeded")]
    TooLong {
        /// How many it may have.
        limit: usize,
    },
    /// Collections are nested deeper than [`super::Limits::depth`].
    #[error("Maximum object depth exceeded")]
    TooDeep,
    /// Aliases stand for more nodes than [`super::Limits::replayed_nodes`].
    #[error("The aliases of this file stand for more than {limit} nodes")]
    TooManyNodes {
        /// How many they may stand for.
        limit: usize,
    },
    /// The parser's own complaint.
    #[error("{0}")]
    Syntax(String),
    /// An alias inside the node it stands for.
    #[error("Recursive alias '{name}': a node cannot contain itself")]
    RecursiveAlias {
        /// The alias with its `*`.
        name: String,
    },
    /// A tag that is none of bool, float, int, null and str.
    #[error("Unexpected tag '{tag}'")]
    UnexpectedTag {
        /// The whole tag.
        tag: String,
    },
    /// A scalar that cannot have the type its tag or its form asks for.
    #[error(
        "The value '{value}' on line {line} and column {column} is invalid for the type 'tag:yaml.org,2002:{kind}'"
    )]
    InvalidValue {
        /// The scalar's text.
        value: String,
        /// Its line.
        line: u32,
        /// Its column.
        column: u32,
        /// The suffix of the tag.
        kind: &'static str,
    },
    /// A quoted or block scalar with a tag other than str.
    #[error(
        "The scalar style '{style}' on line {line} and column {column} is not valid with the tag 'tag:yaml.org,2002:{kind}'"
    )]
    InvalidStyle {
        /// `SingleQuoted`, `DoubleQuoted`, `Literal` or `Folded`.
        style: &'static str,
        /// The scalar's line.
        line: u32,
        /// Its column.
        column: u32,
        /// The suffix of the tag.
        kind: &'static str,
    },
    /// A sequence or a mapping as a key.
    #[error("A scalar value was expected as key")]
    KeyNotScalar,
    /// A second `---`.
    #[error("Expected the end of the file, found another document")]
    SecondDocument,
}
