//! Searches for files and their hashes, beside `@actions/glob`, over real directories.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lrun::tree::{Glob, GlobOptions, HostFiles, Links, Roots, hash_files};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::assert_same;
use crate::packages::Packages;
use crate::random::Random;

const TREES: usize = 3_000;
const SEARCHES: usize = 2;

const NAMES: [&str; 20] = [
    "a",
    "b",
    "ab",
    "c.txt",
    "a.txt",
    ".h",
    ".d",
    "A",
    "é",
    "𝒜",
    "x y",
    "[b]",
    "*",
    "q?",
    "a-b",
    "a\\b",
    "node_modules",
    "Cargo.lock",
    "{a,b}",
    "#",
];
const PIECES: [&str; 30] = [
    "a",
    "b",
    "ab",
    "*",
    "*",
    "*",
    "**",
    "?",
    "[ab]",
    "[!a]",
    "[a-c]*",
    "*.txt",
    "**.txt",
    "a*",
    ".*",
    ".h",
    "\\[b\\]",
    "[[]b]",
    "é",
    "Cargo.lock",
    "node_modules",
    "{a,b}",
    "x y",
    "q\\?",
    "[*]",
    "*b",
    "A",
    "[z-a]",
    "[[:alpha:]]",
    "..",
];

/// Lays out some files, directories and links.
fn lay_out(random: &mut Random, workspace: &Path) {
    let mut directories = vec![workspace.to_owned()];
    for _ in 0..=random.below(10) {
        let path = directories[random.below(directories.len())].join(random.pick(&NAMES));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match random.below(10) {
            0..4 => {
                fs::create_dir(&path).expect("a directory");
                directories.push(path);
            }
            4 => {
                let target = random.pick(&["a", "..", "../a", "b", ".", "a.txt", "nowhere"]);
                symlink(target, path).expect("a link");
            }
            _ => fs::write(&path, random.pick(&["", "1", "two\n"])).expect("a file"),
        }
    }
}

fn pattern(random: &mut Random) -> String {
    let segments: Vec<&str> = (0..=random.below(3))
        .map(|_| random.pick(&PIECES))
        .collect();
    let mut pattern = segments.join("/");
    match random.below(12) {
        0..3 => pattern.insert(0, '!'),
        3 => pattern.insert_str(0, "./"),
        4 => pattern.insert_str(0, "**/"),
        5 => pattern.insert_str(0, random.pick(&["~/", "#", "!!", " "])),
        _ => {}
    }
    match random.below(12) {
        0 => pattern.push('/'),
        1 => pattern.push_str("/**"),
        2 => pattern.push_str("/**/"),
        3 => pattern.push_str("//*"),
        _ => {}
    }
    pattern
}

/// What lrun finds, in the form of the driver.
fn search(question: &Json) -> Json {
    let text = |field: &str| question[field].as_str().expect("a text");
    let patterns = [text("patterns").to_owned()];
    let links = match question["follow"] == true {
        true => Links::Follow,
        false => Links::Keep,
    };
    let options = GlobOptions {
        implicit_descendants: true,
        links,
        exclude_hidden: false,
    };
    let (workspace, home) = (text("workspace"), text("home"));
    let glob = match Glob::new(&patterns, Roots { workspace, home }, options) {
        Ok(glob) => glob,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let shown = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let found = match glob.find(&HostFiles) {
        Ok(found) => found,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let found: Vec<_> = found.iter().map(|found| shown(&found.path)).collect();
    let searched: Vec<_> = glob.search_paths().into_iter().map(shown).collect();
    let answer = json!({"found": found, "searched": searched});
    let hashed = hash_files(&patterns, Path::new(workspace), Path::new(home), links);
    let hash = hashed.ok().map(|hashed| {
        hashed
            .digest
            .map_or_else(String::new, |digest| digest.to_string())
    });
    with_hash(answer, hash.as_deref())
}

/// A hash, or none where there is an error, whose words the systems have.
fn with_hash(mut answer: Json, hash: Option<&str>) -> Json {
    answer["hash"] = hash.map_or(json!("an error"), |hash| json!(hash));
    answer
}

/// What both must agree on: of errors the words, unless they are the system's.
fn comparable(answer: &Json) -> Json {
    match answer["error"].as_str() {
        Some(error) if error.contains("attern") => json!({ "error": error }),
        Some(_) => json!({"error": "something is not readable"}),
        None => with_hash(
            json!({"found": answer["found"], "searched": answer["searched"]}),
            answer["hash"].as_str(),
        ),
    }
}

#[test]
fn searches_and_hashes_are_those_of_actions_glob() {
    let root = TempDir::new().expect("a directory");
    let root = root.path().canonicalize().expect("a directory");
    let mut random = Random::new(17);
    let mut questions = Vec::new();
    for tree in 0..TREES {
        let workspace = root.join(format!("{tree}/w s"));
        fs::create_dir_all(&workspace).expect("a directory");
        lay_out(&mut random, &workspace);
        for _ in 0..SEARCHES {
            let patterns: Vec<String> = (0..=random.below(3))
                .map(|_| pattern(&mut random))
                .collect();
            questions.push(json!({
                "workspace": workspace,
                "home": workspace.join("a"),
                "patterns": patterns.join("\n"),
                "follow": random.chance(30),
            }));
        }
    }
    let answers = Packages::installed().ask(include_str!("globs.mjs"), &questions);
    let (mut found, mut refused, mut wrong) = (0, 0, Vec::new());
    for (question, theirs) in questions.iter().zip(&answers) {
        let (ours, theirs) = (comparable(&search(question)), comparable(theirs));
        refused += usize::from(ours.get("error").is_some());
        found += ours["found"].as_array().map_or(0, Vec::len);
        if ours != theirs {
            wrong.push(format!("{question}\n  lrun    {ours}\n  package {theirs}"));
        }
    }
    println!(
        "{TREES} trees, {} searches: {found} paths found, {refused} refused, {} differ",
        questions.len(),
        wrong.len()
    );
    assert_same(&wrong);
}
