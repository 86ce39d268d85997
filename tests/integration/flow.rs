//! Cancelling a run of several jobs.

use nix::sys::signal::{Signal, kill};

use crate::lrun::Run;
use crate::project::Project;

fn interrupted(workflow: &str) -> Run {
    let project = Project::of_workflow(workflow);
    project
        .lrun()
        .args(&["ci.yml", "--jobs", "4"])
        .run_and_when_ready(|lrun| kill(lrun, Signal::SIGINT).expect("it is running"))
}

/// How a job ended.
fn end_of(run: &Run, job: &str) -> String {
    let mut finished = run.of_type("job-finished");
    let end = finished.find(|event| event["job"] == job);
    let end = end.unwrap_or_else(|| panic!("{job} has no end:\n{}", run.transcript()));
    end["conclusion"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_running_job_goes_on_whose_condition_holds_in_a_cancelled_run() {
    let run = interrupted(
        "\
on: push
jobs:
  ends:
    runs-on: ubuntu-24.04
    steps: [{ run: sleep 600 }]
  stays:
    if: always()
    runs-on: ubuntu-24.04
    steps:
      - run: sleep 1; echo ready; sleep 1
      - { name: Next, run: echo next }
  never:
    needs: ends
    runs-on: ubuntu-24.04
    steps: [{ name: Never, run: echo never }]
  after:
    needs: [ends, stays]
    if: cancelled()
    runs-on: ubuntu-24.04
    steps: [{ name: After, run: 'echo ${{ needs.ends.result }} ${{ needs.stays.result }}' }]
",
    )
    .exited(130);
    assert_eq!(end_of(&run, "ends"), "cancelled");
    assert_eq!(end_of(&run, "stays"), "success");
    assert_eq!(run.conclusions("Next"), ["success"]);
    assert!(
        run.output("After")
            .contains(&"cancelled success".to_owned())
    );
    assert_eq!(run.conclusions("Never"), [""; 0]);
}

#[test]
fn a_step_that_always_runs_is_not_interrupted() {
    let run = interrupted(
        "\
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - name: Stays
        if: always()
        run: echo ready; sleep 1; echo through
      - { name: Next, run: echo next }
      - { name: Told, if: cancelled(), run: 'echo ${{ job.status }}' }
",
    )
    .exited(130);
    assert_eq!(run.conclusions("Stays"), ["success"]);
    assert!(run.output("Stays").contains(&"through".to_owned()));
    assert_eq!(run.conclusions("Next"), ["skipped"]);
    assert!(run.output("Told").contains(&"cancelled".to_owned()));
}
