//! GitHub's template tokens: a document whose keys and types were checked, with its expressions compiled.

use std::sync::Arc;

use crate::expr::{Template, Value};
use crate::source::{Located, Span};

/// A value of a workflow or action file and the place GitHub names for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Where it was written.
    pub span: Span,
    /// What it is.
    pub kind: TokenKind,
}

/// What a [`Token`] can be.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Literal text. Where the schema wants a string, null, booleans and numbers have become one.
    String(Arc<str>),
    /// Text with `${{ }}` in it.
    Expression(Template),
    /// Items in order.
    Sequence(Vec<Token>),
    /// Pairs in order.
    Mapping(Vec<Pair>),
}

/// One `key: value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Token,
}

/// The key of a [`Pair`].
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A name. In one mapping no two are equal, letter case aside.
    Name(Located<Arc<str>>),
    /// A name that is known when the job runs.
    Expression(Located<Template>),
    /// `${{ insert }}`: the pairs of the value take its place.
    Insert(Span),
}

impl Key {
    /// Where it was written.
    pub fn span(&self) -> Span {
        match self {
            Self::Name(name) => name.span,
            Self::Expression(template) => template.span,
            Self::Insert(span) => *span,
        }
    }

    /// The name of a literal key.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(&name.value),
            _ => None,
        }
    }
}

impl Token {
    pub(super) fn new(span: Span, kind: TokenKind) -> Self {
        Self { span, kind }
    }

    /// The text of a literal string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// Where the keys of a mapping begin.
    pub(super) fn key_starts(&self) -> Vec<usize> {
        let pairs = self.as_mapping().unwrap_or_default();
        pairs.iter().map(|pair| pair.key.span().start).collect()
    }

    /// The items of a sequence.
    pub fn as_sequence(&self) -> Option<&[Token]> {
        match &self.kind {
            TokenKind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs of a mapping.
    pub fn as_mapping(&self) -> Option<&[Pair]> {
        match &self.kind {
            TokenKind::Mapping(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Where a mapping has its first key that is known later only, or the whole of it is; none if all keys are written out.
    pub fn first_late_key(&self) -> Option<Span> {
        let Some(pairs) = self.as_mapping() else {
            return Some(self.span);
        };
        let late = pairs.iter().find(|pair| pair.key.name().is_none());
        late.map(|pair| pair.key.span())
    }

    /// The value of a literal key, as the schema spells it.
    pub fn get(&self, key: &str) -> Option<&Token> {
        let mut pairs = self.as_mapping()?.iter();
        pairs
            .find(|pair| pair.key.name() == Some(key))
            .map(|pair| &pair.value)
    }

    /// The sequence's items, or the value itself where one stands for a list of one.
    pub fn items(&self) -> &[Token] {
        self.as_sequence().unwrap_or(std::slice::from_ref(self))
    }

    /// Calls `visit` with every template in it, keys too, and where it was written.
    pub fn for_each_template<'t>(&'t self, visit: &mut dyn FnMut(&'t Template, Span)) {
        match &self.kind {
            TokenKind::Expression(template) => visit(template, self.span),
            TokenKind::Sequence(items) => {
                items.iter().for_each(|item| item.for_each_template(visit));
            }
            TokenKind::Mapping(pairs) => {
                for pair in pairs {
                    if let Key::Expression(key) = &pair.key {
                        visit(&key.value, key.span);
                    }
                    pair.value.for_each_template(visit);
                }
            }
            _ => {}
        }
    }

    /// The literal scalar as a value; none for expressions and collections.
    pub fn scalar(&self) -> Option<Value> {
        Some(match &self.kind {
            TokenKind::Null => Value::Null,
            TokenKind::Bool(value) => Value::Bool(*value),
            TokenKind::Number(number) => Value::Number(*number),
            TokenKind::String(text) => Value::String(Arc::clone(text)),
            _ => return None,
        })
    }
}
