//! `lrun check`: verdicts, exit codes, and the forms of the answer.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::Value;

use crate::lrun::Report;
use crate::project::{Project, workflow_of};

/// Runs `lrun check` with these arguments; it must end so.
fn check(project: &Project, code: i32, arguments: &[&str]) -> Report {
    let arguments: Vec<&str> = ["check"].iter().chain(arguments).copied().collect();
    let report = project.lrun().args(&arguments).plain();
    let printed = format!("{}{}", report.stdout, report.stderr);
    assert_eq!(report.code, Some(code), "{printed}");
    report
}

/// What is said of one workflow, which is wrong.
fn verdict(text: &str) -> String {
    check(&Project::of_workflow(text), 1, &[]).stdout
}

fn json(report: &Report) -> Value {
    serde_json::from_str(&report.stdout).unwrap_or_else(|error| panic!("{error}: {report:?}"))
}

const GOOD_ACTION: &str =
    "name: a\nruns:\n  using: composite\n  steps:\n    - run: x\n      shell: bash\n";

/// An action with one error, on line 5.
const BAD_ACTION: &str = "name: a\nruns:\n  using: composite\n  steps:\n    - run: ${{ secrets.A }}\n      shell: bash\n";

/// A repository with errors of several kinds in three of five files.
fn wrong() -> Project {
    Project::new(&[
        (
            ".github/workflows/a.yml",
            "on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    needs: biuld\n  test:\n    runs-on: ubuntu-24.04\n    steps: [{run: x}]\n",
        ),
        (
            ".github/workflows/b, 100%.yaml",
            "on: pusch\njobs:\n  build: {name: é😀, \"runs-on\": \"${{ env.X }}\", steps: [{run: x}]}\n",
        ),
        (
            ".github/workflows/ok.yml",
            &workflow_of("- uses: ./act\n- uses: ./made/nowhere"),
        ),
        ("act/action.yml", BAD_ACTION),
        ("fine/action.yaml", GOOD_ACTION),
    ])
}

#[test]
fn a_clean_repository_is_said_to_be_so() {
    let project = Project::new(&[
        (".github/workflows/ci.yml", &workflow_of("- uses: ./act")),
        ("act/action.yml", GOOD_ACTION),
    ]);
    assert_eq!(check(&project, 0, &[]).stdout, "no errors in 2 files\n");
    let one = check(&project, 0, &["act/action.yml"]).stdout;
    assert_eq!(one, "no errors in 1 file\n");
    let state = project.state();
    let document = json(&check(&project, 0, &["--json"]));
    assert_eq!(
        document.to_string(),
        r#"{"version":1,"files":2,"errors":0,"diagnostics":[]}"#
    );
    assert_eq!(check(&project, 0, &["--format", "annotate"]).stdout, "");
    assert_eq!(project.state(), state);
}

#[test]
fn every_error_has_its_line_underlined() {
    assert_snapshot!(check(&wrong(), 1, &[]).stdout);
}

#[test]
fn json_has_every_error_with_its_place() {
    assert_snapshot!(check(&wrong(), 1, &["--json"]).stdout);
}

#[test]
fn annotations_are_escaped_as_the_runner_reads_them() {
    assert_snapshot!(check(&wrong(), 1, &["--format", "annotate"]).stdout);
}

