//! The known answers of `tests/conformance/`, by the program.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::program::{lrun, lrun_reading};

fn suite(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/conformance").join(path)
}

fn rules(file: &str) -> Json {
    let text = fs::read_to_string(suite("rules").join(file)).expect("the suite is there");
    serde_json::from_str(&text).expect("the suite is JSON")
}

fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().expect("a list").iter()
}

fn texts(json: &Json) -> Vec<&str> {
    list(json)
        .map(|text| text.as_str().expect("a text"))
        .collect()
}

/// What is wrong with the answer to an expression, if anything.
fn judge(case: &Json) -> Option<String> {
    let expression = case["expr"].as_str().expect("a case has an expression");
    let context = case.get("contexts").unwrap_or(&json!({})).to_string();
    let arguments = ["expr", "eval", "--json", "--context", "-", "--", expression];
    let ended = lrun_reading(&arguments, context.as_bytes());
    let answer = ended.json();
    let good = match case.get("err") {
        Some(error) => {
            let found = &answer["error"];
            let (message, wanted) = (found["message"].as_str(), error["value"].as_str());
            let holds = message
                .zip(wanted)
                .is_some_and(|(found, wanted)| found.contains(wanted));
            ended.code == Some(1) && holds && found["kind"] == error["kind"]
        }
        // -0 equals 0.
        None => ended.code == Some(0) && same(&answer, &case["result"]),
    };
    (!good).then(|| format!("{case}\n    {answer}"))
}

/// The same value; 1 and 1.0 are one number.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, l)| right.get(name).is_some_and(|r| same(l, r)))
        }
        _ => left == right,
    }
}

#[test]
fn expressions() {
    let (mut count, mut wrong) = (0, Vec::new());
    for file in fs::read_dir(suite("expressions")).expect("the suite is there") {
        let path = file.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file of the suite");
        let groups: Json = serde_json::from_str(&text).expect("a file of the suite is JSON");
        for case in groups.as_object().expect("groups").values().flat_map(list) {
            count += 1;
            wrong.extend(judge(case));
        }
    }
    println!("{count} expressions, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 600, "the suite has shrunk to {count} cases");
}

#[test]
fn env_files() {
    let suite = rules("env-file.json");
    for case in list(&suite["cases"]) {
        let text = case["text"].as_str().expect("a text");
        let ended = lrun_reading(&["env-file", "--json", "-"], text.as_bytes());
        let (code, expected) = match case.get("error") {
            Some(error) => (1, json!({ "error": error })),
            None => (0, json!({"pairs": case["pairs"]})),
        };
        assert_eq!(ended.exited(code).json(), expected, "{case}");
    }
    println!("{} env files", list(&suite["cases"]).count());
}

#[test]
fn matrices() {
    let suite = rules("matrix.json");
    for case in list(&suite["cases"]) {
        let text = case["matrix"].to_string();
        let ended = lrun_reading(&["matrix", "--json", "-"], text.as_bytes());
        match case.get("error") {
            Some(error) => assert_eq!(ended.exited(1).json(), json!({ "error": error }), "{case}"),
            None => {
                let answer = ended.exited(0).json();
                assert!(same(&answer["jobs"], &case["jobs"]), "{case}\n    {answer}");
            }
        }
    }
    println!("{} matrices", list(&suite["cases"]).count());
}

#[test]
fn filters() {
    let suite = rules("filter.json");
    for case in list(&suite["cases"]) {
        for question in ["include", "ignore"] {
            let Some(expected) = case.get(question).and_then(Json::as_bool) else {
                continue;
            };
            let patterns = texts(&case["patterns"]);
            let patterns = patterns.iter().flat_map(|pattern| ["--pattern", pattern]);
            let mut arguments = vec!["filter", question];
            arguments.extend(patterns);
            arguments.push("--");
            arguments.extend(texts(&case["inputs"]));
            lrun(&arguments).exited(i32::from(!expected));
        }
    }
    println!("{} filters", list(&suite["cases"]).count());
}

#[test]
fn hashes() {
    let suite = rules("hash-files.json");
    let root = tempfile::tempdir().expect("a directory");
    for (path, content) in suite["tree"].as_object().expect("a tree") {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, content.as_str().expect("a text")).expect("a file");
    }
    let workspace = root.path().to_str().expect("text");
    for case in list(&suite["cases"]) {
        let mut arguments = vec!["hash-files", "--workspace", workspace, "--"];
        arguments.extend(texts(&case["patterns"]));
        let ended = lrun(&arguments);
        match case.get("hash").and_then(Json::as_str) {
            Some(hash) => assert_eq!(ended.exited(0).stdout, format!("{hash}\n"), "{case}"),
            None => {
                let error = case["error"].as_str().expect("an error");
                assert!(ended.exited(1).stderr.contains(error), "{case}");
            }
        }
    }
    println!("{} hashes", list(&suite["cases"]).count());
}

/// The cases of the glob suite that hashFiles can ask: which files, in which order.
#[test]
fn globs() {
    let suite = rules("glob.json");
    let root = tempfile::tempdir().expect("a directory");
    lay_out(root.path(), &texts(&suite["tree"]));
    let workspace = root.path().to_str().expect("text");
    let mut count = 0;
    for case in list(&suite["cases"]) {
        let options = &case["options"];
        let patterns = texts(&case["patterns"]);
        let has_home = patterns.iter().any(|pattern| pattern.contains('~'));
        if options["implicitDescendants"] != true
            || options["excludeHiddenFiles"] == true
            || has_home
        {
            continue;
        }
        count += 1;
        let mut arguments = vec![
            "hash-files",
            "--explain",
            "--json",
            "--workspace",
            workspace,
            "--",
        ];
        if options["followSymbolicLinks"] == true {
            arguments.push("--follow-symbolic-links");
        }
        arguments.extend(patterns);
        let ended = lrun(&arguments);
        if let Some(error) = case.get("error") {
            assert_eq!(ended.exited(1).json()["error"], *error, "{case}");
            continue;
        }
        let mut expected = texts(&case["found"]);
        if expected.iter().any(|path| !root.path().join(path).exists()) {
            // A dangling link that is not followed is found, and cannot be hashed.
            assert!(ended.exited(1).json()["error"].is_string(), "{case}");
            continue;
        }
        expected.retain(|path| root.path().join(path).is_file());
        let json = ended.exited(0).json();
        let hashed: Vec<_> = list(&json["files"]).map(|file| &file["path"]).collect();
        assert_eq!(hashed, expected, "{case}");
    }
    println!("{count} globs");
    assert!(count >= 30, "the suite has shrunk to {count} cases");
}

/// Directories with a slash, links with their target, everything else an empty file.
fn lay_out(root: &Path, tree: &[&str]) {
    for entry in tree {
        if let Some((link, target)) = entry.split_once(" -> ") {
            std::os::unix::fs::symlink(target, root.join(link)).expect("a link");
        } else if entry.ends_with('/') {
            fs::create_dir(root.join(entry)).expect("a directory");
        } else {
            fs::write(root.join(entry), "").expect("a file");
        }
    }
}
