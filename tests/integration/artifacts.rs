//! Artifacts: handed from job to job as GitHub does it.

use crate::lrun::Run;
use crate::project::Project;

/// What a script printed itself: behind the lines that say what is run.
fn printed(run: &Run, step: &str) -> Vec<String> {
    let lines = run.output(step);
    let own = lines.iter().position(String::is_empty);
    lines[own.expect("a line between") + 1..].to_vec()
}

/// Two jobs upload, and a third that needs both runs these steps.
fn after_uploads(steps: &str) -> Project {
    let indented = steps.replace('\n', "\n      ");
    Project::of_workflow(&format!(
        "\
on: push
jobs:
  first:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          mkdir -p out/bin && echo '#!/bin/sh' > out/bin/tool && chmod 755 out/bin/tool
          echo one > out/notes
      - uses: actions/upload-artifact@v4
        with: {{ name: dist-one, path: out }}
  second:
    runs-on: ubuntu-24.04
    steps:
      - run: mkdir out && echo two > out/notes
      - uses: actions/upload-artifact@v4
        with: {{ name: dist-two, path: out }}
  last:
    needs: [first, second]
    runs-on: ubuntu-24.04
    steps:
      {indented}
"
    ))
}

#[test]
fn a_needed_job_s_artifact_is_laid_out_without_its_modes() {
    let project = after_uploads(
        "- id: get
  uses: actions/download-artifact@v5
  with: { name: dist-one, path: here }
- name: Look
  run: |
    stat -c '%a %n' here/bin here/bin/tool && cat here/notes
    echo '${{ steps.get.outputs.download-path }}'",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(
        printed(&run, "Look"),
        [
            "755 here/bin",
            "644 here/bin/tool",
            "one",
            "/home/runner/work/project/project/here",
        ]
    );
    let downloaded: Vec<_> = run.of_type("artifact-downloaded").collect();
    assert_eq!(downloaded.len(), 1);
    assert_eq!(
        (&downloaded[0]["name"], &downloaded[0]["files"]),
        (&"dist-one".into(), &2.into())
    );
}

#[test]
fn several_get_directories_of_their_own_unless_they_are_merged() {
    let project = after_uploads(
        "- uses: actions/download-artifact@v4
- name: Apart
  run: find . -type f | sort
- uses: actions/download-artifact@v4
  with: { pattern: 'dist-*', path: merged, merge-multiple: true }
- name: Merged
  run: find merged -type f | sort && cat merged/notes
- uses: actions/download-artifact@v4
  with: { pattern: 'nothing-*', path: none }",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(
        printed(&run, "Apart"),
        [
            "./dist-one/bin/tool",
            "./dist-one/notes",
            "./dist-two/notes"
        ]
    );
    let merged = printed(&run, "Merged");
    assert_eq!(merged[..2], ["merged/bin/tool", "merged/notes"]);
    assert!(["one", "two"].contains(&&*merged[2]), "{merged:?}");
}

#[test]
fn what_is_not_there_fails_the_step_in_the_action_s_words() {
    let project = after_uploads(
        "- uses: actions/download-artifact@v5
  with: { name: dist }",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    let said = run.transcript();
    let words = "Unable to download artifact(s): Artifact not found for name: dist";
    assert!(said.contains(words), "{said}");
}

#[test]
fn an_artifact_of_a_job_that_is_not_needed_is_a_race() {
    let project = Project::of_workflow(
        "\
on: push
jobs:
  other:
    runs-on: ubuntu-24.04
    steps:
      - run: echo x > file
      - uses: actions/upload-artifact@v4
        with: { name: other, path: file }
  between:
    needs: other
    runs-on: ubuntu-24.04
    steps: [{ run: 'true' }]
  own:
    runs-on: ubuntu-24.04
    steps:
      - run: sleep 2
      - uses: actions/download-artifact@v5
        with: { pattern: '*' }
      - run: test ! -e file
",
    );
    let run = project.lrun().args(&["ci.yml", "--jobs", "2"]).run();
    let run = run.exited(0);
    let told = run.differences("artifact 'other' is of job 'other'");
    assert_eq!(told.len(), 1, "{}", run.transcript());
}

#[test]
fn a_file_that_is_no_archive_needs_a_client_that_knows_files() {
    let steps = |version: &str| {
        format!(
            "- run: echo whole > report.txt
- uses: actions/upload-artifact@v7
  with: {{ path: report.txt, archive: false }}
- uses: actions/download-artifact@{version}
  with: {{ name: report.txt, path: got }}
- name: Read
  run: cat got/report.txt"
        )
    };
    let project = Project::of_steps(&steps("v8"));
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(printed(&run, "Read"), ["whole"]);
    let project = Project::of_steps(&steps("v7"));
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    let words = "Unable to download and extract artifact: Artifact download failed";
    assert!(run.transcript().contains(words), "{}", run.transcript());
}

#[test]
fn artifacts_of_other_runs_are_refused_before_anything_starts() {
    let project = Project::of_steps(
        "- uses: actions/download-artifact@v5
  with: { name: x, github-token: t, run-id: 12 }",
    );
    let run = project.lrun().args(&["ci.yml"]).plain();
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    let words = "artifacts of another run (12) are not supported";
    assert!(run.stderr.contains(words), "{}", run.stderr);
}
