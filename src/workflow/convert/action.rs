//! `action.yml`, as the runner reads it (`ActionManifestManager.cs`).
//!
//! It uses the loose schema, which lets unknown keys pass at the top and in inputs: what runs on GitHub is accepted.

use std::sync::Arc;

use crate::source::{Diagnostic, Located, Source, Span};
use crate::yaml;

use super::condition::hook_condition;
use super::fields::Fields;
use super::steps::steps;
use super::workflow::read_tokens;
use crate::workflow::action::{Action, ActionInput, ActionOutput, Runs, Using};
use crate::workflow::hint;
use crate::workflow::limits::{Budget, Limits};
use crate::workflow::problems::Problems;
use crate::workflow::schema::Schema;
use crate::workflow::token::{Key, Token, TokenKind};

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
        &yaml::read(problems.source(), &limits.file),
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
        let path = &source.path;
        problems.add(
            span,
            format!("Top level 'runs:' section is required for {path}"),
        );
        return None;
    };
    Some(Action {
        name: fields.take_string("name"),
        description: fields.take_string("description"),
        author: fields.take_string("author"),
        branding: fields.take("branding"),
        inputs: definitions(fields.take("inputs"))
            .map(|definition| input(definition, problems))
            .collect(),
        outputs: definitions(fields.take("outputs")).map(output).collect(),
        runs: self::runs(runs, problems)?,
        source,
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

fn input((name, definition): (Located<String>, Token), problems: &mut Problems) -> ActionInput {
    let flag =
        |token: &Token| token.kind == TokenKind::Bool(true) || token.as_str() == Some("true");
    let deprecation = in_any_case(&definition, "deprecationMessage");
    if let Some(message) = deprecation.filter(|message| message.as_str().is_none()) {
        let text = "The 'deprecationMessage' of an input must be a string";
        problems.add(message.span, text);
    }
    ActionInput {
        name,
        description: text_of(&definition, "description"),
        default: in_any_case(&definition, "default").cloned(),
        required: definition.get("required").is_some_and(flag),
        deprecation_message: deprecation.and_then(Token::as_str).map(str::to_owned),
    }
}

/// The runner finds these keys of an input however they are written.
fn in_any_case<'t>(definition: &'t Token, key: &str) -> Option<&'t Token> {
    let mut pairs = definition.as_mapping()?.iter();
    let is_it = |name: &str| name.eq_ignore_ascii_case(key);
    let found = pairs.find(|pair| pair.key.name().is_some_and(is_it))?;
    Some(&found.value)
}

fn text_of(definition: &Token, key: &str) -> Option<String> {
    definition.get(key)?.as_str().map(str::to_owned)
}

fn output((name, definition): (Located<String>, Token)) -> ActionOutput {
    ActionOutput {
        name,
        description: text_of(&definition, "description"),
        value: definition.get("value").cloned(),
    }
}

fn runs(token: Token, problems: &mut Problems) -> Option<Runs> {
    let span = token.span;
    let mut fields = Fields::of(token, problems);
    let pre_if = hook_condition(fields.take("pre-if").as_ref(), span, problems);
    let post_if = hook_condition(fields.take("post-if").as_ref(), span, problems);
    let using = using(&mut fields, span, problems)?;
    Some(Runs {
        using,
        pre_if: pre_if?,
        post_if: post_if?,
    })
}

fn using(fields: &mut Fields, span: Span, problems: &mut Problems) -> Option<Using> {
    let Some(using) = fields.take_string("using") else {
        if let Some(plugin) = text(fields, "plugin") {
            return Some(Using::Plugin { plugin });
        }
        let message = "Missing 'using' value. 'using' requires 'composite', 'docker', 'node12', 'node16', 'node20' or 'node24'.";
        problems.add(span, message);
        return None;
    };
    match using.value.to_ascii_lowercase().as_str() {
        "docker" => docker(fields, span, problems),
        "composite" => composite(fields, span, problems),
        "node12" => node(12, fields, span, problems),
        "node16" => node(16, fields, span, problems),
        "node20" => node(20, fields, span, problems),
        "node24" => node(24, fields, span, problems),
        _ => {
            let message = format!(
                "'using: {}' is not supported, use 'docker', 'node12', 'node16', 'node20' or 'node24' instead.",
                using.value
            );
            // The older versions of Node.js are known, and gone.
            let help = hint::meant(&using.value, ["composite", "docker", "node24"]);
            problems.add_with_help(using.span, message, help);
            None
        }
    }
}

fn node(version: u32, fields: &mut Fields, span: Span, problems: &mut Problems) -> Option<Using> {
    let Some(main) = text(fields, "main") else {
        let message = format!(
            "You are using a JavaScript Action but there is not an entry JavaScript file provided in {}.",
            problems.source().path
        );
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
        let message = format!(
            "You are using a composite action but there are no steps provided in {}.",
            problems.source().path
        );
        problems.add(span, message);
        return None;
    };
    let steps = steps(items, Schema::action(), problems);
    Some(Using::Composite { steps })
}

fn docker(fields: &mut Fields, span: Span, problems: &mut Problems) -> Option<Using> {
    let Some(image) = fields.take_string("image") else {
        let message = format!(
            "You are using a Container Action but an image is not provided in {}.",
            problems.source().path
        );
        problems.add(span, message);
        return None;
    };
    if !is_image(&image.value) {
        let message = format!(
            "'{}' should be either '[path]/Dockerfile' or 'docker://image[:tag]'.",
            image.value
        );
        problems.add(image.span, message);
    }
    Some(Using::Docker {
        image: image.value,
        args: fields.take("args"),
        env: fields.take("env"),
        entrypoint: text(fields, "entrypoint"),
        pre_entrypoint: text(fields, "pre-entrypoint"),
        post_entrypoint: text(fields, "post-entrypoint"),
    })
}

/// What the runner can build or pull (`DockerUtil.IsDockerfile` and `ActionManager.cs`).
fn is_image(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    let name = image.rsplit('/').next().unwrap_or_default();
    image.starts_with("docker://")
        || name.starts_with("dockerfile.")
        || name.ends_with("dockerfile")
}

fn text(fields: &mut Fields, key: &str) -> Option<String> {
    fields.take_string(key).map(|text| text.value)
}

#[cfg(test)]
mod tests;
