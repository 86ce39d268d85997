//! `action.yml`, in the same spirit.

use serde_json::{Value, json};

use super::token::Tokens;
use super::{Members, step};
use crate::workflow::{Action, ActionInput, ActionOutput, Runs, Using};

/// The template of an action's manifest.
pub fn action_template(action: &Action) -> Value {
    let tokens = Tokens {
        source: &action.source,
        file: None,
    };
    let mut members = Members::default();
    for (key, text) in [
        ("name", &action.name),
        ("description", &action.description),
        ("author", &action.author),
    ] {
        members.put(key, text.as_ref().map(|text| json!(text.value)));
    }
    let inputs = action
        .inputs
        .iter()
        .map(|input| self::input(input, &tokens));
    members.put("inputs", inputs.collect::<Value>());
    let outputs = action.outputs.iter();
    let outputs = outputs.map(|output| self::output(output, &tokens));
    members.put("outputs", outputs.collect::<Value>());
    members.put("runs", runs(&action.runs, &tokens));
    members.put("branding", tokens.optional(action.branding.as_ref()));
    members.into_value()
}

fn input(input: &ActionInput, tokens: &Tokens<'_>) -> Value {
    let mut members = Members::default();
    members.put("id", json!(input.name.value));
    members.put("description", optional(&input.description));
    members.put("required", json!(input.required));
    members.put("default", tokens.optional(input.default.as_ref()));
    members.put("deprecationMessage", optional(&input.deprecation_message));
    members.into_value()
}

fn output(output: &ActionOutput, tokens: &Tokens<'_>) -> Value {
    let mut members = Members::default();
    members.put("id", json!(output.name.value));
    members.put("description", optional(&output.description));
    members.put("value", tokens.optional(output.value.as_ref()));
    members.into_value()
}

fn runs(runs: &Runs, tokens: &Tokens<'_>) -> Value {
    let mut members = Members::default();
    match &runs.using {
        Using::Node {
            version,
            pre,
            main,
            post,
        } => {
            members.put("using", json!(format!("node{version}")));
            members.put("main", json!(main));
            members.put("pre", optional(pre));
            members.put("post", optional(post));
        }
        Using::Plugin { plugin } => members.put("plugin", json!(plugin)),
        Using::Composite { steps } => {
            members.put("using", json!("composite"));
            members.put("steps", step::steps(steps, tokens));
        }
        Using::Docker {
            image,
            args,
            env,
            entrypoint,
            pre_entrypoint,
            post_entrypoint,
        } => {
            members.put("using", json!("docker"));
            members.put("image", json!(image));
            members.put("args", tokens.optional(args.as_ref()));
            members.put("env", tokens.optional(env.as_ref()));
            members.put("entrypoint", optional(entrypoint));
            members.put("pre-entrypoint", optional(pre_entrypoint));
            members.put("post-entrypoint", optional(post_entrypoint));
        }
    }
    members.put("pre-if", json!(runs.pre_if.expression.text()));
    members.put("post-if", json!(runs.post_if.expression.text()));
    members.into_value()
}

fn optional(text: &Option<String>) -> Option<Value> {
    text.as_ref().map(|text| json!(text))
}
