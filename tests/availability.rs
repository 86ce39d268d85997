//! Which contexts and functions each key may use: every key with every context and every function, allowed or refused.
//!
//! The rows are those of docs.github.com, "Context availability", with the inheritance of GitHub's schema applied; where the
//! two differ, the schema is what GitHub reads files by.

use std::collections::BTreeSet;

use lrun::source::Source;
use lrun::workflow::{read_action, read_workflow};

const CONTEXTS: [&str; 12] = [
    "env", "github", "inputs", "job", "jobs", "matrix", "needs", "runner", "secrets", "steps",
    "strategy", "vars",
];

/// Functions that are not everywhere, with how they are called.
const FUNCTIONS: [(&str, &str); 6] = [
    ("hashFiles", "hashFiles('x')"),
    ("always", "always()"),
    ("cancelled", "cancelled()"),
    ("success", "success()"),
    ("failure", "failure()"),
    ("ids", "success('a') && failure('a', 'b')"),
];

/// Functions that are wherever there are expressions.
const GENERAL: [&str; 8] = [
    "contains('a', 'b')",
    "startsWith('a', 'b')",
    "endsWith('a', 'b')",
    "format('{0}', 1)",
    "join('a')",
    "toJSON(1)",
    "fromJSON('1')",
    "case(true, 1, 2)",
];

/// A key, and all it may use.
struct Row {
    /// Documents with `EXPR` where the key's expression stands; one for each key of the row.
    documents: Vec<String>,
    allowed: &'static str,
}

fn row(allowed: &'static str, documents: impl IntoIterator<Item = String>) -> Row {
    let documents = documents.into_iter().collect();
    Row { documents, allowed }
}

fn own(text: &str) -> String {
    text.to_owned()
}

const VALUE: &str = "${{ EXPR }}";

const STEPS: &str = "    steps: [{run: x}]\n";

/// A workflow with lines before its jobs.
fn root(lines: &str) -> String {
    format!("on: push\n{lines}\njobs:\n  a:\n    runs-on: x\n{STEPS}")
}

/// A workflow whose job has these lines; `runs-on` comes from here.
fn job(lines: &str) -> String {
    format!(
        "on: push\njobs:\n  a: {{runs-on: x, steps: [{{run: x}}]}}\n  b: {{runs-on: x, steps: [{{run: x}}]}}\n  c:\n    needs: [a, b]\n    runs-on: x\n    {lines}\n{STEPS}"
    )
}

fn call(lines: &str) -> String {
    format!("on: push\njobs:\n  c:\n    uses: o/r/.github/workflows/x.yml@v1\n    {lines}\n")
}

/// A workflow with a step that has this beside `run`.
fn step(lines: &str) -> String {
    format!("on: push\njobs:\n  c:\n    runs-on: x\n    steps:\n      - {lines}\n")
}

fn composite(lines: &str) -> String {
    format!("runs:\n  using: composite\n  steps:\n    - {lines}\n      shell: bash\n")
}

/// A document for each of these lines, with an expression for its `VALUE`.
fn each(lines: &[&str], make: fn(&str) -> String) -> Vec<String> {
    let documents = lines.iter().map(|line| make(&line.replace("VALUE", VALUE)));
    documents.collect()
}

fn of_root() -> Vec<Row> {
    let on_call = |lines: &str| {
        let lines = lines.replace("VALUE", VALUE);
        format!("on:\n  workflow_call:\n    {lines}\njobs:\n  a:\n    runs-on: x\n{STEPS}")
    };
    vec![
        row(
            "github inputs vars",
            each(
                &[
                    "run-name: VALUE",
                    "concurrency: VALUE",
                    "concurrency: {group: 'VALUE'}",
                ],
                root,
            )
            .into_iter()
            .chain([on_call("inputs: {i: {type: string, default: 'VALUE'}}")]),
        ),
        row(
            "github inputs vars secrets",
            each(&["env: {A: 'VALUE'}"], root),
        ),
        row(
            "github inputs vars jobs",
            [on_call("outputs: {o: {value: 'VALUE'}}")],
        ),
    ]
}

