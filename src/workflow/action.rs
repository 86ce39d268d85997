//! An action's manifest (`action.yml`) as types.

use std::sync::Arc;

use crate::source::{Located, Source};

use super::model::{Condition, Step};
use super::token::Token;

/// What a manifest may be called, in the order the runner looks for them (`ActionManager.cs`).
pub const MANIFESTS: [&str; 2] = ["action.yml", "action.yaml"];

/// What makes a folder without a manifest an action, in the same order.
pub const DOCKERFILES: [&str; 2] = ["Dockerfile", "dockerfile"];

/// A whole manifest.
#[derive(Debug, Clone)]
pub struct Action {
    /// The file; all spans are in it.
    pub source: Arc<Source>,
    /// `name`
    pub name: Option<Located<String>>,
    /// `description`
    pub description: Option<Located<String>>,
    /// `author`
    pub author: Option<Located<String>>,
    /// `branding`: what the Marketplace shows, and the runner passes over whatever it is.
    pub branding: Option<Token>,
    /// `inputs` in the file's order; names match in any letter case.
    pub inputs: Vec<ActionInput>,
    /// `outputs` in the file's order.
    pub outputs: Vec<ActionOutput>,
    /// `runs`
    pub runs: Runs,
}

/// One of `inputs`.
#[derive(Debug, Clone)]
pub struct ActionInput {
    /// The key, as the file has it.
    pub name: Located<String>,
    /// `description`
    pub description: Option<String>,
    /// `default`; absent is empty.
    pub default: Option<Token>,
    /// `required`: the runner does not enforce it.
    pub required: bool,
    /// `deprecationMessage`: a warning when the input is given.
    pub deprecation_message: Option<String>,
}

/// One of `outputs`.
#[derive(Debug, Clone)]
pub struct ActionOutput {
    /// The key.
    pub name: Located<String>,
    /// `description`
    pub description: Option<String>,
    /// `value`, of composite actions only.
    pub value: Option<Token>,
}

impl Action {
    /// The version that a JavaScript action is of, 20 of `node20`; none of another.
    pub fn node(&self) -> Option<u32> {
        match self.runs.using {
            Using::Node { version, .. } => Some(version),
            _ => None,
        }
    }
}

/// `runs`
#[derive(Debug, Clone)]
pub struct Runs {
    /// What it is run by.
    pub using: Using,
    /// `pre-if`; `always()` if there is none. Nothing is added to it.
    pub pre_if: Condition,
    /// `post-if`; `always()` if there is none. Nothing is added to it.
    pub post_if: Condition,
}

/// `using`, with the keys that belong to it.
#[derive(Debug, Clone)]
pub enum Using {
    /// `node12`, `node16`, `node20` or `node24`.
    Node {
        /// Which of them.
        version: u32,
        /// `pre`
        pre: Option<String>,
        /// `main`
        main: String,
        /// `post`
        post: Option<String>,
    },
    /// `composite`
    Composite {
        /// `steps`
        steps: Vec<Step>,
    },
    /// None: `plugin` names a part of GitHub's own runner.
    Plugin {
        /// `plugin`
        plugin: String,
    },
    /// `docker`
    Docker {
        /// `image`: the path of a Dockerfile, or `docker://image`.
        image: String,
        /// `args`
        args: Option<Token>,
        /// `env`
        env: Option<Token>,
        /// `entrypoint`
        entrypoint: Option<String>,
        /// `pre-entrypoint`
        pre_entrypoint: Option<String>,
        /// `post-entrypoint`
        post_entrypoint: Option<String>,
    },
}
