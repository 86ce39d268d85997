//! What is decided of jobs before anything runs.

use serde_json::json;

use super::*;
use crate::expr::Value;
use crate::source::Source;
use crate::workflow::read_workflow;

/// The plan of these jobs, on `refs/heads/main`.
fn planned(jobs: &str) -> Plan {
    let source = Source::new("w.yml", format!("on: push\njobs:\n{jobs}"));
    let workflow = read_workflow(source).expect("valid");
    let facts = Facts::default().with("github", Value::from(json!({ "ref_name": "main" })));
    plan(&workflow, &Selection::default(), &facts).expect("it can be planned")
}

fn skips(plan: &Plan) -> Vec<(&str, String)> {
    let skip = |job: &PlannedJob| job.skip.as_ref().map_or(String::new(), ToString::to_string);
    plan.jobs
        .iter()
        .map(|job| (job.id.as_str(), skip(job)))
        .collect()
}

const STEPS: &str = "runs-on: ubuntu-latest, steps: [{ run: x }]";

#[test]
fn a_skipped_job_takes_those_with_it_that_need_its_success() {
    let plan = planned(&format!(
        "  last: {{ needs: [middle], {STEPS} }}
  middle: {{ needs: first, {STEPS} }}
  first: {{ if: github.ref_name == 'prod', {STEPS} }}
  always: {{ needs: middle, if: always(), {STEPS} }}
  failure: {{ needs: middle, if: failure(), {STEPS} }}
  not_cancelled: {{ needs: middle, if: '!cancelled()', {STEPS} }}
  result: {{ needs: middle, if: always() && needs.middle.result == 'skipped', {STEPS} }}
"
    ));
    let skipped = |by: &str| format!("needs {by}, which ended as skipped");
    assert_eq!(
        skips(&plan),
        [
            ("last", skipped("middle")),
            ("middle", skipped("first")),
            ("first", "if: github.ref_name == 'prod' is false".to_owned()),
            ("always", String::new()),
            ("failure", String::new()),
            ("not_cancelled", String::new()),
            ("result", String::new()),
        ]
    );
    let waves: Vec<usize> = plan.jobs.iter().map(|job| job.wave).collect();
    assert_eq!(waves, [2, 1, 0, 2, 2, 2, 2]);
}

#[test]
fn what_needs_a_job_of_another_machine_does_not_run_here() {
    let plan = planned(&format!(
        "  mac: {{ runs-on: macos-14, steps: [{{ run: x }}] }}
  after: {{ needs: mac, {STEPS} }}
  later: {{ needs: after, {STEPS} }}
"
    ));
    let because = |need: &str| format!("not run here: it needs {need}, which does not run here");
    assert_eq!(
        skips(&plan)[1..],
        [("after", because("mac")), ("later", because("after"))]
    );
}

#[test]
fn steps_that_are_decided_are_named() {
    let plan = planned(
        "  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          make all
          make more
        if: github.ref_name != 'main'
      - name: Ship to ${{ github.ref_name }}
        uses: some/action@v1
        if: false
      - uses: actions/checkout@v5
        if: github.event_name == 'x' && steps.y.outcome == 'success'
      - run: echo
        if: failure()
",
    );
    let steps: Vec<_> = plan.jobs[0]
        .skipped_steps
        .iter()
        .map(|step| (step.index, step.name.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            (0, "Run make all"),
            (1, "Ship to main"),
            (2, "actions/checkout@v5")
        ]
    );
    assert!(
        plan.refusals.is_empty(),
        "what is skipped is in nobody's way"
    );
}

#[test]
fn names_have_the_leg_behind_a_literal_and_not_behind_an_expression() {
    let plan = planned(
        "  a: { name: Test, strategy: { matrix: { v: [1, x] } }, runs-on: ubuntu-latest, steps: [{ run: x }] }
  b: { name: 'On ${{ github.ref_name }}', strategy: { matrix: { v: [1] } }, runs-on: ubuntu-latest, steps: [{ run: x }] }
  c: { name: '', strategy: { matrix: { v: [1] } }, runs-on: ubuntu-latest, steps: [{ run: x }] }
",
    );
    let legs = plan
        .jobs
        .iter()
        .filter_map(|job| job.legs.as_ref())
        .flatten();
    let names: Vec<&str> = legs.map(|leg| leg.name.as_str()).collect();
    assert_eq!(names, ["Test (1)", "Test (x)", "On main", "c (1)"]);
}
