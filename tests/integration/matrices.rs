//! `lrun matrix`.

use crate::lrun::Report;
use crate::project::Project;

fn expanded(text: &str, arguments: &[&str]) -> Report {
    let project = Project::without_git(&[("matrix", text)]);
    let arguments = [&["matrix"], arguments, &["matrix"]].concat();
    project.lrun().args(&arguments).plain()
}

#[test]
fn a_matrix_is_json_or_yaml() {
    for text in [
        "{\"a\": [1, \"x\"], \"include\": [{\"a\": 1, \"b\": \"\\ud83d\\ude00\"}]}",
        "a: [1, x]\ninclude:\n  - { a: 1.0, b: 😀 }\n",
    ] {
        let report = expanded(text, &["--json", "--job", "build"]);
        let expected = "{\"jobs\":[{\"a\":1,\"b\":\"😀\"},{\"a\":\"x\"}],\
            \"names\":[\"build (1)\",\"build (x)\"]}\n";
        assert_eq!((report.stdout.as_str(), report.code), (expected, Some(0)));
    }
    let report = expanded("{a: [true, null, 1.50]}", &[]);
    assert_eq!(report.stdout, "job (true)\njob\njob (1.5)\n");
}

#[test]
fn a_matrix_that_is_none_is_an_answer() {
    for (text, error) in [
        (
            "{\"a\":[]}",
            "Matrix vector 'a' does not contain any values",
        ),
        ("", "'matrix' of a matrix must be a mapping"),
        ("a: [1]\nA: [2]", "matrix:2:1: 'A' is already defined"),
        ("a: [1", "matrix:1:4: unclosed bracket"),
    ] {
        let report = expanded(text, &["--json"]);
        assert_eq!(report.code, Some(1), "{text}");
        let line: serde_json::Value = serde_json::from_str(&report.stdout).expect("JSON");
        let told = line["error"].as_str().expect("an error");
        assert!(told.starts_with(error), "{told}");
        let report = expanded(text, &[]);
        assert_eq!((report.code, report.stdout.as_str()), (Some(1), ""));
    }
}
