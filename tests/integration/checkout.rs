//! What a job finds in its workspace, and that the user's folder is left alone.

use std::fs;

use crate::project::{Project, workflow_of};

/// A repository with everything that a checkout could get wrong.
fn difficult() -> Project {
    let project = Project::new(&[
        (".gitignore", "target/\n"),
        (
            ".gitattributes",
            "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ),
        ("text.txt", "one\ntwo\n"),
        ("edited.txt", "before\n"),
    ]);
    project.git(&["tag", "v1"]);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    // Stored as a pointer, while the working file may have the content.
    project.write("large.bin", pointer);
    project.git(&["-c", "filter.lfs.clean=cat", "add", "large.bin"]);
    let library = Project::new(&[("lib.c", "int x;\n")]);
    let url = library.path();
    let url = url.to_str().expect("UTF-8");
    project.git(&["submodule", "--quiet", "add", url, "library"]);
    let steps = "\
- name: Before
  run: ls -A | wc -l
- uses: actions/checkout@v5
- name: Look
  run: |
    git describe --tags && echo described || echo no description
    git cat-file -t \"$PARENT\" && echo history || echo no history
    test -z \"$(git status --porcelain)\" && echo clean
    test -z \"$(ls -A library)\" && echo empty submodule
    grep -c $'\\r' text.txt || echo only line feeds
    test -e target || echo no target
    head -1 large.bin
    cat edited.txt
    cat untracked.txt
    echo \"tree $(git rev-parse HEAD^{tree})\"
    test \"$(git rev-parse HEAD)\" = \"$GITHUB_SHA\" && echo same commit";
    project.write(".github/workflows/ci.yml", &workflow_of(steps));
    project.commit("second");
    project.git(&["config", "core.autocrlf", "true"]);
    project.write("target/built", "by the user");
    project.write("edited.txt", "after\n");
    project.write("untracked.txt", "new\n");
    project
}

#[test]
fn a_checkout_is_what_a_hosted_runner_would_have() {
    let project = difficult();
    let parent = project.git(&["rev-parse", "HEAD"]);
    let run = project
        .lrun()
        .args(&["ci.yml", "--env", &format!("PARENT={parent}")])
        .run()
        .exited(0);
    assert!(
        run.output("Before").contains(&"0".to_owned()),
        "empty until checkout"
    );
    let lines = run.output("Look");
    for expected in [
        "no description",
        "no history",
        "clean",
        "empty submodule",
        "only line feeds",
        "no target",
        "version https://git-lfs.github.com/spec/v1",
        "after",
        "new",
        "same commit",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {lines:#?}"
        );
    }
    // The same tree as the user would commit, line ends by the attributes alone.
    project.git(&["config", "core.autocrlf", "false"]);
    project.git(&["add", "--all"]);
    let tree = format!("tree {}", project.git(&["write-tree"]));
    assert!(lines.contains(&tree), "{tree}: {lines:#?}");
}

#[test]
fn untracked_files_are_named() {
    let project = Project::of_steps("- uses: actions/checkout@v5");
    project.write("new.txt", "");
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    let named = run.differences("untracked");
    assert_eq!(named.len(), 1);
    assert!(named[0].ends_with(": new.txt"), "{named:?}");
    let committed = project
        .lrun()
        .args(&["ci.yml", "--committed"])
        .run()
        .exited(0);
    assert!(committed.differences("untracked").is_empty());
}

#[test]
fn a_run_of_a_commit_is_of_the_workflow_in_that_commit() {
    let said = |what: &str| workflow_of(&format!("- name: Say\n  run: echo {what}"));
    let project = Project::of_workflow(&said("old"));
    project.git(&["branch", "before"]);
    project.write(".github/workflows/ci.yml", &said("committed"));
    project.commit("Say something else");
    project.write(".github/workflows/ci.yml", &said("edited"));
    for (arguments, expected) in [
        (&[][..], "edited"),
        (&["--committed"], "committed"),
        (&["--ref", "before"], "old"),
    ] {
        let arguments = [&["ci.yml"], arguments].concat();
        let run = project.lrun().args(&arguments).run().exited(0);
        let lines = run.output("Say");
        assert_eq!(
            lines.last().map(String::as_str),
            Some(expected),
            "{lines:?}"
        );
    }
    project.write(".github/workflows/new.yml", &said("new"));
    let new = project
        .lrun()
        .args(&["new.yml", "--committed"])
        .run()
        .exited(2);
    assert!(new.stderr.contains("new.yml in commit"), "{}", new.stderr);
}

#[test]
fn a_branch_that_the_filters_keep_out_runs_and_is_named() {
    let text = workflow_of("- run: x=1").replace("on: push", "on: { push: { branches: [rel/*] } }");
    let run = Project::of_workflow(&text)
        .lrun()
        .args(&["ci.yml"])
        .run()
        .exited(0);
    let named = run.differences("GitHub would not start");
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(
        named[0].contains("on.push.branches keeps 'main' out"),
        "{named:?}"
    );
}

#[test]
fn the_user_s_folder_is_untouched() {
    let project = difficult();
    let before = project.state();
    project
        .lrun()
        .args(&["ci.yml", "--env", "PARENT=none"])
        .run()
        .exited(0);
    assert!(
        project.state() == before,
        "lrun wrote into the user's folder"
    );
}

#[test]
fn edits_during_a_run_are_not_seen_by_it() {
    let steps = "\
- name: Wait
  run: |
    echo ready
    sleep 1
- uses: actions/checkout@v5
- name: Look
  run: cat file.txt";
    let project = Project::of_steps_and(steps, &[("file.txt", "old\n")]);
    let file = project.path().join("file.txt");
    let run = project.lrun().args(&["ci.yml"]).run_and_when_ready(|_| {
        fs::write(&file, "new\n").expect("writable");
    });
    let run = run.exited(0);
    assert!(run.output("Look").contains(&"old".to_owned()));
    assert_eq!(fs::read_to_string(&file).expect("readable"), "new\n");
}
