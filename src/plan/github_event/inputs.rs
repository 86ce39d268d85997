//! The inputs of a `workflow_dispatch`: checked and typed as they are declared.

use indexmap::IndexMap;

use crate::expr::{Object, Value};
use crate::workflow::{Pair, Token, Workflow};

/// An input that GitHub would not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The event has no such input.
    #[error("there is no input '{name}' of {event}; {}", have(known))]
    Unknown {
        /// Its name.
        name: String,
        /// The event.
        event: String,
        /// The inputs there are.
        known: Vec<String>,
    },
    /// A required input without a value.
    #[error("input '{name}' is required: give it with --input {name}=VALUE")]
    Required {
        /// Its name.
        name: String,
    },
    /// A value that is not of the input's type.
    #[error("input '{name}' is {expected}, not '{value}'")]
    Kind {
        /// Its name.
        name: String,
        /// What it has to be, in words.
        expected: String,
        /// What was given.
        value: String,
    },
}

fn have(known: &[String]) -> String {
    match known {
        [] => "it has none".to_owned(),
        known => format!("it has {}", known.join(", ")),
    }
}

/// The `inputs` context of a run started by `event`: typed as declared, with defaults. A boolean is
/// a boolean and a number a number; every other input is text (docs: contexts, `inputs`).
///
/// # Errors
/// See [`InputError`].
pub fn dispatch_inputs(
    workflow: &Workflow,
    event: &str,
    given: &IndexMap<String, String>,
) -> Result<Value, InputError> {
    let declared = inputs_of(workflow, event);
    let known: Vec<&str> = declared.iter().filter_map(|pair| pair.key.name()).collect();
    if let Some(name) = given.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(InputError::Unknown {
            name: name.clone(),
            event: event.to_owned(),
            known: known.into_iter().map(str::to_owned).collect(),
        });
    }
    let mut inputs = Object::default();
    for pair in declared {
        if let Some(name) = pair.key.name() {
            inputs.insert(name, input(name, &pair.value, given.get(name))?);
        }
    }
    Ok(Value::from(inputs))
}

/// The inputs of a dispatch as its payload has them: texts, with defaults.
pub fn dispatch_texts(
    workflow: &Workflow,
    event: &str,
    given: &IndexMap<String, String>,
) -> Vec<(String, String)> {
    let text = |name: &str, definition: &Token| {
        let default = || field(definition, "default");
        given.get(name).cloned().or_else(default)
    };
    declared(workflow, event)
        .iter()
        .filter_map(|pair| {
            let name = pair.key.name()?;
            Some((name.to_owned(), text(name, &pair.value)?))
        })
        .collect()
}

/// Whether an event of a workflow has an input of this name.
pub fn has_input(workflow: &Workflow, event: &str, name: &str) -> bool {
    let declared = inputs_of(workflow, event);
    declared.iter().any(|pair| pair.key.name() == Some(name))
}

/// The inputs of an event that may be given.
fn inputs_of<'w>(workflow: &'w Workflow, event: &str) -> &'w [Pair] {
    match event {
        // Of a workflow that others call, as if one of them gave them.
        "workflow_call" => definitions(workflow, event),
        _ => declared(workflow, event),
    }
}

/// The inputs that a dispatch declares.
fn declared<'w>(workflow: &'w Workflow, event: &str) -> &'w [Pair] {
    match event {
        "workflow_dispatch" => definitions(workflow, event),
        _ => &[],
    }
}

/// What an event has under `inputs`.
fn definitions<'w>(workflow: &'w Workflow, event: &str) -> &'w [Pair] {
    let trigger = workflow.on.iter().find(|trigger| trigger.name == event);
    trigger
        .and_then(|trigger| trigger.configuration.as_ref()?.get("inputs")?.as_mapping())
        .unwrap_or_default()
}

/// A scalar of an input's definition, as text.
fn field(definition: &Token, key: &str) -> Option<String> {
    let value = definition.get(key).and_then(Token::scalar)?;
    Some(value.to_text().to_string())
}

fn input(name: &str, definition: &Token, given: Option<&String>) -> Result<Value, InputError> {
    let required = definition.get("required").and_then(Token::scalar);
    let required = required.is_some_and(|value| value.is_truthy());
    let value = given.cloned().or_else(|| field(definition, "default"));
    let value = value.unwrap_or_default();
    if required && value.is_empty() {
        let name = name.to_owned();
        return Err(InputError::Required { name });
    }
    let wrong = |expected: &str| InputError::Kind {
        name: name.to_owned(),
        expected: expected.to_owned(),
        value: value.clone(),
    };
    match (field(definition, "type").as_deref(), value.as_str()) {
        (Some("boolean"), "true") => Ok(Value::Bool(true)),
        (Some("boolean"), "false" | "") => Ok(Value::Bool(false)),
        (Some("boolean"), _) => Err(wrong("true or false")),
        (Some("number"), text) if !text.is_empty() => {
            let number = text.parse::<f64>().map(Value::Number);
            number.map_err(|_| wrong("a number"))
        }
        (Some("choice"), text) if given.is_some() => {
            let options = options(definition);
            match options.iter().any(|option| option == text) {
                true => Ok(Value::from(text)),
                false => Err(wrong(&format!("one of {}", options.join(", ")))),
            }
        }
        (_, text) => Ok(Value::from(text)),
    }
}

fn options(definition: &Token) -> Vec<String> {
    let options = definition.get("options").map(Token::items);
    let texts = options.unwrap_or_default().iter();
    texts
        .filter_map(|option| Some(option.scalar()?.to_text().to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::workflow::read_workflow;
    use serde_json::json;

    const WORKFLOW: &str = "\
on:
  workflow_dispatch:
    inputs:
      dry: { type: boolean, default: true }
      level: { type: choice, options: [low, high], default: low }
      count: { type: number }
      who: { required: true, default: me }
      note:
jobs: { a: { runs-on: x, steps: [{ run: x }] } }
";

    fn inputs(given: &[(&str, &str)]) -> Result<serde_json::Value, String> {
        let workflow = read_workflow(Source::new("w.yml", WORKFLOW)).expect("valid");
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let given = given.iter().map(own).collect();
        dispatch_inputs(&workflow, "workflow_dispatch", &given)
            .map(|inputs| inputs.to_json())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn inputs_have_their_types_and_defaults() {
        let expected = json!({"dry": true, "level": "low", "count": "", "who": "me", "note": ""});
        assert_eq!(inputs(&[]), Ok(expected));
        let expected =
            json!({"dry": false, "level": "high", "count": 1.5, "who": "you", "note": "1"});
        let given = [
            ("dry", "false"),
            ("level", "high"),
            ("count", "1.5"),
            ("who", "you"),
            ("note", "1"),
        ];
        assert_eq!(inputs(&given), Ok(expected));
    }

    #[test]
    fn what_github_would_not_take_is_refused() {
        for (given, error) in [
            (("dry", "yes"), "input 'dry' is true or false, not 'yes'"),
            (
                ("level", "LOW"),
                "input 'level' is one of low, high, not 'LOW'",
            ),
            (("count", "many"), "input 'count' is a number, not 'many'"),
            (
                ("who", ""),
                "input 'who' is required: give it with --input who=VALUE",
            ),
            (
                ("whom", "x"),
                "there is no input 'whom' of workflow_dispatch; it has dry, level, count, who, note",
            ),
        ] {
            assert_eq!(inputs(&[given]), Err(error.to_owned()));
        }
    }
}
