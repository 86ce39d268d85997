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
            ("failure", skipped("middle")),
            ("not_cancelled", String::new()),
            ("result", String::new()),
        ]
    );
    let waves: Vec<usize> = plan.jobs.iter().map(|job| job.wave).collect();
    assert_eq!(waves, [2, 1, 0, 2, 2, 2, 2]);
}

#[test]
fn status_functions_look_at_all_that_is_needed_and_needs_at_those_named() {
    let plan = planned(&format!(
        "  a: {{ if: false, {STEPS} }}
  c: {{ needs: a, if: '!cancelled()', {STEPS} }}
  e: {{ needs: c, {STEPS} }}
  f: {{ needs: c, if: needs.c.result == 'success', {STEPS} }}
  g: {{ needs: c, if: always() && needs.c.result == 'success', {STEPS} }}
  h: {{ needs: [a, c], if: success('c'), {STEPS} }}
  i: {{ needs: [a, c], if: success('a'), {STEPS} }}
  j: {{ needs: a, if: always() && needs.a.result == 'success', {STEPS} }}
  k: {{ needs: a, if: always() && needs.a.outputs.x == '', {STEPS} }}
  l: {{ needs: c, if: success() || failure(), {STEPS} }}
  m: {{ if: failure(), {STEPS} }}
"
    ));
    let skipped = "needs a, which ended as skipped".to_owned();
    let runs = String::new;
    assert_eq!(
        skips(&plan),
        [
            ("a", "if: false is false".to_owned()),
            ("c", runs()),
            ("e", skipped.clone()),
            ("f", skipped.clone()),
            ("g", runs()),
            ("h", runs()),
            ("i", skipped.clone()),
            ("j", skipped),
            ("k", runs()),
            ("l", runs()),
            ("m", "if: failure() is false".to_owned()),
        ]
    );
}

/// What GitHub says of the jobs that fail before they run.
fn failures(plan: &Plan) -> Vec<(&str, String)> {
    let failing = plan
        .jobs
        .iter()
        .filter_map(|job| Some((job.id.as_str(), job.fails.as_ref()?.message())));
    failing.collect()
}

#[test]
fn a_condition_without_a_value_fails_its_job_and_skips_what_needs_it() {
    let plan = planned(&format!(
        "  a: {{ if: \"fromJSON('{{')\", {STEPS} }}
  b: {{ needs: a, {STEPS} }}
  c: {{ needs: a, if: failure(), {STEPS} }}
  d: {{ {STEPS} }}
  e: {{ needs: d, if: \"fromJSON('{{')\", {STEPS} }}
  f: {{ needs: e, {STEPS} }}
  g: {{ needs: e, if: always() && needs.e.result == 'skipped', {STEPS} }}
"
    ));
    let failing = failures(&plan);
    let ids: Vec<&str> = failing.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["a", "e"]);
    let message = &failing[0].1;
    assert!(
        message.starts_with("Error when evaluating 'if' for job 'a': "),
        "{message}"
    );
    let behind = |need: &str| format!("needs {need}, which ended as failure");
    let skipped: Vec<_> = skips(&plan)
        .into_iter()
        .filter(|(_, why)| !why.is_empty())
        .collect();
    assert_eq!(skipped, [("b", behind("a")), ("f", behind("e"))]);
    assert!(plan.unstartable().is_none(), "a run meets it in its place");
}

#[test]
fn what_a_job_is_made_of_fails_it_alone() {
    let numbers: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    let numbers = numbers.join(", ");
    let plan = planned(&format!(
        "  a: {{ strategy: {{ matrix: {{ include: [] }} }}, {STEPS} }}
  b: {{ strategy: {{ matrix: \"${{{{ fromJSON('[1]') }}}}\" }}, {STEPS} }}
  c: {{ runs-on: \"${{{{ fromJSON('{{') }}}}\", steps: [{{ run: x }}] }}
  d: {{ strategy: {{ matrix: {{ v: [{numbers}], w: [{numbers}] }} }}, {STEPS} }}
  e: {{ {STEPS} }}
  f: {{ needs: [a, e], {STEPS} }}
"
    ));
    let failing = failures(&plan);
    let starts: Vec<_> = failing
        .iter()
        .map(|(id, text)| (*id, text.split(':').next().unwrap_or_default()))
        .collect();
    let of = |key: &str, job: &str| format!("Error when evaluating '{key}' for job '{job}'");
    let (a, b, c, d) = (
        of("strategy", "a"),
        of("strategy", "b"),
        of("runs-on", "c"),
        of("strategy", "d"),
    );
    let expected = [("a", &*a), ("b", &*b), ("c", &*c), ("d", &*d)];
    assert_eq!(starts, expected);
    assert!(
        failing[0]
            .1
            .ends_with("Matrix must define at least one vector")
    );
    let behind = "needs a, which ended as failure".to_owned();
    assert_eq!(skips(&plan)[4..], [("e", String::new()), ("f", behind)]);
    assert!(plan.unstartable().is_some(), "no run starts with that");
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
