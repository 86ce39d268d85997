//! For code scanning: SARIF 2.1.0 (OASIS standard of 2020-03-27).

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Checked, end};
use crate::source::{Code, Diagnostic};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes a log of one run. URIs are relative, to the repository's root.
///
/// # Errors
/// When it cannot be written.
pub fn sarif(out: &mut dyn Write, checked: &Checked) -> io::Result<()> {
    let rules: Vec<Value> = Code::ALL.into_iter().map(rule).collect();
    let results: Vec<Value> = checked.found.iter().map(result).collect();
    let mut log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lrun",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    });
    if checked.truncated {
        log["runs"][0]["properties"] = json!({ "truncated": true });
    }
    writeln!(out, "{}", serde_json::to_string_pretty(&log)?)
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.name(),
        "shortDescription": { "text": code.about() },
        "defaultConfiguration": { "level": level(code) },
    })
}

fn result(found: &Diagnostic) -> Value {
    let (start, end) = (found.position(), end(found));
    let text = match &found.help {
        Some(help) => format!("{}\n{help}", found.message),
        None => found.message.clone(),
    };
    let mut result = json!({
        "ruleId": found.code.name(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == found.code),
        "level": level(found.code),
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&found.source.path) },
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        }}],
    });
    if let Some(part) = found.part_position() {
        result["relatedLocations"] = json!([{
            "message": { "text": "here" },
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&found.source.path) },
                "region": { "startLine": part.line, "startColumn": part.column },
            },
        }]);
    }
    result
}

fn level(code: Code) -> &'static str {
    if code.is_error() { "error" } else { "note" }
}

/// A path as the path of a URI (RFC 3986): unreserved characters and slashes stay.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
