//! Text with `${{ }}` in it (`TemplateReader.cs` of the runner).

use std::cell::RefCell;
use std::sync::Arc;

use super::Contexts;
use super::available::Available;
use super::error::{CallError, EvaluationError, ParseError};
use super::expression::Expression;
use super::parser::{check_length, plain};
use super::value::Value;

const OPEN: &str = "${{";
const CLOSE: &str = "}}";

const NOT_CLOSED: &str = "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.";
const INSERT: &str = "insert";
const INSERT_NOT_ALLOWED: &str = "The directive 'insert' is not allowed in this context. Directives are not supported for expressions that are embedded within a string. Directives are only supported when the entire value is an expression.";

/// A text with at least one `${{ }}`. Values of each expression may take 10 MiB.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: Arc<str>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(String),
    Expression(Expression),
}

/// What one part of a template came to, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The expression; none for the text between.
    pub expression: Option<String>,
    /// Its value as text.
    pub value: String,
    /// The functions of the caller that were called for it and answered, with their arguments.
    pub calls: Vec<(String, Vec<Value>)>,
}

impl Template {
    /// Compiles a text; none when there is no `${{` in it.
    ///
    /// # Errors
    /// In GitHub's words. The offset counts from the start of the whole text, the position in
    /// the message from the start of the expression.
    pub fn parse(text: &str, available: &Available) -> Result<Option<Self>, ParseError> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find(OPEN).map(|found| at + found) {
            if open > at {
                parts.push(Part::Literal(text[at..open].to_owned()));
            }
            let inner = open + OPEN.len();
            let length = closing(&text[inner..]).ok_or_else(|| ParseError {
                offset: open,
                ..plain(NOT_CLOSED)
            })?;
            at = inner + length + CLOSE.len();
            let expression = &text[inner..inner + length];
            let trimmed = expression.trim();
            let shift = inner + expression.len() - expression.trim_start().len();
            if trimmed == INSERT && !(open == 0 && at == text.len()) {
                return Err(ParseError {
                    offset: open,
                    ..plain(INSERT_NOT_ALLOWED)
                });
            }
            let expression =
                Expression::in_template(trimmed, available).map_err(|error| ParseError {
                    offset: shift + error.offset,
                    ..error
                })?;
            parts.push(Part::Expression(expression));
        }
        if parts.is_empty() {
            return Ok(None);
        }
        if at < text.len() {
            parts.push(Part::Literal(text[at..].to_owned()));
        }
        let template = Self {
            text: text.into(),
            parts,
        };
        if template.lone().is_none() {
            check_length(&template.to_expression())?;
        }
        Ok(Some(template))
    }

    /// Whether a text is `${{ insert }}`: as a key, it merges the mapping that is its value.
    pub fn is_insert(text: &str) -> bool {
        text.strip_prefix(OPEN)
            .and_then(|rest| rest.strip_suffix(CLOSE))
            .is_some_and(|inner| inner.trim() == INSERT)
    }

    /// The expression when there is nothing else.
    fn lone(&self) -> Option<&Expression> {
        match &*self.parts {
            [Part::Expression(expression)] => Some(expression),
            _ => None,
        }
    }

    /// The value: of an expression alone as it is, otherwise a text, in which null is empty and
    /// a collection is `Array` or `Object`.
    ///
    /// # Errors
    /// Those of its expressions.
    pub fn evaluate(&self, contexts: &dyn Contexts) -> Result<Value, EvaluationError> {
        if let Some(expression) = self.lone() {
            return expression.evaluate(contexts);
        }
        let pieces = self.evaluate_pieces(contexts)?;
        Ok(pieces
            .into_iter()
            .map(|piece| piece.value)
            .collect::<String>()
            .into())
    }

    /// The value where GitHub wants a text.
    ///
    /// # Errors
    /// Also when it is a collection: an expression alone may give one.
    pub fn evaluate_text(&self, contexts: &dyn Contexts) -> Result<String, EvaluationError> {
        let pieces = self.evaluate_pieces(contexts)?;
        Ok(pieces.into_iter().map(|piece| piece.value).collect())
    }

    /// The value where GitHub wants a text, part by part, with what it was made of.
    ///
    /// # Errors
    /// Also when it is a collection: an expression alone may give one.
    pub fn evaluate_pieces(&self, contexts: &dyn Contexts) -> Result<Vec<Piece>, EvaluationError> {
        let lone = self.lone().is_some();
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Ok(Piece {
                    expression: None,
                    value: text.clone(),
                    calls: Vec::new(),
                }),
                Part::Expression(expression) => piece(expression, contexts, lone),
            })
            .collect()
    }

    /// The text as far as it is known: `unknown` stands for each expression that has no value yet.
    pub fn evaluate_known(&self, contexts: &dyn Contexts, unknown: char) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Expression(expression) => match expression.evaluate(contexts) {
                Ok(value) => value.to_text().to_string(),
                Err(_) => unknown.to_string(),
            },
        };
        self.parts.iter().map(part).collect()
    }

    /// The whole text it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its expressions, in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Literal(_) => None,
        })
    }

    /// The one expression that GitHub makes of it: with text around, `format('…{0}…', …)`.
    pub fn to_expression(&self) -> String {
        if let Some(expression) = self.lone() {
            return expression.text().to_owned();
        }
        let mut format = String::new();
        let mut arguments = String::new();
        let mut count = 0;
        for part in &self.parts {
            match part {
                Part::Literal(text) => {
                    let escaped = text.replace('\'', "''");
                    format.push_str(&escaped.replace('{', "{{").replace('}', "}}"));
                }
                Part::Expression(expression) => {
                    format.push_str(&format!("{{{count}}}"));
                    arguments.push_str(", ");
                    arguments.push_str(expression.text());
                    count += 1;
                }
            }
        }
        format!("format('{format}'{arguments})")
    }
}

