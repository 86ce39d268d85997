//! `on`

use super::cron;
use crate::workflow::model::Trigger;
use crate::workflow::problems::Problems;
use crate::workflow::token::{Key, Pair, Token, TokenKind};

/// As many inputs a `workflow_dispatch` may have.
const MOST_INPUTS: usize = 25;

/// Converts `on`: one event, a list of events, or events with their configuration.
pub(super) fn triggers(on: Token, problems: &mut Problems) -> Vec<Trigger> {
    let span = on.span;
    let triggers: Vec<Trigger> = match on.kind {
        TokenKind::Mapping(pairs) => pairs.into_iter().filter_map(configured).collect(),
        _ => on.items().iter().filter_map(bare).collect(),
    };
    if triggers.is_empty() {
        problems.add(span, "No event triggers defined in `on`");
    }
    for trigger in &triggers {
        if let Some(configuration) = &trigger.configuration {
            check_inputs(trigger, configuration, problems);
            check_schedule(trigger, configuration, problems);
        }
    }
    triggers
}

fn bare(event: &Token) -> Option<Trigger> {
    Some(Trigger {
        name: event.as_str()?.to_owned(),
        span: event.span,
        configuration: None,
    })
}

fn configured(pair: Pair) -> Option<Trigger> {
    let Key::Name(name) = pair.key else {
        return None;
    };
    Some(Trigger {
        name: name.value.to_string(),
        span: name.span,
        configuration: Some(pair.value).filter(|value| value.kind != TokenKind::Null),
    })
}

fn check_schedule(trigger: &Trigger, configuration: &Token, problems: &mut Problems) {
    let entries = configuration.as_sequence().unwrap_or_default();
    for entry in entries.iter().filter(|_| trigger.name == "schedule") {
        let cron = entry.get("cron");
        let wrong = cron.and_then(Token::as_str).and_then(cron::wrong_with);
        if let Some((cron, wrong)) = cron.zip(wrong) {
            let message = "Invalid cron expression. Expected format: '* * * * *' (minute hour day month weekday)";
            problems.add_with_help(cron.span, message, Some(wrong));
        }
    }
}

fn check_inputs(trigger: &Trigger, configuration: &Token, problems: &mut Problems) {
    let inputs = configuration.get("inputs").and_then(Token::as_mapping);
    let Some(inputs) = inputs.filter(|_| trigger.name == "workflow_dispatch") else {
        return;
    };
    if inputs.len() > MOST_INPUTS {
        let message = format!(
            "you may only define up to {MOST_INPUTS} `inputs` for a `workflow_dispatch` event"
        );
        problems.add(inputs[MOST_INPUTS].key.span(), message);
    }
    for Pair { value, .. } in inputs {
        let is_choice = value.get("type").and_then(Token::as_str) == Some("choice");
        let has_options = value
            .get("options")
            .is_some_and(|options| !options.items().is_empty());
        if is_choice && !has_options {
            problems.add(value.span, "Missing 'options' for choice input");
        } else if !is_choice && value.get("options").is_some() {
            let message = "Input type is not 'choice', but 'options' is defined";
            problems.add(value.span, message);
        }
    }
}
