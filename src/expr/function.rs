//! The functions every expression has. One more is one function and one line of [`BUILTINS`].
//!
//! Arguments are evaluated when a function asks for them, so that what it never looks at never
//! fails. The rules are those of `src/Sdk/Expressions/Sdk/Functions` of the runner.

use super::available::Arity;
use super::coercion::{contains_text, ends_with, equals, same_text, starts_with};
use super::error::EvaluationError;
use super::evaluation::Arguments;
use super::json;
use super::value::Value;

/// A function of the language.
#[derive(Debug)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) arity: Arity,
    /// Whether it takes an odd number of arguments only.
    pub(super) odd: bool,
    pub(super) body: Body,
}

type Body = fn(&mut Arguments<'_, '_>) -> Result<Value, EvaluationError>;

const MAX_ARGUMENTS: usize = 255;

static BUILTINS: [Builtin; 8] = [
    Builtin {
        odd: true,
        ..builtin("case", 3, MAX_ARGUMENTS, case)
    },
    builtin("contains", 2, 2, contains),
    builtin("endsWith", 2, 2, ends_with_text),
    builtin("format", 1, MAX_ARGUMENTS, format),
    builtin("fromJSON", 1, 1, from_json),
    builtin("join", 1, 2, join),
    builtin("startsWith", 2, 2, starts_with_text),
    builtin("toJSON", 1, 1, to_json),
];

const fn builtin(name: &'static str, min: usize, max: usize, body: Body) -> Builtin {
    Builtin {
        name,
        arity: Arity { min, max },
        odd: false,
        body,
    }
}

impl Builtin {
    /// The function of this name in any case.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        BUILTINS.iter().find(|known| same_text(known.name, name))
    }
}

/// The names of the functions that every expression has.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|known| known.name)
}

fn case(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    let default = arguments.len() - 1;
    for predicate in (0..default).step_by(2) {
        match arguments.get(predicate)? {
            Value::Bool(true) => return arguments.hand_on(predicate + 1),
            Value::Bool(false) => {}
            _ => return Err(EvaluationError::CasePredicate),
        }
    }
    arguments.hand_on(default)
}

fn contains(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    let found = match arguments.get(0)? {
        Value::Object(_) => false,
        Value::Array(elements) if elements.is_empty() => false,
        Value::Array(elements) => {
            let wanted = arguments.get(1)?;
            elements.iter().any(|element| equals(element, &wanted))
        }
        text => {
            let wanted = arguments.get(1)?;
            wanted.is_primitive() && contains_text(&text.to_text(), &wanted.to_text())
        }
    };
    Ok(found.into())
}

fn starts_with_text(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    both_texts(arguments, starts_with)
}

fn ends_with_text(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    both_texts(arguments, ends_with)
}

/// False where either argument is a collection.
fn both_texts(
    arguments: &mut Arguments<'_, '_>,
    test: fn(&str, &str) -> bool,
) -> Result<Value, EvaluationError> {
    let text = arguments.get(0)?;
    if !text.is_primitive() {
        return Ok(false.into());
    }
    let wanted = arguments.get(1)?;
    let holds = wanted.is_primitive() && test(&text.to_text(), &wanted.to_text());
    Ok(holds.into())
}

fn join(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    let elements = match arguments.get(0)? {
        Value::Array(elements) => elements,
        Value::Object(_) => return Ok("".into()),
        primitive => return Ok(primitive.to_text().into()),
    };
    let mut separator = ",".into();
    if elements.len() > 1 && arguments.len() > 1 {
        let given = arguments.get(1)?;
        if given.is_primitive() {
            separator = given.to_text();
        }
    }
    let mut text = String::new();
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            arguments.append(&mut text, &separator)?;
        }
        arguments.append(&mut text, &element.to_text())?;
    }
    Ok(text.into())
}

fn to_json(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    Ok(json::write(&arguments.get(0)?).into())
}

fn from_json(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    let text = arguments.get(0)?.to_text();
    let value = json::read(&text).map_err(EvaluationError::InvalidJson)?;
    arguments.count_inside(&value)?;
    Ok(value)
}

fn format(arguments: &mut Arguments<'_, '_>) -> Result<Value, EvaluationError> {
    let format = arguments.get(0)?.to_text();
    let invalid = || EvaluationError::InvalidFormat {
        format: format.to_string(),
    };
    let mut text = String::new();
    let mut rest = &*format;
    while let Some(at) = rest.find(['{', '}']) {
        arguments.append(&mut text, &rest[..at])?;
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let (index, after) = after.split_once('}').ok_or_else(invalid)?;
        if brace == "}" || !index.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        // Argument 0 of the call is the format itself.
        let index = usize::from(index.parse::<u8>().map_err(|_| invalid())?) + 1;
        if index >= arguments.len() {
            return Err(EvaluationError::TooFewFormatArguments {
                format: format.to_string(),
            });
        }
        let argument = arguments.get(index)?.to_text();
        arguments.append(&mut text, &argument)?;
        rest = after;
    }
    arguments.append(&mut text, rest)?;
    Ok(text.into())
}
