//! Known answers for the readers of workflows and actions (`tests/conformance/README.md`).

#![expect(
    clippy::print_stdout,
    reason = "the counts are what a reader of the log wants"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lrun::expr::Template;
use lrun::source::{Diagnostic, Source, Span};
use lrun::workflow::{
    Condition, Job, JobBody, Key, Limits, Pair, Step, StepAction, Token, TokenKind, Workflow,
    read_action, read_workflow, read_workflow_within,
};
use lrun::yaml::{self, NodeKind, Scalar};
use serde_json::{Map, Value, json};

/// Cases that still fail, by reason. One that passes must leave the list.
const KNOWN_FAILURES: &[(&str, &[&str])] = &[(
    "the caller is not compared with the called file yet",
    &[
        "errors-max-job-limit-with-reusable-workflow.yml",
        "errors-reusable-workflow-job-inputs-required.yml",
        "errors-reusable-workflow-job-inputs-undefined.yml",
        "errors-reusable-workflow-job-nested-depth-exceeded.yml",
        "errors-reusable-workflow-job-nested-permissions-not-allowed-job-level-from-caller-workflow-level.yml",
        "errors-reusable-workflow-job-nested-permissions-not-allowed-workflow-level-from-caller-job-level.yml",
        "errors-reusable-workflow-job-secrets-required.yml",
        "errors-reusable-workflow-job-secrets-undefined.yml",
        "errors-reusable-workflow-max-result-size.yml",
        "errors-reusable-workflow-permissions-not-allowed-job-level-from-caller-default.yml",
        "errors-reusable-workflow-permissions-not-allowed-job-level-from-caller-workflow-level.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-actions-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-contents-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-deployments-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-id-token-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-issues-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-pages-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-pull-requests-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-repository-projects-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-security-events-write.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-write-all-allowed-none.yml",
        "errors-reusable-workflow-permissions-not-allowed-request-write-all-allowed-read-all.yml",
        "errors-reusable-workflow-permissions-not-allowed-workflow-level-from-caller-job-level.yml",
        "errors-reusable-workflow-permissions-not-allowed-workflow-level-from-caller-workflow-level.yml",
    ],
)];

/// What the expected templates say and this test does not look at.
const NOT_COMPARED: &[(&str, &str)] = &[
    (
        "permissions",
        "the model keeps them as written, not as the set they come to",
    ),
    (
        "cancel-timeout-minutes",
        "checked, but nothing of lrun uses it",
    ),
    ("snapshot", "checked, but nothing of lrun uses it"),
    (
        "input-types",
        "the inputs stay in the trigger's configuration",
    ),
    ("input-definitions", "of the called workflow"),
    ("secret-definitions", "of the called workflow"),
    ("outputs of a call", "of the called workflow"),
    ("jobs of a call", "of the called workflow"),
    ("file-table", "there is one file"),
];

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
        let number = |name, otherwise| match self.option(name) {
            Some(Scalar::Number(number)) => number as usize,
            _ => otherwise,
        };
        let limits = Limits::default();
        Limits {
            file: yaml::Limits {
                characters: number("max-file-size", limits.file.characters),
                depth: number("max-depth", limits.file.depth),
                ..limits.file
            },
            result_size: number("max-result-size", limits.result_size),
        }
    }
}

fn reader_case(path: &Path) -> Result<(), String> {
    let case = Case::load(path);
    let source = Source::new(
        format!(".github/workflows/{}", file_name(path)),
        case.workflow.clone(),
    );
    let read = read_workflow_within(Arc::clone(&source), &case.limits());
    if let Some(expected) = case.expected.get("errors") {
        return compare_errors(expected, &read.err().unwrap_or_default());
    }
    let workflow = read.map_err(|errors| format!("refused: {}", messages(&errors)))?;
    for (reference, text) in &case.called {
        read_workflow(Source::new(reference.clone(), text.clone()))
            .map_err(|errors| format!("the called file is refused: {}", messages(&errors)))?;
    }
    let with_places = case.option("include-source") == Some(Scalar::Bool(true));
    compare_workflow(
        &case.expected,
        &workflow,
        &Shown {
            source: &source,
            with_places,
        },
    )
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
        let differ = differ.filter(|(wanted, found)| !wanted.ends_with(&found.message));
        differ.for_each(|(wanted, found)| println!("other words: {wanted}\n        ours: {found}"));
        return Ok(());
    }
    Err(format!(
        "expected\n{}\nfound\n{}",
        expected.join("\n"),
        messages(found)
    ))
}

/// How tokens are written in the expected JSON.
struct Shown<'s> {
    source: &'s Source,
    with_places: bool,
}

