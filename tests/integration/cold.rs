//! What a job took cold is set beside what it takes warm, if nothing else differs; and only then.

use crate::lrun::Run;
use crate::project::{Project, workflow_of};

/// A step that fills the cache whatever was restored, and one that a hit lets the job skip.
const STEPS: &str = "- uses: actions/checkout@v4
- id: cache
  uses: actions/cache@v4
  with:
    path: made
    key: made-${{ hashFiles('lock') }}-${{ github.sha }}
    restore-keys: made-${{ hashFiles('lock') }}-
- name: Make
  run: mkdir -p made && test -e made/slow || sleep 0.3 && touch made/slow
- name: Only cold
  if: steps.cache.outputs.cache-matched-key == '' && steps.cache.outputs.cache-hit == ''
  run: sleep 0.3";

const ALONE: &[&str] = &["--jobs", "1"];

fn project() -> Project {
    Project::of_steps_and(STEPS, &[("lock", "1"), ("source", "1")])
}

fn run(project: &Project, arguments: &[&str]) -> Run {
    let run = project.lrun().args(&["ci.yml"]);
    run.args(arguments).run().exited(0)
}

/// What a run was compared with: the step's number, none for the job, and the cold run's.
fn compared(run: &Run) -> Vec<(Option<u64>, u64)> {
    let number = |event: &serde_json::Value, name: &str| event[name].as_u64();
    let events = run.of_type("compared");
    events
        .map(|event| {
            let cold = number(event, "run").expect("the number of a run");
            (number(event, "step"), cold)
        })
        .collect()
}

/// A second run, of which only what `change` does is otherwise, was not compared.
fn is_not_compared(arguments: &[&str], change: impl FnOnce(&Project)) {
    let project = project();
    assert_eq!(run(&project, ALONE).lookups(), ["miss"]);
    change(&project);
    let second = run(&project, arguments);
    assert_ne!(second.lookups(), ["miss"]);
    assert_eq!(compared(&second), []);
}

#[test]
fn a_warm_run_is_compared_with_the_last_cold_one() {
    let project = project();
    let cold = run(&project, ALONE);
    assert_eq!(cold.lookups(), ["miss"]);
    assert_eq!(compared(&cold), []);
    let warm = run(&project, ALONE);
    assert_eq!(warm.lookups(), ["hit"]);
    let both = [(Some(3), 1), (None, 1)];
    assert_eq!(compared(&warm), both);
    let took: Vec<_> = warm
        .of_type("compared")
        .map(|e| e["cold_us"].as_u64())
        .collect();
    assert!(took[0] >= Some(300_000) && took[1] >= took[0]);
    // Another commit whose lock file is the same: the key ends otherwise, for it alone.
    project.write("source", "2");
    project.commit("second");
    let warm = run(&project, ALONE);
    assert_eq!(warm.lookups(), ["partial"]);
    assert_eq!(compared(&warm), both);
    // In words, and the same again from the record.
    let printed = project.lrun().args(&["ci.yml", "--jobs", "1"]).plain();
    let cold = |line: &str| line.contains("   cold ") || line.contains(" here (cold ");
    let lines: Vec<_> = printed.stdout.lines().filter(|line| cold(line)).collect();
    assert_eq!(lines.len(), 2, "{}", printed.stdout);
    assert!(lines[0].contains("Make") && lines[1].starts_with("time"));
    let replayed = project.lrun().args(&["replay", "4"]).plain();
    assert_eq!(replayed.stdout, printed.stdout);
}

#[test]
fn other_concurrency_is_not_compared() {
    is_not_compared(&["--jobs", "2"], |_| {});
}

#[test]
fn another_place_is_not_compared() {
    is_not_compared(&["--jobs", "1", "--network", "none"], |_| {});
}

#[test]
fn another_script_is_not_compared() {
    is_not_compared(ALONE, |project| {
        let text = workflow_of(&STEPS.replace("touch made/slow", "touch made/slow made/more"));
        project.write(".github/workflows/ci.yml", &text);
        project.commit("second");
    });
}

#[test]
fn other_uncommitted_changes_are_not_compared() {
    is_not_compared(ALONE, |project| project.write("source", "2"));
}

#[test]
fn another_producer_s_input_is_not_compared() {
    let project = Project::of_steps_and(
        &STEPS.replace(
            "restore-keys: made-${{ hashFiles('lock') }}-",
            "restore-keys: made-",
        ),
        &[("lock", "1")],
    );
    assert_eq!(run(&project, ALONE).lookups(), ["miss"]);
    project.write("lock", "2");
    project.commit("second");
    let second = run(&project, ALONE);
    assert_eq!(second.lookups(), ["partial"]);
    assert_eq!(compared(&second), []);
}

#[test]
fn a_cold_run_that_failed_is_not_compared_with() {
    let steps = format!("{STEPS}\n- run: exit 1\n  continue-on-error: true");
    let project = Project::of_steps_and(&steps, &[("lock", "1")]);
    assert_eq!(run(&project, ALONE).lookups(), ["miss"]);
    let warm = run(&project, ALONE);
    assert_eq!(warm.lookups(), ["hit"]);
    assert_eq!(compared(&warm), []);
}
