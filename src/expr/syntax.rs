//! The compiled form of an expression.

use std::sync::Arc;

use super::function::Builtin;
use super::lexer::Comparison;
use super::value::Value;

/// An expression or a part of one. Never deeper than [`super::parser::MAX_DEPTH`].
#[derive(Debug, Clone)]
pub(super) enum Node {
    Literal(Value),
    /// A context, in the spelling of the schema.
    Context(Arc<str>),
    Call {
        function: Function,
        arguments: Vec<Node>,
    },
    Not(Box<Node>),
    /// Two operands or more; evaluation stops at the first false one.
    And(Vec<Node>),
    /// Two operands or more; evaluation stops at the first true one.
    Or(Vec<Node>),
    Compare {
        operator: Comparison,
        operands: Box<[Node; 2]>,
    },
    /// `target.key` and `target[key]`.
    Index {
        target: Box<Node>,
        key: Box<Node>,
    },
    /// `*` as a key.
    Wildcard,
}

/// What a call calls.
#[derive(Debug, Clone)]
pub(super) enum Function {
    /// One of the language's own.
    Builtin(&'static Builtin),
    /// One that the caller answers, in the spelling of the schema.
    Caller(Arc<str>),
}

impl Function {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Builtin(builtin) => builtin.name,
            Self::Caller(name) => name,
        }
    }
}

impl Node {
    /// The nodes directly below this one, in the order they are written.
    pub(super) fn children(&self) -> Vec<&Node> {
        match self {
            Self::Literal(_) | Self::Context(_) | Self::Wildcard => Vec::new(),
            Self::Call { arguments, .. } => arguments.iter().collect(),
            Self::Not(operand) => vec![operand],
            Self::And(operands) | Self::Or(operands) => operands.iter().collect(),
            Self::Compare { operands, .. } => operands.iter().collect(),
            Self::Index { target, key } => vec![target, key],
        }
    }

    /// Whether some call in the tree satisfies `test`.
    pub(super) fn any_call(&self, test: &impl Fn(&Function) -> bool) -> bool {
        let here = matches!(self, Self::Call { function, .. } if test(function));
        here || self.children().iter().any(|child| child.any_call(test))
    }

    /// Adds to `found` the paths by which contexts are used; see
    /// [`super::Expression::references`].
    pub(super) fn collect_references(&self, found: &mut Vec<Vec<String>>) {
        if let Some(path) = self.static_path() {
            found.push(path);
            return;
        }
        if let Self::Index { target, key } = self {
            target.collect_references(found);
            key.collect_references(found);
            return;
        }
        for child in self.children() {
            child.collect_references(found);
        }
    }

    /// `steps.cache.outputs['x']` as its names; none when this is anything but that.
    fn static_path(&self) -> Option<Vec<String>> {
        match self {
            Self::Context(name) => Some(vec![name.to_string()]),
            Self::Index { target, key } => {
                let Self::Literal(Value::String(name)) = &**key else {
                    return None;
                };
                let mut path = target.static_path()?;
                path.push(name.to_string());
                Some(path)
            }
            _ => None,
        }
    }
}
