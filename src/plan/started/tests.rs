//! Workflows with filters, and events on `octo/hello`.

use serde_json::{Value, json};

use super::*;
use crate::ids::RunId;
use crate::plan::github_event::{Identity, RunIdentity};
use crate::source::Source;
use crate::workflow::read_workflow;

const CHANGED: &str = "origin/main";

fn workflow(on: &str) -> Workflow {
    let text = format!("on: {on}\njobs: {{ a: {{ runs-on: x, steps: [{{ run: x }}] }} }}\n");
    read_workflow(Source::new("w.yml", text)).expect("valid")
}

fn github(event_name: &str, git_ref: &str, event: Value) -> GithubContext {
    GithubContext {
        event_name: event_name.into(),
        event,
        git_ref: git_ref.into(),
        sha: "c1".into(),
        head_ref: "topic".into(),
        base_ref: "main".into(),
        identity: Identity {
            owner: "octo".into(),
            name: "hello".into(),
            default_branch: "main".into(),
            assumptions: Vec::new(),
        },
        run: RunIdentity {
            run: RunId(1),
            number: 1,
            workflow: "CI".into(),
            workflow_path: "w.yml".into(),
        },
        outsider: None,
    }
}

fn changes(paths: &[&str]) -> Changes {
    Changes {
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
        base: None,
        commits: Some(1),
    }
}

fn judged(on: &str, github: &GithubContext, changes: Result<&Changes, &str>) -> Start {
    let change = Change {
        changes,
        since: CHANGED,
        message: None,
        conflicts: &[],
        is_missing_there: false,
    };
    Start::of(&workflow(on), github, change)
}

/// Whether a push to a ref that changes these paths starts it, and why.
fn push(on: &str, git_ref: &str, paths: &[&str]) -> (bool, String) {
    let start = judged(on, &github("push", git_ref, json!({})), Ok(&changes(paths)));
    (start.starts, start.why)
}

fn yes(why: &str) -> (bool, String) {
    (true, why.to_owned())
}

fn no(why: &str) -> (bool, String) {
    (false, why.to_owned())
}

const MAIN: &str = "refs/heads/main";
const TAG: &str = "refs/tags/v1";

#[test]
fn branches_and_tags_are_judged_by_the_last_pattern_that_matches() {
    let on = "{ push: { branches: ['ma*', '!main', 'main'] } }";
    let why = "on.push.branches lets 'main' pass: 'main' in line 1";
    assert_eq!(push(on, MAIN, &[]), yes(why));
    let on = "{ push: { branches: ['ma*', '!main'] } }";
    let why = "on.push.branches keeps 'main' out: '!main' in line 1";
    assert_eq!(push(on, MAIN, &[]), no(why));
    let on = "{ push: { branches: rel } }";
    let why = "on.push.branches keeps 'main' out: it does not name it";
    assert_eq!(push(on, MAIN, &[]), no(why));
    let on = "{ push: { branches: ['!rel'] } }";
    let why = "on.push.branches has only patterns with '!', which include nothing";
    assert_eq!(push(on, MAIN, &[]), no(why));
    let on = "{ push: { branches-ignore: [rel, ma*] } }";
    let why = "on.push.branches-ignore keeps 'main' out: 'ma*' in line 1";
    assert_eq!(push(on, MAIN, &[]), no(why));
    let on = "{ push: { tags-ignore: [v2] } }";
    assert_eq!(
        push(on, TAG, &[]),
        yes("on.push.tags-ignore does not name 'v1'")
    );
}

#[test]
fn with_patterns_for_one_kind_of_ref_the_other_starts_nothing() {
    let why =
        "on.push.tags keeps 'main' out: without 'branches' beside it no branch starts the workflow";
    assert_eq!(push("{ push: { tags: v1 } }", MAIN, &[]), no(why));
    let why = "on.push.branches-ignore keeps 'v1' out: without 'tags' beside it no tag starts the workflow";
    assert_eq!(push("{ push: { branches-ignore: x } }", TAG, &[]), no(why));
    assert!(push("{ push: { tags: v1, branches: main } }", MAIN, &[]).0);
    assert!(push("{ push: { paths: x } }", TAG, &[]).0);
    assert_eq!(
        push("push", TAG, &[]),
        yes("nothing under on.push keeps it from starting")
    );
}