/// Bytes before the `}}` that ends an expression: not inside a text.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut in_text = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => in_text = !in_text,
            b'}' if !in_text && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
    }
    None
}

fn piece(
    expression: &Expression,
    contexts: &dyn Contexts,
    must_be_text: bool,
) -> Result<Piece, EvaluationError> {
    let recording = Recording {
        contexts,
        calls: RefCell::default(),
    };
    let value = expression.evaluate(&recording)?;
    if must_be_text && !value.is_primitive() {
        return Err(EvaluationError::ExpectedString);
    }
    Ok(Piece {
        expression: Some(expression.text().to_owned()),
        value: value.to_text().to_string(),
        calls: recording.calls.into_inner(),
    })
}

/// Contexts that remember what was called.
struct Recording<'a> {
    contexts: &'a dyn Contexts,
    calls: RefCell<Vec<(String, Vec<Value>)>>,
}

impl Contexts for Recording<'_> {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        self.contexts.context(name)
    }

    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let value = self.contexts.call(function, arguments)?;
        self.calls
            .borrow_mut()
            .push((function.to_owned(), arguments.to_vec()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Object;

    /// `hashFiles` knows one answer.
    struct Run;

    impl Contexts for Run {
        fn context(&self, name: &str) -> Result<Value, CallError> {
            let runner = [("os".to_owned(), "Linux".into())];
            Ok(match name {
                "runner" => Object::from_iter(runner).into(),
                _ => Value::Null,
            })
        }

        fn call(&self, _: &str, arguments: &[Value]) -> Result<Value, CallError> {
            match &*arguments[0].to_text() {
                "**/Cargo.lock" => Ok("9f3c".into()),
                _ => Err(CallError::Pending),
            }
        }
    }

    fn available() -> Available {
        Available::from_schema(&["runner", "matrix", "hashFiles(1,255)"])
    }

    fn template(text: &str) -> Template {
        Template::parse(text, &available())
            .expect("it compiles")
            .expect("it has an expression")
    }

    #[test]
    fn a_key_is_evaluated_piece_by_piece() {
        let key = template("cargo-${{ runner.os }}-${{ hashFiles('**/Cargo.lock') }}");
        let pieces = key.evaluate_pieces(&Run).expect("it has a value");
        let values: Vec<_> = pieces.iter().map(|piece| &*piece.value).collect();
        assert_eq!(values, ["cargo-", "Linux", "-", "9f3c"]);
        assert_eq!(pieces[1].expression.as_deref(), Some("runner.os"));
        let call = ("hashFiles".to_owned(), vec!["**/Cargo.lock".into()]);
        assert_eq!(pieces[3].calls, [call]);
        assert_eq!(key.evaluate(&Run), Ok("cargo-Linux-9f3c".into()));
    }

    #[test]
    fn what_is_not_there_yet_is_named_with_its_arguments() {
        let pending = template("a-${{ hashFiles(format('{0}.lock', runner.os)) }}").evaluate(&Run);
        let expected = EvaluationError::Pending {
            function: "hashFiles".to_owned(),
            arguments: vec!["Linux.lock".into()],
        };
        assert_eq!(pending, Err(expected));
    }

    #[test]
    fn an_expression_alone_keeps_its_type() {
        assert_eq!(template("${{ 1 }}").evaluate(&Run), Ok(1.0.into()));
        assert_eq!(template("${{ 1 }}").evaluate_text(&Run), Ok("1".to_owned()));
        assert_eq!(template(" ${{ 1 }}").evaluate(&Run), Ok(" 1".into()));
        assert_eq!(
            template("${{ runner }}!").evaluate_text(&Run),
            Ok("Object!".to_owned())
        );
        let collection = template("${{ runner }}").evaluate_text(&Run);
        assert_eq!(collection, Err(EvaluationError::ExpectedString));
    }

    #[test]
    fn text_around_expressions_becomes_a_format_call() {
        let text = "it's {${{ matrix.a }}} ${{ '}}' }}";
        let expression = "format('it''s {{{0}}} {1}', matrix.a, '}}')";
        assert_eq!(template(text).to_expression(), expression);
        assert_eq!(template("${{ '}}' }}").to_expression(), "'}}'");
    }

    #[test]
    fn texts_that_do_not_compile_are_placed() {
        let refused = |text: &str| {
            let error = Template::parse(text, &available()).expect_err(text);
            (error.offset, error.message)
        };
        assert_eq!(refused("ab ${{ 'x }}").0, 3);
        assert_eq!(refused("ab ${{ 'x }}").1, NOT_CLOSED);
        assert_eq!(refused("a ${{ insert }}").1, INSERT_NOT_ALLOWED);
        assert_eq!(refused("${{}}").1, "An expression was expected");
        let message =
            "Unrecognized named-value: 'env'. Located at position 1 within expression: env.A";
        assert_eq!(refused("é ${{  env.A }}"), (8, message.to_owned()));
        let long = format!("{}${{{{ 1 }}}}", "x".repeat(21_000));
        assert_eq!(refused(&long).1, "Exceeded max expression length 21000");
        assert_eq!(Template::parse("no expression }}", &available()), Ok(None));
    }

    #[test]
    fn insert_is_a_key_of_its_own() {
        assert!(Template::is_insert("${{insert }}"));
        assert!(!Template::is_insert("${{ inserted }}"));
    }
}
