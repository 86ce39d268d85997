//! Ids of jobs and steps: which are allowed, and which are made up (`IdBuilder.cs` of the runner).

use std::collections::{HashMap, HashSet};

/// The longest id.
const MOST: usize = 100;

/// The ids of one scope.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Upper-cased: ids differ in more than letter case.
    taken: HashSet<String>,
    /// How often an id was made up from the same words.
    made: HashMap<String, usize>,
}

/// Why an id cannot be used, in GitHub's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IdError {
    #[error(
        "The identifier '{0}' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. IDs must start with a letter or '_' and and must be less than 100 characters."
    )]
    Invalid(String),
    #[error("The identifier '{0}' is invalid. IDs starting with '__' are reserved.")]
    Reserved(String),
    #[error("The identifier '{0}' may not be used more than once within the same scope.")]
    Taken(String),
}

impl Ids {
    /// Takes an id that the file has.
    pub(super) fn take(&mut self, id: &str) -> Result<(), IdError> {
        if !is_valid(id) {
            return Err(IdError::Invalid(id.to_owned()));
        }
        if id.starts_with("__") {
            return Err(IdError::Reserved(id.to_owned()));
        }
        if !self.taken.insert(id.to_uppercase()) {
            return Err(IdError::Taken(id.to_owned()));
        }
        Ok(())
    }

    /// Makes up an id from what a step does: `actions/checkout` → `__actions_checkout`, then `__actions_checkout_2`.
    pub(super) fn make(&mut self, words: &str) -> String {
        let base: String = format!("__{words}").chars().map(legal).collect();
        let made = self.made.entry(base.to_uppercase()).or_insert(0);
        loop {
            *made += 1;
            let suffix = match *made {
                1 => String::new(),
                number => format!("_{number}"),
            };
            let mut id = base.clone();
            id.truncate(MOST - suffix.len());
            id.push_str(&suffix);
            if self.taken.insert(id.to_uppercase()) {
                return id;
            }
        }
    }
}

fn is_valid(id: &str) -> bool {
    id.len() < MOST
        && id.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && id.chars().all(|c| legal(c) == c)
}

fn legal(c: char) -> char {
    match c {
        '-' | '_' => c,
        _ if c.is_ascii_alphanumeric() => c,
        _ => '_',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_ids_count_past_collisions() {
        let mut ids = Ids::default();
        assert_eq!(ids.make("run"), "__run");
        assert_eq!(ids.make("run"), "__run_2");
        assert_eq!(ids.make("Actions/Check out"), "__Actions_Check_out");
        assert_eq!(ids.make("actions/check-out"), "__actions_check-out");
        assert_eq!(ids.make("actions/check out"), "__actions_check_out_2");
        assert_eq!(ids.make(&"é".repeat(200)).len(), 100);
        assert!(ids.make(&"é".repeat(200)).ends_with("_2"));
    }

    #[test]
    fn ids_of_the_file_follow_githubs_rules() {
        let mut ids = Ids::default();
        assert_eq!(ids.take("a-b_C1"), Ok(()));
        assert_eq!(ids.take("A-B_c1"), Err(IdError::Taken("A-B_c1".into())));
        assert_eq!(ids.take("__x"), Err(IdError::Reserved("__x".into())));
        for id in ["", "1a", "-a", "a.b", "é", &"a".repeat(100)] {
            assert_eq!(ids.take(id), Err(IdError::Invalid(id.into())));
        }
        assert_eq!(ids.take(&"a".repeat(99)), Ok(()));
    }
}
