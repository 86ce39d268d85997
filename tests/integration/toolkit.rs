//! Actions made as published ones are, with GitHub's own packages bundled into one file: what
//! the toolkit reads and writes is what lrun gives and takes.
//!
//! The actions are in `tests/toolkit/`. Each asserts for itself what it can see.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

use crate::lrun::{Lrun, Run};
use crate::npm;
use crate::project::{Project, workflow_of};

const MANIFEST: &str = include_str!("../toolkit/package.json");

/// A repository with the action in `.github/actions/NAME`, whose workflow has these steps.
fn project_of(name: &str, inputs: &str, steps: &str) -> Project {
    let workflow = workflow_of(steps);
    let folder = format!(".github/actions/{name}");
    let parts = match name {
        "core" | "parts" => "main: dist/index.js\n  post: dist/index.js",
        _ => "main: dist/index.js",
    };
    let manifest = manifest_of(inputs, parts);
    let project = Project::new(&[
        (".github/workflows/ci.yml", &workflow),
        (&format!("{folder}/action.yml"), &manifest),
        ("data/a.txt", "a"),
        ("data/b/b.txt", "b"),
        ("data/c/d.txt", "d"),
        ("tools/my-tool", "#!/bin/sh\n"),
    ]);
    project.git(&["update-index", "--chmod=+x", "tools/my-tool"]);
    project.git(&["checkout-index", "--force", "tools/my-tool"]);
    bundle(name, &project.path().join(folder).join("dist/index.js"));
    project.commit("the action");
    project.share_externals();
    project
}

fn manifest_of(inputs: &str, parts: &str) -> String {
    format!("name: Of the toolkit\ninputs: {inputs}\nruns:\n  using: node24\n  {parts}\n")
}

/// Makes one file of an action and the packages that it uses.
fn bundle(name: &str, into: &Path) {
    let packages = npm::installed(MANIFEST).join("node_modules");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/toolkit");
    let output = Command::new(packages.join(".bin/esbuild"))
        .args(["--bundle", "--platform=node", "--target=node24"])
        .args(["--format=cjs", "--log-level=warning"])
        // What a module asks for and such a file has not.
        .arg("--define:import.meta.url=__url")
        .arg("--banner:js=const __url = require('node:url').pathToFileURL(__filename).href;")
        .arg(format!("--outfile={}", into.display()))
        .arg(source.join(format!("{name}.js")))
        .env("NODE_PATH", &packages)
        .output()
        .expect("it was installed");
    npm::succeeded("esbuild", output);
}

/// Runs the workflow; Node.js may have to be fetched for it.
fn lrun(project: &Project) -> Lrun {
    project.lrun().with_network().args(&["ci.yml"])
}

fn has(run: &Run, step: &str, line: &str) {
    let lines = run.output(step);
    assert!(
        lines.iter().any(|it| it == line),
        "'{step}' lacks '{line}':\n{}",
        run.transcript()
    );
}

/// An address of this machine that answers every request with `from the server`.
fn served() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut asked in listener.incoming().flatten() {
            // The request of a test fits; an answer nobody reads is that client's matter.
            let _ = asked.read(&mut [0; 4096]);
            let _ = asked.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\nfrom the server",
            );
        }
    });
    format!("http://{address}/file")
}

const CORE_INPUTS: &str = "
  text: {required: true}
  With Space: {}
  with-default: {default: 'attempt ${{ github.run_attempt }}'}
  without-default: {}
  yes: {}
  no: {}
  lines: {}";

const CORE_STEPS: &str = r#"
- uses: actions/checkout@v5
- id: core
  name: Core
  uses: ./.github/actions/core
  with:
    text: "  two words "
    with space: given
    yes: 'TRUE'
    no: 'False'
    lines: |
      a

      b c
- name: Told
  env:
    LINES: ${{ steps.core.outputs.lines }}
  run: |
    test "$LINES" = "$(printf 'first\nsecond 100%%\n::third')"
    test '${{ fromJSON(steps.core.outputs.object).a[0] }}' = 1
    test "$EXPORTED" = "$(printf 'one\ntwo')"
    test "${PATH%%:*}" = /from/the/toolkit
    if env | grep -E '^(INPUT_|STATE_)'; then exit 1; fi
    echo 'and hidden-value'
"#;

fn summaries(run: &Run, step: &str) -> Vec<Value> {
    let started = run.of_type("step-started");
    let key = started
        .filter(|event| event["name"] == step)
        .map(|event| (&event["step"], &event["phase"]))
        .next()
        .expect("it ran");
    let all = run.of_type("step-summary");
    all.filter(|event| (&event["step"], &event["phase"]) == key)
        .map(|event| event["text"].clone())
        .collect()
}

