use std::collections::BTreeMap;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::*;

/// A workspace whose own name is not hidden, as that of a temporary directory would be.
struct Workspace {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Workspace {
    fn new(files: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("work");
        for file in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, file.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
        Self {
            _directory: directory,
            path,
        }
    }

    fn find(&self, path: &str) -> FoundFiles {
        self.search(path, false)
    }

    fn search(&self, path: &str, include_hidden: bool) -> FoundFiles {
        let workspace = self.path.to_str().unwrap();
        let roots = Roots {
            workspace,
            home: workspace,
        };
        find_artifact(&[path.to_owned()], roots, include_hidden).unwrap()
    }

    /// The root as seen from the workspace.
    fn root<'a>(&self, found: &'a FoundFiles) -> &'a str {
        let below = found.root.strip_prefix(self.path.to_str().unwrap());
        below.unwrap().trim_start_matches('/')
    }
}

fn names(found: &FoundFiles) -> Vec<&str> {
    found.files.iter().map(|file| file.name.as_str()).collect()
}

/// What was sent: names with modes and contents.
fn send(found: &FoundFiles) -> (BTreeMap<String, (u32, String)>, Sent) {
    let mut files = BTreeMap::new();
    let mut last = String::new();
    let sent = send_artifact(found, &mut |item| {
        match item {
            TreeItem::Member(member) => {
                last = String::from_utf8(member.path).unwrap();
                files.insert(last.clone(), (member.mode, String::new()));
            }
            TreeItem::Stat { .. } => panic!("artifacts are sent whole"),
            TreeItem::Content(bytes) => {
                let content = &mut files.get_mut(&last).unwrap().1;
                content.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        }
        Ok(())
    });
    (files, sent.unwrap())
}

#[test]
fn the_root_of_one_pattern_is_its_literal_beginning() {
    let workspace = Workspace::new(&["dist/b.txt", "dist/a.txt", "dist/c.bin", "dist/sub/d.txt"]);
    let found = workspace.find("dist/*.txt");
    assert_eq!(workspace.root(&found), "dist");
    assert_eq!(names(&found), ["a.txt", "b.txt"]);
    assert!(!found.several_search_paths);
}

#[test]
fn one_match_of_a_pattern_keeps_its_directories() {
    let workspace = Workspace::new(&["dist/sub/d.txt"]);
    let found = workspace.find("dist/**/*.txt");
    assert_eq!(workspace.root(&found), "dist");
    assert_eq!(names(&found), ["sub/d.txt"]);
}

#[test]
fn a_file_named_alone_lies_at_the_top() {
    let workspace = Workspace::new(&["dist/sub/d.txt"]);
    let found = workspace.find("dist/sub/d.txt");
    assert_eq!(workspace.root(&found), "dist/sub");
    assert_eq!(names(&found), ["d.txt"]);
}

#[test]
fn a_directory_stands_for_all_below_it_without_its_name() {
    let workspace = Workspace::new(&["out/a", "out/x/y/b"]);
    let found = workspace.find("out/");
    assert_eq!(workspace.root(&found), "out");
    assert_eq!(names(&found), ["a", "x/y/b"]);
}

#[test]
fn several_paths_share_the_ancestor_of_the_paths_not_of_the_files() {
    let workspace = Workspace::new(&["app/out/video.mp4", "app/logs/x/run.log"]);
    let found = workspace.find("app/out\napp/logs/x/*.log\n");
    assert!(found.several_search_paths);
    assert_eq!(workspace.root(&found), "app");
    assert_eq!(names(&found), ["out/video.mp4", "logs/x/run.log"]);

    // Nothing is at the second path; it counts all the same.
    let found = workspace.find("app/logs/x\ngone");
    assert_eq!(workspace.root(&found), "");
    assert_eq!(names(&found), ["app/logs/x/run.log"]);
}

#[test]
fn paths_below_others_and_exclusions_are_no_search_paths() {
    let workspace = Workspace::new(&["dist/a.txt", "dist/sub/b.log", "dist/sub/c.txt"]);
    let found = workspace.find("dist\ndist/sub\n!dist/**/*.log\n!other/**");
    assert!(!found.several_search_paths);
    assert_eq!(workspace.root(&found), "dist");
    assert_eq!(names(&found), ["a.txt", "sub/c.txt"]);
}

#[test]
fn hidden_files_and_all_below_hidden_directories_are_left_out_unless_asked_for() {
    let workspace = Workspace::new(&["out/.env", "out/.cache/a/b", "out/.cache/c", "out/seen"]);
    let found = workspace.find("out");
    assert_eq!(names(&found), ["seen"]);
    assert_eq!(found.hidden_left_out, 3);
    let found = workspace.search("out", true);
    assert_eq!(names(&found), [".cache/a/b", ".cache/c", ".env", "seen"]);
    assert_eq!(found.hidden_left_out, 0);
}

#[test]
fn a_hidden_search_path_finds_nothing_and_a_hidden_one_above_it_does_not_matter() {
    let workspace = Workspace::new(&[".next/build/page.js"]);
    let found = workspace.find(".next");
    assert!(found.files.is_empty());
    assert_eq!(found.hidden_left_out, 1);
    let found = workspace.find(".next/build");
    assert_eq!(names(&found), ["page.js"]);
}

#[test]
fn directories_alone_and_paths_without_match_give_nothing() {
    let workspace = Workspace::new(&["out/full/a"]);
    fs::create_dir(workspace.path.join("out/empty")).unwrap();
    assert_eq!(names(&workspace.find("out")), ["full/a"]);
    assert!(workspace.find("out/empty").files.is_empty());
    assert!(workspace.find("gone/*.txt").files.is_empty());
    let found = workspace.find("# remark only");
    assert_eq!((found.root.as_str(), found.files.len()), ("", 0));
}

#[test]
fn links_become_what_they_point_to_and_broken_ones_are_skipped() {
    let workspace = Workspace::new(&["real/a", "out/own"]);
    let link = |to: &str, name: &str| symlink(to, workspace.path.join(name)).unwrap();
    link("../real", "out/directory");
    link("../real/a", "out/file");
    link("gone", "out/broken");
    link("..", "out/loop");
    let found = workspace.find("out");
    assert_eq!(
        names(&found),
        ["directory/a", "file", "loop/real/a", "own",]
    );
    let (files, sent) = send(&found);
    assert_eq!(files["file"].1, "a");
    assert_eq!(files["directory/a"].1, "a");
    assert_eq!(sent, Sent::default());
}

#[test]
fn names_that_node_cannot_read_are_skipped() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let workspace = Workspace::new(&["out/a"]);
    let name = OsStr::from_bytes(b"out/\xff");
    fs::write(workspace.path.join(name), "").unwrap();
    assert_eq!(names(&workspace.find("out")), ["a"]);
}

#[test]
fn files_are_sent_with_their_modes() {
    let workspace = Workspace::new(&["out/tool", "out/data"]);
    let mode = |name: &str, mode| {
        set_permissions(workspace.path.join(name), Permissions::from_mode(mode)).unwrap();
    };
    mode("out/tool", 0o755);
    mode("out/data", 0o640);
    let (files, sent) = send(&workspace.find("out"));
    assert_eq!(files["tool"], (0o755, "tool".to_owned()));
    assert_eq!(files["data"], (0o640, "data".to_owned()));
    assert_eq!(sent, Sent::default());
}

#[test]
fn what_cannot_be_sent_is_told_and_the_rest_is_sent() {
    let workspace = Workspace::new(&["out/gone", "out/kept"]);
    let socket = workspace.path.join("out/socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let found = workspace.find("out");
    let gone = workspace.path.join("out/gone");
    fs::remove_file(&gone).unwrap();
    let (files, sent) = send(&found);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["kept"]);
    assert_eq!(
        sent.problems,
        [format!("File {} does not exist", gone.display())]
    );
    assert_eq!(sent.left_out, [socket.to_str().unwrap()]);
}
