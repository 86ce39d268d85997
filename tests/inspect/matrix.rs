//! `lrun matrix`.

use serde_json::json;

use crate::program::{Ended, lrun_reading};

fn expanded(text: &str, arguments: &[&str]) -> Ended {
    let arguments = [&["matrix"], arguments, &["-"]].concat();
    lrun_reading(&arguments, text.as_bytes())
}

#[test]
fn a_matrix_is_json_or_yaml() {
    for text in [
        "{\"a\": [1, \"x\"], \"include\": [{\"a\": 1, \"b\": \"\\ud83d\\ude00\"}]}",
        "a: [1, x]\ninclude:\n  - { a: 1.0, b: 😀 }\n",
    ] {
        let ended = expanded(text, &["--json", "--job", "build"]).exited(0);
        let names = ["build (1)", "build (x)"];
        let expected = json!({"jobs": [{"a": 1, "b": "😀"}, {"a": "x"}], "names": names});
        assert_eq!(ended.json(), expected);
    }
    let ended = expanded("{a: [true, null, 1.50]}", &[]).exited(0);
    assert_eq!(ended.stdout, "job (true)\njob\njob (1.5)\n");
    let ended = expanded("{\"a\": [\"\\u001b[2J\"]}", &[]).exited(0);
    assert_eq!(ended.stdout, "job (\u{fffd}[2J)\n");
}

#[test]
fn a_matrix_that_is_none_is_an_answer() {
    for (text, error) in [
        (
            "{\"a\":[]}",
            "Matrix vector 'a' does not contain any values",
        ),
        ("", "'matrix' of a matrix must be a mapping"),
        (
            "a: [1]\nA: [2]",
            "standard input:2:1: 'A' is already defined",
        ),
        ("a: [1", "standard input:1:4: unclosed bracket"),
    ] {
        let answer = expanded(text, &["--json"]).exited(1).json();
        let told = answer["error"].as_str().expect("an error");
        assert!(told.starts_with(error), "{told}");
        let ended = expanded(text, &[]).exited(1);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(error), "{}", ended.stderr);
    }
}