fn of_jobs() -> Vec<Row> {
    vec![
        row(
            "github inputs vars needs",
            each(
                &[
                    "strategy: {matrix: {m: ['VALUE']}}",
                    "strategy: {matrix: 'VALUE'}",
                    "strategy: {matrix: {m: [1]}, fail-fast: 'VALUE'}",
                    "strategy: {matrix: {m: [1]}, max-parallel: 'VALUE'}",
                ],
                job,
            ),
        ),
        row(
            "github inputs vars needs always cancelled success failure ids",
            [job("if: EXPR"), job("if: ${{ EXPR }}")],
        ),
        row(
            "github inputs vars needs strategy matrix",
            each(
                &[
                    "name: VALUE",
                    "concurrency: VALUE",
                    "concurrency: {group: g, cancel-in-progress: 'VALUE'}",
                    "environment: VALUE",
                    "environment: {name: 'VALUE'}",
                    "timeout-minutes: VALUE",
                    "continue-on-error: VALUE",
                    "container: VALUE",
                    "container: {image: 'VALUE'}",
                    "container: {image: i, options: 'VALUE'}",
                    "container: {image: i, ports: ['VALUE'], volumes: ['VALUE']}",
                    "services: {s: {image: 'VALUE'}}",
                    "services: {s: {image: i, options: 'VALUE'}}",
                    "snapshot: {image-name: i, if: 'EXPR'}",
                ],
                job,
            )
            .into_iter()
            .chain([
                job("").replace("runs-on: x\n    \n", "runs-on: ${{ EXPR }}\n"),
                call("with: {i: '${{ EXPR }}'}"),
            ]),
        ),
    ]
}

fn of_what_jobs_have() -> Vec<Row> {
    vec![
        row(
            "github inputs vars needs strategy matrix secrets",
            each(&["env: {A: 'VALUE'}"], job)
                .into_iter()
                .chain([call("secrets: {s: '${{ EXPR }}'}")]),
        ),
        row(
            "github inputs vars needs strategy matrix env",
            each(
                &[
                    "defaults: {run: {shell: 'VALUE'}}",
                    "defaults: {run: {working-directory: 'VALUE'}}",
                ],
                job,
            ),
        ),
        row(
            "github inputs vars needs strategy matrix secrets env",
            each(
                &[
                    "container: {image: i, credentials: {username: 'VALUE', password: 'VALUE'}}",
                    "services: {s: {image: i, credentials: {username: 'VALUE', password: 'VALUE'}}}",
                ],
                job,
            ),
        ),
        row(
            "github inputs vars needs strategy matrix secrets steps job runner env",
            each(
                &[
                    "container: {image: i, env: {A: 'VALUE'}}",
                    "services: {s: {image: i, env: {A: 'VALUE'}}}",
                    "outputs: {o: 'VALUE'}",
                ],
                job,
            ),
        ),
        row(
            "github inputs vars needs strategy matrix steps job runner env",
            each(&["environment: {name: e, url: 'VALUE'}"], job),
        ),
        row(
            "github inputs vars needs strategy matrix secrets steps job runner env hashFiles",
            each(
                &[
                    "run: VALUE",
                    "{name: 'VALUE', run: x}",
                    "{run: x, env: {A: 'VALUE'}}",
                    "{uses: ./x, with: {A: 'VALUE'}}",
                    "{run: x, working-directory: 'VALUE'}",
                    "{run: x, continue-on-error: 'VALUE'}",
                    "{run: x, timeout-minutes: 'VALUE'}",
                ],
                step,
            ),
        ),
        row(
            "github inputs vars needs strategy matrix steps job runner env hashFiles always cancelled success failure",
            [
                step("run: x\n        if: EXPR"),
                step("run: x\n        if: ${{ EXPR }}"),
            ],
        ),
    ]
}

fn of_action() -> Vec<Row> {
    let docker = |lines: &str| format!("runs:\n  using: docker\n  image: Dockerfile\n  {lines}\n");
    vec![
        row(
            "github strategy matrix job runner hashFiles",
            [own(
                "inputs: {i: {default: '${{ EXPR }}'}}\nruns: {using: node24, main: m}\n",
            )],
        ),
        row(
            "github inputs strategy matrix steps job runner env hashFiles",
            [
                composite("run: ${{ EXPR }}"),
                composite("run: x\n      name: ${{ EXPR }}"),
                composite("run: x\n      env: {A: '${{ EXPR }}'}"),
                composite("run: x\n      working-directory: ${{ EXPR }}"),
                composite("run: x\n      continue-on-error: ${{ EXPR }}"),
                own(
                    "runs:\n  using: composite\n  steps: [{uses: a/b@v1, with: {A: '${{ EXPR }}'}}]\n",
                ),
            ],
        ),
        row(
            "github inputs strategy matrix steps job runner env hashFiles always cancelled success failure",
            [composite("run: x\n      if: EXPR")],
        ),
        row(
            "github inputs strategy matrix steps job runner env",
            [own(
                "outputs: {o: {value: '${{ EXPR }}'}}\nruns: {using: composite, steps: [{run: x, shell: bash}]}\n",
            )],
        ),
        row(
            "github inputs strategy matrix job runner env hashFiles always cancelled success failure",
            [
                own("runs:\n  using: node24\n  main: m\n  pre: p\n  pre-if: EXPR\n"),
                own("runs:\n  using: node24\n  main: m\n  post: p\n  post-if: EXPR\n"),
            ],
        ),
        row(
            "inputs",
            [
                docker("args: ['${{ EXPR }}']"),
                docker("env: {A: '${{ EXPR }}'}"),
            ],
        ),
    ]
}