#[test]
fn what_core_reads_is_given_and_what_it_writes_arrives() {
    let project = project_of("core", CORE_INPUTS, CORE_STEPS);
    let run = lrun(&project).run().exited(0);
    has(&run, "Core", "this is ***");
    has(&run, "Core", "inside");
    has(&run, "Core", "debug is false");
    has(&run, "Told", "and ***");
    has(&run, "Post Core", "post has its state");
    assert!(!run.transcript().contains("a detail"));
    assert!(!run.transcript().contains("this is hidden-value"));
    let of_main = "<h1>Result</h1>\nof ***\n<pre lang=\"js\"><code>1 + 1</code></pre>";
    assert_eq!(summaries(&run, "Core"), [of_main]);
    assert_eq!(summaries(&run, "Post Core"), ["after"]);
}

#[test]
fn what_core_says_of_files_is_annotated() {
    let project = project_of("core", CORE_INPUTS, CORE_STEPS);
    let run = lrun(&project).run().exited(0);
    let told: Vec<Value> = run
        .of_type("annotated")
        .map(|event| {
            let said = &event["annotation"];
            json!([
                said["level"],
                said["message"],
                said["title"],
                said["file"],
                said["line"],
                said["end_line"],
                said["column"],
                said["end_column"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([
                "notice",
                "look",
                "A title, with: signs",
                null,
                null,
                null,
                null,
                null
            ]),
            json!([
                "warning",
                "careful\nwith both lines",
                null,
                "src/a.js",
                3,
                3,
                1,
                2
            ]),
            json!([
                "error",
                "Error: wrong",
                null,
                "b,c.js",
                null,
                null,
                null,
                null
            ]),
        ]
    );
}

#[test]
fn core_tells_details_where_they_are_wanted() {
    let project = project_of("core", CORE_INPUTS, CORE_STEPS);
    let run = lrun(&project).args(&["--debug"]).run().exited(0);
    has(&run, "Core", "debug is true");
    assert!(run.transcript().contains("a detail"));
}

#[test]
fn exec_starts_programs_with_their_environment_directory_and_input() {
    let steps = "- name: Exec\n  uses: ./.github/actions/exec";
    let project = project_of(
        "exec",
        "{}",
        &format!("- uses: actions/checkout@v5\n{steps}"),
    );
    let run = lrun(&project).run().exited(0);
    has(&run, "Exec", "[command]/usr/bin/echo seen in the log");
    has(&run, "Exec", "seen in the log");
    has(&run, "Exec", "all of exec");
}

#[test]
fn io_moves_files_and_finds_programs() {
    let steps = "
- uses: actions/checkout@v5
- run: echo $PWD/tools >> $GITHUB_PATH
- name: Io
  uses: ./.github/actions/io";
    let run = lrun(&project_of("io", "{}", steps)).run().exited(0);
    has(&run, "Io", "all of io");
}

#[test]
fn a_tool_that_is_cached_is_found_by_later_steps_of_the_job_alone() {
    let url = served();
    let steps = format!(
        "
- uses: actions/checkout@v5
- uses: ./.github/actions/tool-cache
  with: {{install: true, url: '{url}'}}
- uses: ./.github/actions/tool-cache
  with: {{install: false}}
- name: Tool
  run: my-tool
"
    );
    let project = project_of("tool-cache", "{install: {}, url: {}}", &steps);
    for _ in 0..2 {
        let run = lrun(&project).run().exited(0);
        has(&run, "Tool", "tool 1.2.3");
    }
}

#[test]
fn glob_finds_and_hashes_what_the_expressions_hash() {
    let steps = "
- uses: actions/checkout@v5
- name: Glob
  uses: ./.github/actions/glob
- name: Expressions
  run: |
    cat <<'END'
    \"data/**\": '${{ hashFiles('data/**') }}'
    \"**/*.txt\\n!data/b/**\": '${{ hashFiles('**/*.txt', '!data/b/**') }}'
    \"no/such/*\": '${{ hashFiles('no/such/*') }}'
    END
";
    let run = lrun(&project_of("glob", "{}", steps)).run().exited(0);
    let hashes = |step| {
        let lines = run.output(step);
        // The script itself is shown before what it prints.
        lines[lines.len() - 3..].to_vec()
    };
    assert_eq!(hashes("Glob"), hashes("Expressions"));
    // sha256 of the three files' own, one after the other.
    has(
        &run,
        "Glob",
        "\"data/**\": 'a6d93fac7e9cf9151c914a1184191983d791ac3a06a316bbb29a121f28f34f3e'",
    );
    has(&run, "Glob", "\"no/such/*\": ''");
}

#[test]
fn a_server_of_this_machine_is_reached_and_there_is_no_cache() {
    let url = served();
    let steps = format!(
        "
- uses: actions/checkout@v5
- name: Http
  uses: ./.github/actions/http-client
  with: {{url: '{url}'}}
"
    );
    let project = project_of("http-client", "{url: {}}", &steps);
    let run = lrun(&project).run().exited(0);
    has(&run, "Http", "all of it");
}

const PARTS_INPUTS: &str = "{name: {}, fails: {}, stays: {}}";

#[test]
fn parts_run_in_their_order_with_their_own_state() {
    let project = Project::of_steps(
        "
- {name: One, uses: o/parts@v1, with: {name: one}}
- {name: Two, uses: o/parts@v1, with: {name: two}}
- name: Order
  run: test \"$(tr '\\n' ' ' < $RUNNER_TEMP/parts)\" = 'one-pre two-pre one-main two-main '
",
    );
    project.share_externals();
    let action = tempfile::tempdir().expect("writable");
    let parts = "pre: pre.js\n  main: main.js\n  post: main.js";
    let manifest = manifest_of(PARTS_INPUTS, parts);
    std::fs::write(action.path().join("action.yml"), manifest).expect("writable");
    for part in ["pre.js", "main.js"] {
        bundle("parts", &action.path().join(part));
    }
    let given = format!("o/parts={}", action.path().display());
    let run = lrun(&project).args(&["--action", &given]).run().exited(0);
    let told: Vec<&str> = run
        .of_type("step-output")
        .filter_map(|event| event["text"].as_str())
        .filter(|text| text.starts_with("one: ") || text.starts_with("two: "))
        .collect();
    assert_eq!(
        told,
        [
            "one: pre after ''",
            "two: pre after ''",
            "one: main after 'pre'",
            "two: main after 'pre'",
            "two: post after 'pre main'",
            "one: post after 'pre main'",
        ]
    );
}

#[test]
fn a_folder_is_no_script_though_node_would_run_it() {
    let manifest = manifest_of("{}", "main: dist");
    let steps = "
- uses: actions/checkout@v5
- {name: Folder, uses: ./.github/actions/folder}
";
    let files = [
        (".github/actions/folder/action.yml", manifest.as_str()),
        (".github/actions/folder/dist/index.js", "console.log('ran')"),
    ];
    let project = Project::of_steps_and(steps, &files);
    project.share_externals();
    let run = lrun(&project).run().exited(1);
    let directory = "/home/runner/work/project/project/./.github/actions/folder";
    has(
        &run,
        "Folder",
        &format!("File not found: '{directory}/dist'"),
    );
    assert!(!run.transcript().contains("\nran"));
}

#[test]
fn a_main_part_that_fails_is_an_error_and_has_its_post_part() {
    let steps = "
- uses: actions/checkout@v5
- {name: Fails, uses: ./.github/actions/parts, with: {name: it, fails: main}}
- {name: Next, run: 'true'}
";
    let run = lrun(&project_of("parts", PARTS_INPUTS, steps)).run();
    let run = run.exited(1);
    assert_eq!(run.conclusions("Fails"), ["failure"]);
    assert_eq!(run.conclusions("Next"), ["skipped"]);
    assert_eq!(run.conclusions("Post Fails"), ["success"]);
    has(&run, "Post Fails", "it: post after 'main'");
    let said = run.of_type("annotated").map(|event| &event["annotation"]);
    let said: Vec<_> = said.map(|it| (&it["level"], &it["message"])).collect();
    assert_eq!(said, [(&json!("error"), &json!("main does not want to"))]);
}

#[test]
fn a_post_part_that_fails_fails_the_job() {
    let steps = "
- uses: actions/checkout@v5
- {name: Fails, uses: ./.github/actions/parts, with: {name: it, fails: post}}
- {name: Next, run: 'true'}
";
    let run = lrun(&project_of("parts", PARTS_INPUTS, steps)).run();
    let run = run.exited(1);
    assert_eq!(run.conclusions("Fails"), ["success"]);
    assert_eq!(run.conclusions("Next"), ["success"]);
    assert_eq!(run.conclusions("Post Fails"), ["failure"]);
}

#[test]
fn a_part_that_is_interrupted_hears_of_it_and_has_its_post_part() {
    let steps = "
- uses: actions/checkout@v5
- {name: Stays, uses: ./.github/actions/parts, with: {name: it, stays: main}}
- {name: Next, run: 'true'}
";
    let project = project_of("parts", PARTS_INPUTS, steps);
    let run = lrun(&project)
        .run_and_when_ready(|lrun| kill(lrun, Signal::SIGINT).expect("it is running"));
    let run = run.exited(130);
    assert_eq!(run.conclusions("Stays"), ["cancelled"]);
    has(&run, "Stays", "was interrupted");
    assert_eq!(run.conclusions("Next"), ["skipped"]);
    assert_eq!(run.conclusions("Post Stays"), ["success"]);
    has(&run, "Post Stays", "it: post after 'main'");
}
