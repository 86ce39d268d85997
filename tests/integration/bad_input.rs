//! Whatever is wrong, there is one clear error, the right exit code, and nothing half done.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::lrun::Report;
use crate::project::{Project, workflow_of};

const INVALID: i32 = 2;
const CANNOT_RUN: i32 = 4;

/// Runs `ci.yml` of the project; it must fail so and say all of these.
fn refused(project: &Project, code: i32, words: &[&str]) -> Report {
    let report = project.lrun().args(&["ci.yml"]).plain();
    assert_refused(&report, code, words);
    report
}

fn assert_refused(report: &Report, code: i32, words: &[&str]) {
    assert_eq!(
        report.code,
        Some(code),
        "{}{}",
        report.stdout,
        report.stderr
    );
    for word in words {
        assert!(report.stderr.contains(word), "{word}: {}", report.stderr);
    }
    let is_panic = report.stderr.contains("panicked");
    assert!(!is_panic, "{}", report.stderr);
}

#[test]
fn what_is_not_yaml_is_named_with_its_place() {
    let project = Project::of_workflow("on: push\njobs: {\n");
    refused(&project, INVALID, &[".github/workflows/ci.yml"]);
}

#[test]
fn every_wrong_key_is_named_with_its_place() {
    let project = Project::of_workflow(
        "on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    stepz: []\n    steps:\n      - run: x\n        wiht: {}\n",
    );
    let words = ["ci.yml:5:5", "stepz", "ci.yml:8:9", "wiht"];
    refused(&project, INVALID, &words);
}

#[test]
fn unknown_functions_are_named_with_their_place() {
    let project = Project::of_steps("- run: echo ${{ hash('x') }}");
    refused(&project, INVALID, &["ci.yml:6:14", "hash"]);
}

#[test]
fn a_cycle_of_needs_is_named() {
    let job = |id: &str, needs: &str| {
        format!(
            "  {id}:\n    needs: {needs}\n    runs-on: ubuntu-24.04\n    steps: [{{ run: x }}]\n"
        )
    };
    let project = Project::of_workflow(&format!(
        "on: push\njobs:\n{}{}{}",
        job("a", "b"),
        job("b", "a"),
        "  c: { runs-on: ubuntu-24.04, steps: [{ run: x }] }\n"
    ));
    let cycle = "Job 'a' depends on job 'b' which creates a cycle";
    refused(&project, INVALID, &["ci.yml:4:12", cycle]);
}

#[test]
fn workflows_and_jobs_that_are_not_there_are_answered_with_those_that_are() {
    let project = Project::of_steps("- run: x");
    let missing = project.lrun().args(&["deploy.yml"]).plain();
    assert_refused(&missing, INVALID, &["deploy.yml", "ci.yml"]);
    let missing = project.lrun().args(&["ci.yml", "--job", "deploy"]).plain();
    assert_refused(&missing, INVALID, &["deploy", "build"]);
}

#[test]
fn an_action_that_cannot_be_had_is_named_before_anything_starts() {
    let project = Project::of_steps("- run: touch started\n- uses: nobody/nothing@v1");
    let report = refused(&project, CANNOT_RUN, &["nobody/nothing@v1"]);
    assert!(!report.stdout.contains("touch started"));
}

#[test]
fn a_checkout_that_cannot_be_made_is_refused_before_anything_starts() {
    let steps =
        "- run: touch started\n- uses: actions/checkout@v5\n  with: { repository: octo/nothing }";
    let project = Project::of_steps(steps);
    let report = project.lrun().args(&["ci.yml", "--offline"]).plain();
    let words = ["ci.yml:7", "octo/nothing cannot be checked out"];
    assert_refused(&report, CANNOT_RUN, &words);
    assert!(!report.stdout.contains("touch started"));
    let excluded = steps.replace("  with", "  if: github.event_name == 'release'\n  with");
    Project::of_steps(&excluded)
        .lrun()
        .args(&["ci.yml", "--offline"])
        .run()
        .exited(0);
}

#[test]
fn a_folder_that_is_no_repository_is_named() {
    let project = Project::without_git(&[(".github/workflows/ci.yml", &workflow_of("- run: x"))]);
    refused(&project, CANNOT_RUN, &["project", "git"]);
}

#[test]
fn a_repository_without_commits_is_told_what_to_do() {
    let project = Project::without_git(&[(".github/workflows/ci.yml", &workflow_of("- run: x"))]);
    project.git(&["init", "--quiet"]);
    refused(&project, CANNOT_RUN, &["commit"]);
}

#[test]
fn a_machine_without_git_is_told_so() {
    let project = Project::of_steps("- run: x");
    let report = project
        .lrun()
        .args(&["ci.yml"])
        .env("PATH", "/nowhere")
        .plain();
    assert_refused(&report, CANNOT_RUN, &["git"]);
}