impl Shown<'_> {
    fn token(&self, token: &Token) -> Value {
        match &token.kind {
            TokenKind::Null => self.literal(7, token.span, "", Value::Null),
            TokenKind::Bool(value) => self.literal(5, token.span, "bool", json!(value)),
            TokenKind::Number(number) => self.literal(6, token.span, "num", show_number(*number)),
            TokenKind::String(text) => self.literal(0, token.span, "lit", json!(&**text)),
            TokenKind::Expression(template) => self.expression(template, token.span),
            TokenKind::Sequence(items) => {
                let items: Vec<Value> = items.iter().map(|item| self.token(item)).collect();
                self.placed(1, token.span, "seq", json!(items))
            }
            TokenKind::Mapping(pairs) => {
                let pairs: Vec<Value> = pairs.iter().map(|pair| self.pair(pair)).collect();
                self.placed(2, token.span, "map", json!(pairs))
            }
        }
    }

    fn pair(&self, Pair { key, value }: &Pair) -> Value {
        let key = match key {
            Key::Name(name) => self.literal(0, name.span, "lit", json!(&*name.value)),
            Key::Expression(template) => self.expression(&template.value, template.span),
            Key::Insert(span) => self.placed(4, *span, "directive", json!("insert")),
        };
        json!({"Key": key, "Value": self.token(value)})
    }

    fn expression(&self, template: &Template, span: Span) -> Value {
        self.placed(3, span, "expr", json!(template.to_expression()))
    }

    fn condition(&self, condition: &Condition) -> Value {
        json!({"type": 3, "expr": condition.expression.text()})
    }

    fn literal(&self, kind: u8, span: Span, name: &str, value: Value) -> Value {
        match self.with_places {
            true => self.placed(kind, span, name, value),
            false => value,
        }
    }

    fn string(&self, text: &str, span: Span) -> Value {
        self.literal(0, span, "lit", json!(text))
    }

    fn placed(&self, kind: u8, span: Span, name: &str, value: Value) -> Value {
        let mut shown = Map::new();
        shown.insert("type".into(), json!(kind));
        if self.with_places {
            let position = self.source.position(span.start);
            shown.insert("file".into(), json!(1));
            shown.insert("line".into(), json!(position.line));
            shown.insert("col".into(), json!(position.column));
        }
        if !name.is_empty() {
            shown.insert(name.into(), value);
        }
        Value::Object(shown)
    }

    fn job(&self, job: &Job) -> Map<String, Value> {
        let mut shown = Map::new();
        let name = job.name.as_ref().map(|name| self.token(name));
        let id = self.string(&job.id.value, job.id.span);
        shown.insert("name".into(), name.unwrap_or_else(|| id.clone()));
        shown.insert("id".into(), id);
        shown.insert("if".into(), self.condition(&job.condition));
        let needs = job
            .needs
            .iter()
            .map(|need| self.string(&need.value, need.span));
        let needs: Vec<Value> = needs.collect();
        let tokens = [
            ("env", &job.env),
            ("runs-on", &job.runs_on),
            ("timeout-minutes", &job.timeout_minutes),
            ("continue-on-error", &job.continue_on_error),
            ("container", &job.container),
            ("services", &job.services),
            ("outputs", &job.outputs),
            ("environment", &job.environment),
            ("concurrency", &job.concurrency),
        ];
        for (key, token) in tokens {
            if let Some(token) = token {
                shown.insert(key.into(), self.token(token));
            }
        }
        match &job.body {
            JobBody::Steps(steps) => {
                shown.insert("type".into(), json!("job"));
                if !needs.is_empty() {
                    shown.insert("needs".into(), json!(needs));
                }
                if !steps.is_empty() {
                    let steps: Vec<Value> = steps.iter().map(|step| self.step(step)).collect();
                    shown.insert("steps".into(), json!(steps));
                }
            }
            JobBody::Calls {
                uses,
                with,
                secrets,
            } => {
                shown.insert("type".into(), json!("reusableWorkflowJob"));
                shown.insert("needs".into(), json!(needs));
                shown.insert("ref".into(), self.string(&uses.value, uses.span));
                if let Some(with) = with {
                    shown.insert("input-values".into(), self.token(with));
                }
                match secrets.as_ref().map(|secrets| (secrets.as_str(), secrets)) {
                    Some((Some("inherit"), _)) => {
                        shown.insert("inherit-secrets".into(), json!(true));
                    }
                    Some((_, secrets)) => {
                        shown.insert("secret-values".into(), self.token(secrets));
                    }
                    None => {}
                }
            }
        }
        shown
    }

    fn step(&self, step: &Step) -> Value {
        let mut shown = Map::new();
        shown.insert("id".into(), json!(step.id));
        let tokens = [
            ("name", &step.name),
            ("env", &step.env),
            ("continue-on-error", &step.continue_on_error),
            ("timeout-minutes", &step.timeout_minutes),
        ];
        let mut put = |key: &str, token: &Option<Token>| {
            if let Some(token) = token {
                shown.insert(key.into(), self.token(token));
            }
        };
        tokens.into_iter().for_each(|(key, token)| put(key, token));
        match &step.action {
            StepAction::Run {
                script,
                shell,
                working_directory,
            } => {
                put("run", &Some(script.clone()));
                put("shell", shell);
                put("working-directory", working_directory);
            }
            StepAction::Uses { reference, with } => {
                put("with", with);
                shown.insert("uses".into(), self.string(&reference.value, reference.span));
            }
            StepAction::Wait { targets } => {
                let targets: Vec<&str> = targets.iter().map(|target| &*target.value).collect();
                shown.insert("wait".into(), json!(targets));
            }
            StepAction::WaitAll => drop(shown.insert("wait-all".into(), json!(true))),
            StepAction::Cancel { target } => {
                shown.insert("cancel".into(), json!(target.value));
            }
        }
        if matches!(
            step.action,
            StepAction::Run { .. } | StepAction::Uses { .. }
        ) {
            shown.insert("if".into(), self.condition(&step.condition));
        }
        if step.background {
            shown.insert("background".into(), json!(true));
        }
        Value::Object(shown)
    }
}

