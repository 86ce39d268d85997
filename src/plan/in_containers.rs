//! Actions that run in containers: their manifests say so, which are read after a first plan.

use std::collections::HashMap;

use crate::workflow::Location;

/// The actions that need a container engine, with those that only use such a one. A plan that knows
/// them has their jobs not run here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InContainers(HashMap<(Location, String), String>);

impl InContainers {
    /// What `uses` in the file `from` leads to is one; `through` names all on the way to it.
    pub fn add(&mut self, from: &Location, uses: &str, through: String) {
        self.0.insert((from.clone(), uses.to_owned()), through);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All on the way to such an action, if `uses` leads to one.
    pub(super) fn through(&self, from: &Location, uses: &str) -> Option<&str> {
        let found = self.0.get(&(from.clone(), uses.to_owned()));
        found.map(String::as_str)
    }
}