/// Everything that a document may use, of all there is.
fn allowed(document: &str, accepts: &dyn Fn(String) -> bool) -> BTreeSet<&'static str> {
    // In a branch that never runs it is refused too.
    let accepts =
        |expression: &str| accepts(document.replace("EXPR", &format!("false && ({expression})")));
    assert!(accepts("1 == 2"), "{document}");
    assert!(!accepts("nonsense"), "{document}");
    assert!(!accepts("nonsense()"), "{document}");
    for call in GENERAL {
        assert!(accepts(call), "{call}: {document}");
    }
    let contexts = CONTEXTS.into_iter().filter(|context| {
        let plain = accepts(&format!("{context}.x"));
        let shouted = accepts(&format!("{}['x'].*", context.to_uppercase()));
        assert_eq!(plain, shouted, "{context}: {document}");
        plain
    });
    let functions = FUNCTIONS.into_iter().filter(|(_, call)| accepts(call));
    contexts.chain(functions.map(|(name, _)| name)).collect()
}

fn compare(rows: Vec<Row>, accepts: &dyn Fn(String) -> bool) {
    let mut wrong = String::new();
    for Row {
        documents,
        allowed: wanted,
    } in rows
    {
        let wanted: BTreeSet<&str> = wanted.split(' ').collect();
        for document in documents {
            // Expressions have single quotes of their own.
            let document = document
                .replace("'${{ EXPR }}'", "\"${{ EXPR }}\"")
                .replace("'EXPR'", "\"EXPR\"");
            let found = allowed(&document, accepts);
            let only = |one: &BTreeSet<&str>, other: &BTreeSet<&str>| {
                one.difference(other).copied().collect::<Vec<_>>().join(" ")
            };
            if found != wanted {
                wrong += &format!(
                    "{document}  wrongly allowed: {}\n  wrongly refused: {}\n",
                    only(&found, &wanted),
                    only(&wanted, &found)
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_key_of_a_workflow_may_use_what_github_lets_it() {
    for rows in [of_root(), of_jobs(), of_what_jobs_have()] {
        compare(rows, &|text| {
            read_workflow(Source::new("w.yml", text)).is_ok()
        });
    }
}

#[test]
fn every_key_of_an_action_may_use_what_github_lets_it() {
    compare(of_action(), &|text| {
        read_action(Source::new("action.yml", text)).is_ok()
    });
}

#[test]
fn some_keys_take_no_expression_at_all() {
    for document in [
        root("name: ${{ 'a' == 'b' }}"),
        root("permissions: ${{ github.x }}"),
        root("cache-mode: ${{ github.x }}"),
        root("").replace("on: push", "on: '${{ github.x }}'"),
        root("").replace("on: push", "on: {push: {branches: ['${{ github.x }}']}}"),
        root("").replace("on: push", "on: {schedule: [{cron: '${{ github.x }}'}]}"),
        job("permissions: {contents: '${{ github.x }}'}"),
        job("").replace("needs: [a, b]", "needs: ['${{ github.x }}']"),
        job("").replace("  a:", "  ${{ github.x }}:"),
        job("snapshot: '${{ github.x }}'"),
        job("snapshot: {image-name: '${{ github.x }}'}"),
        call("").replace("o/r/.github/workflows/x.yml@v1", "${{ github.x }}"),
        step("uses: ${{ github.x }}"),
        step("{run: x, id: '${{ github.x }}'}"),
        step("{run: x, background: '${{ github.x }}'}"),
        step("{wait: '${{ github.x }}'}"),
        step("{cancel: '${{ github.x }}'}"),
        step("{run: x, shell: '${{ github.x }}'}"),
    ] {
        let read = read_workflow(Source::new("w.yml", document.as_str()));
        assert!(read.is_err(), "{document}");
    }
    // A shell may be an expression that uses nothing.
    let literal = step("{run: x, shell: \"${{ 'bash' }}\"}");
    assert!(read_workflow(Source::new("w.yml", literal)).is_ok());
}
