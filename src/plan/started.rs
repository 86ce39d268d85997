//! Whether GitHub would have started the workflow at all.

use super::filter::Filter;
use super::github_event::GithubContext;
use crate::workflow::{Token, Workflow};

/// Why the filters under `on:` would have kept GitHub from starting the run; none when they
/// would not. Looks at branches and tags: which paths a push changes is not known here.
pub fn not_started(workflow: &Workflow, github: &GithubContext) -> Option<String> {
    let event = github.event_name.as_str();
    let trigger = workflow.on.iter().find(|trigger| trigger.name == event)?;
    let filters = trigger.configuration.as_ref()?;
    let (kind, name) = match event {
        "pull_request" | "pull_request_target" => ("branches", github.base_ref.as_str()),
        "push" if github.ref_type() == "tag" => ("tags", github.ref_name()),
        "push" => ("branches", github.ref_name()),
        _ => return None,
    };
    let key = blocking_key(filters, kind, name)?;
    Some(format!(
        "GitHub would not start this workflow: on.{event}.{key} keeps '{name}' out"
    ))
}

/// The filter key that keeps a name out. With patterns for branches alone no tag starts a
/// workflow, and the reverse.
fn blocking_key(filters: &Token, kind: &str, name: &str) -> Option<String> {
    let ignore = format!("{kind}-ignore");
    if let Some(filter) = filter(filters, kind) {
        return (!filter.includes(&[name])).then(|| kind.to_owned());
    }
    if let Some(filter) = filter(filters, &ignore) {
        return filter.ignores(&[name]).then_some(ignore);
    }
    let other = if kind == "tags" { "branches" } else { "tags" };
    filters.get(other).map(|_| other.to_owned())
}

/// The patterns under a key; none where there is no such key, or where they are no patterns.
fn filter(filters: &Token, key: &str) -> Option<Filter> {
    let patterns: Vec<&str> = filters
        .get(key)?
        .items()
        .iter()
        .filter_map(Token::as_str)
        .collect();
    Filter::new(&patterns).ok()
}
