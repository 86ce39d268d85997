//! GitHub's expression language: what stands in `${{ }}` and behind `if:`.
//!
//! Text is compiled once, against what a key of the workflow may use ([`Available`]), into an
//! [`Expression`] or a [`Template`]; both are evaluated any number of times over a [`Contexts`].
//! Messages, positions, coercions and limits are those of the runner (`src/Sdk/Expressions` of
//! actions/runner) wherever GitHub's implementations differ.
//!
//! Not here: what a context holds, what `hashFiles` and the status functions answer, and where
//! in a file an expression was written. Nothing here does any input or output.

mod available;
mod coercion;
mod error;
mod evaluation;
mod expression;
mod function;
mod json;
mod lexer;
mod memory;
mod number;
mod object;
mod parser;
mod syntax;
mod template;
mod value;

pub use available::Available;
pub use coercion::{equals, same_text, to_number};
pub use error::{CallError, EvaluationError, InvalidJson, ParseError, ParseErrorKind};
pub use expression::Expression;
pub use function::function_names;
pub use object::{Case, Object};
pub use template::{Piece, Template};
pub use value::Value;

/// Where an evaluation takes its facts from.
pub trait Contexts {
    /// The context of this name, spelled as the [`Available`] spelled it; null where there is
    /// none. Asked twice during one evaluation it must give the same arrays and objects, not
    /// copies: they are equal by identity.
    ///
    /// # Errors
    /// [`CallError::Pending`] where it is not known yet: before a run, or before a job.
    fn context(&self, name: &str) -> Result<Value, CallError>;

    /// What a function answers that is not part of the language: `hashFiles` and the status
    /// functions, spelled as the [`Available`] spelled them.
    ///
    /// # Errors
    /// [`CallError::Pending`] where the answer has to be fetched first: the caller of the
    /// evaluation fetches it and evaluates again.
    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, CallError>;
}