#[test]
fn a_merge_conflict_starts_nothing() {
    let project = Project::of_workflow(&workflow_of("- run: x").replace("push", "pull_request"));
    project.write("file.txt", "base\n");
    project.commit("base");
    project.git(&["switch", "--quiet", "-c", "feature"]);
    project.write("file.txt", "feature\n");
    project.commit("feature");
    project.git(&["switch", "--quiet", "main"]);
    project.write("file.txt", "main\n");
    project.commit("main");
    project.git(&["switch", "--quiet", "feature"]);
    let report = project
        .lrun()
        .args(&["ci.yml", "--head", "feature", "--base", "main"])
        .plain();
    assert_refused(&report, CANNOT_RUN, &["file.txt", "conflict"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    if nix::unistd::geteuid().is_root() {
        // Root reads everything: what is left to go wrong is a directory in a file's stead.
        let project = Project::new(&[("README", "")]);
        fs::create_dir_all(project.path().join(".github/workflows/ci.yml")).expect("writable");
        refused(&project, INVALID, &["ci.yml"]);
        return;
    }
    let project = Project::of_steps("- run: x");
    project.write("closed/file.txt", "x");
    let closed = project.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("it is ours");
    let report = project.lrun().args(&["ci.yml"]).plain();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert_refused(&report, CANNOT_RUN, &["closed"]);
}

#[test]
fn a_store_that_cannot_be_used_is_named() {
    let project = Project::of_steps("- run: x");
    // A file where the store should be: neither root nor anyone else can use that.
    fs::remove_dir_all(project.store()).expect("it is there");
    fs::write(project.store(), "not a directory").expect("writable");
    refused(&project, CANNOT_RUN, &["store"]);
    assert_eq!(
        fs::read(project.store()).expect("it is there"),
        b"not a directory"
    );
}

#[test]
fn a_relative_store_is_refused_by_name() {
    let project = Project::of_steps("- run: x");
    let report = project
        .lrun()
        .args(&["ci.yml"])
        .env("LRUN_STORE", "here")
        .plain();
    assert_refused(&report, INVALID, &["LRUN_STORE", "here"]);
}

#[test]
fn a_job_without_steps_is_invalid() {
    let project = Project::of_workflow("on: push\njobs:\n  a: { runs-on: ubuntu-24.04 }\n");
    refused(&project, INVALID, &["ci.yml:3:3", "No steps defined"]);
}

#[test]
fn versions_that_github_fails_or_does_not_have_are_refused() {
    for reference in [
        "actions/cache@v2",
        "actions/checkout@v99",
        "actions/checkout@nosuchbranch",
        "actions/upload-artifact@v3",
    ] {
        let project = Project::of_steps(&format!(
            "- uses: {reference}\n  with: {{ path: a, key: b }}"
        ));
        refused(&project, CANNOT_RUN, &[reference]);
    }
}

#[test]
fn what_is_wrong_with_a_called_workflow_is_told_with_the_call() {
    let caller = "on: push\njobs:\n  a: { uses: ./.github/workflows/b.yml }\n";
    let project = Project::of_workflow(caller);
    let words = ["ci.yml:3:14", "b.yml", "workflow was not found"];
    refused(&project, INVALID, &words);
    let called = workflow_of("- rum: x=1").replace("on: push", "on: workflow_call");
    project.write(".github/workflows/b.yml", &called);
    let words = [
        "b.yml:6:",
        "rum",
        "called from .github/workflows/ci.yml:3:14",
    ];
    refused(&project, INVALID, &words);
}

#[test]
fn a_run_of_a_commit_calls_the_workflows_of_the_commit() {
    let caller = "on: push\njobs:\n  a: { uses: ./.github/workflows/b.yml }\n";
    let called = workflow_of("- run: x=1").replace("on: push", "on: workflow_call");
    let project = Project::new(&[
        (".github/workflows/ci.yml", caller),
        (".github/workflows/b.yml", &called.replace("run:", "rum:")),
    ]);
    project.write(".github/workflows/b.yml", &called);
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let report = project.lrun().args(&["ci.yml", "--committed"]).plain();
    assert_refused(&report, INVALID, &["b.yml:6:", "rum", "called from"]);
}

#[test]
fn machines_of_one_s_own_are_not_stood_in_for() {
    let text = workflow_of("- run: x=1").replace("ubuntu-24.04", "[self-hosted, ubuntu-24.04]");
    let run = Project::of_workflow(&text)
        .lrun()
        .args(&["ci.yml"])
        .run()
        .exited(4);
    assert_eq!(run.differences("self-hosted").len(), 1);
}

#[test]
fn a_strategy_that_is_an_expression_is_valid_and_refused_before_anything_starts() {
    let steps = workflow_of("- run: x=1");
    let strategy = "    strategy: ${{ fromJSON('{}') }}\n    steps:";
    let project = Project::of_workflow(&steps.replace("    steps:", strategy));
    refused(&project, CANNOT_RUN, &["ci.yml:5:15", "write them out"]);
}
