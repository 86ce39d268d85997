//! Steps, jobs, and what they tell each other.

use crate::project::{Project, soon, workflow_of};

#[test]
fn files_of_commands_and_outputs_reach_later_steps_and_jobs() {
    let project = Project::of_workflow(
        "\
on: push
jobs:
  first:
    runs-on: ubuntu-24.04
    outputs:
      answer: ${{ steps.set.outputs.answer }}
    steps:
      - id: set
        run: |
          echo answer=42 >> \"$GITHUB_OUTPUT\"
          echo GREETING=hello >> \"$GITHUB_ENV\"
          mkdir -p ~/tools && printf '#!/bin/sh\\necho tool\\n' > ~/tools/my-tool && chmod +x ~/tools/my-tool
          echo ~/tools >> \"$GITHUB_PATH\"
      - name: Use
        run: |
          echo \"$GREETING ${{ steps.set.outputs.answer }} ${{ env.GREETING }}\"
          my-tool
  second:
    needs: first
    runs-on: ubuntu-24.04
    steps:
      - name: Answer
        run: echo \"answer ${{ needs.first.outputs.answer }} ${{ needs.first.result }}\"
",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    let lines = run.output("Use");
    assert!(lines.contains(&"hello 42 hello".to_owned()), "{lines:?}");
    assert!(lines.contains(&"tool".to_owned()), "{lines:?}");
    assert!(
        run.output("Answer")
            .contains(&"answer 42 success".to_owned())
    );
}

#[test]
fn a_failure_skips_what_follows_unless_its_condition_asks_for_it() {
    let project = Project::of_steps(
        "- name: Fail\n  run: exit 3\n- name: Next\n  run: echo next\n- name: On failure\n  if: failure()\n  run: echo failed\n- name: Always\n  if: always()\n  run: echo always",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    assert_eq!(run.conclusions("Fail"), ["failure"]);
    assert_eq!(run.conclusions("Next"), ["skipped"]);
    assert_eq!(run.conclusions("On failure"), ["success"]);
    assert_eq!(run.conclusions("Always"), ["success"]);
}

#[test]
fn continue_on_error_keeps_the_outcome_and_changes_the_conclusion() {
    let project = Project::of_steps(
        "- id: fail\n  name: Fail\n  continue-on-error: true\n  run: exit 1\n- name: Tell\n  run: echo \"${{ steps.fail.outcome }} ${{ steps.fail.conclusion }}\"",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.conclusions("Fail"), ["success"]);
    assert!(run.output("Tell").contains(&"failure success".to_owned()));
}

#[test]
fn a_step_that_takes_too_long_fails() {
    let project = Project::of_steps(
        "- name: Long\n  timeout-minutes: 1.9\n  run: sleep 600\n- name: Always\n  if: always()\n  run: echo still here",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    assert_eq!(run.conclusions("Long"), ["failure"]);
    let message = "The action 'Long' has timed out after 1 minutes.".to_owned();
    assert!(run.output("Long").contains(&message));
    assert_eq!(run.conclusions("Always"), ["success"]);
}

#[test]
fn secrets_and_masked_values_are_never_shown() {
    let project = Project::of_steps(
        "- name: Say\n  env:\n    TOKEN: ${{ secrets.TOKEN }}\n  run: |\n    echo \"::add-mask::hidden-word\"\n    echo \"$TOKEN and hidden-word\"",
    );
    let run = project
        .lrun()
        .args(&["ci.yml", "-s", "TOKEN=very-secret-value"])
        .run()
        .exited(0);
    assert!(run.output("Say").contains(&"*** and ***".to_owned()));
    assert!(!run.transcript().contains("very-secret-value"));
}

#[test]
fn only_the_chosen_job_and_its_needs_run() {
    let project = Project::of_workflow(
        "\
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps: [{ name: A, run: true }]
  b:
    needs: a
    runs-on: ubuntu-24.04
    steps: [{ name: B, run: true }]
  c:
    runs-on: ubuntu-24.04
    steps: [{ name: C, run: true }]
",
    );
    let run = project
        .lrun()
        .args(&["ci.yml", "--job", "b"])
        .run()
        .exited(0);
    assert_eq!(run.conclusions("A"), ["success"]);
    assert_eq!(run.conclusions("B"), ["success"]);
    assert!(run.conclusions("C").is_empty());
}

#[test]
fn artifacts_are_uploaded_of_failed_jobs_too() {
    let project = Project::of_steps(
        "- run: mkdir out && echo x > out/log && exit 1\n- if: always()\n  uses: actions/upload-artifact@v4\n  with:\n    name: debug\n    path: out",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    let uploaded: Vec<_> = run.of_type("artifact-uploaded").collect();
    assert_eq!(uploaded.len(), 1);
    assert_eq!(
        (&uploaded[0]["name"], &uploaded[0]["files"]),
        (&"debug".into(), &1.into())
    );
}

#[test]
fn a_recorded_run_prints_the_same_bytes_again() {
    let project = Project::of_steps("- name: Say\n  run: echo hello");
    let report = project.lrun().args(&["ci.yml"]).plain();
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let replayed = project.lrun().args(&["replay", "1"]).plain();
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert_eq!(replayed.stdout, report.stdout);
}

#[test]
fn a_secret_in_a_name_that_github_makes_up_is_hidden_everywhere() {
    let project = Project::of_steps("- run: echo ${{ secrets.TOKEN }}");
    let report = project
        .lrun()
        .args(&["ci.yml", "-s", "TOKEN=very-secret-value"])
        .plain();
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    assert!(report.stdout.contains("echo ***"), "{}", report.stdout);
    let record = std::fs::read_to_string(project.store().join("runs/1/events.jsonl"));
    assert!(!record.expect("a record").contains("very-secret-value"));
}

#[test]
fn an_output_without_a_name_fails_its_step() {
    let project = Project::of_steps("- name: Nameless\n  run: echo =v >> \"$GITHUB_OUTPUT\"");
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    assert_eq!(run.conclusions("Nameless"), ["failure"]);
}

#[test]
fn a_condition_of_a_job_that_has_no_value_fails_the_run() {
    let project = Project::of_workflow(
        "\
on: push
jobs:
  objects:
    runs-on: ubuntu-24.04
    outputs: { text: '{' }
    steps: [{ uses: actions/checkout@v5 }]
  broken:
    needs: objects
    if: fromJSON(needs.objects.outputs.text).x
    runs-on: ubuntu-24.04
    steps: [{ uses: actions/checkout@v5 }]
  after:
    needs: objects
    runs-on: ubuntu-24.04
    steps: [{ name: After, uses: actions/checkout@v5 }]
",
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(1);
    // The name of the first job is that of a directory of the run's own, too.
    assert_eq!(run.conclusions("After"), ["success"]);
    let failed: Vec<_> = run.of_type("job-failed").collect();
    assert_eq!(failed.len(), 1, "{}", run.transcript());
    assert_eq!(failed[0]["job"], "broken");
}

#[test]
fn what_a_job_leaves_read_only_is_removed_and_decides_nothing() {
    let project =
        Project::of_steps("- run: mkdir -p kept/inner && touch kept/inner/x && chmod -R a-w kept");
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert!(run.differences("cannot remove").is_empty());
    assert!(soon(|| !project.store().join("runs/1/work").exists()));
}

#[test]
fn a_job_may_have_more_minutes_than_a_number_holds() {
    let text = workflow_of("- run: x=1").replace("steps:", "timeout-minutes: 1e30\n    steps:");
    let project = Project::of_workflow(&text);
    project.lrun().args(&["ci.yml"]).run().exited(0);
}
