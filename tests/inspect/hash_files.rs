//! `lrun hash-files`.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use tempfile::TempDir;

use crate::program::{Ended, lrun};

fn workspace() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    for (path, content) in [("b.txt", "beta"), ("dir/a.txt", ""), ("dir/c.md", "c")] {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, content).expect("a file");
    }
    directory
}

fn hash(workspace: &TempDir, arguments: &[&str]) -> Ended {
    let workspace = workspace.path().to_str().expect("text");
    lrun(&[&["hash-files", "--workspace", workspace], arguments].concat())
}

/// Of `sha256sum`.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const BETA: &str = "f44e64e75f3948e9f73f8dfa94721c4ce8cbb4f265c4790c702b2d41cfbf2753";
/// Of the digests of both, one behind the other, by `xxd -r -p | sha256sum`.
const BOTH: &str = "a80c4f9750e951d5ffd6657cb1759f4b6e66f6f9de383114ed8f67632a75c850";

#[test]
fn the_hash_is_a_line_and_explained_file_by_file() {
    let workspace = workspace();
    assert_eq!(
        hash(&workspace, &["--", "**/*.txt"]).exited(0).stdout,
        format!("{BOTH}\n")
    );
    assert_eq!(hash(&workspace, &["--", "nothing"]).exited(0).stdout, "\n");
    let explained = hash(&workspace, &["--explain", "--", "**/*.txt"]).exited(0);
    let lines = format!("{BETA}  b.txt\n{EMPTY}  dir/a.txt\n{BOTH}\n");
    assert_eq!(explained.stdout, lines);
    let json = hash(&workspace, &["--json", "--", "**/*.txt"])
        .exited(0)
        .json();
    assert_eq!(json, json!({ "hash": BOTH }));
    let json = hash(&workspace, &["--json", "--explain", "--", "b.*"])
        .exited(0)
        .json();
    assert_eq!(json["files"], json!([{"path": "b.txt", "digest": BETA}]));
}

#[test]
fn links_are_followed_by_the_first_argument() {
    let workspace = workspace();
    symlink("dir", workspace.path().join("link")).expect("a link");
    let files = |arguments: &[&str]| {
        let arguments = [&["--json", "--explain", "--"], arguments].concat();
        let json = hash(&workspace, &arguments).exited(0).json();
        json["files"].as_array().map(Vec::len)
    };
    assert_eq!(files(&["**/a.txt"]), Some(1));
    assert_eq!(files(&["--follow-symbolic-links", "**/a.txt"]), Some(2));
    let refused = hash(&workspace, &["--", "--follow", "**"]).exited(1);
    assert!(
        refused.stderr.contains("Invalid glob option --follow"),
        "{refused:?}"
    );
    // The workspace itself may be behind one.
    let linked = workspace.path().join("link");
    let arguments = [
        "hash-files",
        "--workspace",
        linked.to_str().expect("text"),
        "--",
        "*.txt",
    ];
    assert_ne!(lrun(&arguments).exited(0).stdout, "\n");
}

#[test]
fn what_would_fail_on_github_is_an_error() {
    let workspace = workspace();
    let message = "Invalid pattern 'a/../b'. Relative pathing '.' and '..' is not allowed.";
    let ended = hash(&workspace, &["--", "a/../b"]).exited(1);
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr),
        ("", format!("error: {message}\n"))
    );
    let ended = hash(&workspace, &["--json", "--", "a/../b"]).exited(1);
    assert_eq!(ended.json(), json!({ "error": message }));
    symlink("nowhere", workspace.path().join("broken.txt")).expect("a link");
    let ended = hash(&workspace, &["--", "**/*.txt"]).exited(1);
    assert!(ended.stderr.contains("'broken.txt'"), "{ended:?}");
    hash(&workspace, &[]).exited(2);
    let many = [vec!["--"], vec!["a"; 256]].concat();
    hash(&workspace, &many).exited(2);
    lrun(&["hash-files", "--workspace", "/nowhere", "--", "a"]).exited(2);
    assert!(
        lrun(&["hash-files", "--help"])
            .exited(0)
            .stdout
            .contains("Exit codes")
    );
}
