//! `github.event`: the parts of GitHub's webhook payloads that a clone can tell
//! (docs: webhook events and payloads). Keys that nobody here can know are left out.

mod others;

use serde_json::{Map, Value, json};

pub(super) use self::others::is_told;
use super::context::GithubContext;
use super::identity::{ACTOR, Identity, SERVER_URL, stable_id};
use super::outsider::Outsider;
use super::trigger::{EventOptions, Trigger};
use crate::git::{Commit, Facts, Snapshot};

/// The `before` of a branch that was not there.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// The payload of the event.
pub(super) fn payload(
    context: &GithubContext,
    trigger: &Trigger,
    options: &EventOptions,
    facts: &Facts,
    snapshot: &Snapshot,
) -> Value {
    let mut payload = match context.event_name.as_str() {
        "push" => push(context, options, facts, &snapshot.commit),
        "pull_request" | "pull_request_target" => pull_request(context, trigger, snapshot),
        "workflow_dispatch" => json!({
            "inputs": inputs(options),
            "ref": context.git_ref,
            "workflow": context.run.workflow_path,
        }),
        _ => others::payload(context, trigger, &snapshot.commit),
    };
    if let Some(action) = &trigger.action {
        payload["action"] = action.as_str().into();
    }
    payload["repository"] = repository(&context.identity);
    payload["sender"] = user(context.actor());
    payload
}

fn inputs(options: &EventOptions) -> Value {
    if options.inputs.is_empty() {
        return Value::Null;
    }
    let pairs = options.inputs.iter();
    let inputs: Map<_, _> = pairs
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    Value::Object(inputs)
}

fn push(context: &GithubContext, options: &EventOptions, facts: &Facts, commit: &Commit) -> Value {
    let pushed = context
        .git_ref
        .strip_prefix("refs/heads/")
        .and_then(|branch| facts.refs.get(&format!("refs/remotes/origin/{branch}")))
        .map(|target| target.commit.as_str());
    let since = options.since.as_ref().map(|since| since.commit.as_str());
    let before = match (since, pushed) {
        (Some(since), _) => Some(since),
        // What is pushed already is taken for the last push again.
        (None, Some(pushed)) if pushed == commit.id => commit.parents.first().map(String::as_str),
        (None, pushed) => pushed,
    };
    let url = context.identity.url();
    let commit_value = commit_value(commit, &url);
    json!({
        "ref": context.git_ref,
        "before": before.unwrap_or(NO_COMMIT),
        "after": commit.id,
        "base_ref": null,
        "created": before.is_none(),
        "deleted": false,
        "forced": false,
        "compare": format!("{url}/compare/{}...{}", before.unwrap_or(NO_COMMIT), commit.id),
        "commits": [commit_value],
        "head_commit": commit_value,
        "pusher": { "name": context.actor(), "email": format!("{ACTOR}@localhost") },
    })
}

fn commit_value(commit: &Commit, url: &str) -> Value {
    json!({
        "id": commit.id,
        "tree_id": commit.tree,
        "distinct": true,
        "message": commit.message,
        "timestamp": commit.timestamp,
        "url": format!("{url}/commit/{}", commit.id),
        "author": { "name": commit.author_name, "email": commit.author_email },
        "committer": { "name": commit.committer_name, "email": commit.committer_email },
    })
}

fn pull_request(context: &GithubContext, trigger: &Trigger, snapshot: &Snapshot) -> Value {
    let number = trigger.pull_request.as_ref().map(|(_, number)| *number);
    let head_sha = match &snapshot.merge {
        Some(merge) => &merge.head,
        None => &snapshot.head_sha,
    };
    let base_sha = trigger.base.as_ref().map(|base| base.commit.as_str());
    let repository = repository(&context.identity);
    let owner = &context.identity.owner;
    let side = |(owner, repository): (&str, &Value), branch: &str, sha: Option<&str>| {
        json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "sha": sha,
            "user": user(owner),
            "repo": repository,
        })
    };
    let base = (owner.as_str(), &repository);
    let forked = forked(&context.identity);
    let head = match context.outsider {
        Some(Outsider::Fork) => (FORK, &forked),
        _ => base,
    };
    let url = format!(
        "{}/pull/{}",
        context.identity.url(),
        number.unwrap_or_default()
    );
    let full_name = context.identity.repository();
    let api = format!("https://api.github.com/repos/{full_name}");
    json!({
        "number": number,
        "pull_request": {
            "number": number,
            "id": stable_id(&url),
            "url": format!("{api}/pulls/{}", number.unwrap_or_default()),
            "html_url": url,
            "diff_url": format!("{url}.diff"),
            "patch_url": format!("{url}.patch"),
            "issue_url": format!("{api}/issues/{}", number.unwrap_or_default()),
            "state": "open",
            "locked": false,
            "draft": false,
            "merged": false,
            "merged_at": null,
            "mergeable": true,
            "auto_merge": null,
            "title": context.head_ref,
            "body": null,
            "labels": [],
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "milestone": null,
            "author_association": "OWNER",
            "user": user(context.actor()),
            "merge_commit_sha": snapshot.merge.as_ref().map(|_| snapshot.sha()),
            "head": side(head, &context.head_ref, Some(head_sha)),
            "base": side(base, &context.base_ref, base_sha),
        },
        "after": head_sha,
    })
}

/// Whose fork a pull request of one comes from.
const FORK: &str = "fork";

/// The fork of a repository.
fn forked(identity: &Identity) -> Value {
    let mut forked = repository(&Identity {
        owner: FORK.to_owned(),
        ..identity.clone()
    });
    forked["fork"] = true.into();
    forked
}

fn repository(identity: &Identity) -> Value {
    let full_name = identity.repository();
    json!({
        "id": stable_id(&full_name),
        "name": identity.name,
        "full_name": full_name,
        "fork": false,
        "owner": user(&identity.owner),
        "html_url": identity.url(),
        "url": format!("https://api.github.com/repos/{full_name}"),
        "clone_url": format!("{}.git", identity.url()),
        "git_url": format!("git://github.com/{full_name}.git"),
        "ssh_url": format!("git@github.com:{full_name}.git"),
        "default_branch": identity.default_branch,
    })
}

fn user(login: &str) -> Value {
    let is_bot = login.ends_with("[bot]");
    json!({
        "login": login,
        "id": stable_id(login),
        "type": if is_bot { "Bot" } else { "User" },
        "html_url": format!("{SERVER_URL}/{login}"),
    })
}
