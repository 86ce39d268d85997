//! What one file may cost, and all that it calls.

use crate::yaml;

/// The limits of a workflow or action file (`ParseOptions.cs` in actions/runner).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of each file's YAML.
    pub file: yaml::Limits,
    /// Bytes that the tokens of all files take, as GitHub counts them: aliases and all, a file as often as it is called.
    pub result_size: usize,
    /// How many jobs there may be, those of called workflows and those that call them counted; GitHub's own readers set none.
    pub jobs: Option<usize>,
    /// How many calls may lead from the first file to another: ten levels of workflows, the first included.
    pub nested_calls: usize,
    /// How many files there may be: one and 50 that it calls.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: yaml::Limits::default(),
            result_size: 10 * 1024 * 1024,
            jobs: None,
            nested_calls: 9,
            files: 51,
        }
    }
}

/// What the tokens of all files take so far.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    spent: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        let limit = limits.result_size;
        Self { limit, spent: 0 }
    }

    pub(super) fn spend(&mut self, bytes: usize) {
        self.spent = self.spent.saturating_add(bytes);
    }

    /// Whether there is more than may be: nothing is looked at beyond it.
    pub(super) fn is_exceeded(&self) -> bool {
        self.spent > self.limit
    }
}
