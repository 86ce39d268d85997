use std::collections::HashMap;
use std::sync::Arc;

use crate::source::{Diagnostic, Source};
use crate::workflow::{
    Called, Document, Documents, InputKind, JobBody, Level, Limits, PermissionsPolicy, ReadOptions,
    Reference, Workflow, read_workflow_with,
};

/// Files by the location of a reference.
#[derive(Default)]
struct Files(HashMap<String, Arc<Source>>);

impl Files {
    fn with(mut self, location: &str, text: &str) -> Self {
        let source = Source::new(location, text);
        self.0.insert(location.to_owned(), source);
        self
    }
}

impl Documents for Files {
    fn find(&self, reference: &Reference) -> Document {
        let location = reference.location.to_string();
        match self.0.get(&location) {
            Some(source) => Document::Found(Arc::clone(source)),
            None if location.starts_with("./") => Document::Missing {
                why: "workflow was not found".to_owned(),
            },
            None => Document::NotHere {
                why: "it is elsewhere".to_owned(),
            },
        }
    }
}

const LEAF: &str = "on: workflow_call\njobs:\n  leaf: {runs-on: x}\n";

fn read_with(
    text: &str,
    files: &Files,
    options: ReadOptions<'_>,
) -> Result<Workflow, Vec<Diagnostic>> {
    let options = ReadOptions {
        documents: Some(files),
        ..options
    };
    read_workflow_with(Source::new("w.yml", text), &options)
}

fn read(text: &str, files: &Files) -> Workflow {
    let read = read_with(text, files, ReadOptions::default());
    read.unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn errors_with(text: &str, files: &Files, options: ReadOptions<'_>) -> Vec<String> {
    let found = read_with(text, files, options).expect_err("something is wrong with it");
    found.iter().map(ToString::to_string).collect()
}

fn errors(text: &str, files: &Files) -> Vec<String> {
    errors_with(text, files, ReadOptions::default())
}

/// A workflow with one job that has these keys.
fn job(keys: &str) -> String {
    format!("on: push\njobs:\n  j: {{{keys}}}\n")
}

fn called<'w>(workflow: &'w Workflow, job: &str) -> &'w Workflow {
    match &workflow.jobs[job].body {
        JobBody::Calls(call) => match &call.called {
            Called::Workflow(workflow) => workflow,
            Called::NotFollowed { why, .. } => panic!("{why}"),
        },
        JobBody::Steps(_) => panic!("{job} has steps"),
    }
}

const A: &str = "uses: ./.github/workflows/a.yml";

fn files(a: &str) -> Files {
    Files::default().with("./.github/workflows/a.yml", a)
}

#[test]
fn references_in_a_called_file_are_relative_to_its_repository() {
    let files = Files::default()
        .with(
            "o/r/.github/workflows/a.yml@v1",
            "on: workflow_call\njobs:\n  b: {uses: ./.github/workflows/b.yml}\n  c: {uses: $/.github/workflows/b.yml}\n",
        )
        .with("o/r/.github/workflows/b.yml@v1", LEAF);
    let workflow = read(&job("uses: o/r/.github/workflows/a.yml@v1"), &files);
    let a = called(&workflow, "j");
    for id in ["b", "c"] {
        assert_eq!(
            called(a, id).source.path,
            "o/r/.github/workflows/b.yml@v1",
            "{id}"
        );
    }
}

#[test]
fn what_is_not_here_is_told_and_is_no_error() {
    let files = files(
        "on: workflow_call\njobs:\n  b: {uses: o/r/.github/workflows/b.yml@v1, with: {any: x}}\n",
    );
    let workflow = read(&job(A), &files);
    let missing: Vec<(&str, &str)> = workflow
        .not_followed()
        .into_iter()
        .map(|(job, reference)| (&*job.id.value, &*reference.text))
        .collect();
    assert_eq!(missing, [("b", "o/r/.github/workflows/b.yml@v1")]);
}

#[test]
fn a_file_that_github_would_not_find_is_an_error_where_it_is_called() {
    assert_eq!(
        errors(&job(A), &Files::default()),
        [
            "w.yml (Line: 3, Col: 13): error parsing called workflow \"w.yml\" -> \"./.github/workflows/a.yml\": workflow was not found"
        ]
    );
}

