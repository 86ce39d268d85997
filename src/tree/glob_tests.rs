use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::tree::HostFiles;

const HASH: GlobOptions = GlobOptions {
    implicit_descendants: true,
    links: Links::Keep,
    exclude_hidden: false,
};
const CACHE: GlobOptions = GlobOptions {
    implicit_descendants: false,
    links: Links::Follow,
    exclude_hidden: false,
};

/// Paths found from the workspace, directories with a slash.
fn find(files: &[&str], patterns: &[&str], options: GlobOptions) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    let workspace = root.path().join("w [s]");
    for file in files {
        let path = workspace.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match file.split_once("->") {
            Some((link, target)) => symlink(target, workspace.join(link)).unwrap(),
            None => fs::write(path, "").unwrap(),
        }
    }
    let workspace = workspace.to_str().unwrap().to_owned();
    let home = format!("{workspace}/home");
    let roots = Roots {
        workspace: &workspace,
        home: &home,
    };
    let glob = Glob::new(patterns, roots, options).unwrap();
    glob.find(&HostFiles)
        .unwrap()
        .into_iter()
        .map(|found| {
            let path = String::from_utf8(found.path).unwrap();
            let path = path.strip_prefix(&workspace).unwrap();
            let slash = if found.kind == FileKind::Directory {
                "/"
            } else {
                ""
            };
            format!("{}{slash}", path.trim_start_matches('/'))
        })
        .collect()
}

#[test]
fn a_directory_is_visited_at_its_own_place_among_its_siblings() {
    let files = ["b/a.txt", "b.txt", "B/q.txt", "a-c/x.txt", "a/x.txt"];
    assert_eq!(
        find(&files, &["**/*.txt"], HASH),
        ["B/q.txt", "a/x.txt", "a-c/x.txt", "b/a.txt", "b.txt"]
    );
}

#[test]
fn later_patterns_win_and_search_paths_keep_the_order_of_the_patterns() {
    let files = ["a.log", "b.log", "z/c.log"];
    assert_eq!(find(&files, &["*.log", "!b.log"], HASH), ["a.log"]);
    assert_eq!(
        find(&files, &["*.log", "!b.log", "b.log"], HASH),
        ["a.log", "b.log"]
    );
    assert_eq!(
        find(&files, &["z/c.log", "a.log", "z"], CACHE),
        ["a.log", "z/", "z/c.log"]
    );
}

#[test]
fn descendants_are_implied_only_where_asked_for() {
    let files = ["d/x", "d/e/y"];
    assert_eq!(find(&files, &["d"], HASH), ["d/", "d/e/", "d/e/y", "d/x"]);
    assert_eq!(find(&files, &["d"], CACHE), ["d/"]);
    assert_eq!(
        find(&files, &["d/**"], CACHE),
        ["d/", "d/e/", "d/e/y", "d/x"]
    );
    assert_eq!(find(&files, &["."], CACHE), ["/"]);
}

#[test]
fn a_slash_at_the_end_asks_for_directories() {
    let files = ["d/x", "f"];
    assert_eq!(find(&files, &["*/"], CACHE), ["d/"]);
    assert_eq!(find(&files, &["f/", "d/"], CACHE), ["d/"]);
}

#[test]
fn home_comments_blanks_and_double_negation_are_understood() {
    let files = ["home/.cargo/x", "a"];
    assert_eq!(
        find(&files, &["~/.cargo", "# no", ""], CACHE),
        ["home/.cargo/"]
    );
    assert_eq!(find(&files, &["!!a", "  ! b"], CACHE), ["a"]);
    assert_eq!(find(&files, &["a\nhome"], CACHE), ["a", "home/"]);
}

#[test]
fn followed_links_end_at_cycles_and_drop_what_dangles() {
    let files = ["d/x", "d/up->..", "gone->nowhere", "l->d"];
    assert_eq!(
        find(&files, &["**"], CACHE),
        ["/", "d/", "d/x", "l/", "l/x"]
    );
    let kept = find(&files, &["*"], HASH);
    assert_eq!(kept, ["d/", "d/up", "d/x", "gone", "l"]);
}

#[test]
fn hidden_names_are_left_out_on_request_with_all_below() {
    let options = GlobOptions {
        exclude_hidden: true,
        links: Links::Follow,
        ..HASH
    };
    let files = ["d/.h/x", "d/.e", "d/y"];
    assert_eq!(find(&files, &["d"], options), ["d/", "d/y"]);
    assert!(find(&files, &["d/.h"], options).is_empty());
}

#[test]
fn relative_pathing_and_empty_patterns_are_refused_in_the_original_s_words() {
    let roots = Roots {
        workspace: "/w",
        home: "/h",
    };
    let refused = |line: &str| Glob::new(&[line], roots, CACHE).unwrap_err().to_string();
    assert_eq!(
        refused("a/../b"),
        "Invalid pattern 'a/../b'. Relative pathing '.' and '..' is not allowed."
    );
    assert!(refused("a/./b").starts_with("Invalid pattern"));
    assert_eq!(refused("!"), "pattern cannot be empty");
    assert!(Glob::new(&["./a"], roots, CACHE).is_ok());
}
