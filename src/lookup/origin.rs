//! How a key came about, and how far each part of it travels.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// How a key came about: its template in pieces, each with the text it gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyOrigin {
    /// The pieces in order; their values joined are the key.
    pub parts: Vec<KeyPart>,
}

/// One piece of a key's template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// The expression between `${{` and `}}`; none for literal text.
    pub expression: Option<String>,
    /// The text it gave.
    pub value: String,
    /// What the value depends on; none in what an lrun before bearings recorded.
    #[serde(default)]
    pub bearing: Option<Bearing>,
    /// What GitHub's image is known to have where the value depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosted: Option<Hosted>,
    /// Every file that a `hashFiles` in the expression read, in the order of hashing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<HashedFile>,
    /// The paths of those that the job made: the commit has none with that content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<String>,
}

impl KeyOrigin {
    /// The template as the workflow has it, blanks within `${{ }}` aside.
    pub fn template(&self) -> String {
        let pieces = self.parts.iter().map(|part| match &part.expression {
            Some(expression) => format!("${{{{ {expression} }}}}"),
            None => part.value.clone(),
        });
        pieces.collect()
    }
}

/// What a part of a key depends on, from what is the same everywhere to what is never the same
/// again. Of several the last one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bearing {
    /// The workflow, the repository's content, the event: the same on GitHub.
    Portable,
    /// The label the job runs on.
    Label,
    /// What a tool of the place reported.
    Place,
    /// The run or the moment.
    Run,
}

impl Bearing {
    /// Its name in records and on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Label => "label",
            Self::Place => "place",
            Self::Run => "run",
        }
    }
}

impl fmt::Display for Bearing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a part's value on GitHub's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosted {
    /// The label whose image it is.
    pub label: String,
    /// The value itself, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The tools the value was made with, as the image has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<HostedTool>,
}

/// A command of GitHub's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedTool {
    /// The command.
    pub command: String,
    /// Its version; several where the image has several.
    pub versions: Vec<String>,
}

/// A file that `hashFiles` read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashedFile {
    /// Path from the workspace.
    pub path: String,
    /// Digest of its content.
    pub digest: Digest,
}
