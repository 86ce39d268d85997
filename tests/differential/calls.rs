//! Workflows and what they call, beside `@actions/workflow-parser`: verdicts, places and templates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use lrun::source::{Code, Diagnostic, Source};
use lrun::workflow::{Document, Documents, ReadOptions, Reference, Workflow, read_workflow_with};
use serde_json::{Value as Json, json};

use crate::packages::Packages;
use crate::random::Random;
use crate::templates;
use crate::workflows::number;

/// How many are compared; the environment may say another number, for a longer run.
const CALLS: u64 = 2_000;

/// How many differences a failure shows.
const SHOWN: usize = 12;

/// A workflow, and the files it calls by their references.
struct Question {
    caller: String,
    called: BTreeMap<String, String>,
}

impl Documents for Question {
    fn find(&self, reference: &Reference) -> Document {
        match self.called.get(&reference.text) {
            Some(text) => Document::Found(Source::new(reference.text.as_str(), text.as_str())),
            None => Document::NotHere {
                why: "it is not given".to_owned(),
            },
        }
    }
}

impl Question {
    fn ask(&self) -> Json {
        json!({"content": self.caller, "called": self.called})
    }

    fn read(&self) -> Result<Workflow, Vec<Diagnostic>> {
        let options = ReadOptions {
            documents: Some(self),
            ..ReadOptions::default()
        };
        read_workflow_with(Source::new(CALLER, self.caller.as_str()), &options)
    }
}

const CALLER: &str = ".github/workflows/w.yml";

/// An error: its file, line, column and words.
type Told = (String, u64, u64, String);

fn ours(error: &Diagnostic) -> Told {
    let position = error.position();
    let (line, column) = (position.line.into(), position.column.into());
    let message = error.message.split(". Located at position").next();
    let message = message.unwrap_or_default().to_owned();
    (error.source.path.clone(), line, column, message)
}

fn theirs(error: &Json) -> Told {
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| error[key].as_u64().unwrap_or_default();
    (text("file"), number("line"), number("col"), text("message"))
}

fn is_behind(ours: &Told, theirs: &Told) -> bool {
    let (file, line, column, message) = ours;
    *theirs == (file.clone(), *line, column + 1, message.clone())
}

/// Errors that only we have, by rule.
type Lone = fn(&Told) -> bool;
const ONLY_OURS: [(&str, Lone); 3] = [
    (
        // `errors-reusable-workflow-permissions-*.yml`
        "the package checks no permissions",
        |(_, _, _, message)| message.contains("is requesting '"),
    ),
    (
        // `reusable-workflow-job-inputs-type-coercion.yml`, `WorkflowTemplateEvaluator.cs`.
        "the package checks no types of what is given",
        |(file, _, _, message)| file == CALLER && message.starts_with("Unexpected value '"),
    ),
    (
        // `errors-reusable-workflow-job-nested-depth-exceeded.yml`
        "the package follows no nested calls",
        |(_, _, _, message)| {
            message.contains("depth exceeded") || message.contains("maximum file count")
        },
    ),
];

/// How the two differ beyond the rules; none if they do not.
fn difference(
    question: &Question,
    answer: &Json,
    meet: &mut dyn FnMut(&'static str),
) -> Option<String> {
    let read = question.read();
    if let Some(crash) = answer.get("crash") {
        return Some(format!("crash: {crash}"));
    }
    let errors = answer.get("yaml").or(answer.get("errors"));
    let errors = errors.and_then(Json::as_array).into_iter().flatten();
    let mut rest: Vec<Told> = errors.map(theirs).collect();
    let workflow = match read {
        Ok(workflow) if rest.is_empty() => {
            meet("valid for both");
            return templates::difference(&workflow, &answer["template"], meet);
        }
        Ok(_) => Vec::new(),
        Err(errors) => errors,
    };
    let mut lone: Vec<Told> = Vec::new();
    for error in workflow.iter().map(ours) {
        let found = rest.iter().position(|other| *other == error);
        let found = found.or_else(|| {
            let found = rest.iter().position(|other| is_behind(&error, other));
            found.inspect(|_| meet("the runner names what follows the colon of an empty value"))
        });
        match found {
            Some(found) => drop(rest.remove(found)),
            None => lone.push(error),
        }
    }
    if !workflow.is_empty() && workflow.len() > lone.len() {
        meet("invalid for both");
    }
    lone.retain(|error| {
        let rule = ONLY_OURS.iter().find(|(_, rule)| rule(error));
        rule.inspect(|(name, _)| meet(name)).is_none()
    });
    // `ReusableWorkflowsLoader.cs`: what cannot be read is not converted.
    if workflow.iter().any(|error| error.code != Code::Rule) {
        meet("the package goes on with a file that cannot be read");
        rest.clear();
    }
    if workflow.iter().any(|error| error.code == Code::Yaml) && answer["template"].is_null() {
        meet("both refuse it as no YAML");
        lone.clear();
    }
    let is_same = lone.is_empty() && rest.is_empty();
    (!is_same).then(|| {
        let shape = |told: &[Told]| {
            let shapes = told.iter().map(|(file, _, _, message)| {
                let whose = if file == CALLER { "caller" } else { "called" };
                let words: Vec<&str> = message.split(['\'', ',', '.']).step_by(2).collect();
                format!("{whose}: {}", words.join("''"))
            });
            let shapes: BTreeSet<String> = shapes.collect();
            shapes.into_iter().collect::<Vec<_>>().join(" | ")
        };
        format!(
            "only ours: {} // only theirs: {}",
            shape(&lone),
            shape(&rest)
        )
    })
}

const FILE: &str = "o/r/.github/workflows/c.yml@v1";

const NAMES: &[&str] = &["one", "ONE", "two", "Two", "three-3"];

const VALUES: &[&str] = &[
    "x",
    "true",
    "'true'",
    "FALSE",
    "5",
    "'5'",
    "0x10",
    "1e3",
    "3.10",
    "''",
    "",
    "~",
    "${{ github.ref }}",
    "a ${{ github.sha }}",
    "${{ fromJSON('5') }}",
    "|\n          x\n          y",
];

fn lines(text: &mut String, indent: usize, key: &str, lines: &[String]) {
    let pad = " ".repeat(indent);
    if lines.is_empty() {
        return;
    }
    text.push_str(&format!("{pad}{key}:\n"));
    for line in lines {
        text.push_str(&format!("{pad}  {line}\n"));
    }
}

fn names(random: &mut Random, most: usize) -> Vec<&'static str> {
    let mut found: Vec<&str> = Vec::new();
    for _ in 0..random.below(most + 1) {
        let name = random.pick(NAMES);
        let is_new = |other: &&str| !other.eq_ignore_ascii_case(name);
        if found.iter().all(is_new) || random.chance(2) {
            found.push(name);
        }
    }
    found
}