#[test]
fn an_error_that_a_called_file_is_read_with_names_the_call() {
    let mut found = read_with(
        &job(A),
        &files("on: workflow_call\njobs:\n  leaf: {runs-on: x, stepz: []}\n"),
        ReadOptions::default(),
    )
    .expect_err("a key is wrong");
    assert_eq!(found.len(), 1);
    let found = found.remove(0);
    assert_eq!(found.position().line, 3);
    assert_eq!(
        found.to_string(),
        "In w.yml (Line: 3, Col: 13): Error from called workflow ./.github/workflows/a.yml (Line: 3, Col: 22): Unexpected value 'stepz'"
    );
}

#[test]
fn an_error_of_what_a_called_file_means_is_told_once_however_often_it_is_called() {
    let text = "on: push\njobs:\n  j: {uses: ./.github/workflows/a.yml}\n  k: {uses: ./.github/workflows/a.yml}\n";
    let a = "on: workflow_call\njobs:\n  a: {runs-on: x}\n  b: {runs-on: x, needs: c}\n";
    assert_eq!(
        errors(text, &files(a)),
        [
            "In w.yml (Line: 3, Col: 13): Error from called workflow ./.github/workflows/a.yml (Line: 4, Col: 26): Job 'b' depends on unknown job 'c'."
        ]
    );
}

#[test]
fn only_a_workflow_with_workflow_call_can_be_called() {
    assert_eq!(
        errors(&job(A), &files("on: push\njobs:\n  leaf: {runs-on: x}\n")),
        ["w.yml (Line: 3, Col: 13): workflow_call key is not defined in the referenced workflow."]
    );
}

#[test]
fn literals_have_the_type_of_their_input_and_names_match_in_any_letter_case() {
    let a = "on: {workflow_call: {inputs: {Flag: {type: boolean, required: true}, n: {type: number}, s: {type: string}}}}\njobs:\n  leaf: {runs-on: x}\n";
    let with = |with: &str| job(&format!("{A}, with: {{{with}}}"));
    let workflow = read(&with("FLAG: true, n: 1, s: 2"), &files(a));
    let interface = called(&workflow, "j")
        .interface()
        .expect("it can be called");
    let kinds: Vec<InputKind> = interface.inputs.iter().map(|input| input.kind).collect();
    assert_eq!(
        kinds,
        [InputKind::Boolean, InputKind::Number, InputKind::String]
    );
    read(&with("flag: '${{ github.actor }}'"), &files(a));
    assert_eq!(
        errors(&with("flag: 'true', n: many"), &files(a)),
        [
            "w.yml (Line: 3, Col: 53): Unexpected value 'true'",
            "w.yml (Line: 3, Col: 64): Unexpected value 'many'"
        ]
    );
}

#[test]
fn inherited_secrets_are_not_compared() {
    let a = "on: {workflow_call: {secrets: {s: {required: true}}}}\njobs:\n  leaf: {runs-on: x}\n";
    read(&job(&format!("{A}, secrets: inherit")), &files(a));
    assert_eq!(errors(&job(A), &files(a)).len(), 1);
    read(
        &job(&format!("{A}, secrets: {{S: '${{{{ secrets.s }}}}'}}")),
        &files(a),
    );
}

#[test]
fn jobs_of_a_called_file_have_its_permissions_else_its_callers() {
    let workflow = read(
        &format!("permissions: {{contents: write}}\n{}", job(A)),
        &files(LEAF),
    );
    let leaf = &called(&workflow, "j").jobs["leaf"];
    let permissions = leaf.permissions.as_ref().expect("the caller's");
    assert_eq!(permissions.level("contents"), Level::Write);
    assert_eq!(permissions.level("actions"), Level::None);
    let own = format!("permissions: {{contents: read}}\n{LEAF}");
    let workflow = read(
        &format!("permissions: {{contents: write}}\n{}", job(A)),
        &files(&own),
    );
    let leaf = &called(&workflow, "j").jobs["leaf"];
    let permissions = leaf.permissions.as_ref().expect("the file's");
    assert_eq!(permissions.level("contents"), Level::Read);
}

