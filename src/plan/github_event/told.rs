//! What the payload of `-e FILE` says of the event, where no option says otherwise.

use serde_json::Value;

use super::payload;
use super::trigger::{EventOptions, Trigger};
use crate::git::{Content, Facts, RangeStart};

/// The action of an event that has types, where nobody says which (docs: events that trigger
/// workflows).
pub(super) fn usual_action(event: &str) -> Option<&'static str> {
    Some(match event {
        // A push to the head branch; by default workflows run on it, on opening and on reopening.
        "pull_request" | "pull_request_target" => "synchronize",
        "merge_group" => "checks_requested",
        "pull_request_review" => "submitted",
        "registry_package" | "release" => "published",
        "check_suite" | "workflow_run" => "completed",
        "watch" => "started",
        "issues" => "opened",
        "branch_protection_rule"
        | "check_run"
        | "discussion"
        | "discussion_comment"
        | "issue_comment"
        | "label"
        | "milestone"
        | "pull_request_review_comment" => "created",
        "repository_dispatch" => "local",
        _ => return None,
    })
}

fn text<'o>(options: &'o EventOptions, pointer: &str) -> Option<&'o str> {
    options.payload.as_ref()?.pointer(pointer)?.as_str()
}

/// `action`
pub(super) fn action(options: &EventOptions) -> Option<&str> {
    text(options, "/action")
}

/// `schedule`
pub(super) fn schedule(options: &EventOptions) -> Option<&str> {
    text(options, "/schedule")
}

/// The head branch of a pull request, which need not be here.
pub(super) fn head(options: &EventOptions) -> Option<&str> {
    let is_named = options.head.is_some();
    text(options, "/pull_request/head/ref").filter(|_| !is_named)
}

/// The options with what the payload says beside them. A head branch that is not here is no option:
/// the folder is taken for it.
pub(super) fn options(event: &str, options: &EventOptions, facts: &Facts) -> EventOptions {
    let mut all = options.clone();
    let number = |pointer: &str| options.payload.as_ref()?.pointer(pointer)?.as_u64();
    let own = |pointer: &str| text(options, pointer).map(str::to_owned);
    match event {
        "push" | "workflow_dispatch" | "create" => {
            all.git_ref = all.git_ref.or_else(|| own("/ref"))
        }
        "release" => {
            let tag = text(options, "/release/tag_name").map(|tag| format!("refs/tags/{tag}"));
            all.git_ref = all.git_ref.or(tag);
        }
        "pull_request" | "pull_request_target" => {
            let told = number("/pull_request/number").or_else(|| number("/number"));
            all.number = all.number.or(told);
            all.base = all.base.or_else(|| own("/pull_request/base/ref"));
            let head = own("/pull_request/head/ref");
            let head = head.filter(|head| facts.refs.branch(head).is_some());
            all.head = all.head.or(head);
        }
        "merge_group" => {
            let base = text(options, "/merge_group/base_ref");
            let base = base.map(|base| base.strip_prefix("refs/heads/").unwrap_or(base));
            all.base = all.base.or_else(|| base.map(str::to_owned));
        }
        _ => {}
    }
    all
}

/// The inputs that the payload has, as texts.
pub fn told_inputs(options: &EventOptions) -> Vec<(String, String)> {
    let inputs = options
        .payload
        .as_ref()
        .and_then(|payload| payload.get("inputs"));
    let inputs = inputs.and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    inputs
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

/// Where the payload and the run are not of one mind, and what nobody tells.
pub(super) fn assumptions(trigger: &Trigger, options: &EventOptions, facts: &Facts) -> Vec<String> {
    let mut all = Vec::new();
    if options.reads_commits
        && pushes_more(trigger, facts)
        && text(options, "/commits/0/id").is_none()
    {
        let only =
            "github.event.commits has only the last commit of the push (-e FILE gives others)";
        all.push(only.to_owned());
    }
    let git_ref = &trigger.git_ref;
    let speaks_of_it = matches!(trigger.event.as_str(), "push" | "workflow_dispatch");
    let told = text(options, "/ref").filter(|_| speaks_of_it);
    if let Some(told) = told.filter(|told| !git_ref.ends_with(*told)) {
        all.push(format!(
            "the payload's ref is {told}, and the run is taken for one of {git_ref} (--ref)"
        ));
    }
    if let Some(head) = head(options)
        && trigger.pull_request.is_some()
        && options.payload.is_some()
    {
        all.push(format!(
            "what is here is taken for the pull request's head '{head}', which the payload names"
        ));
    }
    if options.payload.is_none() && !payload::is_told(&trigger.event) {
        let event = &trigger.event;
        all.push(format!(
            "github.event has only the repository and the sender: a clone does not tell what {event} is about (-e FILE does)"
        ));
    }
    all
}

/// Whether a push is of more commits than the payload has: the last.
fn pushes_more(trigger: &Trigger, facts: &Facts) -> bool {
    let compared = trigger
        .compared
        .as_ref()
        .filter(|_| trigger.event == "push");
    let Some(RangeStart::Commit(start)) = compared.map(|compared| &compared.range.start) else {
        return false;
    };
    let is_synthetic = trigger.content == Content::Folder && !facts.is_clean();
    let Some(head) = facts.head_commit.as_ref() else {
        return false;
    };
    match is_synthetic {
        true => *start != head.id,
        false => *start != head.id && head.parents.first() != Some(start),
    }
}
