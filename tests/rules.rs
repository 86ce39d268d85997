//! The known answers of `tests/conformance/rules` about matrices, filters and env files.

use std::fs;
use std::path::Path;

use lrun::exec::file_command::{Pairs, parse_pairs};
use lrun::expr::{Object, Value};
use lrun::plan::{Filter, expand_matrix};
use serde_json::{Value as Json, json};

/// The cases of a file of the suite.
fn cases(file: &str) -> Vec<Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/rules");
    let text = fs::read_to_string(folder.join(file)).expect("the suite is there");
    let mut suite: Json = serde_json::from_str(&text).expect("the suite is JSON");
    let cases = suite["cases"].take();
    serde_json::from_value(cases).expect("the suite is a list of cases")
}

fn texts(list: &Json) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|text| text.as_str().expect("a text"))
        .collect()
}

#[test]
fn matrices_make_the_known_jobs() {
    for case in cases("matrix.json") {
        let expanded = expand_matrix(&Value::from(&case["matrix"]));
        match case.get("error") {
            Some(message) => {
                let error = expanded.expect_err("the matrix is refused");
                assert_eq!(&json!(error.to_string()), message, "{case}");
            }
            None => {
                let legs = expanded.expect("the matrix makes jobs");
                let jobs: Value = legs
                    .iter()
                    .map(|leg| Object::clone(&leg.matrix).into())
                    .collect();
                assert_eq!(jobs, Value::from(&case["jobs"]), "{case}");
            }
        }
    }
}

#[test]
fn filters_decide_as_known() {
    for case in cases("filter.json") {
        let filter = Filter::new(&texts(&case["patterns"])).expect("the patterns are valid");
        let inputs = texts(&case["inputs"]);
        assert_eq!(filter.includes(&inputs), case["include"], "{case}");
        if let Some(ignored) = case.get("ignore") {
            assert_eq!(filter.ignores(&inputs), *ignored, "{case}");
        }
    }
}

#[test]
fn env_files_read_as_known() {
    for case in cases("env-file.json") {
        let text = case["text"].as_str().expect("a case has a text");
        let Pairs { pairs, error } = parse_pairs(text);
        match case.get("error") {
            Some(message) => {
                let error = error.expect("the file is refused");
                assert_eq!(&json!(error.to_string()), message, "{case}");
            }
            None => assert_eq!(
                (json!(pairs), error),
                (case["pairs"].clone(), None),
                "{case}"
            ),
        }
    }
}
