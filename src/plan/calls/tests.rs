//! Callers and what they call.

use serde_json::json;

use super::*;
use crate::plan::{PlannedJob, Selection, plan};
use crate::source::Source;
use crate::workflow::{Document, Documents, Location, ReadOptions, Reference, read_workflow_with};

/// The files of a repository.
struct Files(Vec<(&'static str, String)>);

impl Documents for Files {
    fn find(&self, reference: &Reference) -> Document {
        let Location::Own { path } = &reference.location else {
            return Document::NotHere {
                why: "it is elsewhere".into(),
            };
        };
        let found = self.0.iter().find(|(known, _)| known == path);
        match found {
            Some((path, text)) => Document::Found(Source::new(*path, text.as_str())),
            None => Document::Missing {
                why: "workflow was not found".into(),
            },
        }
    }
}

const STEPS: &str = "runs-on: ubuntu-latest, steps: [{ run: x }]";

fn called() -> Files {
    let leaf = format!(
        "on:
  workflow_call:
    inputs:
      level: {{ type: string, default: 'at ${{{{ github.ref_name }}}}' }}
      dry: {{ type: boolean }}
      count: {{ type: number, default: 2 }}
jobs:
  lint: {{ if: '!inputs.dry', {STEPS} }}
  test:
    name: Test
    strategy: {{ matrix: {{ v: [1, 2] }} }}
    {}
",
        STEPS.replace(", ", "\n    ")
    );
    let middle = format!(
        "on: workflow_call
jobs:
  first: {{ {STEPS} }}
  inner: {{ needs: first, uses: ./.github/workflows/leaf.yml, with: {{ dry: true }} }}
"
    );
    Files(vec![
        (".github/workflows/leaf.yml", leaf),
        (".github/workflows/middle.yml", middle),
    ])
}

fn planned(jobs: &str) -> Plan {
    let files = called();
    let options = ReadOptions {
        documents: Some(&files),
        ..ReadOptions::default()
    };
    let source = Source::new(
        ".github/workflows/ci.yml",
        format!("on: push\njobs:\n{jobs}"),
    );
    let workflow = read_workflow_with(source, &options).expect("valid");
    let facts = Facts::default()
        .with("github", json!({ "ref_name": "main" }).into())
        .with("inputs", json!({ "dry": true }).into());
    plan(&workflow, &Selection::default(), &facts).expect("it can be planned")
}

/// The jobs of the only leg's call.
fn jobs_of(job: &PlannedJob) -> &[PlannedJob] {
    let legs = job.legs.as_ref().expect("it has legs");
    match &legs[0].call.as_ref().expect("it calls").called {
        CalledJobs::Planned(plan) => &plan.jobs,
        CalledJobs::NotFollowed { why } => panic!("not followed: {why}"),
    }
}

fn names(jobs: &[PlannedJob]) -> Vec<&str> {
    let legs = jobs.iter().flat_map(|job| job.legs.iter().flatten());
    legs.map(|leg| leg.name.as_str()).collect()
}

#[test]
fn called_jobs_are_named_behind_their_caller_with_its_leg() {
    let plan = planned(
        "  one: { uses: ./.github/workflows/leaf.yml }
  two: { name: Two, strategy: { matrix: { os: [a] } }, uses: ./.github/workflows/middle.yml }
",
    );
    let one = jobs_of(&plan.jobs[0]);
    assert_eq!(
        names(one),
        ["one / lint", "one / Test (1)", "one / Test (2)"]
    );
    let two = jobs_of(&plan.jobs[1]);
    assert_eq!(names(two), ["Two (a) / first", "Two (a) / inner"]);
    let inner = jobs_of(&two[1]);
    assert_eq!(
        names(inner),
        ["Two (a) / inner / Test (1)", "Two (a) / inner / Test (2)"]
    );
}

#[test]
fn inputs_are_typed_and_decide_conditions() {
    let plan = planned(
        "  a: { uses: ./.github/workflows/leaf.yml, with: { LEVEL: 3, dry: '${{ github.ref_name == ''main'' }}' } }
  b: { uses: ./.github/workflows/leaf.yml }
  c: { needs: a, uses: ./.github/workflows/leaf.yml, with: { dry: '${{ needs.a.outputs.x }}' } }
",
    );
    let inputs = |index: usize| {
        let legs = plan.jobs[index].legs.as_ref().expect("it has legs");
        let inputs = &legs[0].call.as_ref().expect("it calls").inputs;
        let known = inputs.iter();
        known
            .map(|(name, value)| (name.as_str(), value.as_ref().map(Value::to_json)))
            .collect::<Vec<_>>()
    };
    let count = ("count", Some(json!(2)));
    let dry = |value| ("dry", value);
    assert_eq!(
        inputs(0),
        [
            ("level", Some(json!("3"))),
            dry(Some(json!(true))),
            count.clone()
        ]
    );
    let level = ("level", Some(json!("at main")));
    assert_eq!(
        inputs(1),
        [level.clone(), dry(Some(json!(false))), count.clone()]
    );
    assert_eq!(inputs(2), [level, dry(None), count]);
    let lint = |index: usize| jobs_of(&plan.jobs[index])[0].skip.is_some();
    assert!(lint(0), "the inputs are the called workflow's");
    assert!(!lint(1), "not its caller's");
    assert!(!lint(2), "what is not known decides nothing");
    let plan = planned(
        "  a: { uses: ./.github/workflows/leaf.yml, with: { dry: true, level: '${{ needs.b.outputs.x }}' }, needs: b }
  b: { runs-on: ubuntu-latest, steps: [{ run: x }] }
",
    );
    assert!(
        jobs_of(&plan.jobs[0])[0].skip.is_some(),
        "the part that it asks for is known"
    );
}

#[test]
fn what_needs_a_call_waits_for_all_of_it() {
    let plan = planned(&format!(
        "  call: {{ uses: ./.github/workflows/middle.yml }}
  after: {{ needs: call, {STEPS} }}
"
    ));
    let called = jobs_of(&plan.jobs[0]);
    assert_eq!([called[0].wave, called[1].wave], [0, 1]);
    assert_eq!(plan.jobs[1].wave, 2);
}

#[test]
fn a_workflow_that_is_not_at_hand_is_said_to_be_so() {
    let plan = planned("  far: { uses: octo/hello/.github/workflows/x.yml@v1 }\n");
    let legs = plan.jobs[0].legs.as_ref().expect("it has legs");
    let call = legs[0].call.as_ref().expect("it calls");
    assert!(matches!(&call.called, CalledJobs::NotFollowed { why } if why == "it is elsewhere"));
}

#[test]
fn a_plan_has_an_end_whatever_is_called() {
    let many = (0..200)
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let jobs: String = (0..6)
        .map(|number| {
            format!("  j{number}: {{ strategy: {{ matrix: {{ v: [{many}] }} }}, uses: ./.github/workflows/leaf.yml }}\n")
        })
        .collect();
    let files = called();
    let options = ReadOptions {
        documents: Some(&files),
        ..ReadOptions::default()
    };
    let source = Source::new(
        ".github/workflows/ci.yml",
        format!("on: push\njobs:\n{jobs}"),
    );
    let workflow = read_workflow_with(source, &options).expect("valid");
    let error = plan(&workflow, &Selection::default(), &Facts::default());
    let error = error.expect_err("1,200 calls").to_string();
    assert!(error.contains("than lrun plans"), "{error}");
}
