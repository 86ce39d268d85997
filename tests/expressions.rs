//! The known answers of `tests/conformance/expressions`, all by one harness.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lrun::expr::{Available, CallError, Contexts, Expression, ParseErrorKind, Template, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Cases that fail, as `file group: expression`, with the reason. The list must be exact.
const FAILING: &[(&str, &str)] = &[];

struct Given(Value);

impl Contexts for Given {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        let member = self.0.as_object().and_then(|object| object.get(name));
        Ok(member.cloned().unwrap_or_default())
    }

    fn call(&self, function: &str, _: &[Value]) -> Result<Value, CallError> {
        Err(CallError::Failed(format!("no case calls {function}")))
    }
}

/// What came of a case: the value, or the kind of error and its message.
fn evaluate(expression: &str, contexts: &Json) -> Result<Value, (&'static str, String)> {
    let members = contexts.as_object();
    let names: Vec<&String> = members
        .map(|object| object.keys().collect())
        .unwrap_or_default();
    let expression =
        Expression::parse(expression, &Available::contexts(&names)).map_err(|error| {
            let kind = match error.kind {
                ParseErrorKind::Lexing => "lexing",
                ParseErrorKind::Parsing => "parsing",
            };
            (kind, error.message)
        })?;
    expression
        .evaluate(&Given(contexts.into()))
        .map_err(|error| ("evaluation", error.to_string()))
}

/// What is wrong with the outcome of a case, if anything.
fn judge(case: &Json) -> Result<(), String> {
    let expression = case["expr"].as_str().expect("a case has an expression");
    let outcome = evaluate(expression, &case["contexts"]);
    if let Some(expected) = case.get("err") {
        let (kind, message) = (&expected["kind"], &expected["value"]);
        let message = message.as_str().expect("an error has a message");
        return match outcome {
            Err((found, text)) if found == kind && text.contains(message) => Ok(()),
            other => Err(format!("gave {other:?}, not {kind} error {message:?}")),
        };
    }
    let expected = &case["result"];
    match outcome {
        Ok(value)
            if value.kind() == expected["kind"] && value == Value::from(&expected["value"]) =>
        {
            Ok(())
        }
        other => Err(format!("gave {other:?}, not {expected}")),
    }
}

#[test]
fn known_answers_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/expressions");
    let mut passed = 0;
    let mut failures = BTreeSet::new();
    let mut reasons = String::new();
    for file in fs::read_dir(folder).expect("the suite is there") {
        let path = file.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file of the suite can be read");
        let groups: Json = serde_json::from_str(&text).expect("a file of the suite is JSON");
        for (group, cases) in groups.as_object().expect("groups have names") {
            for case in cases.as_array().expect("a group is a list") {
                let file = path.file_stem().unwrap_or_default().display();
                let name = format!("{file} {group}: {}", case["expr"].as_str().unwrap_or(""));
                match judge(case) {
                    Ok(()) => passed += 1,
                    Err(reason) => {
                        reasons.push_str(&format!("{name}\n    {reason}\n"));
                        failures.insert(name);
                    }
                }
            }
        }
    }
    println!("{passed} expressions passed, {} failed", failures.len());
    let listed: BTreeSet<String> = FAILING.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(failures, listed, "\n{reasons}");
    assert!(passed >= 600, "the suite has shrunk to {passed} cases");
}

/// Symbols that expressions are made of, in any order, and some that they are not.
fn symbols() -> impl Strategy<Value = String> {
    let symbol = prop::sample::select(vec![
        "foo",
        ".bar",
        ".*",
        "[",
        "]",
        "(",
        ")",
        ",",
        "*",
        ".",
        "!",
        "==",
        ">=",
        "<",
        "&&",
        "||",
        "'a'",
        "'",
        "1",
        "-0x1",
        "null",
        "NaN",
        "format(",
        "fromJSON(",
        "'[1]'",
        "'{0}'",
        "${{",
        "}}",
        "é",
        " ",
        "case(",
        "true",
        "toJSON(",
        "join(",
        "@",
    ]);
    prop::collection::vec(symbol, 0..40).prop_map(|symbols| symbols.concat())
}

proptest! {
    #[test]
    fn any_text_is_evaluated_or_refused(text in prop_oneof![symbols(), any::<String>()]) {
        let contexts = json!({"foo": {"bar": [1, "x", {"bar": null}]}});
        if let Err((kind, message)) = evaluate(&text, &contexts) {
            prop_assert!(!message.is_empty(), "{kind} error without words");
        }
        let available = Available::contexts(&["foo"]);
        if let Ok(Some(template)) = Template::parse(&text, &available) {
            // What GitHub makes of a template means the same.
            let expression = Expression::parse(&template.to_expression(), &available);
            prop_assert!(expression.is_ok(), "{expression:?}");
        }
        let _ = Expression::condition(&text, &available);
    }
}
