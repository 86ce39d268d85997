//! `on`

use serde_json::{Value, json};

use super::Members;
use crate::workflow::{Pair, Token, TokenKind, Trigger, Workflow};

/// The filters of events, each a list however it was written.
const FILTERS: [&str; 10] = [
    "branches",
    "branches-ignore",
    "tags",
    "tags-ignore",
    "paths",
    "paths-ignore",
    "types",
    "versions",
    "names",
    "workflows",
];

/// The events with their configuration.
pub(super) fn events(workflow: &Workflow) -> Value {
    let mut members = Members::default();
    for trigger in &workflow.on {
        members.put(&trigger.name, event(trigger));
    }
    members.into_value()
}

/// The types of the inputs of `workflow_dispatch`, `string` where nothing is said.
pub(super) fn input_types(workflow: &Workflow) -> Option<Value> {
    let mut triggers = workflow.on.iter();
    let dispatch = triggers.find(|trigger| trigger.name == "workflow_dispatch")?;
    let mut members = Members::default();
    for (name, input) in named(dispatch.configuration.as_ref()?.get("inputs")) {
        let kind = input.get("type").and_then(Token::as_str);
        members.put(name, json!(kind.unwrap_or("string")));
    }
    Some(members.into_value()).filter(|types| types != &json!({}))
}

fn event(trigger: &Trigger) -> Value {
    let Some(configuration) = &trigger.configuration else {
        return json!({});
    };
    let mut members = Members::default();
    match trigger.name.as_str() {
        "schedule" => return schedule(configuration),
        "workflow_dispatch" => {
            let inputs = configuration.get("inputs");
            members.put("inputs", inputs.map(|token| each(token, input)));
        }
        "workflow_call" => {
            let inputs = configuration.get("inputs");
            members.put("inputs", inputs.map(|token| each(token, input)));
            let secrets = configuration.get("secrets");
            members.put("secrets", secrets.map(|token| each(token, secret)));
        }
        _ => {
            for filter in FILTERS {
                let values = configuration.get(filter).map(Token::items);
                members.put(filter, values.map(literals));
            }
        }
    }
    members.into_value()
}

fn schedule(configuration: &Token) -> Value {
    let entry = |entry: &Token| {
        let mut members = Members::default();
        for key in ["cron", "timezone"] {
            members.put(key, entry.get(key).and_then(literal));
        }
        members.into_value()
    };
    configuration.items().iter().map(entry).collect()
}

/// A definition without a type is of a string.
fn input(definition: &Token) -> Value {
    let mut members = Members::default();
    members.put("type", json!("string"));
    for key in ["type", "description", "required", "default"] {
        members.put(key, definition.get(key).and_then(literal));
    }
    let options = definition.get("options").map(Token::items);
    members.put("options", options.map(literals));
    members.into_value()
}

fn secret(definition: &Token) -> Value {
    let mut members = Members::default();
    for key in ["description", "required"] {
        members.put(key, definition.get(key).and_then(literal));
    }
    members.into_value()
}

fn each(mapping: &Token, write: fn(&Token) -> Value) -> Value {
    let mut members = Members::default();
    for (name, definition) in named(Some(mapping)) {
        members.put(name, write(definition));
    }
    members.into_value()
}

fn named<'t>(mapping: Option<&'t Token>) -> impl Iterator<Item = (&'t str, &'t Token)> {
    let pairs = mapping.and_then(Token::as_mapping).unwrap_or_default();
    let named = |pair: &'t Pair| Some((pair.key.name()?, &pair.value));
    pairs.iter().filter_map(named)
}

fn literals(tokens: &[Token]) -> Value {
    tokens.iter().filter_map(literal).collect()
}

/// Events have no expressions but in defaults of inputs, which GitHub leaves out here.
fn literal(token: &Token) -> Option<Value> {
    Some(match &token.kind {
        TokenKind::Bool(value) => json!(value),
        TokenKind::Number(number) => super::token::number(*number),
        TokenKind::String(text) => json!(**text),
        _ => return None,
    })
}