#[test]
fn a_job_may_ask_for_more_than_its_file_but_not_for_more_than_the_caller_gives() {
    let a = "on: workflow_call\npermissions: {contents: read}\njobs:\n  leaf: {runs-on: x, permissions: {contents: write}}\n";
    let caller = |level: &str| format!("permissions: {{contents: {level}}}\n{}", job(A));
    read(&caller("write"), &files(a));
    let found = errors(&caller("read"), &files(a));
    assert_eq!(
        found,
        [
            "w.yml (Line: 4, Col: 3): Error calling workflow './.github/workflows/a.yml'. The nested job 'leaf' is requesting 'contents: write', but is only allowed 'contents: read'."
        ]
    );
}

#[test]
fn what_nobody_says_is_the_repositorys_setting() {
    let a = format!("permissions: write-all\n{LEAF}");
    read(&job(A), &files(&a));
    let limited = ReadOptions {
        policy: PermissionsPolicy::LimitedRead,
        ..ReadOptions::default()
    };
    let found = errors_with(&job(A), &files(&a), limited);
    assert!(
        found[0].contains("is requesting 'actions: write"),
        "{found:?}"
    );
    assert!(found[0].ends_with("[...]"), "{found:?}");
    assert_eq!(found[0].chars().count(), 500 + "[...]".len());
}

#[test]
fn a_file_that_calls_itself_ends_at_the_tenth_level() {
    let loops = format!("on: workflow_call\njobs:\n  a: {{{A}}}\n  b: {{{A}}}\n");
    assert_eq!(
        errors(&job(A), &files(&loops)),
        ["Nested reusable workflow depth exceeded 9."]
    );
}

#[test]
fn fifty_files_may_be_called_and_one_often() {
    let caller = |count: usize| {
        let jobs: Vec<String> = (0..count)
            .map(|n| {
                format!(
                    "  j{n}: {{uses: o/r/.github/workflows/f{}.yml@v1}}\n",
                    n % 51
                )
            })
            .collect();
        format!("on: push\njobs:\n{}", jobs.concat())
    };
    let none = Files::default();
    read(&caller(50), &none);
    assert_eq!(
        errors(&caller(51), &none),
        ["The maximum file count of 51 has been exceeded"]
    );
    let often = "  a: {uses: o/r/.github/workflows/f.yml@v1}\n  b: {uses: o/r/.github/workflows/F.yml@v1}\n";
    read(&format!("on: push\njobs:\n{often}"), &none);
}

#[test]
fn the_size_of_a_called_file_counts_each_time() {
    let text = format!("on: push\njobs:\n  j: {{{A}}}\n  k: {{{A}}}\n");
    let limits = |result_size| ReadOptions {
        limits: Limits {
            result_size,
            ..Limits::default()
        },
        ..ReadOptions::default()
    };
    let fits = |size: &usize| read_with(&text, &files(LEAF), limits(*size)).is_ok();
    let sizes: Vec<usize> = (0..10_000).collect();
    let least = sizes.partition_point(|size| !fits(size));
    let found = errors_with(&text, &files(LEAF), limits(least - 1));
    assert_eq!(
        found,
        [
            "In w.yml (Line: 4, Col: 13): Error from called workflow ./.github/workflows/a.yml: Maximum object size exceeded"
        ]
    );
}

#[test]
fn a_long_file_that_says_little_is_not_read_for_every_call() {
    let padding = "# \n".repeat(300_000);
    let leaf = format!("{padding}{LEAF}");
    let jobs = |name: &str, file: &str| {
        let jobs =
            (0..60).map(|n| format!("  {name}{n}: {{uses: ./.github/workflows/{file}.yml}}\n"));
        jobs.collect::<String>()
    };
    let files = files(&format!("on: workflow_call\njobs:\n{}", jobs("b", "b")))
        .with("./.github/workflows/b.yml", &leaf);
    read(&format!("on: push\njobs:\n{}", jobs("a", "a")), &files);
}
