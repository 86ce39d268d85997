//! What one file may cost.

use crate::yaml;

/// The limits of a workflow or action file (`ParseOptions.cs` in actions/runner).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of its YAML.
    pub file: yaml::Limits,
    /// Bytes that its tokens take, as GitHub counts them: aliases and all.
    pub result_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: yaml::Limits::default(),
            result_size: 10 * 1024 * 1024,
        }
    }
}
