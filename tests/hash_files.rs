//! `hashFiles` against known answers of the official one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lrun::tree::{HashFilesError, Links, hash_files};
use serde::Deserialize;

#[derive(Deserialize)]
struct Rules {
    tree: std::collections::BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    patterns: Vec<String>,
    hash: Option<String>,
    error: Option<String>,
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, content).expect("a file");
}

fn hash(root: &Path, patterns: &[&str], links: Links) -> Result<String, HashFilesError> {
    let patterns: Vec<String> = patterns.iter().map(|&p| p.to_owned()).collect();
    let hashed = hash_files(&patterns, root, Path::new("/nowhere"), links)?;
    Ok(hashed.digest.map_or_else(String::new, |d| d.to_string()))
}

#[test]
fn every_known_answer_is_given() {
    let text = include_str!("conformance/rules/hash-files.json");
    let rules: Rules = serde_json::from_str(text).expect("known answers");
    let root = tempfile::tempdir().expect("a directory");
    for (path, content) in &rules.tree {
        write(root.path(), path, content);
    }
    for case in &rules.cases {
        let patterns: Vec<&str> = case.patterns.iter().map(String::as_str).collect();
        let got = hash(root.path(), &patterns, Links::Keep).map_err(|error| error.to_string());
        let expected = match (&case.hash, &case.error) {
            (Some(hash), None) => Ok(hash.clone()),
            (None, Some(error)) => Err(error.clone()),
            _ => panic!("a case has either a hash or an error"),
        };
        assert_eq!(got, expected, "{patterns:?}");
    }
}

#[test]
fn files_are_hashed_in_the_order_of_the_official_walk() {
    let root = tempfile::tempdir().expect("a directory");
    let names = [
        ".hidden.txt",
        "B/q.txt",
        "Z.txt",
        "_u.txt",
        "a-1.txt",
        "a.d/x.txt",
        "a.txt",
        "ab.txt",
        "b.txt",
        "b/a.txt",
        "b/z/p.txt",
        "é.txt",
    ];
    for name in names {
        write(root.path(), name, &format!("{name}\n"));
    }
    symlink("a.txt", root.path().join("lnkf.txt")).expect("a link");
    symlink("b", root.path().join("lnk")).expect("a link");
    assert_eq!(
        hash(root.path(), &["**/*.txt"], Links::Keep).expect("a hash"),
        "d01264f16035aeb202139332493d221eca9373dffc32055a6f0501a694f579e6"
    );
    assert_eq!(
        hash(root.path(), &["**/*.txt"], Links::Follow).expect("a hash"),
        "5f7d594e3d259cc69428c02b398d5369f261b53e9008ba5a4e05695201ed1813"
    );
    symlink("nowhere", root.path().join("broken.txt")).expect("a link");
    let error = hash(root.path(), &["**/*.txt"], Links::Keep).expect_err("it dangles");
    assert!(error.to_string().contains("'broken.txt'"), "{error}");
    assert!(hash(root.path(), &["**/*.txt"], Links::Follow).is_ok());
}

#[test]
fn names_are_sorted_inside_each_directory_and_arguments_keep_their_order() {
    let root = tempfile::tempdir().expect("a directory");
    for (path, content) in [("a/f", "1"), ("a-c/f", "2"), ("a.b/f", "3")] {
        write(root.path(), path, content);
    }
    assert_eq!(
        hash(root.path(), &["**/f"], Links::Keep).expect("a hash"),
        "1ea51598cbb9b3744ebfe90ff77cdee9f3c646b25808015c78bb7aa070961c3d"
    );
    assert_eq!(
        hash(root.path(), &["a.b/f", "a/f", "a-c/f"], Links::Keep).expect("a hash"),
        "0561af871bdfdff1893bbc41e3c422fa7710445a9d109d7e541846d41473aca9"
    );
}
