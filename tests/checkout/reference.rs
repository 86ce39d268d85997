//! What real git makes of the commands that the action gives it (`git-source-provider.ts`), from a
//! bare repository that `insteadOf` puts in GitHub's place; and what is compared with it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::fixture::git;

/// The action's commands on a new clone.
pub(crate) struct Reference<'a> {
    /// The URL of the clone.
    pub(crate) url: &'a str,
    /// URLs and the repositories that stand in their places.
    pub(crate) instead: &'a [(&'a str, &'a Path)],
    /// What is given to `git fetch` after `--no-recurse-submodules`.
    pub(crate) fetch: &'a [&'a str],
    /// Commands between `fetch` and `checkout`.
    pub(crate) before: &'a [&'a [&'a str]],
    /// What is given to `git checkout`.
    pub(crate) checkout: &'a [&'a str],
    /// Commands after it.
    pub(crate) after: &'a [&'a [&'a str]],
}

impl Reference<'_> {
    pub(crate) fn make(&self, directory: &Path) {
        std::fs::create_dir_all(directory).unwrap();
        let run = |args: &[&str]| {
            let instead = self.instead.iter();
            let settings: Vec<_> = instead
                .map(|(url, place)| format!("url.file://{}.insteadOf={url}", place.display()))
                .collect();
            let mut all: Vec<&str> = settings.iter().flat_map(|set| ["-c", set]).collect();
            all.extend(args);
            git(directory, &all).unwrap_or_else(|words| panic!("git {args:?}: {words}"));
        };
        run(&["init", "-q", "-b", "master"]);
        run(&["remote", "add", "origin", self.url]);
        run(&["config", "--local", "gc.auto", "0"]);
        let fetch = ["fetch", "--prune", "--no-recurse-submodules"];
        run(&[&fetch, self.fetch].concat());
        self.before.iter().for_each(|args| run(args));
        run(&[&["checkout", "--force"], self.checkout].concat());
        self.after.iter().for_each(|args| run(args));
    }
}

/// What must be the same of two clones: files with modes and contents, and git's answers.
pub(crate) fn answers(clone: &Path) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for question in [
        &["status", "--porcelain", "--branch", "--ignored"][..],
        &["log", "--all", "--format=%H %an %ad %s"],
        &["rev-list", "--all", "--count"],
        &["for-each-ref", "--format=%(refname) %(objectname)"],
        &[
            "rev-parse",
            "--is-shallow-repository",
            "--abbrev-ref",
            "HEAD",
        ],
        &["ls-files", "--stage"],
        &["ls-files", "-v"],
        &["submodule", "status", "--recursive"],
        &["sparse-checkout", "list"],
        &["fsck", "--strict", "--no-progress", "--no-dangling"],
    ] {
        let answer = git(clone, question).unwrap_or_else(|words| format!("fails: {words}"));
        answers.insert(question.join(" "), answer);
    }
    let config = git(clone, &["config", "--local", "--list"]).unwrap();
    let mut config: Vec<_> = config.lines().collect();
    config.sort_unstable();
    answers.insert("config".to_owned(), config.join("\n"));
    for (path, content) in files(clone) {
        answers.insert(format!("file {}", path.display()), content);
    }
    answers
}

/// Compares two clones; of what differs both sides are shown.
pub(crate) fn assert_same(ours: &Path, theirs: &Path) {
    let (ours, theirs) = (answers(ours), answers(theirs));
    let names: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        assert_eq!(ours.get(name), theirs.get(name), "{name}");
    }
}

fn files(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(path) = left.pop() {
        let full = root.join(&path);
        let data = full.symlink_metadata().unwrap();
        if path == Path::new(".git") {
            continue;
        }
        let content = if data.is_dir() {
            let entries = full.read_dir().unwrap();
            left.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
            "a directory".to_owned()
        } else {
            String::from_utf8_lossy(&std::fs::read(&full).unwrap()).into_owned()
        };
        let mode = data.permissions().mode() & 0o7777;
        found.insert(path, format!("{mode:o} {content}"));
    }
    found
}
