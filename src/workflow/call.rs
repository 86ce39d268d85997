//! What a job calls: a workflow with its `workflow_call`.

use std::sync::Arc;

use super::documents::Reference;
use super::model::{Job, JobBody, Workflow};
use super::token::{Pair, Token, TokenKind};
use crate::source::Located;

/// What a job says that calls a workflow.
#[derive(Debug, Clone)]
pub struct Call {
    /// `uses`
    pub uses: Located<String>,
    /// `with`
    pub with: Option<Token>,
    /// `secrets`: a mapping, or the string `inherit`.
    pub secrets: Option<Token>,
    /// What `uses` leads to.
    pub called: Called,
}

impl Call {
    /// Whether the called workflow has all secrets of the caller.
    pub fn inherits_secrets(&self) -> bool {
        self.secrets.as_ref().and_then(Token::as_str) == Some("inherit")
    }
}

/// What the `uses` of a job leads to.
#[derive(Debug, Clone)]
pub enum Called {
    /// The workflow as it is for this caller: its jobs have the caller's permissions where nothing else is said.
    Workflow(Arc<Workflow>),
    /// It was not at hand: nothing is known of it, and nothing was checked against it.
    NotFollowed {
        /// What was looked for.
        reference: Reference,
        /// Why it is not here.
        why: String,
    },
}

/// What a workflow takes and gives when it is called: `on.workflow_call`.
///
/// Names are as the file spells them, and match in any letter case.
#[derive(Debug, Clone, Default)]
pub struct Interface {
    /// `inputs`
    pub inputs: Vec<InputDefinition>,
    /// `secrets`
    pub secrets: Vec<SecretDefinition>,
    /// `outputs`: each with its `value`.
    pub outputs: Vec<(Located<String>, Token)>,
}

/// One of `on.workflow_call.inputs`.
#[derive(Debug, Clone)]
pub struct InputDefinition {
    /// The key.
    pub name: Located<String>,
    /// `type`
    pub kind: InputKind,
    /// `required`
    pub required: bool,
    /// `default`; without one it is false, 0 or empty.
    pub default: Option<Token>,
}

/// The type of an input of a called workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// `string`
    String,
    /// `boolean`
    Boolean,
    /// `number`
    Number,
}

/// One of `on.workflow_call.secrets`.
#[derive(Debug, Clone)]
pub struct SecretDefinition {
    /// The key.
    pub name: Located<String>,
    /// `required`
    pub required: bool,
}

impl Workflow {
    /// What it takes and gives when it is called; none if it cannot be called.
    pub fn interface(&self) -> Option<Interface> {
        let trigger = self.on.iter().find(|event| event.name == "workflow_call")?;
        let part = |key: &str| trigger.configuration.as_ref()?.get(key)?.as_mapping();
        let part = |key: &str| part(key).unwrap_or_default().iter().filter_map(named);
        Some(Interface {
            inputs: part("inputs").map(input).collect(),
            secrets: part("secrets").map(secret).collect(),
            outputs: part("outputs")
                .filter_map(|(name, output)| Some((name, output.get("value")?.clone())))
                .collect(),
        })
    }

    /// Every call, of called workflows too, that was not followed: the job that makes it, and what was looked for.
    pub fn not_followed(&self) -> Vec<(&Job, &Reference)> {
        let mut found = Vec::new();
        for job in self.jobs.values() {
            let JobBody::Calls(call) = &job.body else {
                continue;
            };
            match &call.called {
                Called::NotFollowed { reference, .. } => found.push((job, reference)),
                Called::Workflow(workflow) => found.extend(workflow.not_followed()),
            }
        }
        found
    }
}

fn named(pair: &Pair) -> Option<(Located<String>, &Token)> {
    let name = Located::new(pair.key.name()?.to_owned(), pair.key.span());
    Some((name, &pair.value))
}

fn is_required(definition: &Token) -> bool {
    let required = definition.get("required").map(|token| &token.kind);
    required == Some(&TokenKind::Bool(true))
}

fn input((name, definition): (Located<String>, &Token)) -> InputDefinition {
    InputDefinition {
        name,
        kind: match definition.get("type").and_then(Token::as_str) {
            Some("boolean") => InputKind::Boolean,
            Some("number") => InputKind::Number,
            _ => InputKind::String,
        },
        required: is_required(definition),
        default: definition.get("default").cloned(),
    }
}

fn secret((name, definition): (Located<String>, &Token)) -> SecretDefinition {
    let required = is_required(definition);
    SecretDefinition { name, required }
}
