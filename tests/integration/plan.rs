//! What is told of workflows before anything runs, over real repositories.

use std::fs::File;
use std::time::SystemTime;

use serde_json::Value;

use crate::lrun::Report;
use crate::project::Project;

const JOB: &str = "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{ run: echo }]\n";

/// A clone on `main`, one commit ahead of its origin, of a workflow with these filters of `push`
/// and `pull_request`.
fn clone_of(filters: &str) -> Project {
    let text = format!("on:\n  push: {filters}\n  pull_request: {filters}\n{JOB}");
    let project = Project::new(&[
        (".github/workflows/ci.yml", text.as_str()),
        ("src/a.rs", "1"),
        ("docs/a.md", "1"),
    ]);
    let origin = project.path().with_file_name("origin.git");
    let origin = origin.to_str().expect("the path is UTF-8");
    project.git(&["clone", "--quiet", "--bare", ".", origin]);
    project.git(&["remote", "add", "origin", origin]);
    project.git(&["fetch", "--quiet", "origin"]);
    project.git(&["remote", "set-head", "origin", "main"]);
    project.write("src/a.rs", "2");
    project.commit("second");
    project
}

fn told(project: &Project, arguments: &[&str]) -> Report {
    let arguments = [&["plan"], arguments].concat();
    project.lrun().args(&arguments).plain()
}

/// The one line of JSON.
fn json(project: &Project, arguments: &[&str]) -> Value {
    let report = told(project, &[&["ci.yml", "--json"], arguments].concat());
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    serde_json::from_str(&report.stdout).expect("one line of JSON")
}

/// The files that the last filter looked at.
fn files(plan: &Value) -> Vec<&str> {
    let filters = plan["filters"].as_array().expect("a list");
    let names = filters.last().expect("there is one")["names"].as_array();
    let names = names.expect("a list").iter();
    names
        .map(|name| name["name"].as_str().expect("a text"))
        .collect()
}

#[test]
fn a_push_brings_what_origin_does_not_have() {
    let project = clone_of("{ paths: [src/**] }");
    let plan = json(&project, &[]);
    assert_eq!(
        (files(&plan), &plan["starts"]),
        (vec!["src/a.rs"], &true.into())
    );
    assert_eq!(plan["since"], "origin/main");
    let counted = (&plan["changed_files"], &plan["compared_files"]);
    assert_eq!(counted, (&0.into(), &1.into()), "all of it is committed");

    project.git(&["push", "--quiet", "origin", "main"]);
    let again = json(&project, &[]);
    assert_eq!(files(&again), ["src/a.rs"], "the last push again");

    project.write("docs/a.md", "3");
    project.write("new file", "");
    let dirty = json(&project, &[]);
    assert_eq!(files(&dirty), ["docs/a.md", "new file"]);
    assert_eq!(dirty["starts"], false);
    assert_eq!(dirty["changed_files"], dirty["compared_files"]);
    let committed = json(&project, &["--committed"]);
    assert_eq!(files(&committed), ["src/a.rs"]);

    // Taken back, it is no change.
    project.write("docs/a.md", "1");
    project.write("src/a.rs", "1");
    assert_eq!(files(&json(&project, &["--since", "HEAD~1"])), ["new file"]);
}

#[test]
fn a_new_branch_brings_what_it_has_beyond_the_others() {
    let project = clone_of("{ paths: [src/**] }");
    project.git(&["push", "--quiet", "origin", "HEAD:refs/heads/release"]);
    project.git(&["fetch", "--quiet", "origin"]);
    project.git(&["checkout", "--quiet", "-b", "topic"]);
    project.write("docs/a.md", "2");
    project.commit("third");
    project.write("docs/b.md", "");
    project.commit("fourth");
    let plan = json(&project, &[]);
    assert_eq!(files(&plan), ["docs/a.md", "docs/b.md"]);
    assert_eq!(plan["ref"], "refs/heads/topic");
    // Without an origin everything is new to it.
    project.git(&["remote", "remove", "origin"]);
    project.git(&["branch", "--delete", "--force", "main"]);
    let plan = json(&project, &[]);
    assert_eq!(files(&plan).len(), 4);
    assert_eq!(plan["since"], "the beginning");
}