fn show_number(number: f64) -> Value {
    match number {
        _ if number.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => json!(number),
    }
}

fn compare_workflow(expected: &Value, workflow: &Workflow, shown: &Shown) -> Result<(), String> {
    let roots = [
        ("env", &workflow.env),
        ("concurrency", &workflow.concurrency),
    ];
    for (key, token) in roots {
        let found = token.as_ref().map(|token| shown.token(token));
        compare(key, expected.get(key), found.as_ref())?;
    }
    compare_events(expected.get("events"), workflow)?;
    let jobs = expected["jobs"].as_array().ok_or("no expected jobs")?;
    compare(
        "number of jobs",
        Some(&json!(jobs.len())),
        Some(&json!(workflow.jobs.len())),
    )?;
    for (expected, job) in jobs.iter().zip(workflow.jobs.values()) {
        compare_job(expected, job, shown)?;
    }
    Ok(())
}

fn compare_job(expected: &Value, job: &Job, shown: &Shown) -> Result<(), String> {
    let id = &job.id.value;
    let mut found = shown.job(job);
    let mut expected = expected.as_object().ok_or("a job is an object")?.clone();
    let calls = matches!(job.body, JobBody::Calls { .. });
    for (key, _) in NOT_COMPARED {
        match key.split_once(" of a call") {
            Some((key, _)) if calls => drop(expected.shift_remove(key)),
            Some(_) => {}
            None => drop(expected.shift_remove(*key)),
        }
    }
    // Of a strategy the model has the three parts.
    if let Some(strategy) = expected.shift_remove("strategy") {
        let parts = job.strategy.as_ref().ok_or(format!("{id}: no strategy"))?;
        for pair in strategy["map"].as_array().into_iter().flatten() {
            let key = pair["Key"]["lit"]
                .as_str()
                .or(pair["Key"].as_str())
                .unwrap_or_default();
            let part = match key {
                "matrix" => &parts.matrix,
                "fail-fast" => &parts.fail_fast,
                _ => &parts.max_parallel,
            };
            let part = part.as_ref().map(|part| shown.token(part));
            compare(
                &format!("{id}: strategy.{key}"),
                Some(&pair["Value"]),
                part.as_ref(),
            )?;
        }
    }
    let keys: BTreeSet<String> = expected.keys().chain(found.keys()).cloned().collect();
    for key in keys {
        let found = found.shift_remove(&key);
        compare(&format!("{id}: {key}"), expected.get(&key), found.as_ref())?;
    }
    Ok(())
}

fn compare_events(expected: Option<&Value>, workflow: &Workflow) -> Result<(), String> {
    let Some(expected) = expected.and_then(Value::as_object) else {
        return Ok(());
    };
    let mut names: Vec<&str> = workflow.on.iter().map(|trigger| &*trigger.name).collect();
    let mut wanted: Vec<&str> = expected.keys().map(String::as_str).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    compare("events", Some(&json!(wanted)), Some(&json!(names)))?;
    for trigger in &workflow.on {
        let Some(filters) = expected[&trigger.name].as_object() else {
            continue;
        };
        let lists = filters.iter().filter(|(_, value)| {
            value
                .as_array()
                .is_some_and(|items| items.iter().all(Value::is_string))
        });
        for (key, wanted) in lists {
            let found = trigger
                .configuration
                .as_ref()
                .and_then(|token| token.get(key));
            let found = found.map(|token| {
                token
                    .items()
                    .iter()
                    .filter_map(Token::as_str)
                    .collect::<Vec<_>>()
            });
            compare(
                &format!("{}.{key}", trigger.name),
                Some(wanted),
                Some(&json!(found)),
            )?;
        }
    }
    Ok(())
}

fn compare(what: &str, expected: Option<&Value>, found: Option<&Value>) -> Result<(), String> {
    let same = match (expected, found) {
        (Some(expected), Some(found)) => equal(expected, found),
        (None, None) => true,
        _ => false,
    };
    match same {
        true => Ok(()),
        false => Err(format!("{what}: expected {expected:?}, found {found:?}")),
    }
}

/// JSON's numbers are compared as numbers: 5 is 5.0.
fn equal(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(expected), Value::Number(found)) => expected.as_f64() == found.as_f64(),
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected
                    .iter()
                    .zip(found)
                    .all(|(expected, found)| equal(expected, found))
        }
        (Value::Object(expected), Value::Object(found)) => {
            expected.len() == found.len()
                && expected.iter().all(|(key, expected)| {
                    found.get(key).is_some_and(|found| equal(expected, found))
                })
        }
        _ => expected == found,
    }
}
