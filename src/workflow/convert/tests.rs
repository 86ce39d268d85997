use super::*;
use crate::source::{Diagnostic, Source};
use crate::workflow::{JobBody, Runs, Step, StepAction, Using, Workflow};

fn read(text: &str) -> Result<Workflow, Vec<Diagnostic>> {
    read_workflow(Source::new("w.yml", text))
}

/// Place and message of each error.
fn errors(text: &str) -> Vec<String> {
    let found = read(text).expect_err("something is wrong with it");
    found
        .iter()
        .map(|error| error.to_string().replacen("w.yml ", "", 1))
        .collect()
}

/// The steps of a job with these lines under `steps:`.
fn steps(lines: &str) -> Vec<Step> {
    let text = format!("on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n{lines}");
    let mut workflow = read(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
    match workflow.jobs.swap_remove("j").map(|job| job.body) {
        Some(JobBody::Steps(steps)) => steps,
        _ => panic!("the job has steps"),
    }
}

fn step_errors(lines: &str) -> Vec<String> {
    errors(&format!(
        "on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n{lines}"
    ))
}

fn ids(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| &*step.id).collect()
}

#[test]
fn a_parallel_group_is_background_steps_and_a_wait_for_them() {
    let steps = steps(
        "      - parallel:\n          - run: a\n          - {id: b, run: b}\n      - run: c\n",
    );
    assert_eq!(ids(&steps), ["__run", "b", "__parallel", "__run_2"]);
    let listed: Vec<&str> = steps.iter().map(|step| step.listed_id.as_str()).collect();
    assert_eq!(listed, ["__run", "b", "__parallel", "__run"]);
    let background: Vec<_> = steps.iter().map(|step| step.background).collect();
    assert_eq!(background, [Some(true), Some(true), None, None]);
    let StepAction::Wait { targets } = &steps[2].action else {
        panic!("a group ends with a wait");
    };
    assert!(
        targets
            .iter()
            .map(|target| &*target.value)
            .eq(["__run", "b"])
    );
    assert_eq!(steps[2].condition.expression.text(), "always()");
    assert_eq!(
        steps[2].name.as_ref().and_then(|name| name.as_str()),
        Some("Parallel group")
    );
}

#[test]
fn the_ids_of_the_file_are_taken_before_others_are_made() {
    let steps = steps(
        "      - uses: ./a\n      - uses: $/b\n      - uses: docker://alpine:3\n      - uses: a/b/c@v1\n",
    );
    assert_eq!(ids(&steps), ["__self", "__self_2", "__alpine_3", "__a_b"]);
    assert!(steps.iter().all(|step| !step.explicit_id));
}

#[test]
fn ids_of_one_job_differ_in_more_than_letter_case() {
    assert_eq!(
        step_errors("      - {id: a, run: x}\n      - {id: A, run: x}\n"),
        [
            "(Line: 7, Col: 14): The identifier 'A' may not be used more than once within the same scope."
        ]
    );
}

#[test]
fn a_target_is_an_earlier_step_with_an_id_of_the_file() {
    for lines in [
        "      - {id: w, wait: w}\n",
        "      - run: x\n        background: true\n      - wait: __run\n",
        "      - cancel: later\n      - {id: later, run: x}\n",
    ] {
        assert_eq!(step_errors(lines).len(), 1, "{lines}");
    }
    assert_eq!(
        steps("      - {id: A, run: x, background: true}\n      - wait: [a]\n").len(),
        2
    );
}

#[test]
fn conditions_keep_what_was_written_and_what_github_makes_of_it() {
    let steps = steps(
        "      - run: a\n      - {run: b, if: \"${{ env.A }} && x\"}\n      - {run: c, if: failure() || env.B}\n",
    );
    let texts: Vec<(&str, &str)> = steps
        .iter()
        .map(|step| (&*step.condition.text, step.condition.expression.text()))
        .collect();
    assert_eq!(
        texts,
        [
            ("success()", "success()"),
            (
                "${{ env.A }} && x",
                "success() && (format('{0} && x', env.A))"
            ),
            ("failure() || env.B", "failure() || env.B"),
        ]
    );
}

#[test]
fn needs_are_spelled_as_the_jobs_they_mean() {
    let workflow =
        read("on: push\njobs:\n  Build: {runs-on: x}\n  test: {runs-on: x, needs: [bUILD]}\n")
            .expect("valid");
    assert_eq!(workflow.jobs["test"].needs[0].value, "Build");
}

#[test]
fn unknown_needs_are_named_where_they_stand() {
    assert_eq!(
        errors("on: push\njobs:\n  a: {runs-on: x}\n  b: {runs-on: x, needs: c}\n"),
        ["(Line: 4, Col: 26): Job 'b' depends on unknown job 'c'."]
    );
}

#[test]
fn errors_are_collected_and_conversion_waits_for_a_valid_file() {
    assert_eq!(
        errors("on: pus\nfoo: 1\njobs:\n  a-.b:\n    runs-on: x\n    env: {A: 1, a: 2}\n"),
        [
            "(Line: 1, Col: 5): Unexpected value 'pus'",
            "(Line: 2, Col: 1): Unexpected value 'foo'",
            "(Line: 6, Col: 17): 'a' is already defined",
        ]
    );
}

#[test]
fn an_error_inside_a_block_says_where_it_is() {
    let found = read("on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n      - run: |\n          a\n          b ${{ nope }}\n")
        .expect_err("there is no such context");
    let place = found[0].position();
    assert_eq!((place.line, place.column), (6, 14));
    let part = found[0].part_position().expect("it is on another line");
    assert_eq!((part.line, part.column), (8, 17));
}