#[test]
fn one_included_file_is_enough_and_all_must_be_ignored() {
    let on = "{ push: { paths: ['src/**', '!**.md'] } }";
    let why = "on.push.paths includes 1 of the 3 files changed since origin/main";
    assert_eq!(push(on, MAIN, &["a", "src/a", "src/a.md"]), yes(why));
    let why = "on.push.paths does not include the only file changed since origin/main";
    assert_eq!(push(on, MAIN, &["src/a.md"]), no(why));
    let why = "on.push.paths has nothing to include: no file changed since origin/main";
    assert_eq!(push(on, MAIN, &[]), no(why));
    let on = "{ push: { paths-ignore: ['**.md'] } }";
    let why = "on.push.paths-ignore has nothing to ignore: no file changed since origin/main";
    assert_eq!(push(on, MAIN, &[]), yes(why));
    let why = "on.push.paths-ignore ignores 1 of the 2 files changed since origin/main";
    assert_eq!(push(on, MAIN, &["a", "a.md"]), yes(why));
    let why = "on.push.paths-ignore ignores all of the 2 files changed since origin/main";
    assert_eq!(push(on, MAIN, &["b.md", "a.md"]), no(why));
}

#[test]
fn branches_and_paths_must_both_let_it_pass() {
    let on = "{ push: { branches: main, paths: src/** } }";
    assert_eq!(
        push(on, MAIN, &["src/a"]),
        yes("on.push.branches and on.push.paths let it pass")
    );
    assert!(!push(on, MAIN, &["a"]).0);
    assert!(!push(on, "refs/heads/x", &["src/a"]).0);
}

#[test]
fn paths_are_not_looked_at_where_github_has_none() {
    let on = "{ push: { tags: '**', paths: x } }";
    let why = "on.push.tags and on.push.paths let it pass";
    assert_eq!(push(on, TAG, &["a"]), yes(why));
    let on = "{ push: { paths: x } }";
    let github = github("push", MAIN, json!({}));
    let start = judged(on, &github, Err("nothing is common with main"));
    assert_eq!(
        start.why,
        "on.push.paths is not looked at: nothing is common with main"
    );
    assert!(start.starts);
    let many = Changes {
        commits: Some(1001),
        ..changes(&["a"])
    };
    let start = judged(on, &github, Ok(&many));
    assert_eq!(
        start.why,
        "on.push.paths is not looked at: the push has more than 1000 commits"
    );
    assert!(start.starts);
}

