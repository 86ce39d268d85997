//! `lrun parse`: what a file says, or what is wrong with it.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Ended, lrun, lrun_reading};

/// A repository with a workflow, and other files.
struct Repository(TempDir);

impl Repository {
    fn of_workflow(text: &str) -> Self {
        let repository = Self(TempDir::new().expect("a temporary directory"));
        repository.write(".github/workflows/ci.yml", text);
        repository
    }

    fn path(&self, path: &str) -> String {
        let path = self.0.path().join(path);
        path.to_str().expect("it is UTF-8").to_owned()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// `lrun parse` with these options, of this file of it.
    fn parse(&self, options: &[&str], file: &str) -> Ended {
        let file = self.path(file);
        lrun(&[&["parse"], options, &[file.as_str()]].concat())
    }
}

fn answer(ended: Ended, code: i32) -> Value {
    let ended = ended.exited(code);
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    ended.json()
}

const CALLER: &str = "on: push\njobs:\n  j:\n    uses: ./.github/workflows/leaf.yml\n";
const CI: &str = ".github/workflows/ci.yml";
const LEAF: &str =
    "on: workflow_call\njobs:\n  leaf:\n    runs-on: ubuntu-24.04\n    steps: [{ run: x }]\n";

#[test]
fn a_valid_file_is_printed_as_githubs_readers_write_it() {
    let repository = Repository::of_workflow(CALLER);
    repository.write(".github/workflows/leaf.yml", LEAF);
    let ended = repository.parse(&["--json"], CI);
    let success = json!({"type": 3, "expr": "success()"});
    let expected = json!({
        "events": {"push": {}},
        "jobs": [{
            "type": "reusableWorkflowJob", "id": "j", "name": "j", "needs": [], "if": success,
            "ref": "./.github/workflows/leaf.yml",
            "jobs": [{
                "type": "job", "id": "leaf", "name": "leaf", "if": success,
                "runs-on": "ubuntu-24.04",
                "steps": [{"id": "__run", "if": success, "run": "x"}],
            }],
        }],
    });
    assert_eq!(answer(ended, 0), expected);
}

#[test]
fn errors_have_line_column_and_file_and_the_exit_code_says_no() {
    let repository = Repository::of_workflow("on: push\njobs:\n  j: {runs-on: x, stepz: []}\n");
    let ended = repository.parse(&["--json"], CI);
    let error = json!({
        "message": "Unexpected value 'stepz'", "line": 3, "col": 19,
        "file": ".github/workflows/ci.yml",
    });
    assert_eq!(answer(ended, 1), json!({"errors": [error]}));
    let ended = repository.parse(&[], CI);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("ci.yml:3:19"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn what_is_wrong_with_a_called_file_has_both_places() {
    let repository = Repository::of_workflow(CALLER);
    repository.write(
        ".github/workflows/leaf.yml",
        LEAF.replace("leaf:", "leaf: 1"),
    );
    let ended = repository.parse(&["--json"], CI);
    let error = &answer(ended, 1)["errors"][0];
    assert_eq!((&error["line"], &error["col"]), (&json!(4), &json!(11)));
    assert_eq!(error["file"], ".github/workflows/ci.yml");
    assert_eq!(error["called"]["file"], ".github/workflows/leaf.yml");
}

#[test]
fn references_are_given_on_the_command_line() {
    let reference = "octo/ci/.github/workflows/leaf.yml@v1";
    let repository =
        Repository::of_workflow(&CALLER.replace("./.github/workflows/leaf.yml", reference));
    repository.write("leaf.yml", LEAF);
    let ended = repository.parse(&["--json"], CI);
    assert_eq!(answer(ended, 0)["jobs"][0]["jobs"], json!([]));
    let given = format!("{reference}={}", repository.path("leaf.yml"));
    let ended = repository.parse(&["--json", "--ref", &given], CI);
    assert_eq!(answer(ended, 0)["jobs"][0]["jobs"][0]["id"], "leaf");
}

#[test]
fn a_reference_ends_where_its_file_begins() {
    let reference = "octo/ci/.github/workflows/leaf.yml@a=b";
    let repository =
        Repository::of_workflow(&CALLER.replace("./.github/workflows/leaf.yml", reference));
    repository.write("x=y/leaf.yml", LEAF);
    let given = format!("{reference}={}", repository.path("x=y/leaf.yml"));
    let ended = repository.parse(&["--json", "--ref", &given], CI);
    assert_eq!(answer(ended, 0)["jobs"][0]["jobs"][0]["id"], "leaf");
    let ended = repository.parse(&["--ref", "no-file"], CI);
    assert_eq!(ended.code, Some(2));
}

#[test]
fn limits_are_githubs_by_name() {
    let repository = Repository::of_workflow(LEAF);
    for (limit, message) in [
        ("max-depth=3", "Maximum object depth exceeded"),
        (
            "max-file-size=9",
            "The maximum file size of 9 characters has been exceeded",
        ),
        ("max-result-size=99", "Maximum object size exceeded"),
        (
            "max-job-limit=0",
            "The workflow may not contain more than 0 jobs",
        ),
    ] {
        let ended = repository.parse(&["--json", "--limit", limit], CI);
        let error = &answer(ended, 1)["errors"][0];
        assert_eq!(error["message"], message, "{limit}");
        assert_eq!(error["line"], Value::Null, "{limit}");
    }
    for limit in ["max-depth", "max-depth=x", "depth=1", "max-depth=100000"] {
        let ended = repository.parse(&["--limit", limit], CI);
        assert_eq!(ended.code, Some(2), "{limit}");
    }
}

#[test]
fn a_file_that_is_no_text_is_invalid_and_one_that_is_not_there_is_wrong_usage() {
    let repository = Repository::of_workflow(LEAF);
    repository.write("x.yml", b"on: push\n# \xff\n");
    let ended = repository.parse(&["--json"], "x.yml");
    assert_eq!(answer(ended, 1)["errors"][0]["line"], 2);
    let ended = repository.parse(&["--json"], "nowhere.yml");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("nowhere.yml"), "{}", ended.stderr);
}

#[test]
fn an_action_is_printed_in_the_same_spirit() {
    let repository = Repository::of_workflow(LEAF);
    repository.write(
        "action.yml",
        "name: n\ninputs: {a: {default: 1}}\nruns: {using: node20, main: m.js}\n",
    );
    let ended = repository.parse(&["--json", "--action"], "action.yml");
    let template = answer(ended, 0);
    assert_eq!(template["runs"]["using"], "node20");
    assert_eq!(template["inputs"][0]["default"], "1");
    repository.write("action.yml", "runs: {using: node20}\n");
    let ended = repository.parse(&["--json", "--action"], "action.yml");
    assert_eq!(answer(ended, 1)["errors"][0]["line"], 1);
}

#[test]
fn standard_input_is_a_file_of_no_repository() {
    let ended = lrun_reading(&["parse", "--json", "-"], CALLER.as_bytes());
    assert_eq!(answer(ended, 0)["jobs"][0]["jobs"], json!([]));
    let ended = lrun_reading(&["parse", "--json", "-"], b"jobs: {}");
    assert_eq!(answer(ended, 1)["errors"][0]["file"], "<stdin>");
}

#[test]
fn people_get_an_outline() {
    let repository = Repository::of_workflow(&format!("name: CI\n{CALLER}"));
    repository.write(".github/workflows/leaf.yml", LEAF);
    let ended = repository.parse(&[], CI).exited(0);
    assert_eq!(
        ended.stdout,
        ".github/workflows/ci.yml: CI\non push\njob j  calls ./.github/workflows/leaf.yml\n  job leaf  1 step\n"
    );
}

#[test]
fn names_cannot_talk_to_the_terminal() {
    let repository = Repository::of_workflow(&format!("name: \"a\\eb\"\n{CALLER}"));
    repository.write(".github/workflows/leaf.yml", LEAF);
    let ended = repository.parse(&[], CI).exited(0);
    assert!(ended.stdout.contains(": a\u{fffd}b\n"), "{ended:?}");
}

#[test]
fn a_group_of_steps_is_one_step_with_its_own_in_it() {
    let group = "{ parallel: [{ run: a }, { id: b, run: b }] }";
    let steps = format!("[{group}, {{ run: c }}, {{ parallel: [] }}]");
    let repository = Repository::of_workflow(&LEAF.replace("[{ run: x }]", &steps));
    let ended = repository.parse(&["--json"], CI);
    let success = json!({"type": 3, "expr": "success()"});
    let run = |id: &str, run: &str| json!({"id": id, "if": success, "run": run});
    assert_eq!(
        answer(ended, 0)["jobs"][0]["steps"],
        json!([
            {
                "id": "__parallel", "name": "Parallel group",
                "parallel": [run("__run", "a"), run("b", "b")],
            },
            // Each list of steps counts by itself.
            run("__run", "c"),
            {"id": "__parallel_2", "name": "Parallel group", "parallel": []},
        ])
    );
}

#[test]
fn an_action_is_known_by_its_name() {
    let repository = Repository::of_workflow(CALLER);
    let action = "name: a\nruns: {using: node24, main: x.js}\n";
    repository.write("a/action.yaml", action);
    repository.write("a/other.yml", action);
    repository.parse(&["--json"], "a/action.yaml").exited(0);
    repository.parse(&["--json"], "a/other.yml").exited(1);
    repository
        .parse(&["--json", "--action"], "a/other.yml")
        .exited(0);
    repository
        .parse(&["--json", "--include-source"], "a/action.yaml")
        .exited(1);
}

#[test]
fn people_can_open_the_files_that_errors_name() {
    let repository = Repository::of_workflow("on: push\njobs: {}\n");
    let root = repository.0.path().canonicalize().expect("it is there");
    let file = root.join(CI);
    let file = file.to_str().expect("it is UTF-8");
    // The tests run elsewhere, so that the whole path is what can be opened.
    let ended = repository.parse(&[], CI).exited(1);
    assert!(
        ended.stderr.contains(&format!("--> {file}:2:")),
        "{ended:?}"
    );
    let document = answer(repository.parse(&["--json"], CI), 1);
    assert_eq!(document["errors"][0]["file"], CI);
}

#[test]
fn what_a_step_says_is_written_though_it_says_nothing() {
    let steps = "[{ run: x, name: , background: false }]";
    let repository = Repository::of_workflow(&LEAF.replace("[{ run: x }]", steps));
    let ended = repository.parse(&["--json"], CI);
    let step = &answer(ended, 0)["jobs"][0]["steps"][0];
    assert_eq!(
        (&step["name"], &step["background"]),
        (&json!(""), &json!(false))
    );
}
