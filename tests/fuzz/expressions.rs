//! Expressions, templates and conditions; and JSON, which `fromJSON` reads.

use std::fs;
use std::path::Path;

use lrun::expr::{Available, CallError, Contexts, Expression, Template, Value};
use serde_json::json;

use crate::frame::Fuzzer;
use crate::known;

const WORDS: [&str; 60] = [
    "github",
    ".ref",
    ".*",
    "[*]",
    "[0]",
    "['a']",
    "[",
    "]",
    "(",
    ")",
    ",",
    ".",
    "*",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "'",
    "''",
    "'a'",
    "1",
    "-",
    "0x",
    "0xffffffff",
    "1e400",
    "NaN",
    "Infinity",
    "null",
    "true",
    "false",
    "format(",
    "format('{0}{1}', ",
    "'{0",
    "{{",
    "}}",
    "${{",
    "${{ ",
    "join(",
    "toJSON(",
    "fromJSON(",
    "contains(",
    "startsWith(",
    "endsWith(",
    "case(",
    "always()",
    "hashFiles(",
    "insert",
    "\\u0041",
    "\"",
    "{",
    "}",
    ":",
    "/*",
    "é",
    "𝒜",
];

struct Given(Value);

impl Contexts for Given {
    fn context(&self, _: &str) -> Result<Value, CallError> {
        Ok(self.0.clone())
    }

    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, CallError> {
        match arguments {
            [] => Ok(true.into()),
            _ => Err(CallError::Failed(function.to_owned())),
        }
    }
}

fn given() -> Given {
    let labels = json!(["a", "B", {"a": 1}, [1, 2, [3]]]);
    let context =
        json!({"ref": "refs/heads/main", "a": {"b": labels}, "n": 1.5, "text": "x".repeat(1000)});
    Given(Value::from(context))
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/expressions");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the suite is there")
        .map(|file| file.expect("the folder can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    // The order of a folder is another on every machine.
    files.sort();
    files
        .iter()
        .flat_map(|path| {
            let suite = known::suite(path);
            let groups = suite.as_object().cloned().unwrap_or_default();
            let cases = groups
                .into_iter()
                .flat_map(|(_, cases)| cases.as_array().cloned().unwrap_or_default());
            cases
                .filter_map(|case| Some(case["expr"].as_str()?.as_bytes().to_vec()))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn extremes() -> Vec<Vec<u8>> {
    let mut extremes = Vec::new();
    // As deep and as long as it goes.
    for (open, close) in [
        ("(", ")"),
        ("!(", ")"),
        ("github[", "]"),
        ("toJSON(", ")"),
        ("${{", "}}"),
    ] {
        for times in [49, 5_000, 50_000] {
            extremes.push(format!("{}1{}", open.repeat(times), close.repeat(times)).into_bytes());
        }
    }
    for json in ["[", "{\"a\":", "[[],"] {
        extremes.push(format!("fromJSON('{}')", json.repeat(20_000 / json.len())).into_bytes());
    }
    // Each doubles what there is, until the limit of memory.
    let nested = (0..20).fold("github.text".to_owned(), |text, _| {
        format!("format('{{0}}{{0}}', {text})")
    });
    extremes.push(nested.into_bytes());
    extremes
}

#[test]
fn expressions() {
    let available = Available::from_schema(&["github", "always(0,0)", "hashFiles(1,255)"]);
    let given = given();
    let fuzzer = Fuzzer {
        name: "expressions",
        seeds: seeds(),
        extremes: extremes(),
        words: &WORDS,
        inputs: 15_000,
    };
    fuzzer.run(|input| {
        let text = String::from_utf8_lossy(input);
        match Expression::parse(&text, &available) {
            Ok(expression) => {
                let _ = expression.evaluate(&given);
                let _ = (expression.references(), expression.calls("always"));
            }
            // Some character of the text is what is wrong with it.
            Err(error) => assert!(text.get(error.offset..).is_some()),
        }
        if let Ok(Some(template)) = Template::parse(&text, &available) {
            let _ = template.evaluate_text(&given);
            assert!(Expression::parse(&template.to_expression(), &available).is_ok());
        }
        if let Ok(condition) = Expression::condition(&text, &available) {
            let _ = condition.evaluate(&given);
        }
    });
}

#[test]
fn json() {
    let texts = [
        r#"{"a": [1, -0.5e3, true, null], "b": {"c": "\u0041\n"}}"#,
        "/* c */ {a: 'it\\'s', \"b\": [0x10, 010, .5, NaN,], } trailing",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    ];
    let deep = ["[", "{\"a\":", "[{a:", "/**/["].map(|open| open.repeat(100_000 / open.len()));
    let fuzzer = Fuzzer {
        name: "JSON",
        seeds: texts.map(|text| text.as_bytes().to_vec()).into(),
        extremes: deep.map(String::into_bytes).into(),
        words: &[
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "\"",
            "'",
            "\\",
            "\\u",
            "\\ud83d",
            "0x",
            "0",
            "-",
            "e",
            ".",
            "null",
            "true",
            "NaN",
            "Infinity",
            "undefined",
            "//",
            "/*",
            "*/",
            "\n",
            "a",
            "é",
            " ",
            "1e999",
            "\"a\":",
        ],
        inputs: 10_000,
    };
    fuzzer.run(|input| {
        let text = String::from_utf8_lossy(input);
        if let Ok(value) = Value::read_json(&text) {
            // What it writes is read as the same, but for what numbers lose.
            let written = value.write_json();
            let again = Value::read_json(&written).expect("it reads what it writes");
            assert_eq!(again.write_json(), written);
        }
    });
}
