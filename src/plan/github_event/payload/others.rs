//! Payloads of events that are neither a push nor a pull request.

use serde_json::{Value, json};

use super::super::context::GithubContext;
use super::super::identity::stable_id;
use super::super::trigger::Trigger;
use super::{commit_value, user};
use crate::git::Commit;

/// What the event's payload has of its own, as far as it can be told.
pub(super) fn payload(context: &GithubContext, trigger: &Trigger, commit: &Commit) -> Value {
    match context.event_name.as_str() {
        "create" | "delete" => created(context),
        "merge_group" => merge_group(context, trigger, commit),
        "release" => release(context),
        "repository_dispatch" => json!({
            "branch": context.identity.default_branch,
            "client_payload": {},
        }),
        "schedule" => json!({
            "schedule": trigger.cron,
            "workflow": context.run.workflow_path,
        }),
        _ => json!({}),
    }
}

/// Whether [`payload`] knows an event: of others only the repository and the sender are told.
pub(in super::super) fn is_told(event: &str) -> bool {
    const TOLD: [&str; 12] = [
        "create",
        "delete",
        "fork",
        "merge_group",
        "public",
        "pull_request",
        "pull_request_target",
        "push",
        "release",
        "repository_dispatch",
        "schedule",
        "workflow_dispatch",
    ];
    TOLD.contains(&event)
}

fn created(context: &GithubContext) -> Value {
    json!({
        "ref": context.ref_name(),
        "ref_type": context.ref_type(),
        "master_branch": context.identity.default_branch,
        "description": null,
        "pusher_type": "user",
    })
}

fn merge_group(context: &GithubContext, trigger: &Trigger, commit: &Commit) -> Value {
    let base = trigger.queue.as_ref();
    json!({
        "merge_group": {
            "head_sha": context.sha,
            "head_ref": context.git_ref,
            "base_sha": base.map(|base| base.commit.as_str()),
            "base_ref": base.map(|base| format!("refs/heads/{}", base.branch)),
            "head_commit": commit_value(commit, &context.identity.url()),
        },
    })
}

fn release(context: &GithubContext) -> Value {
    let tag = context.ref_name();
    let repository = context.identity.repository();
    let id = stable_id(&format!("{repository}@{tag}"));
    let url = context.identity.url();
    json!({
        "release": {
            "id": id,
            "url": format!("https://api.github.com/repos/{repository}/releases/{id}"),
            "html_url": format!("{url}/releases/tag/{tag}"),
            "upload_url": format!(
                "https://uploads.github.com/repos/{repository}/releases/{id}/assets{{?name,label}}"
            ),
            "tag_name": tag,
            "target_commitish": context.identity.default_branch,
            "name": tag,
            "body": "",
            "draft": false,
            "prerelease": false,
            "author": user(context.actor()),
            "assets": [],
        },
    })
}
