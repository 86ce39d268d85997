//! The tree that a file becomes.

use std::sync::Arc;

use crate::source::{Located, Span};

/// A value and the place GitHub names for it: where its tag, its anchor, its block header or its text begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// From there to the end of the value.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// The three kinds of nodes. An alias is replaced by what it stands for, and shares it.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// One value.
    Scalar(Scalar),
    /// Items in order.
    Sequence(Arc<[Node]>),
    /// Entries in order; keys may repeat.
    Mapping(Arc<[Entry]>),
}

/// One `key: value` of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, always a scalar.
    pub key: Located<Scalar>,
    /// The value.
    pub value: Node,
}

/// A scalar, typed by the core schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Every number, integers too.
    Number(f64),
    /// Everything else, and everything quoted; escapes, folding and chomping done.
    String(Arc<str>),
}