#[test]
fn a_pull_request_has_what_left_its_base() {
    let project = clone_of("{ paths: [docs/**] }");
    project.git(&["push", "--quiet", "origin", "main"]);
    project.git(&["checkout", "--quiet", "-b", "topic", "HEAD~1"]);
    project.write("docs/a.md", "2");
    project.commit("on the topic");
    let plan = json(&project, &["--event", "pull_request"]);
    assert_eq!(
        files(&plan),
        ["docs/a.md"],
        "not what main has gained since"
    );
    assert_eq!(plan["starts"], true);
    assert_eq!(
        files(&json(
            &project,
            &["--event", "pull_request", "--since", "main"]
        ))
        .len(),
        2
    );
}

#[test]
fn a_pull_request_with_conflicts_starts_nothing() {
    let project = clone_of("{}");
    project.git(&["push", "--quiet", "origin", "main"]);
    project.git(&["checkout", "--quiet", "-b", "topic", "HEAD~1"]);
    project.write("src/a.rs", "3");
    project.commit("another way");
    let before = project.state();
    let plan = json(&project, &["--event", "pull_request"]);
    assert_eq!(
        plan["why"],
        "the pull request conflicts with main in src/a.rs"
    );
    assert_eq!(plan["starts"], false);
    assert_eq!(json(&project, &[])["starts"], true, "a push");
    assert!(
        project.state() == before,
        "the user's folder was written to"
    );
}

#[test]
fn what_the_default_branch_lacks_is_not_dispatched() {
    let project = clone_of("{}");
    let dispatched = format!("on: workflow_dispatch\n{JOB}");
    project.write(".github/workflows/ci.yml", &dispatched);
    project.write(".github/workflows/new.yml", &dispatched);
    assert_eq!(
        json(&project, &[])["starts"],
        true,
        "on main a push brings it"
    );
    project.git(&["checkout", "--quiet", "-b", "topic"]);
    project.commit("third");
    assert_eq!(
        json(&project, &[])["starts"],
        true,
        "main has a file of that name"
    );
    let report = told(&project, &["new.yml"]);
    let why = "workflow_dispatch starts what main has, and this file is not there";
    assert!(report.stdout.contains(why), "{}", report.stdout);
}

#[test]
fn inputs_decide_before_anything_runs() {
    let project = clone_of("{}");
    let text = "\
on: { workflow_dispatch: { inputs: { dry: { type: boolean, required: true } } } }
jobs: { a: { if: inputs.dry, runs-on: ubuntu-latest, steps: [{ run: x }] } }
";
    project.write(".github/workflows/ci.yml", text);
    let plan = json(&project, &[]);
    assert_eq!(
        (&plan["starts"], &plan["jobs"]),
        (&false.into(), &Value::Null)
    );
    let why = "input 'dry' is required: give it with --input dry=VALUE";
    assert_eq!(plan["why"], why);
    let plan = json(&project, &["--input", "dry=false"]);
    assert_eq!(plan["jobs"][0]["text"], "if: inputs.dry is false");
    let plan = json(&project, &["--input", "dry=true"]);
    assert_eq!(plan["jobs"][0]["text"], Value::Null);
}

#[test]
fn a_tag_is_not_asked_for_paths() {
    let project = clone_of("{}");
    let on = "on: { push: { tags: [v*], branches: [main], paths: [nothing] } }";
    project.write(".github/workflows/ci.yml", &format!("{on}\n{JOB}"));
    project.commit("third");
    project.git(&["tag", "v1"]);
    let plan = json(&project, &["--ref", "v1"]);
    assert_eq!(plan["starts"], true, "{plan}");
    assert_eq!(json(&project, &[])["starts"], false);
}

#[test]
fn a_revision_that_is_none_is_a_mistake() {
    let project = clone_of("{ paths: [docs/**] }");
    for name in ["nothing", "--all", "HEAD:src"] {
        let report = told(&project, &["ci.yml", &format!("--since={name}")]);
        assert_eq!(report.code, Some(2), "{}", report.stdout);
        assert!(
            report.stderr.contains("there is no such commit"),
            "{}",
            report.stderr
        );
    }
}

#[test]
fn a_run_says_what_paths_would_have_kept_out() {
    let project = clone_of("{ paths: [docs/**] }");
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    let named = run.differences("GitHub would not start");
    let expected = "GitHub would not start this workflow: on.push.paths does not include the only \
        file changed since origin/main";
    assert_eq!(named, [expected]);
    let run = project.lrun().args(&["ci.yml", "--since", "HEAD"]).run();
    let named = run.exited(0).differences("GitHub would not start");
    assert_eq!(named.len(), 1, "{named:?}");
}

