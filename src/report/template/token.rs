//! Tokens, with or without their places.

use serde_json::{Value, json};

use super::Members;
use crate::expr::Template;
use crate::source::{Located, Source, Span};
use crate::workflow::{Condition, Key, Pair, Token, TokenKind};

/// The numbers of the kinds of tokens (`TokenType.cs` in actions/runner).
const STRING: u8 = 0;
const SEQUENCE: u8 = 1;
const MAPPING: u8 = 2;
const EXPRESSION: u8 = 3;
const INSERT: u8 = 4;
const BOOLEAN: u8 = 5;
const NUMBER: u8 = 6;
const NULL: u8 = 7;

/// Writes the tokens of one file.
pub(super) struct Tokens<'s> {
    pub(super) source: &'s Source,
    /// The file's number where places are written.
    pub(super) file: Option<usize>,
}

impl Tokens<'_> {
    pub(super) fn optional(&self, token: Option<&Token>) -> Option<Value> {
        token.map(|token| self.token(token))
    }

    pub(super) fn token(&self, token: &Token) -> Value {
        match &token.kind {
            TokenKind::Null => self.literal(NULL, token.span, "", Value::Null),
            TokenKind::Bool(value) => self.literal(BOOLEAN, token.span, "bool", json!(value)),
            TokenKind::Number(value) => self.literal(NUMBER, token.span, "num", number(*value)),
            TokenKind::String(text) => self.string(text, token.span),
            TokenKind::Expression(template) => self.expression(template, token.span),
            TokenKind::Sequence(items) => {
                let items: Vec<Value> = items.iter().map(|item| self.token(item)).collect();
                self.object(SEQUENCE, token.span, "seq", json!(items))
            }
            TokenKind::Mapping(pairs) => {
                let pairs: Vec<Value> = pairs.iter().map(|pair| self.pair(pair)).collect();
                self.object(MAPPING, token.span, "map", json!(pairs))
            }
        }
    }

    fn pair(&self, Pair { key, value }: &Pair) -> Value {
        let key = match key {
            Key::Name(name) => self.string(&name.value, name.span),
            Key::Expression(template) => self.expression(&template.value, template.span),
            Key::Insert(span) => self.object(INSERT, *span, "directive", json!("insert")),
        };
        json!({"Key": key, "Value": self.token(value)})
    }

    fn expression(&self, template: &Template, span: Span) -> Value {
        self.object(EXPRESSION, span, "expr", json!(template.to_expression()))
    }

    /// A condition; one that nobody wrote (`owner` is its place) has no place.
    pub(super) fn condition(&self, condition: &Condition, owner: Span) -> Value {
        let text = json!(condition.expression.text());
        match condition.span == owner {
            true => json!({"type": EXPRESSION, "expr": text}),
            false => self.object(EXPRESSION, condition.span, "expr", text),
        }
    }

    pub(super) fn located(&self, text: &Located<String>) -> Value {
        self.string(&text.value, text.span)
    }

    fn string(&self, text: &str, span: Span) -> Value {
        self.literal(STRING, span, "lit", json!(text))
    }

    fn literal(&self, kind: u8, span: Span, name: &str, value: Value) -> Value {
        match self.file {
            Some(_) => self.object(kind, span, name, value),
            None => value,
        }
    }

    fn object(&self, kind: u8, span: Span, name: &str, value: Value) -> Value {
        let mut members = Members::default();
        members.put("type", json!(kind));
        if let Some(file) = self.file {
            let position = self.source.position(span.start);
            members.put("file", json!(file));
            members.put("line", json!(position.line));
            members.put("col", json!(position.column));
        }
        if !name.is_empty() {
            members.put(name, value);
        }
        members.into_value()
    }
}

/// JSON has no infinities: they are texts. A whole number has no point.
pub(super) fn number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number {
        _ if number.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ if number.fract() == 0.0 && number.abs() <= EXACT => json!(number as i64),
        _ => json!(number),
    }
}
