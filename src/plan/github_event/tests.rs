//! A clone of `octo/hello` on `topic`, one commit ahead of `origin/topic`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::git::{Commit, Content, Facts, Head, Merge, Origin, RangeStart, Ref, Refs, Snapshot};
use crate::ids::RunId;
use crate::lookup::Scope;
use crate::source::Span;

fn facts() -> Facts {
    let refs = [
        ("refs/heads/topic", "c3"),
        ("refs/heads/main", "c1"),
        ("refs/remotes/origin/main", "c2"),
        ("refs/remotes/origin/topic", "c2"),
        ("refs/tags/v1", "c1"),
    ];
    let named = |(name, commit): (&str, &str)| {
        let target = Ref {
            object: commit.to_owned(),
            commit: commit.to_owned(),
        };
        (name.to_owned(), target)
    };
    Facts {
        root: PathBuf::from("/src/my hello"),
        commit: "c3".into(),
        head_commit: None,
        head: Head::Branch("topic".into()),
        refs: Refs(refs.into_iter().map(named).collect::<BTreeMap<_, _>>()),
        origin: Origin::parse("https://github.com/octo/hello"),
        origin_head: Some("main".into()),
        changed: Vec::new(),
        untracked: Vec::new(),
        unmerged: Vec::new(),
    }
}

fn snapshot(id: &str) -> Snapshot {
    Snapshot {
        commit: Commit {
            id: id.into(),
            tree: "t".into(),
            parents: vec!["parent".into()],
            author_name: "Ada".into(),
            author_email: "ada@example.org".into(),
            committer_name: "Ada".into(),
            committer_email: "ada@example.org".into(),
            seconds: 0,
            timestamp: "1970-01-01T00:00:00+00:00".into(),
            message: "Say hello".into(),
        },
        head_sha: id.into(),
        merge: None,
        changed: Vec::new(),
        untracked: Vec::new(),
        objects: PathBuf::new(),
    }
}

fn choose(declared: &[&str], options: &EventOptions) -> Trigger {
    Trigger::choose(&on(declared), options, &facts()).unwrap()
}

/// A workflow's `on` with these events.
fn on(declared: &[&str]) -> Vec<crate::workflow::Trigger> {
    let trigger = |&name: &&str| crate::workflow::Trigger {
        name: name.to_owned(),
        span: Span::default(),
        configuration: None,
    };
    declared.iter().map(trigger).collect()
}

fn context(declared: &[&str], options: &EventOptions, snapshot: &Snapshot) -> GithubContext {
    let run = RunIdentity {
        run: RunId(12),
        number: 3,
        workflow: "CI".into(),
        workflow_path: ".github/workflows/ci.yml".into(),
    };
    let trigger = choose(declared, options);
    GithubContext::new(&trigger, options, &facts(), snapshot, run)
}

fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|&name| Scope(name.into())).collect()
}

#[test]
fn the_first_declared_of_githubs_usual_events_is_chosen() {
    let event = |declared: &[&str]| choose(declared, &EventOptions::default()).event;
    assert_eq!(event(&["schedule", "pull_request", "push"]), "push");
    assert_eq!(
        event(&["schedule", "workflow_dispatch"]),
        "workflow_dispatch"
    );
    assert_eq!(event(&["issues", "fork"]), "issues");
    let none = Trigger::choose(&on(&[]), &EventOptions::default(), &facts());
    assert_eq!(none, Err(EventError::NoEvents));
}

