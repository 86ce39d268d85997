//! What can be wrong with an expression, in GitHub's words.

use super::value::Value;

/// Which reader of GitHub's refuses the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// Characters that form no symbol.
    Lexing,
    /// Symbols that form no expression, or one that may not stand here.
    Parsing,
}

/// An expression that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// GitHub's whole wording, with the position (from one) and the expression.
    pub message: String,
    /// Bytes before the place the message is about, in the text that was handed in.
    pub offset: usize,
    /// GitHub's position of that place in the expression, from one in UTF-16 units; none when
    /// the message is about the whole of it.
    pub position: Option<usize>,
    /// Who refuses it.
    pub kind: ParseErrorKind,
}

/// Why a function of the caller has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// It is not there yet.
    Pending,
    /// There is none; the text is GitHub's.
    Failed(String),
}

/// An expression that has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// A function or a context of the caller must be answered first; evaluate again once it is.
    #[error("the value of {function} is not known yet")]
    Pending {
        /// The function or context, as [`super::Available`] spells it.
        function: String,
        /// What it is called with.
        arguments: Vec<Value>,
    },
    /// A function of the caller failed.
    #[error("{message}")]
    Failed {
        /// The function, as [`super::Available`] spells it.
        function: String,
        /// GitHub's words.
        message: String,
    },
    /// The first argument of `format` has a brace that is neither doubled nor part of `{N}`.
    #[error("The following format string is invalid: {format}")]
    InvalidFormat {
        /// The argument.
        format: String,
    },
    /// The first argument of `format` names an argument that was not given.
    #[error("The following format string references more arguments than were supplied: {format}")]
    TooFewFormatArguments {
        /// The argument.
        format: String,
    },
    /// A predicate of `case` is no Boolean; nothing is coerced there.
    #[error("case predicate must evaluate to a boolean value")]
    CasePredicate,
    /// The argument of `fromJSON` is no JSON.
    #[error(transparent)]
    InvalidJson(#[from] InvalidJson),
    /// Values alive at one time take more than the expression may use.
    #[error("The maximum allowed memory size was exceeded")]
    Memory,
    /// A text was wanted and there is an array or an object.
    #[error("Expected a string")]
    ExpectedString,
}

/// A text that Newtonsoft's reader refuses, in its words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}. Path '', line {line}, position {position}.")]
pub struct InvalidJson {
    /// What is wrong.
    pub what: String,
    /// The line, from one; zero in an empty text.
    pub line: usize,
    /// Characters before it in the line.
    pub position: usize,
}
