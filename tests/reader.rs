//! Known answers for the readers of workflows and actions (`tests/conformance/README.md`).

#![expect(
    clippy::print_stdout,
    reason = "the counts are what a reader of the log wants"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lrun::report::workflow_template;
use lrun::source::{Diagnostic, Source};
use lrun::workflow::{
    Document, Documents, Limits, PermissionsPolicy, ReadOptions, Reference, read_action,
    read_workflow, read_workflow_with,
};
use lrun::yaml::{self, NodeKind, Scalar};
use serde_json::Value;

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
                drop(read_workflow(Source::new("w.yml", part)));
                drop(read_action(Source::new("action.yml", part)));
                read += 1;
            }
        }
    }
    println!("{read} pieces of files were read");
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
    options: yaml::Node,
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
        let options = Source::new("options", rest.next().expect("options"));
        let workflow = rest.next().expect("a workflow");
        let rest: Vec<String> = rest.collect();
        let called = rest
            .chunks(2)
            .map(|pair| (pair[0].trim().to_owned(), pair[1].clone()));
        Self {
            options: yaml::read(&options, &yaml::Limits::default()).expect("options are YAML"),
            workflow,
            called: called.collect(),
            expected: serde_json::from_str(&expected).expect("expected JSON"),
        }
    }

    fn option(&self, name: &str) -> Option<Scalar> {
        let NodeKind::Mapping(entries) = &self.options.kind else {
            return None;
        };
        let is_it = |key: &Scalar| *key == Scalar::String(name.into());
        let entry = entries.iter().find(|entry| is_it(&entry.key.value))?;
        match &entry.value.kind {
            NodeKind::Scalar(scalar) => Some(scalar.clone()),
            _ => None,
        }
    }

    fn limits(&self) -> Limits {
        let limit = |name| match self.option(name) {
            Some(Scalar::Number(number)) => Some(number as usize),
            _ => None,
        };
        let limits = Limits::default();
        Limits {
            file: yaml::Limits {
                characters: limit("max-file-size").unwrap_or(limits.file.characters),
                depth: limit("max-depth").unwrap_or(limits.file.depth),
                ..limits.file
            },
            result_size: limit("max-result-size").unwrap_or(limits.result_size),
            jobs: limit("max-job-limit"),
            nested_calls: limit("max-nested-reusable-workflows-depth")
                .unwrap_or(limits.nested_calls),
            ..limits
        }
    }

    fn policy(&self) -> PermissionsPolicy {
        match self.option("permissions-policy") {
            Some(Scalar::String(policy)) if &*policy == "LimitedRead" => {
                PermissionsPolicy::LimitedRead
            }
            _ => PermissionsPolicy::Write,
        }
    }

    fn is_set(&self, option: &str) -> bool {
        self.option(option) == Some(Scalar::Bool(true))
    }
}

impl Documents for Case {
    fn find(&self, reference: &Reference) -> Document {
        let called = |(text, _): &&(String, String)| *text == reference.text;
        match self.called.iter().find(called) {
            Some((name, text)) => Document::Found(Source::new(name.clone(), text.clone())),
            None => Document::Missing {
                why: "workflow was not found".to_owned(),
            },
        }
    }
}

fn reader_case(path: &Path) -> Result<(), String> {
    let case = Case::load(path);
    let name = format!(".github/workflows/{}", file_name(path));
    let source = Source::new(name, case.workflow.clone());
    let options = ReadOptions {
        limits: case.limits(),
        policy: case.policy(),
        documents: (!case.is_set("skip-reusable-workflows")).then_some(&case),
    };
    let read = read_workflow_with(source, &options);
    if let Some(expected) = case.expected.get("errors") {
        return compare_errors(expected, &read.err().unwrap_or_default());
    }
    let workflow = read.map_err(|errors| format!("refused: {}", messages(&errors)))?;
    let mut found = workflow_template(&workflow, case.is_set("include-source"));
    // Some of GitHub's readers write these and others do not.
    for key in ["events", "input-types"] {
        if let (None, Some(members)) = (case.expected.get(key), found.as_object_mut()) {
            members.shift_remove(key);
        }
    }
    compare(&case.expected, &found, "$")
}

/// Every expected place has an error; where there is none, the message counts.
fn compare_errors(expected: &Value, found: &[Diagnostic]) -> Result<(), String> {
    let place = |message: &str| {
        let (_, rest) = message.split_once(" (Line: ")?;
        Some(rest.split_once(')')?.0.to_owned())
    };
    let expected = expected.as_array().expect("a list").iter();
    let expected: Vec<&str> = expected
        .map(|error| error["Message"].as_str().expect("a message"))
        .collect();
    let same = |(wanted, found): (&&str, &Diagnostic)| match place(wanted) {
        Some(wanted) => place(&found.to_string()) == Some(wanted),
        None => wanted.ends_with(&found.message),
    };
    if expected.len() == found.len() && expected.iter().zip(found).all(same) {
        let differ = expected.iter().zip(found);
        let differ = differ.filter(|(wanted, found)| **wanted != found.to_string());
        differ.for_each(|(wanted, found)| println!("other words: {wanted}\n        ours: {found}"));
        return Ok(());
    }
    Err(format!(
        "expected\n{}\nfound\n{}",
        expected.join("\n"),
        messages(found)
    ))
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
