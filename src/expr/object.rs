//! Mappings: ordered, found by name in any case, or in one for `env`.

use std::hash::{Hash, Hasher};

use indexmap::{Equivalent, IndexMap};

use super::coercion::{fold, same_text};
use super::value::Value;

/// Whether names that differ in case alone are one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// They are: every context but one.
    #[default]
    Insensitive,
    /// They are not: `env` on Linux.
    Sensitive,
}

/// An ordered mapping. A name set again keeps its place and its first spelling.
#[derive(Debug, Clone, Default)]
pub struct Object {
    entries: IndexMap<Key<Box<str>>, Value>,
    case: Case,
}

impl Object {
    /// An empty mapping.
    pub fn new(case: Case) -> Self {
        Self {
            entries: IndexMap::new(),
            case,
        }
    }

    /// A mapping of these members, later ones replacing earlier ones.
    pub fn from_members(case: Case, members: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut object = Self::new(case);
        for (name, value) in members {
            object.insert(name, value);
        }
        object
    }

    /// Sets a member; gives what it was before.
    pub fn insert(&mut self, name: impl Into<Box<str>>, value: impl Into<Value>) -> Option<Value> {
        let key = Key {
            name: name.into(),
            case: self.case,
        };
        self.entries.insert(key, value.into())
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let case = self.case;
        self.entries.get(&Key { name, case })
    }

    /// All members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&*key.name, value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl PartialEq for Object {
    /// The same members by the same spelling, in any order.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.entries.iter().all(|(key, value)| {
                let found = other.entries.get_key_value(key);
                found.is_some_and(|(same, equal)| same.name == key.name && equal == value)
            })
    }
}

impl FromIterator<(String, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self::from_members(Case::Insensitive, members)
    }
}

/// A name that hashes alike in any case, so that one index serves both kinds of lookup.
#[derive(Debug, Clone)]
struct Key<T> {
    name: T,
    case: Case,
}

impl<T: AsRef<str>> Key<T> {
    fn matches(&self, other: &Key<impl AsRef<str>>) -> bool {
        let (ours, theirs) = (self.name.as_ref(), other.name.as_ref());
        match self.case {
            Case::Insensitive => same_text(ours, theirs),
            Case::Sensitive => ours == theirs,
        }
    }
}

impl<T: AsRef<str>> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for character in self.name.as_ref().chars() {
            fold(character).hash(state);
        }
    }
}

impl PartialEq for Key<Box<str>> {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for Key<Box<str>> {}

impl Equivalent<Key<Box<str>>> for Key<&str> {
    fn equivalent(&self, key: &Key<Box<str>>) -> bool {
        self.matches(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_but_in_env() {
        let members = || {
            [
                ("Path".to_owned(), "a".into()),
                ("PATH".to_owned(), "b".into()),
            ]
        };
        let object = Object::from_iter(members());
        assert_eq!(object.iter().collect::<Vec<_>>(), [("Path", &"b".into())]);
        assert_eq!(object.get("pAtH"), Some(&"b".into()));

        let env = Object::from_members(Case::Sensitive, members());
        assert_eq!(env.len(), 2);
        assert_eq!(env.get("Path"), Some(&"a".into()));
        assert_eq!(env.get("path"), None);
    }
}
