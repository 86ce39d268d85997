//! The pairs of a mapping with known keys, taken one by one.

use std::sync::Arc;

use crate::source::{Located, Span};

use crate::workflow::problems::Problems;
use crate::workflow::token::{Key, Token, TokenKind};

/// What is left of a mapping.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pairs: Vec<(Arc<str>, Token)>,
}

impl Fields {
    /// The pairs of a mapping. An expression in its place, or among its keys, is reported: lrun has no use for keys that
    /// are known later only.
    pub(super) fn of(token: Token, problems: &mut Problems) -> Self {
        let late = token.first_late_key();
        if let Some(span) = late {
            cannot_wait(span, problems);
        }
        let TokenKind::Mapping(pairs) = token.kind else {
            return Self::default();
        };
        let named = pairs.into_iter().filter_map(|pair| match pair.key {
            Key::Name(name) => Some((name.value, pair.value)),
            Key::Expression(_) | Key::Insert(_) => None,
        });
        let pairs = named.collect();
        Self { pairs }
    }

    /// The value of a key, once.
    pub(super) fn take(&mut self, key: &str) -> Option<Token> {
        let index = self.pairs.iter().position(|(name, _)| &**name == key)?;
        Some(self.pairs.swap_remove(index).1)
    }

    /// The value of a key unless it is the empty string.
    pub(super) fn take_filled(&mut self, key: &str) -> Option<Token> {
        self.take(key).filter(|token| token.as_str() != Some(""))
    }

    /// The literal string of a key.
    pub(super) fn take_string(&mut self, key: &str) -> Option<Located<String>> {
        self.take(key).as_ref().and_then(located)
    }
}

/// A literal string and its place.
pub(super) fn located(token: &Token) -> Option<Located<String>> {
    token
        .as_str()
        .map(|text| Located::new(text.to_owned(), token.span))
}

fn cannot_wait(span: Span, problems: &mut Problems) {
    problems.add_with_help(
        span,
        "lrun cannot take the keys of this mapping from an expression",
        Some("write the keys out and use expressions for their values".to_owned()),
    );
}