#[test]
fn errors_say_what_could_have_been_meant() {
    let help = |text: &str| {
        let found = read(&format!("on: push\njobs:\n  j:\n    {text}\n")).expect_err("wrong");
        found[0].help.clone().unwrap_or_default()
    };
    assert_eq!(help("runs-in: x"), "did you mean 'runs-on'?");
    assert_eq!(
        help("runs-on: x\n    permissions: {contents: all}"),
        "allowed here: none, read, write"
    );
    assert_eq!(
        help("runs-on: x\n  k:\n    runs-on: x\n    needs: J1"),
        "did you mean 'j'?"
    );
    assert_eq!(
        help("runs-on: ${{ steps.X }}"),
        "an expression here may use github, inputs, vars, needs, strategy, matrix"
    );
}

#[test]
fn a_matrix_written_out_is_not_empty() {
    let matrix = |text: &str| {
        errors(&format!(
            "on: push\njobs:\n  j:\n    runs-on: x\n    strategy:\n      matrix: {text}\n"
        ))
    };
    assert_eq!(
        matrix("{}"),
        ["(Line: 6, Col: 15): Matrix must define at least one vector"]
    );
    assert_eq!(
        matrix("{a: [1], exclude: [{b: 1}]}"),
        ["(Line: 6, Col: 35): Matrix exclude key 'b' does not match any key within the matrix"]
    );
    assert_eq!(
        matrix("{a: [1], include: [{}]}"),
        ["(Line: 6, Col: 34): Matrix include filter must not be empty"]
    );
}

#[test]
fn called_workflows_are_files_of_the_workflows_folder() {
    let call = |uses: &str| read(&format!("on: push\njobs:\n  j:\n    uses: {uses}\n"));
    for good in [
        "./.github/workflows/a.yml",
        "$/.github/workflows/a.yml",
        "o/r/.github/workflows/a.yml@v1",
    ] {
        assert!(call(good).is_ok(), "{good}");
    }
    for bad in [
        "./a.yml",
        "o/r/a.yml@v1",
        "o/r/.github/workflows/a.yml",
        "./.github/workflows/a.yml@v1",
        "a@b",
    ] {
        assert!(call(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_dispatch_has_25_inputs_at_most() {
    let inputs = |count: usize| {
        let inputs: String = (0..count).map(|n| format!("      i{n}:\n")).collect();
        read(&format!(
            "on:\n  workflow_dispatch:\n    inputs:\n{inputs}jobs: {{j: {{runs-on: x}}}}\n"
        ))
    };
    assert!(inputs(25).is_ok());
    assert!(inputs(26).is_err());
}

#[test]
fn triggers_keep_their_configuration() {
    let workflow =
        read("on: {push: {branches: main}, workflow_dispatch: }\njobs: {j: {runs-on: x}}\n")
            .expect("valid");
    assert_eq!(workflow.on[0].name, "push");
    let branches = workflow.on[0]
        .configuration
        .as_ref()
        .and_then(|token| token.get("branches"));
    assert_eq!(branches.and_then(|token| token.as_str()), Some("main"));
    assert!(workflow.on[1].configuration.is_none());
}

#[test]
fn hostile_workflows_end_in_errors() {
    let job = |tail: &str| format!("on: push\njobs:\n  j:\n    runs-on: x\n{tail}");
    let big_expression = format!("${{{{ {} }}}}", "(".repeat(20_000));
    let env = |value: &str| job(&format!("    env: {{A: '{value}'}}\n"));
    assert!(read(&env(&big_expression)).is_err());
    assert!(read(&env(&"${{ 1 }}".repeat(50_000))).is_err());
    let long = "x".repeat(900_000);
    let aliases = "*l, ".repeat(20_000);
    assert!(
        read(&job(&format!(
            "    env: {{A: &l {long}}}\n    needs: [{aliases}]\n"
        )))
        .is_err()
    );
    assert!(read("").is_err());
    assert!(read("- a\n").is_err());
}

fn runs(lines: &str) -> Result<Runs, Vec<Diagnostic>> {
    let text = format!("name: a\nruns:\n{lines}");
    read_action(Source::new("action.yml", text)).map(|action| action.runs)
}

#[test]
fn hooks_of_actions_run_always_and_get_nothing_added() {
    let runs =
        runs("  using: Node20\n  main: m.js\n  post: p.js\n  post-if: runner.os == 'Linux'\n")
            .expect("valid");
    assert_eq!(runs.pre_if.expression.text(), "always()");
    assert_eq!(runs.post_if.expression.text(), "runner.os == 'Linux'");
    assert!(matches!(
        runs.using,
        Using::Node {
            version: 20,
            pre: None,
            ..
        }
    ));
}

#[test]
fn composite_steps_are_steps_without_secrets_and_background() {
    let step = |lines: &str| {
        runs(&format!(
            "  using: composite\n  steps:\n    - run: a\n      shell: sh\n{lines}"
        ))
    };
    let Ok(Runs {
        using: Using::Composite { steps },
        ..
    }) = step("      if: inputs.a\n")
    else {
        panic!("it is valid");
    };
    assert_eq!(ids(&steps), ["__run"]);
    assert_eq!(
        steps[0].condition.expression.text(),
        "success() && (inputs.a)"
    );
    assert!(step("      env: {A: \"${{ secrets.a }}\"}\n").is_err());
    assert!(step("      background: true\n").is_err());
}

#[test]
fn a_manifest_needs_what_its_kind_needs() {
    for lines in [
        "  using: node24\n",
        "  using: docker\n",
        "  using: composite\n",
        "  using: node99\n  main: m.js\n",
        "  main: m.js\n",
    ] {
        assert!(runs(lines).is_err(), "{lines}");
    }
    assert!(read_action(Source::new("action.yml", "name: a\n")).is_err());
}
