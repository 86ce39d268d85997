//! A scalar's type: by its tag, or by its form if it is plain.

use granit_parser::{ScalarStyle, Tag};

use super::core_schema::{self, CoreType};
use super::error::Problem;
use super::node::Scalar;
use crate::source::Position;

/// What is wrong with a scalar, before it is said where.
pub(super) enum Untyped {
    /// Not a value of this type.
    Value(CoreType),
    /// Quoted or a block, and tagged with this type.
    Style(CoreType),
    /// A tag that GitHub does not know.
    Tag(String),
}

/// The value of a scalar's text.
pub(super) fn typed(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar, Untyped> {
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => core_schema::implicit(text).map_err(Untyped::Value),
            _ => Ok(Scalar::String(text.into())),
        };
    };
    let core_type = core_type(tag)?;
    if style != ScalarStyle::Plain && core_type != CoreType::Str {
        return Err(Untyped::Style(core_type));
    }
    core_schema::explicit(text, core_type).ok_or(Untyped::Value(core_type))
}

/// Whether a scalar stands below a `|` or `>`.
pub(super) fn is_block(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
}

impl Untyped {
    /// The whole problem.
    pub(super) fn at(self, text: &str, style: ScalarStyle, position: Position) -> Problem {
        let Position { line, column } = position;
        match self {
            Self::Value(kind) => {
                let (value, kind) = (text.to_owned(), kind.suffix());
                Problem::InvalidValue {
                    value,
                    line,
                    column,
                    kind,
                }
            }
            Self::Style(kind) => {
                let (style, kind) = (style_name(style), kind.suffix());
                Problem::InvalidStyle {
                    style,
                    line,
                    column,
                    kind,
                }
            }
            Self::Tag(tag) => Problem::UnexpectedTag { tag },
        }
    }
}

fn core_type(tag: &Tag) -> Result<CoreType, Untyped> {
    // `!!bool` and `!<tag:yaml.org,2002:bool>` are cut into handle and suffix at different places.
    let tag = format!("{}{}", tag.handle(), tag.suffix());
    tag.strip_prefix("tag:yaml.org,2002:")
        .and_then(CoreType::from_suffix)
        .ok_or(Untyped::Tag(tag))
}

fn style_name(style: ScalarStyle) -> &'static str {
    match style {
        ScalarStyle::Plain => "Plain",
        ScalarStyle::SingleQuoted => "SingleQuoted",
        ScalarStyle::DoubleQuoted => "DoubleQuoted",
        ScalarStyle::Literal => "Literal",
        ScalarStyle::Folded => "Folded",
    }
}