#[test]
fn an_event_that_is_not_declared_starts_nothing() {
    let options = EventOptions {
        event: Some("release".into()),
        ..EventOptions::default()
    };
    let error = Trigger::choose(&on(&["push"]), &options, &facts()).unwrap_err();
    let text = "the workflow does not run on 'release'; its events are: push";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_push_is_of_the_current_branch_and_may_save_to_it() {
    let context = context(&["push"], &EventOptions::default(), &snapshot("dirty"));
    assert_eq!(context.git_ref, "refs/heads/topic");
    let expected = scopes(&["refs/heads/topic", "refs/heads/main"]);
    assert_eq!(context.readable_scopes(), expected);
    assert_eq!(context.writable_scope(), Some(expected[0].clone()));
    assert_eq!(context.event["before"], "c2");
    assert_eq!(context.event["head_commit"]["message"], "Say hello");
    assert_eq!(context.event["repository"]["default_branch"], "main");
}

#[test]
fn what_is_pushed_already_is_taken_for_the_last_push() {
    let context = context(&["push"], &EventOptions::default(), &snapshot("c2"));
    assert_eq!(context.event["before"], "parent");
}

#[test]
fn a_tag_may_be_given_and_need_not_exist_when_written_in_full() {
    let push = |git_ref: &str| {
        let options = EventOptions {
            git_ref: Some(git_ref.into()),
            ..EventOptions::default()
        };
        Trigger::choose(&on(&["push"]), &options, &facts())
    };
    let tag = push("v1").unwrap();
    assert_eq!(tag.git_ref, "refs/tags/v1");
    assert_eq!(tag.content, Content::Commit("c1".into()));
    let future = push("refs/tags/v2").unwrap();
    assert_eq!(future.content, Content::Folder);
    assert_eq!(push("topic").unwrap().content, Content::Folder);
    assert!(matches!(push("v2"), Err(EventError::NoSuchRef { name }) if name == "v2"));
}

#[test]
fn a_pull_request_has_the_merge_ref_and_reads_base_and_default_branch() {
    let options = EventOptions {
        base: Some("topic".into()),
        head: Some("main".into()),
        number: Some(7),
        ..EventOptions::default()
    };
    let trigger = choose(&["pull_request"], &options);
    assert_eq!(trigger.content, Content::Commit("c1".into()), "local main");
    let base = trigger.base.unwrap();
    assert_eq!((&*base.branch, &*base.commit), ("topic", "c2"));

    let merged = Snapshot {
        merge: Some(Merge {
            base: "c2".into(),
            head: "c1".into(),
        }),
        ..snapshot("merge")
    };
    let context = context(&["pull_request"], &options, &merged);
    assert_eq!(context.git_ref, "refs/pull/7/merge");
    assert_eq!(context.ref_name(), "7/merge");
    assert_eq!(context.ref_type(), "branch");
    let expected = scopes(&["refs/pull/7/merge", "refs/heads/topic", "refs/heads/main"]);
    assert_eq!(context.readable_scopes(), expected);
    assert_eq!(context.event["pull_request"]["head"]["sha"], "c1");
    assert_eq!(context.event["pull_request"]["base"]["ref"], "topic");
    assert_eq!(context.event["pull_request"]["merge_commit_sha"], "merge");
}

#[test]
fn the_number_of_a_pull_request_is_stable_per_head() {
    let number = || choose(&["pull_request"], &EventOptions::default()).pull_request;
    assert_eq!(number(), number());
    assert_eq!(number().unwrap().0, "topic");
}

#[test]
fn low_trust_events_on_the_default_branch_only_read() {
    let of = |event| context(&[event], &EventOptions::default(), &snapshot("c3"));
    let comment = of("issue_comment");
    assert_eq!(comment.git_ref, "refs/heads/main");
    assert_eq!(comment.writable_scope(), None);
    assert!(of("schedule").writable_scope().is_some());
    assert_eq!(of("pull_request_target").sha, "c3");
    assert_eq!(of("pull_request_target").writable_scope(), None);
}

#[test]
fn a_given_payload_lies_over_the_one_made() {
    let options = EventOptions {
        payload: Some(json!({ "head_commit": { "message": "[skip]" }, "extra": 1 })),
        ..EventOptions::default()
    };
    let event = context(&["push"], &options, &snapshot("c3")).event;
    assert_eq!(event["head_commit"]["message"], "[skip]");
    assert_eq!(event["head_commit"]["author"]["name"], "Ada");
    assert_eq!(event["extra"], 1);
}

#[test]
fn inputs_are_in_the_payload_of_a_dispatch() {
    let options = EventOptions {
        inputs: vec![("level".into(), "high".into())],
        ..EventOptions::default()
    };
    let event = context(&["workflow_dispatch"], &options, &snapshot("c3")).event;
    assert_eq!(event["inputs"], json!({ "level": "high" }));
    let none = context(
        &["workflow_dispatch"],
        &EventOptions::default(),
        &snapshot("c3"),
    );
    assert_eq!(none.event["inputs"], json!(null));
}

#[test]
fn expressions_see_the_context_as_github_has_it() {
    let value = context(&["push"], &EventOptions::default(), &snapshot("c3")).to_value();
    assert_eq!(value["repository"], "octo/hello");
    assert_eq!(value["repository_owner"], "octo");
    assert_eq!(value["run_id"], "12");
    assert_eq!(value["run_number"], "3");
    assert_eq!(value["ref_name"], "topic");
    assert_eq!(value["head_ref"], "");
    let workflow_ref = "octo/hello/.github/workflows/ci.yml@refs/heads/topic";
    assert_eq!(value["workflow_ref"], workflow_ref);
}

#[test]
fn a_clone_without_origin_is_taken_for_a_local_repository() {
    let facts = Facts {
        origin: None,
        origin_head: None,
        head: Head::Detached,
        ..facts()
    };
    let identity = Identity::of(&facts);
    assert_eq!(identity.repository(), "local/my-hello");
    assert_eq!(identity.default_branch, "main");
    let trigger = Trigger::choose(&on(&["push"]), &EventOptions::default(), &facts).unwrap();
    assert_eq!(trigger.git_ref, "refs/heads/main");
    assert_eq!(trigger.assumptions.len(), 3);
}

/// What a push of a branch, or a pull request, is compared with.
fn start(event: &str, options: &EventOptions, facts: &Facts) -> (RangeStart, String) {
    let trigger = Trigger::of_event(event, options, facts).expect("there is such an event");
    let compared = trigger.compared.expect("it changes something");
    (compared.range.start, compared.since)
}

fn on_branch(name: &str, commit: &str) -> Facts {
    Facts {
        head: Head::Branch(name.into()),
        commit: commit.into(),
        ..facts()
    }
}

#[test]
fn a_push_is_compared_with_what_origin_has_of_the_branch() {
    let options = EventOptions::default();
    let start = |facts: &Facts| start("push", &options, facts);
    let commit = |id: &str| RangeStart::Commit(id.to_owned());
    assert_eq!(
        start(&facts()),
        (commit("c2"), "origin/topic".to_owned()),
        "one commit ahead"
    );
    let pushed = on_branch("topic", "c2");
    let before = "the commit before c2".to_owned();
    assert_eq!(
        start(&pushed),
        (commit("c2^"), before.clone()),
        "the last push again"
    );
    let known = Facts {
        head_commit: Some(snapshot("c2").commit),
        ..pushed.clone()
    };
    assert_eq!(start(&known), (commit("parent"), before));
    let dirty = Facts {
        changed: vec![b"a".to_vec()],
        ..pushed
    };
    assert_eq!(start(&dirty), (commit("c2"), "origin/topic".to_owned()));
}

#[test]
fn a_new_branch_is_compared_with_where_it_left_the_others() {
    let options = EventOptions::default();
    let start = |facts: &Facts| start("push", &options, facts);
    let known = RangeStart::NewBranch {
        known: vec!["c2".into()],
    };
    assert_eq!(
        start(&on_branch("new", "c3")),
        (known, "new left main".to_owned())
    );
    let nowhere = Facts {
        refs: Refs::default(),
        ..on_branch("main", "c3")
    };
    assert_eq!(
        start(&nowhere),
        (RangeStart::Nothing, "the beginning".to_owned())
    );
}

#[test]
fn a_pull_request_is_compared_with_its_base() {
    let options = EventOptions::default();
    let expected = (
        RangeStart::MergeBase("c2".into()),
        "it left main".to_owned(),
    );
    assert_eq!(start("pull_request", &options, &facts()), expected);
    assert_eq!(start("pull_request_target", &options, &facts()), expected);
    let trigger = Trigger::of_event("pull_request_target", &options, &facts()).unwrap();
    let compared = trigger.compared.unwrap();
    assert_eq!(
        compared.range.end,
        Content::Folder,
        "its head, though its base runs"
    );
}

#[test]
fn since_goes_over_what_an_event_is_compared_with() {
    let options = EventOptions {
        since: Some(Since {
            revision: "v1".into(),
            commit: "c1".into(),
        }),
        ..EventOptions::default()
    };
    let expected = (RangeStart::Commit("c1".into()), "v1".to_owned());
    assert_eq!(start("push", &options, &facts()), expected);
    assert_eq!(start("pull_request", &options, &facts()), expected);
    let context = context(&["push"], &options, &snapshot("c3"));
    assert_eq!(context.event["before"], "c1");
    let tag = EventOptions {
        git_ref: Some("v1".into()),
        ..options
    };
    assert_eq!(
        Trigger::of_event("push", &tag, &facts()).unwrap().compared,
        None
    );
}

/// A workflow with this `on`.
fn workflow(on: &str) -> crate::workflow::Workflow {
    let text = format!("on: {on}\njobs: {{ a: {{ runs-on: x, steps: [{{ run: x }}] }} }}\n");
    crate::workflow::read_workflow(crate::source::Source::new("w.yml", text)).expect("valid")
}

#[test]
fn an_event_happens_as_the_workflow_asks_for_it() {
    let of = |on: &str| {
        let on = workflow(on).on;
        Trigger::choose(&on, &EventOptions::default(), &facts()).unwrap()
    };
    let action = |on: &str| of(on).action;
    assert_eq!(action("pull_request").as_deref(), Some("synchronize"));
    assert_eq!(
        action("{ pull_request: { types: [labeled, synchronize] } }").as_deref(),
        Some("synchronize")
    );
    assert_eq!(
        action("{ pull_request: { types: labeled } }").as_deref(),
        Some("labeled")
    );
    assert_eq!(
        action("{ release: { types: [published, edited] } }").as_deref(),
        Some("published")
    );
    assert_eq!(action("release").as_deref(), Some("published"));
    let schedule = of("{ schedule: [{ cron: '0 3 * * *' }, { cron: '0 4 * * *' }] }");
    assert_eq!(schedule.cron.as_deref(), Some("0 3 * * *"));
    let assumed = "the run is taken for that of cron '0 3 * * *', the first of 2";
    assert_eq!(schedule.assumptions, [assumed]);
    let github = GithubContext::new(
        &schedule,
        &EventOptions::default(),
        &facts(),
        &snapshot("c3"),
        RunIdentity {
            run: RunId(12),
            number: 3,
            workflow: "CI".into(),
            workflow_path: "w.yml".into(),
        },
    );
    assert_eq!(github.event["schedule"], "0 3 * * *");
}

#[test]
fn what_a_payload_says_is_taken_unless_an_option_says_otherwise() {
    let told = |event: &str, payload: serde_json::Value, number: Option<u64>| {
        let options = EventOptions {
            payload: Some(payload),
            number,
            ..EventOptions::default()
        };
        Trigger::choose(&on(&[event]), &options, &facts()).expect("it can be")
    };
    let push = told("push", json!({ "ref": "refs/tags/v1" }), None);
    assert_eq!(push.git_ref, "refs/tags/v1");
    assert_eq!(push.content, Content::Commit("c1".into()));
    let of_pull_request = json!({
        "action": "closed",
        "number": 5,
        "pull_request": { "head": { "ref": "elsewhere" }, "base": { "ref": "topic" } },
    });
    let closed = told("pull_request", of_pull_request.clone(), None);
    assert_eq!(closed.action.as_deref(), Some("closed"));
    assert_eq!(closed.pull_request, Some(("elsewhere".into(), 5)));
    assert_eq!(
        closed.content,
        Content::Folder,
        "for a head that is not here"
    );
    assert_eq!(closed.base.map(|base| base.commit).as_deref(), Some("c2"));
    let named = told("pull_request", of_pull_request, Some(6));
    assert_eq!(named.git_ref, "refs/pull/6/merge");
    let release = told("release", json!({ "release": { "tag_name": "v9" } }), None);
    assert_eq!(release.git_ref, "refs/tags/v9");
    assert_eq!(
        told("schedule", json!({ "schedule": "1 * * * *" }), None)
            .cron
            .as_deref(),
        Some("1 * * * *")
    );
}

#[test]
fn a_merge_group_has_a_branch_of_the_queue_and_no_base_of_a_pull_request() {
    let options = EventOptions {
        number: Some(7),
        ..EventOptions::default()
    };
    let context = context(&["merge_group"], &options, &snapshot("c3"));
    assert_eq!(context.git_ref, "refs/heads/gh-readonly-queue/main/pr-7-c2");
    assert_eq!(context.base_ref, "");
    assert_eq!(context.event["merge_group"]["base_sha"], "c2");
    assert_eq!(context.event["merge_group"]["head_sha"], "c3");
    assert_eq!(context.event["action"], "checks_requested");
}

#[test]
fn those_that_github_trusts_less_get_no_secrets_of_the_repository() {
    let of = |event: &str, outsider| {
        let options = EventOptions {
            outsider: Some(outsider),
            ..EventOptions::default()
        };
        context(&[event], &options, &snapshot("c3"))
    };
    let fork = of("pull_request", Outsider::Fork);
    assert_eq!(fork.secret_source(), "None");
    assert_eq!(
        fork.event["pull_request"]["head"]["repo"]["full_name"],
        "fork/hello"
    );
    assert_eq!(
        fork.event["pull_request"]["base"]["repo"]["full_name"],
        "octo/hello"
    );
    assert_eq!(
        of("pull_request_target", Outsider::Fork).secret_source(),
        "Actions"
    );
    let dependabot = of("push", Outsider::Dependabot);
    assert_eq!(dependabot.secret_source(), "Dependabot");
    assert_eq!(dependabot.to_value()["actor"], "dependabot[bot]");
    let options = EventOptions {
        outsider: Some(Outsider::Fork),
        ..EventOptions::default()
    };
    let error = Trigger::choose(&on(&["push"]), &options, &facts()).unwrap_err();
    let text =
        "--as fork: push is no event of such a run; those are pull_request, pull_request_target";
    assert_eq!(error.to_string(), text);
}

#[test]
fn commits_of_a_push_that_the_payload_lacks_are_named() {
    let named = |facts: &Facts| {
        let options = EventOptions {
            reads_commits: true,
            ..EventOptions::default()
        };
        let trigger = Trigger::of_event("push", &options, facts).expect("it can be");
        trigger
            .assumptions
            .iter()
            .any(|one| one.starts_with("github.event.commits"))
    };
    let with_parent = |parent: &str| {
        let mut commit = snapshot("c3").commit;
        commit.parents = vec![parent.to_owned()];
        Facts {
            head_commit: Some(commit),
            ..facts()
        }
    };
    assert!(!named(&with_parent("c2")), "one commit after origin's c2");
    assert!(named(&with_parent("other")), "more than one");
}
