//! The syntax of 2025 and 2026, and the limits and rules that no schema says: what is valid, and where what is not is refused.
//!
//! The rules are those of GitHub's documentation and of actions/runner and actions/languageservices.

use lrun::source::Source;
use lrun::workflow::{read_action, read_workflow};

/// Where each error of a workflow is; none if it is valid.
fn places(text: &str) -> Vec<(u32, u32)> {
    match read_workflow(Source::new("w.yml", text)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .iter()
            .map(|error| {
                let place = error.position();
                (place.line, place.column)
            })
            .collect(),
    }
}

/// Workflows made of these lines are valid.
fn valid(make: fn(&str) -> String, rows: &[&str]) {
    for lines in rows {
        let text = make(lines);
        let read = read_workflow(Source::new("w.yml", text.as_str()));
        assert!(read.is_ok(), "{text}\n{:?}", read.err());
    }
}

/// Workflows made of these lines have one error, and it is there.
fn invalid(make: fn(&str) -> String, rows: &[(&str, (u32, u32))]) {
    let found = rows
        .iter()
        .map(|(lines, place)| (lines, places(&make(lines)), place));
    let wrong = found.filter(|(_, found, place)| *found != [**place]);
    let wrong: Vec<String> = wrong
        .map(|(lines, found, place)| format!("{lines}\n  expected {place:?}, found {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Steps from line 6 on; they begin in column 7.
fn steps(lines: &str) -> String {
    let lines = lines.replace('\n', "\n      ");
    format!("on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n      {lines}\n")
}

/// Keys of a job from line 4 on, in column 5.
fn job(lines: &str) -> String {
    let lines = lines.replace('\n', "\n    ");
    format!("on: push\njobs:\n  j:\n    {lines}\n    runs-on: x\n    steps: [{{run: x}}]\n")
}

/// Keys of a job that calls, from line 4 on.
fn call(lines: &str) -> String {
    let lines = lines.replace('\n', "\n    ");
    format!("on: push\njobs:\n  j:\n    {lines}\n")
}

/// Keys of the workflow from line 1 on.
fn root(lines: &str) -> String {
    format!("{lines}\njobs:\n  j:\n    runs-on: x\n    steps: [{{run: x}}]\n")
}

#[test]
fn background_steps_and_what_waits_for_them() {
    valid(
        steps,
        &[
            "- {run: x, background: true}",
            "- {uses: a/b@v1, background: false, if: always()}",
            "- {id: a, run: x, background: true}\n- wait: a",
            "- {id: a, run: x, background: true}\n- {id: b, uses: ./x, background: true}\n- {wait: [A, b], name: n, id: w, continue-on-error: true}",
            "- wait-all:",
            "- {wait-all: true, name: n}",
            "- {id: a, run: x, background: true}\n- {cancel: a, id: c, continue-on-error: true}",
            "- {id: a, run: x}\n- wait: a",
            "- parallel: [{run: x}, {uses: a/b@v1, id: a, if: failure(), env: {A: b}}]",
            "- {run: x}\n- parallel:\n  - run: y\n- wait-all:",
            "- parallel: [{run: x, id: a}]\n- {id: b, run: x}\n- wait: b",
        ],
    );
    invalid(
        steps,
        &[
            ("- {run: x, background: yes}", (6, 30)),
            ("- {run: x, background: 'true'}", (6, 30)),
            ("- {wait: a}", (6, 16)),
            ("- {id: a, wait: a}", (6, 23)),
            ("- parallel: [{run: x, id: a}]\n- wait: a", (7, 15)),
            ("- {wait: b}\n- {id: b, run: x, background: true}", (6, 16)),
            ("- {run: x, background: true}\n- wait: __run", (7, 15)),
            ("- {id: a, run: x}\n- {wait: a, if: always()}", (7, 19)),
            (
                "- {id: a, run: x}\n- {wait: a, timeout-minutes: 1}",
                (7, 19),
            ),
            ("- {id: a, run: x}\n- {wait: a, background: true}", (7, 19)),
            ("- wait-all: false", (6, 19)),
            ("- {wait-all: , env: {A: b}}", (6, 22)),
            ("- {id: a, run: x}\n- cancel: [a]", (7, 17)),
            ("- cancel: a", (6, 17)),
            ("- {parallel: [{run: x}], name: n}", (6, 32)),
            ("- {parallel: [{run: x}], if: x}", (6, 32)),
            ("- parallel: [{run: x, background: true}]", (6, 9)),
            ("- parallel: [{wait-all: }]", (6, 9)),
            ("- parallel: [{parallel: [{run: x}]}]", (6, 9)),
            ("- {id: __a, run: x}", (6, 14)),
        ],
    );
}

#[test]
fn a_group_has_plain_steps_alone() {
    for step in [
        "{run: x, background: true}",
        "{wait-all: }",
        "{wait: a}",
        "{cancel: a}",
        "{parallel: [{run: x}]}",
    ] {
        let lines = format!("- {{id: a, run: x, background: true}}\n- parallel: [{step}]");
        let found = places(&steps(&lines));
        assert!(
            found.iter().all(|(line, _)| *line == 7),
            "{step}: {found:?}"
        );
        assert!(!found.is_empty(), "{step}");
    }
}

#[test]
fn composite_actions_have_no_background_steps() {
    let read = |step: &str| {
        let text = format!("runs:\n  using: composite\n  steps:\n    - {step}\n");
        let read = read_action(Source::new("action.yml", text));
        read.map_err(|errors| errors[0].position().line)
    };
    assert!(read("{run: x, shell: bash}").is_ok());
    for step in [
        "{run: x, shell: bash, background: true}",
        "{wait-all: }",
        "{wait: a}",
        "{cancel: a}",
        "{parallel: [{run: x, shell: bash}]}",
    ] {
        assert_eq!(read(step).err(), Some(4), "{step}");
    }
}

#[test]
fn references() {
    valid(
        steps,
        &[
            "- uses: $/",
            "- uses: $/.github/actions/x",
            "- uses: ./x",
            "- uses: docker://alpine:3",
            "- uses: a/b/c/d@refs/heads/x",
        ],
    );
    invalid(
        steps,
        &[
            ("- uses: $/x@v1", (6, 15)),
            ("- uses: a/b", (6, 15)),
            ("- uses: a@v1", (6, 15)),
            ("- uses: a/b@", (6, 15)),
            ("- uses: a/b/.github/workflows/x.yml@v1", (6, 15)),
            ("- {uses: a/b@v1, run: x}", (6, 24)),
        ],
    );
    valid(
        call,
        &[
            "uses: ./.github/workflows/x.yml",
            "uses: $/.github/workflows/x.yml",
            "uses: o/r/.github/workflows/x.yml@v1",
            "uses: o/r/.github/workflows/x.yaml@v1\nsecrets: inherit\nwith: {a: 1}",
        ],
    );
    invalid(
        call,
        &[
            ("uses: $/.github/workflows/x.yml@v1", (4, 11)),
            ("uses: ./x.yml", (4, 11)),
            ("uses: $/x.yml", (4, 11)),
            ("uses: o/r/.github/workflows/x.yml", (4, 11)),
            ("uses: o/r/x.yml@v1", (4, 11)),
            ("uses: o/r/.github/workflows/x.yml@v1\nsteps: []", (5, 5)),
        ],
    );
}

#[test]
fn cache_modes() {
    for mode in ["read", "write", "write-only", "none"] {
        let key = format!("cache-mode: {mode}");
        assert!(places(&job(&key)).is_empty(), "{mode}");
        assert!(
            places(&root(&format!("on: push\n{key}"))).is_empty(),
            "{mode}"
        );
        let calls = format!("uses: ./.github/workflows/x.yml\n{key}");
        assert!(places(&call(&calls)).is_empty(), "{mode}");
    }
    invalid(
        job,
        &[
            ("cache-mode: readonly", (4, 17)),
            ("cache-mode: Read", (4, 17)),
            ("cache-mode: ''", (4, 17)),
        ],
    );
    invalid(root, &[("on: push\ncache-mode: all", (2, 13))]);
}

#[test]
fn concurrency_environments_services_and_snapshots() {
    valid(
        job,
        &[
            "concurrency: {group: a, queue: max}",
            "concurrency: {group: a, queue: single, cancel-in-progress: true}",
            "environment: {name: a, deployment: false}",
            "environment: {name: a, deployment: true, url: x}",
            "services: {s: {image: a, entrypoint: b, command: c d}}",
            "services: {s: {image: '${{ github.x }}'}}",
            "container: ''",
            "snapshot: name",
            "snapshot: {image-name: n, version: 1.*, if: github.ref == 'x'}",
            "cancel-timeout-minutes: 5",
        ],
    );
    invalid(
        job,
        &[
            ("concurrency: {group: a, queue: all}", (4, 36)),
            ("concurrency: {queue: max}", (4, 18)),
            ("environment: {name: a, deployment: no}", (4, 40)),
            ("environment: {deployment: true}", (4, 18)),
            ("container: {image: a, entrypoint: b}", (4, 27)),
            ("container: {image: a, command: b}", (4, 27)),
            ("services: {s: {image: a, if: b}}", (4, 30)),
            ("snapshot: {version: 1.*}", (4, 15)),
            ("snapshot: {image-name: n, version: 1.2}", (4, 40)),
            ("snapshot: {image-name: n, version: 1.2.*}", (4, 40)),
            ("snapshot: {image-name: n, version: a.*}", (4, 40)),
            ("snapshot: {image-name: n, if: secrets.x}", (4, 35)),
            ("snapshot: {image-name: n, if: always()}", (4, 35)),
            ("snapshot: ''", (4, 15)),
        ],
    );
    valid(
        root,
        &[
            "on: push\nconcurrency: {group: a, queue: max}",
            "on: {image_version: {names: [a], versions: ['1.*']}}",
            "on: image_version",
            "description: text\non: push",
        ],
    );
    invalid(root, &[("on: {image_version: {branches: [a]}}", (1, 22))]);
}

#[test]
fn an_expression_may_be_a_whole_mapping_or_sequence() {
    valid(
        job,
        &[
            "env: ${{ fromJSON(github.x) }}",
            "env: {'${{ insert }}': '${{ github.x }}', A: b}",
            "strategy: ${{ fromJSON(github.x) }}",
            "strategy: {'${{ insert }}': '${{ github.x }}'}",
            "strategy: {matrix: '${{ fromJSON(github.x) }}'}",
            "strategy: {matrix: {m: '${{ github.x }}', include: '${{ github.x }}'}}",
            "defaults: {run: '${{ github.x }}'}",
            "services: ${{ fromJSON(github.x) }}",
            "container: {image: i, env: '${{ github.x }}', ports: '${{ github.x }}', credentials: '${{ github.x }}'}",
            "concurrency: ${{ github.x }}",
            "environment: ${{ github.x }}",
        ],
    );
    valid(job_without_runner, &["runs-on: ${{ fromJSON(github.x) }}"]);
}

#[test]
fn permissions() {
    let all = "permissions: {models: read, attestations: write, artifact-metadata: write, vulnerability-alerts: read, code-quality: read, copilot-requests: write, id-token: write, contents: none}";
    valid(
        job,
        &[
            all,
            "permissions: read-all",
            "permissions: write-all",
            "permissions: {}",
        ],
    );
    invalid(
        job,
        &[
            ("permissions: {id-token: read}", (4, 29)),
            ("permissions: {models: write}", (4, 27)),
            ("permissions: {vulnerability-alerts: write}", (4, 41)),
            ("permissions: {copilot-requests: read}", (4, 37)),
            ("permissions: {content: read}", (4, 19)),
            ("permissions: all", (4, 18)),
        ],
    );
}

#[test]
fn schedules() {
    valid(
        root,
        &[
            "on: {schedule: [{cron: '*/15 2-6 * JAN-mar 1,3'}]}",
            "on: {schedule: [{cron: '0 0 * * *', timezone: Europe/London}, {cron: '* * * * *'}]}",
        ],
    );
    invalid(
        root,
        &[
            ("on: {schedule: [{cron: '* * * *'}]}", (1, 24)),
            (
                "on: {schedule: [{cron: '0 0 * * *'}, {cron: '60 0 * * *'}]}",
                (1, 45),
            ),
            ("on: {schedule: [{timezone: UTC}]}", (1, 17)),
            ("on: {schedule: [{cron: ''}]}", (1, 24)),
            (
                "on: {schedule: [{cron: '0 0 * * *', timezone: ''}]}",
                (1, 47),
            ),
            ("on: {schedule: [{cron: '0 0 * * *', zone: UTC}]}", (1, 37)),
        ],
    );
}

#[test]
fn inputs_of_a_dispatch() {
    let inputs = |count: usize| {
        let inputs: String = (0..count).map(|n| format!("\n      i{n}:")).collect();
        root(&format!("on:\n  workflow_dispatch:\n    inputs:{inputs}"))
    };
    assert!(places(&inputs(25)).is_empty());
    assert_eq!(places(&inputs(26)), [(29, 7)]);
    valid(
        root,
        &[
            "on: {workflow_dispatch: {inputs: {a: , b: {type: boolean}, c: {type: environment}, d: {type: number, default: 1}, e: {type: string}}}}",
            "on: {workflow_dispatch: {inputs: {a: {type: choice, options: ['', b]}}}}",
            "on: {workflow_dispatch: {inputs: }}",
        ],
    );
    invalid(
        root,
        &[
            (
                "on: {workflow_dispatch: {inputs: {a: {type: text}}}}",
                (1, 45),
            ),
            (
                "on: {workflow_dispatch: {inputs: {a: {type: choice}}}}",
                (1, 38),
            ),
        ],
    );
}

#[test]
fn expressions_of_2025_and_2026() {
    valid(
        steps,
        &[
            "- run: ${{ case(true, 1, false, 2, 3) }}",
            "- run: ${{ CASE(github.ref == 'x', 'y', 'z') }}",
            "- run: ${{ job.check_run_id }} ${{ job.workflow_ref }} ${{ job.workflow_sha }} ${{ job.workflow_repository }} ${{ job.workflow_file_path }}",
            "- run: ${{ github.artifacts }}",
        ],
    );
    invalid(
        steps,
        &[
            ("- run: ${{ case(true, 1) }}", (6, 14)),
            ("- run: ${{ case(true, 1, false, 2) }}", (6, 14)),
            ("- run: ${{ case() }}", (6, 14)),
        ],
    );
}

#[test]
fn expressions_have_a_length_and_a_depth() {
    let length = |length: usize| {
        let text = "x".repeat(length - 2);
        steps(&format!("- run: ${{{{ '{text}' }}}}"))
    };
    assert!(places(&length(20_900)).is_empty());
    assert_eq!(places(&length(21_001)), [(6, 14)]);
    let depth = |depth: usize| {
        let open = "!".repeat(depth - 1);
        steps(&format!("- run: ${{{{ {open}true }}}}"))
    };
    assert!(places(&depth(50)).is_empty());
    assert_eq!(places(&depth(51)), [(6, 14)]);
    let chain = vec!["true"; 1000].join(" || ");
    assert!(places(&steps(&format!("- run: ${{{{ {chain} }}}}"))).is_empty());
}

#[test]
fn anchors_without_merge_keys_and_without_bombs() {
    valid(
        job,
        &[
            "env: &e {A: 1}\ncontainer: {image: i, env: *e}",
            "name: &n 'x'\nenvironment: *n",
            "env: &unused {A: 1}",
            "env: {A: &a 1, B: &a 2, C: *a}",
        ],
    );
    invalid(
        job,
        &[
            ("env: *nowhere", (4, 10)),
            ("env: &e {A: *e}", (4, 17)),
            (
                "container: {image: i, env: &e {A: 1}}\n<<: {name: x}",
                (5, 5),
            ),
        ],
    );
    let bomb = |length: usize| {
        let list = vec!["x"; 250].join(", ");
        let items = vec!["*a"; length].join(", ");
        root(&format!(
            "on: push\nenv: {{A: b}}\nx: &a [{list}]\ny: [{items}]"
        ))
    };
    let message = |text: &str| {
        let errors = read_workflow(Source::new("w.yml", text)).expect_err("x is no key");
        errors[0].message.clone()
    };
    assert!(!message(&bomb(150)).contains("more than 50000 nodes"));
    assert!(message(&bomb(250)).contains("50000 nodes"));
}

#[test]
fn scalars_of_the_core_schema() {
    valid(
        job,
        &[
            "timeout-minutes: 0x10",
            "timeout-minutes: 0o17",
            "timeout-minutes: 1.5",
            "env: {A: yes, B: 1_000, C: 2020-01-01, D: ~, E: .inf}",
            "continue-on-error: True",
            "continue-on-error: TRUE",
        ],
    );
    invalid(
        job,
        &[
            ("timeout-minutes: '5'", (4, 22)),
            ("timeout-minutes: 1_000", (4, 22)),
            ("timeout-minutes: 0x100000000", (4, 22)),
            ("continue-on-error: yes", (4, 24)),
            ("continue-on-error: 'true'", (4, 24)),
            ("timeout-minutes: !!bool 5", (4, 22)),
            ("timeout-minutes: !x 5", (4, 22)),
        ],
    );
    invalid(root, &[("on: push\n---\non: push", (2, 1))]);
}

#[test]
fn keys_differ_in_more_than_letter_case() {
    invalid(
        root,
        &[
            ("on: push\nenv: {a: 1, A: 2}", (2, 13)),
            ("on: push\non: pull_request", (2, 1)),
            ("on: push\nOn: push", (2, 1)),
        ],
    );
    invalid(job, &[("Name: x", (4, 5)), ("env: {<<: {A: 1}}", (4, 15))]);
}

#[test]
fn ids_and_needs() {
    let jobs = |jobs: &str| format!("on: push\njobs:\n  {}\n", jobs.replace('\n', "\n  "));
    let at = |text: &str| places(&jobs(text));
    let job = "{runs-on: x, steps: [{run: x}]}";
    for id in ["a", "_a", "A-1_b", &"a".repeat(99)] {
        assert!(at(&format!("{id}: {job}")).is_empty(), "{id}");
    }
    for id in ["1a", "-a", "a.b", "__a", "é", "a b", &"a".repeat(100)] {
        assert_eq!(at(&format!("{id}: {job}")), [(3, 3)], "{id}");
    }
    assert_eq!(at(&format!("a: {job}\nA: {job}")), [(4, 3)]);
    let needs = |needs: &str| format!("{{runs-on: x, needs: {needs}, steps: [{{run: x}}]}}");
    assert!(at(&format!("a: {job}\nb: {}", needs("[A]"))).is_empty());
    assert_eq!(at(&format!("a: {job}\nb: {}", needs("c"))), [(4, 26)]);
    assert_eq!(
        at(&format!("a: {}\nb: {}", needs("b"), needs("a"))).len(),
        1
    );
    let cycle = format!("a: {job}\nb: {}\nc: {}", needs("[a, c]"), needs("b"));
    assert_eq!(at(&cycle), [(4, 30), (5, 26)]);
    assert_eq!(at(&format!("a: {job}\nb: {}", needs("b"))), [(4, 26)]);
    let ids: fn(&str) -> String = steps;
    invalid(
        ids,
        &[
            ("- {id: a, run: x}\n- {id: A, run: x}", (7, 14)),
            ("- {id: 1a, run: x}", (6, 14)),
            ("- {id: '', run: x}", (6, 14)),
        ],
    );
}

#[test]
fn conditions() {
    valid(
        steps,
        &[
            "- {run: x, if: }",
            "- {run: x, if: ''}",
            "- {run: x, if: \"github.ref == 'success()'\"}",
            "- {run: x, if: \"${{ github.x }} && y\"}",
            "- {run: x, if: true}",
            "- {run: x, if: 1}",
        ],
    );
    invalid(
        steps,
        &[
            ("- {run: x, if: \"success('a')\"}", (6, 22)),
            ("- {run: x, if: \"secrets.x\"}", (6, 22)),
            ("- {run: x, if: \"a ==\"}", (6, 22)),
            ("- {run: x, if: \"false && jobs.x\"}", (6, 22)),
        ],
    );
    valid(job, &["if: success('a', 'b') || failure()", "if: always()"]);
    invalid(
        job,
        &[
            ("if: hashFiles('x')", (4, 9)),
            ("if: always('a')", (4, 9)),
            ("if: matrix.x", (4, 9)),
            ("if: env.x", (4, 9)),
        ],
    );
}

#[test]
fn runner_groups() {
    valid(
        job_without_runner,
        &[
            "runs-on: {group: g}",
            "runs-on: {group: organization/g, labels: [a, b]}",
            "runs-on: {labels: a}",
            "runs-on: [a, b]",
        ],
    );
    invalid(
        job_without_runner,
        &[
            ("runs-on: {group: other/g}", (4, 22)),
            ("runs-on: {group: organization/}", (4, 22)),
            ("runs-on: {group: enterprise/a/b}", (4, 22)),
            ("runs-on: {grup: a}", (4, 15)),
        ],
    );
}

fn job_without_runner(lines: &str) -> String {
    job(lines).replace("    runs-on: x\n", "")
}

#[test]
fn types_of_events() {
    valid(
        root,
        &[
            "on: {issues: {types: [field_added, field_removed, typed, untyped]}}",
            "on: {pull_request: {types: [enqueued, dequeued, milestoned, stacked]}}",
            "on: {pull_request: {types: opened}}",
        ],
    );
    invalid(
        root,
        &[
            ("on: {issues: {types: [enqueued]}}", (1, 23)),
            ("on: {push: {types: [opened]}}", (1, 13)),
            ("on: []", (1, 5)),
        ],
    );
}
