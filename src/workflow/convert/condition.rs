//! `if`: what GitHub makes of the text.

use std::borrow::Cow;

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
/// One that cannot be compiled is reported and taken for none, so that the rest can be checked.
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
    let asked = token.map(asked).filter(|text| !text.trim().is_empty());
    let asked = asked.unwrap_or(Cow::Borrowed(otherwise));
    let text = token.map_or("", written);
    let text = if text.trim().is_empty() {
        otherwise
    } else {
        text
    };
    let available = Available::from_schema(context);
    let compiled = |asked: &str| {
        parse(asked, &available).map(|expression| Condition {
            text: text.to_owned(),
            expression,
            span,
        })
    };
    match compiled(&asked) {
        Ok(condition) => Some(condition),
        Err(error) => {
            problems.add_expression(span, text, error, context.iter().copied());
            compiled(otherwise).ok()
        }
    }
}

/// The expression: what stands beside `${{ }}`, be it a space or the end of a block's line, makes a text of the whole, and
/// a text is true.
fn asked(token: &Token) -> Cow<'_, str> {
    match &token.kind {
        TokenKind::Expression(template) => Cow::Owned(template.to_expression()),
        _ => Cow::Borrowed(token.as_str().unwrap_or_default()),
    }
}

fn written(token: &Token) -> &str {
    match &token.kind {
        TokenKind::Expression(template) => template.text(),
        _ => token.as_str().unwrap_or_default(),
    }
}
