//! Known answers for the readers of workflows and actions (`tests/conformance/README.md`).

#![expect(
    clippy::print_stdout,
    reason = "the counts are what a reader of the log wants"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lrun::source::{Diagnostic, Source};
use lrun::workflow::{
    Document, Documents, ReadOptions, Reference, read_action, read_workflow, read_workflow_with,
};
use serde_json::Value;
use tempfile::TempDir;

/// Cases that still fail, by reason. One that passes must leave the list.
const KNOWN_FAILURES: &[(&str, &[&str])] = &[];

#[test]
fn reader_cases_give_githubs_answers() {
    let mut report = Report::default();
    for path in files("tests/conformance/reader", "yml") {
        report.add(&path, reader_case(&path));
    }
    report.finish("reader", 100);
}

#[test]
fn rules_workflows_are_accepted_or_refused() {
    let mut report = Report::default();
    for path in files("tests/conformance/rules/workflows", "yml") {
        let text = fs::read_to_string(&path).expect("readable");
        let read = read_workflow(Source::new("w.yml", text));
        let wanted = file_name(&path).starts_with("ok-");
        let outcome = match (wanted, read) {
            (true, Err(errors)) => Err(format!("refused: {}", messages(&errors))),
            (false, Ok(_)) => Err("accepted".to_owned()),
            _ => Ok(()),
        };
        report.add(&path, outcome);
    }
    report.finish("rules/workflows", 44);
}

/// The manifests that the runner's own tests expect to be refused.
const BAD_MANIFESTS: [&str; 2] = [
    "composite_action_without_using_token.yml",
    "dockerfileaction_env_invalid_context.yml",
];

#[test]
fn action_manifests_are_accepted_or_refused() {
    let mut report = Report::default();
    for path in files("tests/conformance/action-manifests", "yml") {
        let text = fs::read_to_string(&path).expect("readable");
        let read = read_action(Source::new("action.yml", text));
        let wanted = !BAD_MANIFESTS.contains(&&*file_name(&path));
        let outcome = match (wanted, read) {
            (true, Err(errors)) => Err(format!("refused: {}", messages(&errors))),
            (false, Ok(_)) => Err("accepted".to_owned()),
            _ => Ok(()),
        };
        report.add(&path, outcome);
    }
    report.finish("action-manifests", 13);
}

#[test]
fn a_file_cut_anywhere_is_read_or_refused() {
    let mut read = 0;
    for path in files("tests/conformance/reader", "yml") {
        let text = Case::load(&path).workflow;
        for cut in (0..text.len())
            .step_by(61)
            .filter(|&cut| text.is_char_boundary(cut))
        {
            for part in [&text[..cut], &text[cut..]] {
                let source = Source::new("w.yml", part);
                let calls_itself = Always(Arc::clone(&source));
                let options = ReadOptions {
                    documents: Some(&calls_itself),
                    ..ReadOptions::default()
                };
                drop(read_workflow_with(source, &options));
                drop(read_action(Source::new("action.yml", part)));
                read += 1;
            }
        }
    }
    println!("{read} pieces of files were read");
}

/// Whatever is called is this file.
struct Always(Arc<Source>);

impl Documents for Always {
    fn find(&self, _: &Reference) -> Document {
        Document::Found(Arc::clone(&self.0))
    }
}

/// Passed and failed cases of one suite.
#[derive(Default)]
struct Report {
    passed: BTreeSet<String>,
    failed: Vec<(String, String)>,
}

impl Report {
    fn add(&mut self, path: &Path, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => drop(self.passed.insert(file_name(path))),
            Err(why) => self.failed.push((file_name(path), why)),
        }
    }

    fn finish(self, suite: &str, at_least: usize) {
        let total = self.passed.len() + self.failed.len();
        println!("{suite}: {} of {total} pass", self.passed.len());
        assert!(total >= at_least, "{suite}: only {total} cases were found");
        let known = |name: &str| known_failures().any(|known| known == name);
        let mut wrong: Vec<String> = self
            .failed
            .iter()
            .filter(|(name, _)| !known(name))
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        let healed = known_failures().filter(|name| self.passed.contains(*name));
        wrong.extend(healed.map(|name| format!("{name}: passes, and is listed as failing")));
        assert!(wrong.is_empty(), "{suite}:\n{}", wrong.join("\n"));
    }
}

fn known_failures() -> impl Iterator<Item = &'static str> {
    KNOWN_FAILURES
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
}

fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the conformance data is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn messages(errors: &[Diagnostic]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

/// One file of the suite: options, workflow, pairs of a reference and its text, expected JSON.
struct Case {
    options: Vec<(String, String)>,
    workflow: String,
    called: Vec<(String, String)>,
    expected: Value,
}

impl Case {
    fn load(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("readable");
        let mut documents: Vec<String> = vec![String::new()];
        for line in text.split_inclusive('\n') {
            match line.trim_end() {
                "---" => documents.push(String::new()),
                _ => documents.last_mut().expect("never empty").push_str(line),
            }
        }
        // The line end before a separator belongs to the separator.
        for document in &mut documents {
            document.truncate(
                document
                    .trim_end_matches('\n')
                    .len()
                    .max(document.len() - 1),
            );
        }
        let expected = documents.pop().expect("an expected document");
        let mut rest = documents.drain(..);
        let options = rest.next().expect("options");
        let options = options.lines().filter_map(|line| line.split_once(": "));
        let value = |value: &str| value.split(" #").next().unwrap_or_default().to_owned();
        let options = options.map(|(name, text)| (name.to_owned(), value(text)));
        let options = options.collect();
        let workflow = rest.next().expect("a workflow");
        let rest: Vec<String> = rest.collect();
        let called = rest
            .chunks(2)
            .map(|pair| (pair[0].trim().to_owned(), pair[1].clone()));
        Self {
            options,
            workflow,
            called: called.collect(),
            expected: serde_json::from_str(&expected).expect("expected JSON"),
        }
    }

    /// The arguments of `lrun parse` that say what the options do.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (name, value) in &self.options {
            match (name.as_str(), value.as_str()) {
                ("permissions-policy", policy) => {
                    arguments.extend(["--permissions-policy".to_owned(), policy.to_owned()]);
                }
                ("include-source", "true") => arguments.push("--include-source".to_owned()),
                (limit, most) if limit.starts_with("max-") => {
                    arguments.extend(["--limit".to_owned(), format!("{limit}={most}")]);
                }
                _ => {}
            }
        }
        arguments
    }

    /// Whether the files that are called are given.
    fn is_followed(&self) -> bool {
        let skips =
            |(name, value): &(String, String)| name == "skip-reusable-workflows" && value == "true";
        !self.options.iter().any(skips)
    }

    /// What the program says of the workflow, as `.github/workflows/NAME` of a repository.
    fn parse(&self, name: &str) -> (Option<i32>, Value) {
        let repository = TempDir::new().expect("a temporary directory");
        let write = |name: &str, text: &str| {
            let path = repository.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            fs::write(&path, text).expect("it can be written");
            path
        };
        let file = write(&format!(".github/workflows/{name}"), &self.workflow);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrun"));
        command
            .env_clear()
            .args(["parse", "--json"])
            .args(self.arguments());
        let called = self.called.iter().filter(|_| self.is_followed());
        for (index, (reference, text)) in called.enumerate() {
            let file = write(&format!("called/{index}.yml"), text);
            let given = format!("{reference}={}", file.display());
            command.args(["--ref", &given]);
        }
        let output = command.arg(&file).output().expect("lrun can be started");
        let answer = serde_json::from_slice(&output.stdout);
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}: {output:?}"));
        (output.status.code(), answer)
    }
}

fn reader_case(path: &Path) -> Result<(), String> {
    let case = Case::load(path);
    let (code, mut found) = case.parse(&file_name(path));
    if let Some(expected) = case.expected.get("errors") {
        return match code {
            Some(1) => compare_errors(expected, &found["errors"]),
            code => Err(format!("accepted with exit code {code:?}")),
        };
    }
    // Some of GitHub's readers write these and others do not.
    for key in ["events", "input-types"] {
        if let (None, Some(members)) = (case.expected.get(key), found.as_object_mut()) {
            members.shift_remove(key);
        }
    }
    match code {
        Some(0) => compare(&case.expected, &found, "$"),
        code => Err(format!("refused with exit code {code:?}: {found}")),
    }
}

/// Every expected place has an error; where there is none, the message counts.
fn compare_errors(expected: &Value, found: &Value) -> Result<(), String> {
    let expected: Vec<&str> = list(expected)
        .map(|error| error["Message"].as_str().expect("a message"))
        .collect();
    let found: Vec<(Option<String>, String)> = list(found).map(told).collect();
    let place = |message: &str| {
        let (_, rest) = message.split_once(" (Line: ")?;
        let (line, rest) = rest.split_once(", Col: ")?;
        Some(format!("{line}:{}", rest.split_once(')')?.0))
    };
    let same = |(wanted, (found, text)): (&&str, &(Option<String>, String))| match place(wanted) {
        Some(place) => found.as_ref() == Some(&place),
        None => wanted.ends_with(text.rsplit(": ").next().unwrap_or_default()),
    };
    if expected.len() == found.len() && expected.iter().zip(&found).all(same) {
        let differ = expected.iter().zip(&found);
        let differ = differ.filter(|(wanted, (_, found))| !found.ends_with(**wanted));
        differ.for_each(|(wanted, (_, found))| {
            println!("other words: {wanted}\n        ours: {found}");
        });
        return Ok(());
    }
    Err(format!("expected {expected:#?}\nfound {found:#?}"))
}

/// Where an error is, and its text as GitHub's readers write it.
fn told(error: &Value) -> (Option<String>, String) {
    let text = |key: &str| error[key].as_str().expect("a text");
    let (file, message) = (text("file"), text("message"));
    let (Some(line), Some(column)) = (error["line"].as_u64(), error["col"].as_u64()) else {
        return (None, format!("{file}: {message}"));
    };
    let call = if error["called"].is_null() { "" } else { "In " };
    let told = format!("{call}{file} (Line: {line}, Col: {column}): {message}");
    (Some(format!("{line}:{column}")), told)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

/// The whole of two values; JSON's numbers are compared as numbers: 5 is 5.0.
fn compare(expected: &Value, found: &Value, path: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let keys: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
            keys.into_iter().try_for_each(|key| {
                let path = format!("{path}.{key}");
                let missing = |what| format!("{path} {what}");
                let expected = expected
                    .get(key)
                    .ok_or_else(|| missing("is not expected"))?;
                let found = found.get(key).ok_or_else(|| missing("is missing"))?;
                compare(expected, found, &path)
            })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.try_for_each(|(index, (expected, found))| {
                compare(expected, found, &format!("{path}[{index}]"))
            })
        }
        (Value::Number(expected), Value::Number(found)) if expected.as_f64() == found.as_f64() => {
            Ok(())
        }
        _ if expected == found => Ok(()),
        _ => Err(format!("{path}: expected {expected}, found {found}")),
    }
}
