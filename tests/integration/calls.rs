//! Jobs of called workflows in events and reports.

use nix::sys::signal::{Signal, kill};
use serde_json::json;

use crate::project::Project;

const CALLED: &str = "\
on: workflow_call
jobs:
  first: { runs-on: ubuntu-24.04, steps: [{ name: First, run: 'echo ready; sleep 600' }] }
  second: { needs: first, runs-on: ubuntu-24.04, steps: [{ name: Second, run: echo second }] }
  last: { needs: second, if: always(), runs-on: ubuntu-24.04, steps: [{ name: Last, run: echo last }] }
";

fn project(jobs: &str) -> Project {
    let ci = format!("on: push\njobs:\n{jobs}");
    Project::new(&[
        (".github/workflows/ci.yml", &ci),
        (".github/workflows/called.yml", CALLED),
    ])
}

#[test]
fn a_run_names_the_jobs_it_calls_and_cancels_them() {
    let project = project("  call: { uses: ./.github/workflows/called.yml }\n");
    let run = project
        .lrun()
        .args(&["ci.yml"])
        .run_and_when_ready(|lrun| kill(lrun, Signal::SIGINT).expect("it is running"))
        .exited(130);
    let started = run.of_type("run-started").next().expect("it started");
    let names = started["jobs"].as_array().expect("jobs").iter();
    let names: Vec<_> = names
        .map(|job| {
            (
                job["job"].clone(),
                job["name"].clone(),
                job["needs"].clone(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            (json!("call/first"), json!("call / first"), json!([])),
            (
                json!("call/second"),
                json!("call / second"),
                json!(["call/first"])
            ),
            (
                json!("call/last"),
                json!("call / last"),
                json!(["call/second"])
            ),
        ]
    );
    assert_eq!(run.conclusions("First"), ["cancelled"]);
    assert_eq!(run.conclusions("Last"), ["success"]);
    assert!(
        !run.transcript().contains("echo second"),
        "{}",
        run.transcript()
    );
}

#[test]
fn a_failed_leg_cancels_what_the_others_call() {
    let project = project(
        "  call:
    strategy: { matrix: { file: [called, fails] } }
    uses: ./.github/workflows/wrapper.yml
    with: { fails: '${{ matrix.file == ''fails'' }}' }
",
    );
    project.write(
        ".github/workflows/wrapper.yml",
        "\
on: { workflow_call: { inputs: { fails: { type: boolean } } } }
jobs:
  long: { if: '!inputs.fails', uses: ./.github/workflows/called.yml }
  fails: { if: inputs.fails, runs-on: ubuntu-24.04, steps: [{ run: sleep 1; exit 1 }] }
",
    );
    let run = project
        .lrun()
        .args(&["ci.yml", "--jobs", "4"])
        .run()
        .exited(1);
    assert_eq!(run.conclusions("First"), ["cancelled"]);
    let ends: Vec<_> = run.of_type("job-finished").collect();
    assert!(
        ends.iter()
            .any(|end| end["job"] == "call/long/first" && end["conclusion"] == "cancelled"),
        "{ends:?}"
    );
    assert!(
        ends.iter()
            .any(|end| end["job"] == "call.1/fails" && end["conclusion"] == "failure"),
        "{ends:?}"
    );
}

#[test]
fn a_job_that_is_not_called_is_a_mistake() {
    let project = project("  call: { uses: ./.github/workflows/called.yml }\n");
    let report = project
        .lrun()
        .args(&["ci.yml", "--job", "call/third"])
        .plain();
    assert_eq!(report.code, Some(2));
    let words = "called.yml has no job 'third'; it has first, second, last";
    assert!(report.stderr.contains(words), "{}", report.stderr);
}