const PERMISSIONS: &[&str] = &[
    "read-all",
    "write-all",
    "{}",
    "{contents: read}",
    "{contents: write, id-token: write}",
    "{actions: write, packages: read, issues: none}",
    "{models: read, attestations: write}",
];

fn permissions(text: &mut String, indent: usize, random: &mut Random) {
    if random.chance(15) {
        let pad = " ".repeat(indent);
        text.push_str(&format!("{pad}permissions: {}\n", random.pick(PERMISSIONS)));
    }
}

fn caller(random: &mut Random) -> String {
    let mut text = "on: push\n".to_owned();
    permissions(&mut text, 0, random);
    text.push_str("jobs:\n");
    for id in ["a", "b"].iter().take(1 + random.below(2)) {
        text.push_str(&format!("  {id}:\n"));
        permissions(&mut text, 4, random);
        text.push_str(&format!("    uses: {FILE}\n"));
        let value = |name: &&str, random: &mut Random| format!("{name}: {}", random.pick(VALUES));
        let given = names(random, 2);
        let given: Vec<String> = given.iter().map(|name| value(name, random)).collect();
        lines(&mut text, 4, "with", &given);
        match random.chance(20) {
            true => text.push_str("    secrets: inherit\n"),
            false => {
                let given = names(random, 2);
                let given: Vec<String> = given.iter().map(|name| value(name, random)).collect();
                lines(&mut text, 4, "secrets", &given);
            }
        }
        for line in [
            "name: Call it",
            "if: github.ref == 'x'",
            "strategy: {matrix: {v: [1, 2]}}",
            "concurrency: {group: g, cancel-in-progress: true}",
        ] {
            if random.chance(10) {
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    text
}

fn called(random: &mut Random) -> String {
    let mut text = String::new();
    match random.below(12) {
        0 => text.push_str("on: workflow_call\n"),
        1 => text.push_str("on: [push, workflow_call]\n"),
        2 => text.push_str("on:\n  workflow_call:\n"),
        3 => text.push_str("on: {push: {branches: x}, workflow_call: {}}\n"),
        4 => {
            text.push_str(random.pick(&["on: push\n", "on: [push]\n", "on: {push: , create: }\n"]))
        }
        _ => interface(&mut text, random),
    }
    permissions(&mut text, 0, random);
    for line in [
        "env: {A: b}",
        "defaults: {run: {shell: bash}}",
        "concurrency: called",
        "name: N",
    ] {
        if random.chance(10) {
            text.push_str(&format!("{line}\n"));
        }
    }
    text.push_str("jobs:\n  inner:\n    runs-on: x\n");
    permissions(&mut text, 4, random);
    text.push_str("    steps:\n      - run: echo ${{ inputs.one }}\n");
    if random.chance(15) {
        text.push_str("  deeper:\n    uses: o/r/.github/workflows/none.yml@v1\n");
    }
    text
}

fn interface(text: &mut String, random: &mut Random) {
    text.push_str("on:\n  workflow_call:\n");
    let mut parts = Vec::new();
    let inputs: Vec<String> = names(random, 8)
        .iter()
        .map(|name| {
            let kind = random.pick(&["string", "boolean", "number"]);
            let mut definition = format!("{name}: {{type: {kind}");
            if random.chance(50) {
                definition += random.pick(&[", required: true", ", required: false"]);
            }
            if random.chance(25) {
                definition += match kind {
                    "boolean" => ", default: true",
                    "number" => ", default: 1.50",
                    _ => ", default: 'a'",
                };
            }
            definition + random.pick(&["}", ", description: d}"])
        })
        .collect();
    parts.push(("inputs", inputs));
    let secrets: Vec<String> = names(random, 6)
        .iter()
        .map(|name| {
            let form = random.pick(&[
                "",
                "{required: true}",
                "{required: false, description: d}",
                "{}",
            ]);
            format!("{name}: {form}")
        })
        .collect();
    parts.push(("secrets", secrets));
    let outputs: Vec<String> = names(random, 2)
        .iter()
        .map(|name| format!("{name}: {{value: '${{{{ jobs.inner.result }}}}', description: d}}"))
        .collect();
    parts.push(("outputs", outputs));
    if random.chance(30) {
        parts.reverse();
    }
    for (key, part) in parts {
        lines(text, 4, key, &part);
    }
}

/// The conformance cases that call something.
fn known() -> Vec<Question> {
    let entries = fs::read_dir("tests/conformance/reader").expect("a suite");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).expect("a text");
        let parts: Vec<&str> = text.split("\n---\n").collect();
        let files = &parts[2..parts.len() - 1];
        // What is not given is not followed: the package follows the first file's calls only.
        let pairs = files.chunks(2);
        let called = pairs.map(|pair| (pair[0].to_owned(), format!("{}\n", pair[1])));
        let called: BTreeMap<_, _> = called.collect();
        if called.len() == 1 {
            let caller = format!("{}\n", parts[1]);
            found.push(Question { caller, called });
        }
    }
    found
}

/// A line more or less, or another word.
fn changed(text: &str, random: &mut Random) -> String {
    const WORDS: [(&str, &str); 13] = [
        ("true", "false"),
        ("false", "true"),
        ("string", "boolean"),
        ("type: string", "type: number"),
        ("type", "description"),
        ("workflow_call", "push"),
        ("read", "write"),
        ("write", "none"),
        ("contents", "actions"),
        ("secrets", "inputs"),
        ("inputs", "secrets"),
        ("with", "secrets"),
        ("foo", "FOO"),
    ];
    let mut lines: Vec<&str> = text.lines().collect();
    let at = random.below(lines.len());
    match random.below(6) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at]),
        _ => {
            let found: Vec<_> = WORDS
                .iter()
                .filter(|(word, _)| text.contains(word))
                .collect();
            if found.is_empty() {
                return text.to_owned();
            }
            let (word, other) = found[random.below(found.len())];
            let places: Vec<_> = text.match_indices(word).collect();
            let (place, _) = places[random.below(places.len())];
            return format!("{}{other}{}", &text[..place], &text[place + word.len()..]);
        }
    }
    lines.join("\n") + "\n"
}