#[test]
fn files_behind_the_first_three_hundred_are_not_looked_at() {
    let paths: Vec<String> = (0..301).map(|number| format!("f{number:03}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let on = "{ push: { paths: f300 } }";
    let why = "on.push.paths includes none of the first 300 of 301 files changed since origin/main";
    assert_eq!(push(on, MAIN, &paths), no(why));
    assert!(push(on, MAIN, &paths[1..]).0);
}

#[test]
fn a_pull_request_is_judged_by_its_base_and_its_action() {
    let of = |on: &str, action: &str| {
        let github = github(
            "pull_request",
            "refs/pull/1/merge",
            json!({ "action": action }),
        );
        judged(on, &github, Ok(&changes(&["a"])))
    };
    assert!(of("{ pull_request: { branches: main } }", "synchronize").starts);
    assert!(!of("{ pull_request: { branches: topic } }", "synchronize").starts);
    let start = of(
        "{ pull_request: { types: [opened, labeled] } }",
        "synchronize",
    );
    let why = "on.pull_request.types keeps 'synchronize' out: it does not name it";
    assert_eq!((start.starts, start.why.as_str()), (false, why));
    assert!(of("{ pull_request: { types: labeled, paths: a } }", "labeled").starts);
    // Without `types` three of the actions start it.
    assert!(of("pull_request", "reopened").starts);
    let start = of("pull_request", "labeled");
    let why = "on.pull_request has no types, so that opened, synchronize and reopened start it, not labeled";
    assert_eq!((start.starts, start.why.as_str()), (false, why));
}

#[test]
fn a_pull_request_with_conflicts_starts_nothing_but_what_runs_on_its_base() {
    let conflicts = ["src/a".to_owned(), "src/b".to_owned()];
    let of = |event: &str| {
        let change = Change {
            changes: Err(""),
            since: "",
            message: None,
            conflicts: &conflicts,
            is_missing_there: false,
        };
        let github = github(event, MAIN, json!({}));
        Start::of(
            &workflow("[pull_request, pull_request_target]"),
            &github,
            change,
        )
    };
    let why = "the pull request conflicts with main in src/a and 1 more";
    let start = of("pull_request");
    assert_eq!((start.starts, start.why.as_str()), (false, why));
    assert!(of("pull_request_target").starts);
}

#[test]
fn a_schedule_is_judged_by_its_cron_line() {
    let on =
        "{ schedule: [{ cron: '0 1 * * *' }, { cron: '0 3 * * *', timezone: Europe/Berlin }] }";
    let of = |cron: &str| {
        let github = github("schedule", MAIN, json!({ "schedule": cron }));
        let start = judged(on, &github, Err(""));
        (start.starts, start.why)
    };
    assert_eq!(
        of("0 1 * * *"),
        yes("on.schedule.cron is '0 1 * * *' (UTC) in line 1")
    );
    let why = "on.schedule.cron is '0 3 * * *' (Europe/Berlin) in line 1";
    assert_eq!(of("0 3 * * *"), yes(why));
    assert_eq!(
        of("0 2 * * *"),
        no("on.schedule.cron is nowhere '0 2 * * *'")
    );
}

#[test]
fn a_workflow_run_is_judged_by_its_payload() {
    let on = "{ workflow_run: { workflows: [CI], branches: [main] } }";
    let of = |event: Value| judged(on, &github("workflow_run", MAIN, event), Err("")).starts;
    let run = |name: &str, branch: &str| {
        of(json!({ "workflow_run": { "name": name, "head_branch": branch } }))
    };
    assert!(run("CI", "main"));
    assert!(!run("ci", "main"));
    assert!(!run("CI", "topic"));
    assert!(of(json!({})));
}

#[test]
fn some_events_start_what_the_default_branch_has() {
    let of = |event: &str| {
        let change = Change {
            changes: Err(""),
            since: "",
            message: None,
            conflicts: &[],
            is_missing_there: true,
        };
        let on = "{ push: , workflow_dispatch: , schedule: [{ cron: '0 0 * * *' }] }";
        Start::of(&workflow(on), &github(event, MAIN, json!({})), change)
    };
    let why = "schedule starts what main has, and this file is not there";
    let start = of("schedule");
    assert_eq!((start.starts, start.why.as_str()), (false, why));
    assert!(!of("workflow_dispatch").starts);
    assert!(of("push").starts);
}

#[test]
fn a_message_may_skip_pushes_and_pull_requests() {
    let starts = |event: &str, message: &str| {
        let change = Change {
            changes: Err(""),
            since: "",
            message: Some(message),
            conflicts: &[],
            is_missing_there: false,
        };
        let event = github(event, MAIN, json!({ "action": "opened" }));
        Start::of(
            &workflow("[push, pull_request, pull_request_target]"),
            &event,
            change,
        )
        .starts
    };
    assert!(!starts("push", "Fix it [skip ci]"));
    assert!(!starts("pull_request", "Fix it\n\n[actions skip] please"));
    assert!(starts("pull_request_target", "Fix it [skip ci]"));
    assert!(!starts("push", "Fix it\n\n\nskip-checks: true"));
    assert!(starts("push", "skip-checks: true is what I wrote"));
}

#[test]
fn an_event_that_is_not_declared_starts_nothing() {
    let why = "it does not run on push, but on schedule, fork";
    let on = "{ schedule: [{ cron: '0 0 * * *' }], fork: }";
    assert_eq!(push(on, MAIN, &[]), no(why));
}

#[test]
fn every_pattern_and_every_name_is_judged() {
    let on = "{ push: { paths: ['src/**', '!**.md', 'bin'] } }";
    let github = github("push", MAIN, json!({}));
    let start = judged(on, &github, Ok(&changes(&["a", "src/a", "src/a.md"])));
    let filter = &start.filters[0];
    let decides: Vec<usize> = filter
        .patterns
        .iter()
        .map(|pattern| pattern.decides)
        .collect();
    assert_eq!(decides, [1, 1, 0]);
    let names: Vec<_> = filter
        .names
        .iter()
        .map(|name| (name.pattern, name.selected))
        .collect();
    assert_eq!(names, [(None, false), (Some(0), true), (Some(1), false)]);
    assert_eq!(filter.patterns[2].position.column, 43);
}
