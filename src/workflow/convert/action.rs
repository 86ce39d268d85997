//! `action.yml`, as the runner reads it (`ActionManifestManager.cs`).
//!
//! It uses the loose schema, which lets unknown keys pass at the top and in inputs: what runs on GitHub is accepted.

use std::sync::Arc;

use crate::source::{Diagnostic, Located, Source, Span};

use super::condition::hook_condition;
use super::fields::Fields;
use super::steps::steps;
use super::workflow::read_tokens;
use crate::workflow::action::{Action, ActionInput, ActionOutput, Runs, Using};
use crate::workflow::limits::{Budget, Limits};
use crate::workflow::problems::Problems;
use crate::workflow::schema::Schema;
use crate::workflow::token::{Key, Token, TokenKind};

const USING: &str = "'composite', 'docker', 'node12', 'node16', 'node20', or 'node24'";

/// Reads an action's manifest under the limits of the runner.
///
/// # Errors
/// Everything wrong with the file, in GitHub's order, at most ten.
pub fn read_action(source: Arc<Source>) -> Result<Action, Vec<Diagnostic>> {
    let mut problems = Problems::new(Arc::clone(&source));
    let limits = Limits::default();
    let root = read_tokens(
        Schema::action(),
        "action-root",
        &limits,
        &mut Budget::new(&limits),
        &mut problems,
    );
    let action = root.and_then(|root| action(root, source, &mut problems));
    problems.finish(action)
}

fn action(root: Token, source: Arc<Source>, problems: &mut Problems) -> Option<Action> {
    let span = root.span;
    let mut fields = Fields::of(root, problems);
    let Some(runs) = fields.take("runs") else {
        problems.add(span, "Required property is missing: runs");
        return None;
    };
    Some(Action {
        source,
        name: fields.take_string("name"),
        inputs: definitions(fields.take("inputs")).map(input).collect(),
        outputs: definitions(fields.take("outputs")).map(output).collect(),
        runs: self::runs(runs, problems)?,
    })
}

/// Names with their definitions.
fn definitions(token: Option<Token>) -> impl Iterator<Item = (Located<String>, Token)> {
    let pairs = match token.map(|token| token.kind) {
        Some(TokenKind::Mapping(pairs)) => pairs,
        _ => Vec::new(),
    };
    pairs.into_iter().filter_map(|pair| match pair.key {
        Key::Name(name) => Some((Located::new(name.value.to_string(), name.span), pair.value)),
        Key::Expression(_) | Key::Insert(_) => None,
    })
}

fn input((name, definition): (Located<String>, Token)) -> ActionInput {
    let flag =
        |token: &Token| token.kind == TokenKind::Bool(true) || token.as_str() == Some("true");
    ActionInput {
        name,
        default: definition.get("default").cloned(),
        required: definition.get("required").is_some_and(flag),
        deprecation_message: definition
            .get("deprecationMessage")
            .and_then(Token::as_str)
            .map(str::to_owned),
    }
}

fn output((name, definition): (Located<String>, Token)) -> ActionOutput {
    let value = definition.get("value").cloned();
    ActionOutput { name, value }
}

fn runs(token: Token, problems: &mut Problems) -> Option<Runs> {
    let span = token.span;
    let mut fields = Fields::of(token, problems);
    let pre_if = hook_condition(fields.take("pre-if").as_ref(), span, problems);
    let post_if = hook_condition(fields.take("post-if").as_ref(), span, problems);
    let Some(using) = fields.take_string("using") else {
        problems.add(
            span,
            format!("Missing 'using' value. 'using' requires {USING}."),
        );
        return None;
    };
    let using = match using.value.to_ascii_lowercase().as_str() {
        "docker" => docker(&mut fields, span, problems)?,
        "composite" => composite(&mut fields, span, problems)?,
        "node12" => node(12, &mut fields, span, problems)?,
        "node16" => node(16, &mut fields, span, problems)?,
        "node20" => node(20, &mut fields, span, problems)?,
        "node24" => node(24, &mut fields, span, problems)?,
        _ => {
            let message = format!(
                "'using: {}' is not supported, use {USING} instead.",
                using.value
            );
            problems.add(using.span, message);
            return None;
        }
    };
    Some(Runs {
        using,
        pre_if: pre_if?,
        post_if: post_if?,
    })
}

fn node(version: u32, fields: &mut Fields, span: Span, problems: &mut Problems) -> Option<Using> {
    let Some(main) = text(fields, "main") else {
        let message = "You are using a JavaScript Action but there is not an entry JavaScript file provided in action.yml";
        problems.add(span, message);
        return None;
    };
    let (pre, post) = (text(fields, "pre"), text(fields, "post"));
    Some(Using::Node {
        version,
        pre,
        main,
        post,
    })
}

fn composite(fields: &mut Fields, span: Span, problems: &mut Problems) -> Option<Using> {
    let Some(TokenKind::Sequence(items)) = fields.take("steps").map(|steps| steps.kind) else {
        let message =
            "You are using a composite action but there are no steps provided in action.yml.";
        problems.add(span, message);
        return None;
    };
    let steps = steps(items, Schema::action(), problems);
    Some(Using::Composite { steps })
}

fn docker(fields: &mut Fields, span: Span, problems: &mut Problems) -> Option<Using> {
    let Some(image) = text(fields, "image") else {
        let message = "You are using a Container Action but an image is not provided in action.yml";
        problems.add(span, message);
        return None;
    };
    Some(Using::Docker {
        image,
        args: fields.take("args"),
        env: fields.take("env"),
        entrypoint: text(fields, "entrypoint"),
        pre_entrypoint: text(fields, "pre-entrypoint"),
        post_entrypoint: text(fields, "post-entrypoint"),
    })
}

fn text(fields: &mut Fields, key: &str) -> Option<String> {
    fields.take_string(key).map(|text| text.value)
}
