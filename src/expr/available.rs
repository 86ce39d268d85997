//! What an expression may use, by the key it stands under.

use std::sync::Arc;

use super::coercion::same_text;

/// The contexts and functions an expression may use beside the general functions. Whatever else
/// it names is an error when it is compiled, also in a branch that would never be evaluated.
#[derive(Debug, Clone, Default)]
pub struct Available {
    contexts: Vec<Arc<str>>,
    functions: Vec<(Arc<str>, Arity)>,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arity {
    pub(super) min: usize,
    pub(super) max: usize,
}

impl Available {
    /// Takes a `context` list of GitHub's schema files: names of contexts, and functions as
    /// `name(min,max)` with `MAX` for any number.
    pub fn from_schema(entries: &[impl AsRef<str>]) -> Self {
        let mut available = Self::default();
        for entry in entries.iter().map(AsRef::as_ref) {
            match function(entry) {
                Some((name, arity)) => available.functions.push((name.into(), arity)),
                None => available.contexts.push(entry.into()),
            }
        }
        available
    }

    /// These contexts and no function but the general ones.
    pub fn contexts(names: &[impl AsRef<str>]) -> Self {
        Self {
            contexts: names.iter().map(|name| name.as_ref().into()).collect(),
            functions: Vec::new(),
        }
    }

    /// The context of this name, in the spelling of the list.
    pub(super) fn context(&self, name: &str) -> Option<&Arc<str>> {
        self.contexts.iter().find(|known| same_text(known, name))
    }

    /// The function of this name, in the spelling of the list.
    pub(super) fn function(&self, name: &str) -> Option<(&Arc<str>, Arity)> {
        self.functions
            .iter()
            .find(|(known, _)| same_text(known, name))
            .map(|(known, arity)| (known, *arity))
    }
}

fn function(entry: &str) -> Option<(&str, Arity)> {
    let (name, bounds) = entry.strip_suffix(')')?.split_once('(')?;
    let (min, max) = bounds.split_once(',')?;
    let bound = |text: &str| match text.trim() {
        "MAX" => Some(usize::MAX),
        number => number.parse().ok(),
    };
    let (min, max) = (bound(min)?, bound(max)?);
    Some((name.trim(), Arity { min, max }))
}