/// What the standard's schema requires of what is there (SARIF 2.1.0, sections 3.13 to 3.30).
#[test]
fn sarif_is_as_the_standard_has_it() {
    let log = json(&check(&wrong(), 1, &["--format", "sarif"]));
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().expect("an array").as_slice() else {
        panic!("one run: {log}");
    };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "lrun");
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let rules = driver["rules"].as_array().expect("an array");
    let levels = ["error", "note"];
    for rule in rules {
        assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
        let level = rule["defaultConfiguration"]["level"].as_str();
        assert!(level.is_some_and(|level| levels.contains(&level)));
    }
    let results = run["results"].as_array().expect("an array");
    assert_eq!(results.len(), 4);
    for result in results {
        let rule = result["ruleIndex"].as_u64().expect("a number");
        let rule = &rules[usize::try_from(rule).expect("small")];
        assert_eq!(result["ruleId"], rule["id"]);
        assert!(levels.contains(&result["level"].as_str().expect("text")));
        assert!(!result["message"]["text"].as_str().expect("text").is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("text");
        let is_relative = !uri.starts_with('/') && !uri.contains(':');
        assert!(is_relative && !uri.contains([' ', ',']), "{uri}");
        let number = |name: &str| place["region"][name].as_u64().expect("a number");
        let start = (number("startLine"), number("startColumn"));
        let end = (number("endLine"), number("endColumn"));
        assert!(start >= (1, 1) && end >= start, "{place}");
    }
    let uris: Vec<&Value> = results
        .iter()
        .map(|result| &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        .collect();
    assert_eq!(*uris[2], ".github/workflows/b%2C%20100%25.yaml");
}

#[test]
fn wrong_workflows_are_answered_so() {
    let job =
        |lines: &str| format!("on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n{lines}");
    assert_snapshot!("wrong_key", verdict(&job("    step:\n      - run: make\n")));
    assert_snapshot!(
        "wrong_context",
        verdict(&job(
            "    if: env.DEPLOY == 'yes' || matrix.os\n    steps:\n      - run: make\n"
        ))
    );
    assert_snapshot!(
        "wrong_in_a_script",
        verdict(&job(
            "    steps:\n      - run: |\n          make\n          make install DESTDIR=${{ env.DEST || hashfiles('x' }}\n"
        ))
    );
    assert_snapshot!(
        "wrong_parallel",
        verdict(&job(
            "    steps:\n      - parallel:\n          - run: make a\n          - run: make b\n        if: always()\n"
        ))
    );
    assert_snapshot!(
        "wrong_braces",
        verdict(&job(
            "    strategy: {matrix: {os: [a]}}\n    steps:\n      - {run: make, env: {OS: ${{ matrix.os }}}}\n"
        ))
    );
    assert_snapshot!(
        "wrong_anchor",
        verdict(&job(
            "    env: &base {A: 1}\n    steps:\n      - run: make\n        env:\n          <<: *base\n          B: ${{ case(github.ref == 'main', 1) }}\n          b: 2\n"
        ))
    );
}

#[test]
fn the_verdict_is_the_exit_code() {
    let project = wrong();
    check(&project, 0, &[".github/workflows/../../fine/action.yaml"]);
    check(&project, 1, &["act"]);
    check(&project, 0, &["fine"]);
    check(&project, 1, &["fine", "act/action.yml"]);
    let missing = check(&project, 2, &["fine", "nosuch.yml"]);
    assert!(missing.stderr.contains("nosuch.yml"), "{}", missing.stderr);
    assert_eq!(missing.stdout, "no errors in 1 file\n");
    check(&project, 2, &["--format", "xml"]);
    check(&project, 2, &["--json", "--format", "text"]);
    let bare = Project::new(&[("x.txt", "")]);
    assert_eq!(
        check(&bare, 0, &[]).stdout,
        "no workflows or actions to check\n"
    );
    let empty = Project::without_git(&[("folder/x.txt", "")]);
    let nothing = check(&empty, 2, &["folder"]);
    assert!(
        nothing.stderr.contains("nothing to check"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn what_a_file_uses_is_checked_with_it_and_said_once() {
    let nested =
        "runs:\n  using: composite\n  steps: [{uses: ./act}, {uses: $/fine}, {uses: ./gone}]\n";
    let project = Project::new(&[
        (".github/workflows/a.yml", &workflow_of("- uses: ./outer")),
        (".github/workflows/b.yml", &workflow_of("- uses: $/act")),
        ("outer/action.yml", nested),
        ("act/action.yml", BAD_ACTION),
        ("fine/action.yaml", GOOD_ACTION),
        (".github/workflows/folder.yml/x.txt", ""),
        ("node_modules/x/action.yml", "nonsense"),
        ("vendor/x/action.yml", "nonsense"),
        (".gitignore", "ignored\n"),
        ("ignored/action.yml", "nonsense"),
    ]);
    let whole = json(&check(&project, 1, &["--json"]));
    assert_eq!(whole["files"], 5);
    assert_eq!(whole["diagnostics"].as_array().map(Vec::len), Some(1));
    let one = json(&check(&project, 1, &["--json", ".github/workflows/a.yml"]));
    assert_eq!(one["files"], 4);
    assert_eq!(one["diagnostics"], whole["diagnostics"]);
    assert_eq!(one["diagnostics"][0]["file"], "act/action.yml");
}

#[test]
fn an_action_that_a_step_may_make_is_not_missed() {
    let notes = |steps: &str| {
        let report = check(&Project::of_steps(steps), 0, &["--json"]);
        json(&report)["diagnostics"].as_array().map(Vec::len)
    };
    assert_eq!(notes("- uses: ./a"), Some(1));
    assert_eq!(notes("- uses: $/a"), Some(1));
    assert_eq!(notes("- uses: actions/checkout@v5\n- uses: ./a/"), Some(1));
    assert_eq!(notes("- run: make\n- uses: ./a/b"), Some(1));
    assert_eq!(notes("- run: mkdir -p a/b\n- uses: ./a/b"), Some(0));
    assert_eq!(notes("- uses: x/y@v1\n- uses: ./a"), Some(0));
    let checkout = "- uses: actions/checkout@v5\n  with: {repository: x/y, path: a}\n- uses: ./a";
    assert_eq!(notes(checkout), Some(0));
    let image = Project::of_steps_and("- uses: ./image", &[("image/Dockerfile", "FROM x")]);
    let document = json(&check(&image, 0, &["--json"]));
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(0));
}

#[test]
fn files_are_named_from_where_one_stands_and_for_programs_from_the_root() {
    let project = wrong();
    let from = |arguments: &[&str]| {
        let lrun = project.lrun().args(&["check", "-C", "fine"]);
        lrun.args(arguments).plain().stdout
    };
    assert!(from(&["../act"]).contains("--> ../act/action.yml:5:12"));
    assert!(from(&[]).contains("--> ../.github/workflows/a.yml:5:12"));
    assert!(from(&["../act", "--json"]).contains("\"act/action.yml\""));
    let other = wrong();
    let path = other.path().join("act");
    let path = path.to_str().expect("text");
    let both = check(&project, 1, &["act", path, "--format", "annotate"]).stdout;
    assert!(both.starts_with("::error file=../../"), "{both}");
    assert!(both.contains("::error file=act/action.yml,"), "{both}");
}

#[test]
fn a_dash_is_standard_input() {
    let project = wrong();
    let given = |text: &str, arguments: &[&str]| {
        let arguments = [&["check", "-"], arguments].concat();
        let mut command: Command = project.lrun().args(&arguments).into();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("lrun can be started");
        let mut stdin = child.stdin.take().expect("it is a pipe");
        stdin.write_all(text.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it was started");
        let text = String::from_utf8(output.stdout).expect("text");
        (output.status.code(), text)
    };
    let (code, text) = given("on: pus\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n", &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("--> <stdin>:1:5"), "{text}");
    assert_eq!(given(GOOD_ACTION, &["--action"]).0, Some(0));
    assert_eq!(given(BAD_ACTION, &["--action"]).0, Some(1));
    assert_eq!(given(GOOD_ACTION, &[]).0, Some(1));
    let (code, text) = given(&workflow_of("- uses: ./act"), &["--json"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("\"act/action.yml\""), "{text}");
}

#[test]
fn text_of_others_cannot_talk_to_the_terminal() {
    let told =
        verdict("on: push\n\"\\e[2J\\x9b1m\": 1\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n");
    let is_harmless = |c: char| c == '\n' || !c.is_control();
    assert!(
        told.contains("2:1") && told.chars().all(is_harmless),
        "{told:?}"
    );
    let raw = verdict("on: push # \u{9b}1m\njobs: [\u{85}x]\n");
    assert!(raw.chars().all(is_harmless), "{raw:?}");
}

#[test]
fn what_is_no_text_is_refused_where_it_begins() {
    let project = wrong();
    let path = project.path().join("bad.yml");
    std::fs::write(&path, b"on: push\n#\xff\n").expect("writable");
    let document = json(&check(&project, 1, &["bad.yml", "--json"]));
    let found = &document["diagnostics"][0];
    assert_eq!((&found["line"], &found["col"]), (&2.into(), &2.into()));
    std::fs::write(&path, "a".repeat(9 << 20)).expect("writable");
    let long = check(&project, 1, &["bad.yml"]).stdout;
    assert!(
        long.contains("maximum file size") && long.len() < 1000,
        "{long}"
    );
}

#[test]
fn what_the_service_refuses_is_refused() {
    let told = verdict(
        "on: {push: {tags: [a], tags-ignore: [b]}}\njobs: {a: {runs-on: x, steps: [{run: x}]}, b: {runs-on: x}}\n",
    );
    assert!(
        told.contains("ci.yml:1:24") && told.contains("ci.yml:2:44"),
        "{told}"
    );
}

#[test]
fn patterns_that_are_none_and_reserved_secrets_are_refused() {
    let job = "jobs: {a: {runs-on: x, steps: [{run: x}]}}\n";
    let told = verdict(&format!(
        "on:\n  push:\n    branches: ['[a', a, '[b]?']\n    tags-ignore: '?a'\n{job}"
    ));
    assert!(
        told.contains("Invalid filter pattern '[a': a bracket is not closed")
            && told.contains("ci.yml:3:16")
            && told.contains("ci.yml:4:18")
            && told.ends_with("2 errors in 1 file\n"),
        "{told}"
    );
    let told = verdict(&format!(
        "on:\n  workflow_call:\n    secrets: {{GitHub_Token: {{}}, other: {{}}}}\n{job}"
    ));
    assert!(
        told.contains(
            "secret name `GitHub_Token` within `workflow_call` can not be used since it would collide with system reserved name"
        ) && told.contains("ci.yml:3:15"),
        "{told}"
    );
}

#[test]
fn the_root_of_the_repository_has_a_name() {
    let project = Project::of_workflow(&workflow_of("- uses: ./"));
    let told = check(&project, 0, &[]).stdout;
    assert!(
        told.contains("There is no action in the root of this repository"),
        "{told}"
    );
}

const LOCK: &str = "version: v0.0.3\nworkflows: {.github/workflows/ci.yml: [actions/checkout@v5]}\ndependencies:\n  actions/checkout@v5: {ref: v5, commit: sha1-34e114876b0b11c390a56381ad16ebd13914f8d5, owner_id: 1, repo_id: 2}\n";

#[test]
fn a_lock_binds_the_workflows_it_lists() {
    let steps = workflow_of(
        "- uses: actions/checkout@v5\n- uses: actions/cache@v4\n  with: {path: a, key: b}",
    );
    let project = Project::new(&[
        (".github/workflows/ci.yml", &steps),
        (".github/workflows/free.yml", &steps),
        (".github/workflows/actions.lock", LOCK),
    ]);
    for arguments in [&[][..], &[".github/workflows/ci.yml"]] {
        let told = check(&project, 1, arguments).stdout;
        assert!(told.contains("--> .github/workflows/ci.yml:7:15"), "{told}");
        assert!(
            told.contains("gh actions-lock") && told.contains("1 error in"),
            "{told}"
        );
    }
    check(&project, 0, &[".github/workflows/free.yml"]);
    project.write(
        ".github/workflows/actions.lock",
        &LOCK.replace("v0.0.3", "v9"),
    );
    let told = check(&project, 1, &[".github/workflows/free.yml"]).stdout;
    assert!(
        told.contains("--> .github/workflows/actions.lock:1:10"),
        "{told}"
    );
}

#[test]
fn a_lock_that_is_named_is_read_as_one() {
    let project = Project::of_workflow(&workflow_of("- run: x"));
    project.write(".github/workflows/actions.lock", LOCK);
    let lock = ".github/workflows/actions.lock";
    assert_eq!(check(&project, 0, &[lock]).stdout, "no errors in 1 file\n");
    project.write(lock, &LOCK.replace("v0.0.3", "v9"));
    let told = check(&project, 1, &[lock, ".github/workflows/ci.yml"]).stdout;
    assert!(told.contains("actions.lock:1:10"), "{told}");
    assert!(told.ends_with("1 error in 1 of 2 files\n"), "{told}");
}

#[test]
fn a_path_that_cannot_be_read_keeps_no_other_from_being_checked() {
    let project = wrong();
    let pipe = project.path().join("pipe.yml");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let named = ["gone.yml", "pipe.yml", "act/action.yml", "fine/action.yaml"];
    let report = check(&project, 2, &named);
    assert!(
        report.stdout.ends_with("1 error in 1 of 2 files\n"),
        "{report:?}"
    );
    let told: Vec<&str> = report.stderr.lines().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("gone.yml: No such file"), "{told:?}");
    assert!(
        told[1].contains("pipe.yml: it is neither a file nor a directory"),
        "{told:?}"
    );
    let report = check(&project, 2, &["gone.yml"]);
    assert_eq!(report.stdout, "");
}

#[test]
fn what_a_shell_gives_for_a_file_is_read() {
    let project = Project::of_workflow("");
    let lrun = env!("CARGO_BIN_EXE_lrun");
    let script = format!("'{lrun}' check --action <(printf '%s' 'runs: {{using: x, main: y}}')");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(project.path())
        .output()
        .expect("bash can be started");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(told.contains("'using: x' is not supported"), "{told}");
}

#[test]
fn ten_errors_of_a_file_may_not_be_all() {
    let keys: Vec<String> = (0..12).map(|number| format!("key{number}: x\n")).collect();
    let text = format!("on: push\n{}jobs: {{}}\n", keys.concat());
    let project = Project::of_workflow(&text);
    let told = check(&project, 1, &[]).stdout;
    assert!(
        told.ends_with("10 errors in 1 file or more: ten of a file are named, as GitHub does\n"),
        "{told}"
    );
    assert_eq!(json(&check(&project, 1, &["--json"]))["truncated"], true);
    let log = json(&check(&project, 1, &["--format", "sarif"]));
    assert_eq!(log["runs"][0]["properties"]["truncated"], true);
    let log = json(&check(&wrong(), 1, &["--format", "sarif"]));
    assert!(log["runs"][0]["properties"].is_null());
}

#[test]
fn a_version_of_node_that_there_is_is_proposed() {
    let action = "name: a\nruns: {using: node99, main: x.js}\n";
    let project = Project::new(&[("action.yml", action)]);
    let told = check(&project, 1, &["action.yml"]).stdout;
    assert!(told.contains("did you mean 'node24'?"), "{told}");
}

fn calling(lines: &str) -> String {
    format!("on: push\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n{lines}")
}

#[test]
fn called_workflows_are_checked_with_their_callers_and_said_once() {
    let called = "on:\n  workflow_call:\n    inputs:\n      target: {type: string, required: true}\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    permissions: {contents: write}\n    steps: [{run: make, wiht: x}]\n";
    let good = calling("    permissions: {contents: write}\n    with: {target: a}\n");
    let project = Project::new(&[
        (".github/workflows/called.yml", called),
        (".github/workflows/a.yml", &good),
        (".github/workflows/b.yml", &good),
        (".github/workflows/c.yml", &good.replace("./", "$/")),
    ]);
    let told = check(&project, 1, &[]).stdout;
    assert!(
        told.contains("--> .github/workflows/called.yml:9:25"),
        "{told}"
    );
    assert!(told.ends_with("\n1 error in 1 of 4 files\n"), "{told}");
    assert_eq!(
        check(&project, 1, &[".github/workflows/b.yml"]).stdout,
        told.replace("of 4", "of 2")
    );
    project.write(
        ".github/workflows/called.yml",
        &called.replace(", wiht: x", ""),
    );
    check(&project, 0, &[]);
    project.write(
        ".github/workflows/a.yml",
        &calling("    with: {targte: a}\n"),
    );
    let told = check(&project, 1, &[]).stdout;
    for place in ["a.yml:4:11", "a.yml:5:20"] {
        assert!(
            told.contains(&format!("--> .github/workflows/{place}")),
            "{told}"
        );
    }
    project.write(
        ".github/workflows/a.yml",
        &good.replace("contents: write", "contents: read"),
    );
    let told = check(&project, 1, &[]).stdout;
    assert!(told.contains("--> .github/workflows/a.yml:3:3"), "{told}");
    project.git(&["rm", "-qf", "--cached", ".github/workflows/called.yml"]);
    std::fs::remove_file(project.path().join(".github/workflows/called.yml")).expect("it is there");
    let told = check(&project, 1, &[]).stdout;
    assert!(told.ends_with("\n3 errors in 3 of 3 files\n"), "{told}");
}

#[test]
fn what_another_repository_has_is_not_refused_and_is_counted() {
    let text = calling("    with: {a: b}\n")
        .replace("./", "o/r/")
        .replace(".yml", ".yml@v1");
    let project = Project::of_workflow(&text);
    let told = check(&project, 0, &[]).stdout;
    assert_eq!(
        told,
        "no errors in 1 file; a workflow of another repository that is called was not read\n"
    );
}

#[test]
fn a_file_of_no_repository_is_judged_alone() {
    let folder = Project::without_git(&[
        ("ci.yml", &calling("")),
        ("steps.yml", &workflow_of("- uses: ./act")),
    ]);
    for file in ["ci.yml", "steps.yml"] {
        assert_eq!(check(&folder, 0, &[file]).stdout, "no errors in 1 file\n");
    }
    assert_eq!(check(&folder, 0, &["."]).stdout, "no errors in 2 files\n");
    let nowhere = check(&folder, 2, &[]);
    assert!(
        nowhere.stderr.contains("no repository"),
        "{}",
        nowhere.stderr
    );
}

/// The suite of the syntax of 2026, all at once.
#[test]
fn the_workflows_of_the_rules_are_accepted_or_refused() {
    let suite = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/conformance/rules/workflows"
    );
    let project = Project::without_git(&[]);
    let document = json(&check(&project, 1, &[suite, "--json"]));
    let found = document["diagnostics"].as_array().expect("an array");
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let refused: BTreeSet<String> = found
        .iter()
        .filter(|found| found["level"] == "error")
        .map(|found| name(found["file"].as_str().expect("text")))
        .collect();
    let files = std::fs::read_dir(suite).expect("the suite is there");
    let files: BTreeSet<String> = files
        .map(|file| name(&file.expect("readable").path().to_string_lossy()))
        .collect();
    assert_eq!(document["files"], files.len());
    let wanted = files.into_iter().filter(|file| file.starts_with("err-"));
    assert_eq!(refused, wanted.collect());
}

#[test]
fn a_folder_in_the_place_of_a_called_workflow_is_not_found() {
    let call = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n";
    let project = Project::new(&[
        (".github/workflows/ci.yml", call),
        (".github/workflows/called.yml/a", ""),
    ]);
    let said = check(&project, 1, &[]).stdout;
    assert!(said.contains("workflow was not found"), "{said}");
    assert!(said.contains("1 error in 1 file"), "{said}");
}

#[test]
fn a_place_far_into_a_line_is_named_and_shown() {
    let good: String = (0..500)
        .map(|number| format!("j{number}: {{runs-on: é, steps: [{{run: x}}]}}, "))
        .collect();
    let before = format!("jobs: {{{good}");
    let after = good.replace('j', "k");
    let said = verdict(&format!(
        "on: push\n{before}wrong: {{runs-on: é, steps: []}}, {after}}}\n"
    ));
    let place = format!("ci.yml:2:{}", before.chars().count() + 1);
    assert!(said.contains(&place), "{said}");
    assert!(said.contains("wrong: {runs-on: é"), "{said}");
}