const LARGE: &str = "\
on:
  push:
    branches: [main, 'rel/**']
    paths: ['src/**', '!**.md', bin/**]
jobs:
  lint: { runs-on: ubuntu-latest, steps: [{ run: x }] }
  build:
    name: Build
    needs: lint
    strategy: { matrix: { os: [ubuntu-latest, macos-14] } }
    runs-on: ${{ matrix.os }}
    steps:
      - run: make
      - name: Publish
        run: make publish
        if: github.ref_name == 'prod'
      - { uses: actions/download-artifact@v5, with: { github-token: x, run-id: 5 } }
  legs:
    needs: lint
    strategy: { matrix: '${{ fromJSON(needs.lint.outputs.legs) }}' }
    runs-on: ubuntu-latest
    steps: [{ run: x }]
  deploy: { needs: build, if: github.ref_name == 'prod', runs-on: ubuntu-latest, steps: [{ run: x }] }
  tell: { needs: deploy, runs-on: ubuntu-latest, steps: [{ run: x }] }
";

#[test]
fn the_report_says_what_starts_in_which_order_and_what_does_not() {
    let project = clone_of("{}");
    project.write(".github/workflows/ci.yml", LARGE);
    project.write("src/notes.md", "");
    project.git(&["add", "--all"]);
    project.git(&["commit", "--quiet", "--amend", "--message", "second"]);
    let report = told(&project, &["ci.yml"]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let (title, rest) = report.stdout.split_once('\n').expect("several lines");
    assert!(title.starts_with("ci.yml · push · main@"), "{title}");
    insta::assert_snapshot!(rest, @"
    GitHub starts it: on.push.branches and on.push.paths let it pass
      on.push.branches lets 'main' pass: 'main' in line 3
      on.push.paths includes 1 of the 3 files changed since origin/main
        + src/a.rs                  'src/**' in line 4
        - .github/workflows/ci.yml  no pattern
        - src/notes.md              '!**.md' in line 4
        no file for 'bin/**' (line 4)

    1  lint                   ubuntu-latest
    2  Build (ubuntu-latest)  not run here: artifacts of another run (5) are not supported by this version of lrun   needs lint
       Build (macos-14)       not run here: macos-14 is another operating system   needs lint
         step 2 is skipped: Publish: if: github.ref_name == 'prod' is false
         ✗ line 17: artifacts of another run (5) are not supported by this version of lrun
       legs                   legs follow from the outputs of what it needs   needs lint
    3  deploy                 skipped: if: github.ref_name == 'prod' is false
    4  tell                   skipped: needs deploy, which is skipped
    ");
}

#[test]
fn without_a_name_all_workflows_are_told() {
    let project = clone_of("{ paths: [docs/**] }");
    let only = |on: &str, file: &str| {
        let path = format!(".github/workflows/{file}");
        project.write(&path, &format!("on: {on}\n{JOB}"));
    };
    only("{ schedule: [{ cron: '0 0 * * *' }] }", "nightly.yml");
    only("push", "all.yml");
    only("pushed", "bad.yml");
    project.commit("more");
    let report = told(&project, &[]);
    assert_eq!(report.code, Some(2), "one of them is not valid");
    let (_, rest) = report.stdout.split_once('\n').expect("several lines");
    insta::assert_snapshot!(rest, @"
    ✓ all.yml      a
    ✗ bad.yml      not valid in line 1: Unexpected value 'pushed'
    - ci.yml       not started: on.push.paths includes none of the 4 files changed since origin/main
    - nightly.yml  not started: it does not run on push, but on schedule
    ");
    let lines = told(&project, &["--json"]).stdout;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let starts: Vec<_> = lines.iter().map(|line| line["starts"].as_bool()).collect();
    assert_eq!(starts, [Some(true), None, Some(false), Some(false)]);
    assert_eq!(lines[1]["errors"][0]["line"], 1);
    assert_eq!(lines[3]["jobs"], Value::Null);
}

#[test]
fn planning_leaves_nothing_anywhere() {
    let project = clone_of("{ paths: [docs/**] }");
    project.write("src/a.rs", "3");
    // Git would write down that only the time of this one is another.
    let notes = project.path().join("docs/a.md");
    let notes = File::options()
        .write(true)
        .open(notes)
        .expect("it is there");
    notes
        .set_modified(SystemTime::UNIX_EPOCH)
        .expect("times can be set");
    let before = project.state();
    json(&project, &["--event", "pull_request"]);
    assert_eq!(files(&json(&project, &[])), ["src/a.rs"]);
    let after = project.state();
    let mut paths = before.keys().chain(after.keys());
    let other = paths.find(|path| before.get(*path) != after.get(*path));
    assert_eq!(other, None, "the user's folder was written to");
    assert!(
        !project.store().join("index.db").exists(),
        "there is no need for a store"
    );
}

#[test]
fn what_is_called_is_planned_in_its_place() {
    let project = clone_of("{}");
    let called = "\
on:
  workflow_call:
    inputs: { level: { type: number, default: 1 }, deep: { type: boolean } }
jobs:
  lint: { runs-on: ubuntu-latest, steps: [{ run: x }] }
  test: { needs: lint, if: inputs.deep, runs-on: ubuntu-latest, steps: [{ uses: actions/download-artifact@v5, with: { github-token: x, run-id: 5 } }] }
";
    let caller = "\
on: push
jobs:
  first: { runs-on: ubuntu-latest, steps: [{ run: x }] }
  call:
    needs: first
    strategy: { matrix: { deep: [true, false] } }
    uses: ./.github/workflows/called.yml
    with: { deep: '${{ matrix.deep }}', level: '${{ needs.first.outputs.level }}' }
  far: { uses: octo/hello/.github/workflows/x.yml@v1 }
  last: { needs: call, runs-on: ubuntu-latest, steps: [{ run: x }] }
";
    project.write(".github/workflows/called.yml", called);
    project.write(".github/workflows/caller.yml", caller);
    let report = told(&project, &["caller.yml"]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let (_, rest) = report.stdout.split_once('\n').expect("several lines");
    insta::assert_snapshot!(rest, @"
    GitHub starts it: nothing under on.push keeps it from starting

    1  first                ubuntu-latest
       far                  calls octo/hello/.github/workflows/x.yml@v1, which is not followed: it is in another repository and not in the store; `lrun vendor` gets it
         ✗ line 9: the called workflow 'octo/hello/.github/workflows/x.yml@v1' cannot be had: it is in another repository and not in the store; `lrun vendor` gets it
    2  call (true)          calls ./.github/workflows/called.yml with level (not known yet), deep = true   needs first
       call (false)         calls ./.github/workflows/called.yml with level (not known yet), deep = false   needs first
       call (true) / lint   ubuntu-latest
       call (false) / lint  ubuntu-latest
    3  call (true) / test   not run here: artifacts of another run (5) are not supported by this version of lrun   needs lint
         ✗ line 6: artifacts of another run (5) are not supported by this version of lrun
       call (false) / test  skipped: if: inputs.deep is false
    4  last                 ubuntu-latest   needs call
    lrun cannot run this here: 2 things marked ✗ above
    ");
    let report = told(&project, &["caller.yml", "--json"]);
    let plan: Value = serde_json::from_str(&report.stdout).expect("one line of JSON");
    let call = &plan["jobs"][1]["legs"][0]["calls"];
    assert_eq!(call["inputs"], serde_json::json!({ "deep": true }));
    assert_eq!(call["unknown_inputs"], serde_json::json!(["level"]));
    assert_eq!(call["jobs"][0]["legs"][0]["name"], "call (true) / lint");
    let run = project.lrun().args(&["caller.yml"]).run().exited(4);
    assert!(run.stderr.contains("caller.yml:9:16: "), "{}", run.stderr);
}

#[test]
fn no_name_of_a_workflow_talks_to_the_terminal() {
    let job =
        "  a:\n    name: \"\\e[2Jx\\ny\"\n    runs-on: \"\\e[8mz\"\n    steps: [{ run: echo }]\n";
    let text = format!("on: push\njobs:\n{job}");
    let project = Project::new(&[(".github/workflows/ci.yml", text.as_str())]);
    for arguments in [&["ci.yml"][..], &[]] {
        let report = told(&project, arguments);
        assert_eq!(report.code, Some(0), "{}", report.stderr);
        assert!(!report.stdout.contains('\x1b'), "{}", report.stdout);
    }
    let report = told(&project, &["ci.yml"]);
    let name = "\u{fffd}[2Jx\u{fffd}y";
    assert!(report.stdout.contains(name), "{}", report.stdout);
}

#[test]
fn one_file_that_cannot_be_read_keeps_no_other_from_being_told() {
    let project = clone_of("{}");
    let folder = project.path().join(".github/workflows");
    std::fs::write(folder.join("broken.yml"), b"on: push # \xff\n").expect("a file");
    std::fs::create_dir(folder.join("folder.yml")).expect("a folder");
    let report = told(&project, &[]);
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    assert!(report.stdout.contains("✓ ci.yml"), "{}", report.stdout);
    let invalid = "✗ broken.yml  not valid in line 1: The file is not UTF-8 text";
    assert!(report.stdout.contains(invalid), "{}", report.stdout);
    assert!(!report.stdout.contains("folder.yml"), "{}", report.stdout);
}

/// What the command says on both streams of a mistake on the command line.
fn mistake(project: &Project, arguments: &[&str]) -> String {
    let report = told(project, arguments);
    assert_eq!(report.code, Some(2), "{arguments:?}: {}", report.stdout);
    report.stderr
}

#[test]
fn what_fails_on_its_own_leaves_the_rest_planned() {
    let project = clone_of("{}");
    let text = "\
on: push
jobs:
  a: { strategy: { matrix: { include: [] } }, runs-on: ubuntu-latest, steps: [{ run: x }] }
  b: { needs: a, runs-on: ubuntu-latest, steps: [{ run: x }] }
  c: { if: \"fromJSON('{')\", runs-on: ubuntu-latest, steps: [{ run: x }] }
  d: { runs-on: ubuntu-latest, steps: [{ run: x }] }
";
    project.write(".github/workflows/ci.yml", text);
    let report = told(&project, &["ci.yml"]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    for line in [
        "✗ line 3: Error when evaluating 'strategy' for job 'a': Matrix must define at least one vector",
        "skipped: needs a, which fails",
        "✗ line 5: Error when evaluating 'if' for job 'c': ",
        "   d  ubuntu-latest",
    ] {
        assert!(report.stdout.contains(line), "{}", report.stdout);
    }
    let listed = told(&project, &[]);
    let jobs = "a (fails), b (skipped), c (fails), d";
    assert!(listed.stdout.contains(jobs), "{}", listed.stdout);
    let plan = json(&project, &[]);
    assert_eq!(plan["jobs"][0]["fails"]["line"], 3);
    assert_eq!(plan["jobs"][3]["fails"], Value::Null);

    let run = project.lrun().args(&["run", "ci.yml"]).plain();
    assert_eq!(run.code, Some(2), "{}", run.stdout);
}

#[test]
fn what_is_only_called_is_not_said_to_start() {
    let project = clone_of("{}");
    let text = format!("on: {{ workflow_call: {{ inputs: {{ a: {{ type: string }} }} }} }}\n{JOB}");
    project.write(".github/workflows/ci.yml", &text);
    let why = "it is started by the workflows that call it, and by no event";
    for arguments in [
        &[][..],
        &["--event", "workflow_call"],
        &["--event", "workflow_call", "--input", "a=1"],
    ] {
        let plan = json(&project, arguments);
        assert_eq!(
            (&plan["starts"], &plan["why"]),
            (&false.into(), &why.into())
        );
        assert_eq!(plan["jobs"][0]["job"], "a", "its jobs are told");
    }
    let said = mistake(&project, &["ci.yml", "--input", "b=1"]);
    let none = "there is no input 'b' of workflow_call; it has a";
    assert!(said.contains(none), "{said}");
}

#[test]
fn what_cannot_be_asked_is_a_mistake() {
    let project = clone_of("{}");
    for (arguments, says) in [
        (
            &["ci.yml", "--input", "env=dev"][..],
            "there is no input 'env' of push",
        ),
        (&["--input", "env=dev"], "push has no inputs"),
        (&["ci.yml", "--event", "psuh"], "did you mean 'push'?"),
        (&["--event", "psuh"], "there is no event 'psuh'"),
        (
            &["ci.yml", "--ref", "refs/heads/a..b"],
            "git check-ref-format",
        ),
        (
            &["ci.yml", "--ref", "refs/heads/a b"],
            "git check-ref-format",
        ),
        (
            &["ci.yml", "--event", "pull_request", "--pr", "0"],
            "0 is not in",
        ),
    ] {
        let said = mistake(&project, arguments);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}

#[test]
fn a_file_that_is_not_valid_is_told_in_json_too() {
    let project = clone_of("{}");
    project.write(".github/workflows/ci.yml", "on: pushed\njobs: {}\n");
    let report = told(&project, &["ci.yml", "--json"]);
    assert_eq!(report.code, Some(2));
    let line: Value = serde_json::from_str(&report.stdout).expect("one line of JSON");
    assert_eq!(line["type"], "plan");
    assert_eq!(line["workflow"], ".github/workflows/ci.yml");
    assert_eq!(line["errors"][0]["line"], 1);
}

#[test]
fn what_runs_the_default_branch_runs_on_no_other_ref() {
    let project = clone_of("{}");
    let on = "on: { schedule: [{ cron: '0 0 * * *' }], pull_request_target: }";
    project.write(".github/workflows/ci.yml", &format!("{on}\n{JOB}"));
    project.commit("third");
    project.git(&["branch", "feature"]);
    let plan = json(&project, &["--event", "schedule", "--ref", "feature"]);
    let why = "schedule runs on the default branch, main, and on no other ref";
    assert_eq!(
        (&plan["starts"], &plan["why"]),
        (&false.into(), &why.into())
    );
    assert_eq!(json(&project, &["--event", "schedule"])["starts"], true);

    project.git(&["checkout", "--quiet", "-b", "topic"]);
    project.write(".github/workflows/new.yml", &format!("{on}\n{JOB}"));
    project.commit("fourth");
    let report = told(&project, &["new.yml", "--event", "pull_request_target"]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let why = "GitHub does not start it: there is no .github/workflows/new.yml in commit";
    assert!(report.stdout.contains(why), "{}", report.stdout);
}

#[test]
fn what_decides_and_is_assumed_is_told_without_being_asked() {
    let project = clone_of("{ branches: [main] }");
    project.git(&["checkout", "--quiet", "--detach"]);
    let detached = "assumed  HEAD is on no branch and no tag: the run is taken for one of main";
    for arguments in [&["ci.yml"][..], &[]] {
        let report = told(&project, arguments);
        assert!(report.stdout.contains(detached), "{}", report.stdout);
    }
    project.git(&["checkout", "--quiet", "main"]);
    assert!(!told(&project, &["ci.yml"]).stdout.contains("assumed"));

    let on = "on: { pull_request: { types: [labeled, closed] } }";
    project.write(".github/workflows/ci.yml", &format!("{on}\n{JOB}"));
    let report = told(&project, &["ci.yml"]);
    let first = "assumed  the event's action is taken for 'labeled', the first of";
    assert!(report.stdout.contains(first), "{}", report.stdout);

    let project = clone_of("{ branches: [main] }");
    project.write("payload.json", r#"{ "ref": "refs/heads/other" }"#);
    let report = told(&project, &["ci.yml", "-e", "payload.json"]);
    let other = "on.push.branches keeps 'other' out";
    assert!(report.stdout.contains(other), "{}", report.stdout);
    let both = ["ci.yml", "-e", "payload.json", "--ref", "refs/heads/main"];
    let report = told(&project, &both);
    let differs = "assumed  the payload's ref is refs/heads/other, and the run is taken for one of refs/heads/main";
    assert!(report.stdout.contains(differs), "{}", report.stdout);
}

#[test]
fn refuse_any_refuses_what_a_run_would_refuse() {
    let windows = "on: push\njobs: { there: { runs-on: windows-latest, steps: [ { run: x } ] } }\n";
    let project = Project::of_workflow(windows);
    let report = told(&project, &["ci.yml"]);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let report = told(&project, &["ci.yml", "--refuse-any"]);
    assert_eq!(report.code, Some(4), "{}", report.stdout);
    let named = "job 'there': not run here: there: windows-latest is another operating system";
    assert!(report.stderr.contains(named), "{}", report.stderr);
    let run = project.lrun().args(&["ci.yml", "--refuse-any"]).plain();
    assert_eq!((run.code, run.stderr), (Some(4), report.stderr));
}
