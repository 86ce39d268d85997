//! Keys, hits and misses over several runs.

use crate::project::{Project, workflow_of};

const KEYED_BY_COMMIT: &str = "\
- uses: actions/checkout@v5
- uses: actions/cache@v4
  with:
    path: cached
    key: k-${{ github.sha }}
- run: mkdir -p cached && date > cached/made";

#[test]
fn a_key_of_the_commit_misses_after_every_edit() {
    let project = Project::of_steps(KEYED_BY_COMMIT);
    let lookup = || project.lrun().args(&["ci.yml"]).run().exited(0).lookups();
    project.write("file.txt", "one\n");
    assert_eq!(lookup(), ["miss"]);
    project.write("file.txt", "two\n");
    assert_eq!(lookup(), ["miss"]);
    assert_eq!(lookup(), ["hit"], "the same content is the same commit");
}

#[test]
fn a_miss_names_the_file_that_changed() {
    let steps = "\
- uses: actions/checkout@v5
- id: cache
  uses: actions/cache@v4
  with:
    path: cached
    key: deps-${{ hashFiles('**/deps.lock') }}
    restore-keys: deps-
- name: Hit
  run: |
    mkdir -p cached && date > cached/made
    echo \"hit=${{ steps.cache.outputs.cache-hit }}\"";
    let project = Project::of_steps_and(steps, &[("deps.lock", "one\n")]);
    let first = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(first.lookups(), ["miss"]);
    assert!(first.output("Hit").contains(&"hit=".to_owned()));
    project.write("deps.lock", "two\n");
    let second = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(second.lookups(), ["partial"]);
    assert!(second.output("Hit").contains(&"hit=false".to_owned()));
    let reasons = second
        .of_type("cache-looked-up")
        .map(|event| event["reasons"].to_string());
    let reasons: String = reasons.collect();
    assert!(
        reasons.contains("deps.lock") && reasons.contains("changed"),
        "{reasons}"
    );
    let third = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(third.lookups(), ["hit"]);
    assert!(third.output("Hit").contains(&"hit=true".to_owned()));
    assert_eq!(third.not_saved(), ["exact-hit"]);
}

#[test]
fn a_failed_job_saves_nothing() {
    let project = Project::of_steps(
        "- uses: actions/cache@v4\n  with:\n    path: cached\n    key: one\n- run: mkdir cached && exit 1",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    assert_eq!(run.saves(), 0);
}

#[test]
fn a_path_that_does_not_exist_warns_as_github_does_and_stays_green() {
    let project = Project::of_steps(
        "- name: Cache\n  uses: actions/cache@v4\n  with:\n    path: missing\n    key: one",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.saves(), 0);
    assert_eq!(run.not_saved(), ["nothing-matched"]);
    let warning = "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved.";
    assert!(run.transcript().contains(warning), "{}", run.transcript());
}

#[test]
fn a_file_that_may_not_be_read_warns_and_stays_green() {
    let project = Project::of_steps(
        "- uses: actions/cache@v4\n  with:\n    path: cached\n    key: one\n- run: mkdir cached && touch cached/secret && chmod 000 cached/secret",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.saves(), 0);
    assert_eq!(run.not_saved(), ["unreadable"]);
    assert!(
        run.transcript().contains("Permission denied"),
        "{}",
        run.transcript()
    );
}

#[test]
fn the_post_step_saves_under_the_key_its_main_step_had() {
    let project = Project::of_steps(
        "- uses: actions/cache@v4\n  env: { NAME: one }\n  with:\n    path: cached\n    key: ${{ env.NAME }}\n- run: mkdir -p cached && touch cached/x",
    );
    let save = || project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(save().saves(), 1);
    assert_eq!(save().lookups(), ["hit"]);
}

#[test]
fn a_cache_mode_that_permits_nothing_neither_reads_nor_writes() {
    let steps = "- uses: actions/cache@v4\n  with:\n    path: cached\n    key: one\n- run: mkdir -p cached && touch cached/x";
    let project = Project::of_steps(steps);
    assert_eq!(project.lrun().args(&["ci.yml"]).run().exited(0).saves(), 1);
    let text = workflow_of(&steps.replace("key: one", "key: one\n    restore-keys: o"));
    let text = text.replace("runs-on", "cache-mode: none\n    runs-on");
    project.write(".github/workflows/none.yml", &text);
    let run = project.lrun().args(&["none.yml"]).run().exited(0);
    assert_eq!(run.lookups(), ["miss"]);
    assert_eq!(run.not_saved(), ["not-permitted"]);
}

#[test]
fn a_pattern_that_leads_upward_saves_nothing_and_stays_green() {
    let project = Project::of_steps(
        "- uses: actions/cache@v4\n  with:\n    path: ../x\n    key: one\n- name: After\n  run: x=1",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.conclusions("After"), ["success"]);
    assert_eq!(run.not_saved(), ["invalid"]);
}

#[test]
fn a_post_step_whose_env_has_no_value_any_more_fails() {
    let project = Project::of_steps(
        "- id: cache\n  uses: actions/cache@v4\n  env:\n    X: ${{ fromJSON(env.BAD || '1') }}\n  with: { path: cached, key: one }\n- run: mkdir cached && echo 'BAD={' >> \"$GITHUB_ENV\"",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    assert_eq!(run.conclusions("Post Run actions/cache@v4"), ["failure"]);
}
