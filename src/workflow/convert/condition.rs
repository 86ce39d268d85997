//! `if`: what GitHub makes of the text.

use crate::expr::{Available, Expression, ParseError};
use crate::source::Span;

use crate::workflow::model::Condition;
use crate::workflow::problems::Problems;
use crate::workflow::schema::Schema;
use crate::workflow::token::{Token, TokenKind};

/// Where a condition stands, and what it may use: the schema's definition of its key.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) schema: &'static Schema,
    pub(super) definition: &'static str,
    /// What has the condition, to be named when there is none.
    pub(super) owner: Span,
}

/// The condition of a job or step: `success() && (…)` where no status function is called, `success()` if there is none.
/// None if it cannot be compiled, which is reported.
pub(super) fn condition(
    token: Option<&Token>,
    place: Place,
    problems: &mut Problems,
) -> Option<Condition> {
    compile(token, place, "success()", Expression::condition, problems)
}

/// The condition of `pre-if` and `post-if` of an action: as it stands, `always()` if there is none
/// (`ActionManifestManager.cs`).
pub(super) fn hook_condition(
    token: Option<&Token>,
    owner: Span,
    problems: &mut Problems,
) -> Option<Condition> {
    let (schema, definition) = (Schema::action(), "runs-if");
    let place = Place {
        schema,
        definition,
        owner,
    };
    compile(token, place, "always()", Expression::parse, problems)
}

fn compile(
    token: Option<&Token>,
    place: Place,
    otherwise: &str,
    parse: fn(&str, &Available) -> Result<Expression, ParseError>,
    problems: &mut Problems,
) -> Option<Condition> {
    let context = &place.schema.get(place.definition).context;
    let span = token.map_or(place.owner, |token| token.span);
    let written = token.map(written).filter(|text| !text.trim().is_empty());
    let text = written.unwrap_or(otherwise);
    match parse(text, &Available::from_schema(context)) {
        Ok(expression) => Some(Condition {
            text: text.to_owned(),
            expression,
            span,
        }),
        Err(error) => {
            problems.add_expression(span, text, error, context.iter().copied());
            None
        }
    }
}

fn written(token: &Token) -> &str {
    match &token.kind {
        TokenKind::Expression(template) => template.text(),
        _ => token.as_str().unwrap_or_default(),
    }
}