fn questions(random: &mut Random) -> Vec<Question> {
    let known = known();
    let mut found = Vec::new();
    let wanted = number("LRUN_CALLS", CALLS) as usize;
    while found.len() < wanted {
        let mut question = if random.chance(30) {
            let Question { caller, called } = &known[random.below(known.len())];
            Question {
                caller: caller.clone(),
                called: called.clone(),
            }
        } else {
            Question {
                caller: caller(random),
                called: BTreeMap::from([(FILE.to_owned(), called(random))]),
            }
        };
        if random.chance(30) {
            let texts = question.called.values_mut();
            let mut texts: Vec<&mut String> = texts.chain([&mut question.caller]).collect();
            let at = random.below(texts.len());
            *texts[at] = changed(texts[at], random);
        }
        found.push(question);
    }
    found
}

/// `LRUN_CALLS` and `LRUN_SEED` ask for another number of calls, or for others.
#[test]
fn calls_are_read_as_by_github() {
    let questions = questions(&mut Random::new(number("LRUN_SEED", 11)));
    let asked: Vec<Json> = questions.iter().map(Question::ask).collect();
    let answers = Packages::installed().ask(include_str!("workflows.mjs"), &asked);
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
    for (question, answer) in questions.iter().zip(&answers) {
        let mut meet = |name: &'static str| *met.entry(name).or_default() += 1;
        if let Some(difference) = difference(question, answer, &mut meet) {
            let errors = question.read().err().unwrap_or_default();
            let errors: Vec<Told> = errors.iter().map(ours).collect();
            let shown = format!(
                "{}---\n{:#?}\nOURS {errors:?}\nTHEIRS {answer}\n",
                question.caller, question.called
            );
            differences
                .entry(difference)
                .or_default()
                .push(shown.into());
        }
    }
    println!("{} calls, {met:#?}", questions.len());
    let shown = differences.iter().take(SHOWN).map(|(difference, cases)| {
        let shortest = cases.iter().min_by_key(|case| case.len()).expect("one");
        format!(
            "=== {} {difference}\n{}\n",
            cases.len(),
            shortest.replace("\\n", "\n")
        )
    });
    let shown: String = shown.collect();
    assert!(
        differences.is_empty(),
        "{} kinds of differences\n{shown}",
        differences.len()
    );
}
