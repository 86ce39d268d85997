//! `lrun filter`.

use serde_json::json;

use crate::program::{lrun, lrun_reading};

#[test]
fn the_exit_code_is_the_answer() {
    let ended = lrun(&["filter", "include", "--pattern", "v*", "--", "v1"]).exited(0);
    assert_eq!(ended.stdout, "v1: taken by v*\nyes\n");
    let ended = lrun(&["filter", "include", "--pattern", "v*", "--", "1"]).exited(1);
    assert_eq!(ended.stdout, "1: no pattern matches it\nno\n");
    assert_eq!(ended.stderr, "");
    lrun(&["filter", "ignore", "--pattern", "*.md", "--", "a.md", "b.c"]).exited(1);
    lrun(&[
        "filter",
        "ignore",
        "--pattern",
        "*.md",
        "--",
        "a.md",
        "b.md",
    ])
    .exited(0);
    lrun(&["filter", "ignore", "--pattern", "**"]).exited(1);
}

#[test]
fn the_pattern_that_decides_is_the_last_that_matches() {
    let patterns = [
        "--pattern",
        "a/**",
        "!a/skip/**",
        "--pattern",
        "a/skip/keep",
    ];
    let ask = |inputs: &[&str]| {
        let arguments = [
            &["filter", "include", "--json"][..],
            &patterns,
            &["--"],
            inputs,
        ];
        lrun(&arguments.concat())
    };
    let decided = ask(&["a/x", "a/skip/x", "a/skip/keep", "b"])
        .exited(0)
        .json();
    let inputs = json!([
        {"input": "a/x", "taken": true, "pattern": "a/**"},
        {"input": "a/skip/x", "taken": false, "pattern": "!a/skip/**"},
        {"input": "a/skip/keep", "taken": true, "pattern": "a/skip/keep"},
        {"input": "b", "taken": false, "pattern": null},
    ]);
    assert_eq!(decided, json!({"answer": true, "inputs": inputs}));
    assert_eq!(ask(&["a/skip/x", "-b"]).exited(1).json()["answer"], false);
}

#[test]
fn a_pattern_that_is_none_has_no_answer() {
    let ended = lrun(&["filter", "include", "--pattern", "[a", "--", "a"]).exited(2);
    assert!(ended.stderr.contains("'[a'"), "{ended:?}");
    lrun(&["filter", "include", "--", "a"]).exited(2);
    let dash = lrun(&["filter", "include", "--pattern=-x", "--", "-x"]).exited(0);
    assert_eq!(dash.stdout, "-x: taken by -x\nyes\n");
    assert!(
        lrun(&["filter", "ignore", "--help"])
            .exited(0)
            .stdout
            .contains("Exit codes")
    );
}

#[test]
fn what_check_refuses_is_no_pattern_here_either() {
    let job = "jobs: {a: {runs-on: x, steps: [{run: x}]}}\n";
    for pattern in ["[a", "a[", "![", "?a", "!+", "a\\"] {
        let workflow = format!("on: {{push: {{paths: ['{pattern}']}}}}\n{job}");
        lrun_reading(&["check", "-"], workflow.as_bytes()).exited(1);
        lrun(&["filter", "include", "--pattern", pattern, "--", "a"]).exited(2);
    }
}
