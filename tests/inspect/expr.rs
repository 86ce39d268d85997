//! `lrun expr eval`.

use serde_json::{Value as Json, json};

use crate::program::{lrun, lrun_reading};

fn eval(expression: &str) -> Json {
    let ended = lrun(&["expr", "eval", "--json", "--", expression]);
    ended.exited(0).json()
}

#[test]
fn a_value_is_printed_with_its_kind() {
    for (expression, kind, value) in [
        ("1", "Number", json!(1)),
        ("-0", "Number", json!(0)),
        ("0.1", "Number", json!(0.1)),
        ("1e300", "Number", json!(1e300)),
        ("NaN", "Number", json!("NaN")),
        ("Infinity", "Number", json!("Infinity")),
        ("-Infinity", "Number", json!("-Infinity")),
        ("null", "Null", json!(null)),
        ("!null", "Boolean", json!(true)),
        ("'it''s'", "String", json!("it's")),
        ("fromJSON('[1, NaN]')", "Array", json!([1, "NaN"])),
        (
            "fromJSON('{\"b\":{}, \"a\":1}')",
            "Object",
            json!({"b": {}, "a": 1}),
        ),
    ] {
        let expected = json!({"kind": kind, "value": value});
        assert_eq!(eval(expression), expected, "{expression}");
    }
    // Members keep their order.
    let ended = lrun(&["expr", "eval", "--json", "fromJSON('{\"b\":1, \"a\":1}')"]);
    assert_eq!(
        ended.stdout,
        "{\"kind\":\"Object\",\"value\":{\"b\":1,\"a\":1}}\n"
    );
}

#[test]
fn the_members_of_the_file_are_the_only_contexts() {
    let context = r#"{"github": {"Ref": "main", "n": NaN}, "É": 1, "x": -Infinity}"#;
    let eval = |expression| {
        let arguments = ["expr", "eval", "--json", "--context", "-", "--", expression];
        lrun_reading(&arguments, context.as_bytes())
    };
    let value = |expression| eval(expression).exited(0).json()["value"].clone();
    assert_eq!(value("GITHUB.ref"), "main");
    assert_eq!(value("github.n"), "NaN");
    assert_eq!(value("x"), "-Infinity");
    let refused = eval("env.A").exited(1).json();
    let message = "Unrecognized named-value: 'env'. Located at position 1 within expression: env.A";
    let expected = json!({"message": message, "kind": "parsing", "position": 1});
    assert_eq!(refused, json!({ "error": expected }));
}

#[test]
fn people_see_the_bare_value_or_the_place_of_the_error() {
    let printed = |expression| lrun(&["expr", "eval", "--", expression]).exited(0).stdout;
    assert_eq!(printed("format('{0}-x', 1)"), "1-x\n");
    assert_eq!(printed("fromJSON('[1]')"), "[\n  1\n]\n");
    assert_eq!(printed("''"), "\n");

    let ended = lrun(&["expr", "eval", "--", "é == @"]).exited(1);
    assert_eq!(ended.stdout, "");
    let message = "error: Unexpected symbol: 'é'. Located at position 1 within expression: é == @\n  é == @\n  ^\n";
    assert_eq!(ended.stderr, message);
    let ended = lrun(&["expr", "eval", "--", "'é' == @"]).exited(1);
    assert!(
        ended.stderr.ends_with("\n  'é' == @\n         ^\n"),
        "{ended:?}"
    );
    let ended = lrun(&["expr", "eval", "--", ""]).exited(1);
    assert_eq!(ended.stderr, "error: An expression was expected\n");
    let ended = lrun(&["expr", "eval", "--", "fromJSON('{')"]).exited(1);
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
}

#[test]
fn errors_are_named_by_who_finds_them() {
    let kind = |expression| {
        let ended = lrun(&["expr", "eval", "--json", "--", expression]);
        ended.exited(1).json()["error"]["kind"].clone()
    };
    assert_eq!(kind("1 == @"), "lexing");
    assert_eq!(kind("1 =="), "parsing");
    assert_eq!(kind("hashFiles('x')"), "parsing");
    assert_eq!(kind("format('{0}')"), "evaluation");
}

#[test]
fn a_template_is_a_text_with_expressions() {
    let eval = |text| lrun(&["expr", "eval", "--json", "--template", "--", text]);
    let value = |text| eval(text).exited(0).json();
    assert_eq!(value("${{ 1 }}"), json!({"kind": "Number", "value": 1}));
    assert_eq!(
        value("a-${{ 1 }}"),
        json!({"kind": "String", "value": "a-1"})
    );
    assert_eq!(value("plain"), json!({"kind": "String", "value": "plain"}));
    assert_eq!(eval("a-${{ 1").exited(1).json()["error"]["kind"], "parsing");
}

#[test]
fn what_cannot_be_asked_is_wrong_usage() {
    let missing = lrun(&["expr", "eval", "--context", "/nowhere", "1"]).exited(2);
    assert!(missing.stderr.contains("/nowhere"), "{missing:?}");
    let context = |text: &[u8]| lrun_reading(&["expr", "eval", "--context", "-", "1"], text);
    let broken = context(b"{\n \"a\": }").exited(2);
    assert!(broken.stderr.contains("line 2, position 6"), "{broken:?}");
    assert!(context(b"[1]").exited(2).stderr.contains("object"));
    assert!(
        context(b"{} x")
            .exited(2)
            .stderr
            .contains("Additional text")
    );
    assert!(
        context(b"{\"a\": \"\xff\"}")
            .exited(2)
            .stderr
            .contains("UTF-8")
    );
    lrun(&["expr", "eval"]).exited(2);
    assert!(
        lrun(&["expr", "eval", "--help"])
            .exited(0)
            .stdout
            .contains("Exit codes")
    );
}

#[test]
fn two_contexts_of_one_name_are_refused() {
    let given = br#"{"github": 1, "GitHub": 2}"#;
    let ended = lrun_reading(&["expr", "eval", "--context", "-", "--", "github"], given).exited(2);
    assert!(
        ended.stderr.contains("'github'") && ended.stderr.contains("'GitHub'"),
        "{ended:?}"
    );
}
