//! `if`: what GitHub makes of the text.

use crate::expr::{Available, Expression};
use crate::source::Span;

use super::super::model::Condition;
use super::super::problems::Problems;
use super::super::schema::Schema;
use super::super::token::{Token, TokenKind};

/// The condition of an `if`, or `success()` at `otherwise`. `definition` names the schema's entry for it: contexts and
/// status functions that it may use. None if it cannot be compiled, which is reported.
pub(super) fn condition(
    token: Option<&Token>,
    otherwise: Span,
    (schema, definition): (&'static Schema, &str),
    problems: &mut Problems,
) -> Option<Condition> {
    let available = Available::from_schema(&schema.get(definition).context);
    let (span, text) = match token {
        Some(token) => (token.span, written(token)),
        None => (otherwise, String::new()),
    };
    match Expression::condition(&text, &available) {
        Ok(expression) => Some(Condition {
            text: if text.trim().is_empty() {
                "success()".to_owned()
            } else {
                text
            },
            expression,
            span,
        }),
        Err(error) => {
            problems.add(span, error.message);
            None
        }
    }
}

/// The condition of `pre-if` and `post-if` of an action: an expression as it stands, `always()` if there is none
/// (`ActionManifestManager.cs`).
pub(super) fn manifest_condition(
    token: Option<&Token>,
    otherwise: Span,
    problems: &mut Problems,
) -> Option<Condition> {
    let available = Available::from_schema(&Schema::action().get("runs-if").context);
    let span = token.map_or(otherwise, |token| token.span);
    let text = token.map_or_else(|| "always()".to_owned(), written);
    match Expression::parse(&text, &available) {
        Ok(expression) => Some(Condition {
            text,
            expression,
            span,
        }),
        Err(error) => {
            problems.add(span, error.message);
            None
        }
    }
}

fn written(token: &Token) -> String {
    match &token.kind {
        TokenKind::Expression(template) => template.to_expression(),
        _ => token.as_str().unwrap_or_default().to_owned(),
    }
}
