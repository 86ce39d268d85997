//! A job's files are on one file system of plain directories.

use crate::project::Project;

#[test]
fn directories_of_a_checkout_and_of_a_cache_can_be_renamed() {
    let steps = "\
- uses: actions/checkout@v5
- id: cache
  uses: actions/cache@v4
  with:
    path: cached
    key: one
- if: steps.cache.outputs.cache-hit != 'true'
  run: mkdir cached && echo x > cached/file.txt
- name: Rename
  run: |
    perl -e 'rename(\"tree\", \"moved\") or die \"tree: $!\"'
    perl -e 'rename(\"cached\", \"elsewhere\") or die \"cached: $!\"'
    cat moved/file.txt elsewhere/file.txt
    mv elsewhere cached";
    let project = Project::of_steps_and(steps, &[("tree/file.txt", "x\n")]);
    let first = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(first.lookups(), ["miss"]);
    let second = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(second.lookups(), ["hit"]);
}

#[test]
fn hard_links_reach_from_the_workspace_to_the_home() {
    let project = Project::of_steps(
        "- uses: actions/checkout@v5\n- name: Link\n  run: |\n    ln .github/workflows/ci.yml ~/linked\n    stat -c %h ~/linked",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert!(run.output("Link").contains(&"2".to_owned()));
}

#[test]
fn make_regenerates_as_after_a_real_checkout() {
    // A checkout writes in the order of names: `configure` is older than `configure.ac`.
    let steps = "- uses: actions/checkout@v5\n- name: Make\n  run: make configure";
    let files = [
        ("configure", "old\n"),
        ("configure.ac", "source\n"),
        ("Makefile", "configure: configure.ac\n\techo regenerated\n"),
    ];
    let project = Project::of_steps_and(steps, &files);
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert!(run.output("Make").contains(&"regenerated".to_owned()));
}
