//! The toolkit's glob dialect against known answers: what `@actions/glob` 0.5.0 with minimatch
//! 3.1.5 found in a tree, for random patterns and options.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lrun::tree::{Glob, GlobError, GlobOptions, HostFiles, Links, Roots};
use serde::Deserialize;

#[derive(Deserialize)]
struct Rules {
    /// Directories with a slash, links with their target, everything else an empty file.
    tree: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    patterns: Vec<String>,
    options: Options,
    /// Paths from the workspace, `.` for itself, in order.
    #[serde(default)]
    found: Vec<String>,
    #[serde(default)]
    search_paths: Vec<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    implicit_descendants: bool,
    follow_symbolic_links: bool,
    exclude_hidden_files: bool,
}

fn lay_out(workspace: &Path, tree: &[String]) {
    for entry in tree {
        if let Some((link, target)) = entry.split_once(" -> ") {
            symlink(target, workspace.join(link)).expect("a link");
        } else if entry.ends_with('/') {
            fs::create_dir(workspace.join(entry)).expect("a directory");
        } else {
            fs::write(workspace.join(entry), "").expect("a file");
        }
    }
}

/// What was found, and the search paths; from the workspace.
fn search(workspace: &str, case: &Case) -> Result<[Vec<String>; 2], GlobError> {
    let options = GlobOptions {
        implicit_descendants: case.options.implicit_descendants,
        links: match case.options.follow_symbolic_links {
            true => Links::Follow,
            false => Links::Keep,
        },
        exclude_hidden: case.options.exclude_hidden_files,
    };
    let home = format!("{workspace}/home");
    let roots = Roots {
        workspace,
        home: &home,
    };
    let glob = Glob::new(&case.patterns, roots, options)?;
    let relative = |path: &[u8]| {
        let path = std::str::from_utf8(path).expect("text");
        match path.strip_prefix(workspace).expect("inside") {
            "" => ".".to_owned(),
            below => below[1..].to_owned(),
        }
    };
    let found = glob.find(&HostFiles)?;
    Ok([
        found.iter().map(|found| relative(&found.path)).collect(),
        glob.search_paths().into_iter().map(relative).collect(),
    ])
}

#[test]
fn every_search_finds_what_the_toolkit_found_in_its_order() {
    let text = include_str!("conformance/rules/glob.json");
    let rules: Rules = serde_json::from_str(text).expect("known answers");
    let root = tempfile::tempdir().expect("a directory");
    let workspace = root.path().join("w s");
    fs::create_dir(&workspace).expect("a directory");
    lay_out(&workspace, &rules.tree);
    for case in rules.cases {
        let got = search(workspace.to_str().expect("text"), &case);
        let patterns = &case.patterns;
        match case.error {
            None => assert_eq!(
                got.expect("a search"),
                [case.found, case.search_paths],
                "{patterns:?}"
            ),
            Some(error) => {
                let got = got.expect_err("a refusal").to_string();
                assert_eq!(got, error, "{patterns:?}");
            }
        }
    }
}
