//! Which commit a run is of.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use lrun::git::{Content, Facts, GitError, Head, Repository, Snapshot};

use super::fixture::{Fixture, fingerprint, git};

#[test]
fn a_clean_folder_is_its_own_commit() {
    let fixture = Fixture::with_history();
    let snapshot = fixture.snapshot().unwrap();
    assert_eq!(snapshot.sha(), fixture.git(&["rev-parse", "HEAD"]));
    assert_eq!(snapshot.commit.message, "Second");
    assert!(snapshot.changed.is_empty() && snapshot.untracked.is_empty());
}

#[test]
fn the_id_of_a_dirty_folder_depends_on_content_alone() {
    let fixture = Fixture::with_history();
    fixture.write("README", "edited\n");
    fixture.write("new file", "new\n");
    let first = fixture.snapshot().unwrap();
    assert_eq!(first.changed, ["README"]);
    assert_eq!(first.untracked, ["new file"]);
    assert_eq!(first.head_sha, fixture.git(&["rev-parse", "HEAD"]));
    assert_ne!(first.sha(), first.head_sha);

    fixture.write("README", "edited\n");
    assert_eq!(fixture.snapshot().unwrap().sha(), first.sha());
    fixture.git(&["add", "-A"]);
    let staged = fixture.snapshot().unwrap();
    assert_eq!(staged.sha(), first.sha(), "the index plays no part");

    fixture.write("README", "edited again\n");
    assert_ne!(fixture.snapshot().unwrap().sha(), first.sha());
    fixture.write("README", "second\n");
    std::fs::remove_file(fixture.root().join("new file")).unwrap();
    assert_eq!(fixture.snapshot().unwrap().sha(), first.head_sha);
}

#[test]
fn the_synthetic_tree_is_what_a_commit_would_have() {
    let fixture = Fixture::with_history();
    let root = fixture.root();
    fixture.write(".gitignore", "target/\n");
    fixture.write("target/out", "built\n");
    fixture.write("docs", "a file\n");
    fixture.commit("A file docs");
    // A file becomes a directory, a directory a file, one file a link, one goes.
    std::fs::remove_file(root.join("docs")).unwrap();
    fixture.write("docs/page", "in a directory\n");
    std::fs::remove_dir_all(root.join("src")).unwrap();
    fixture.write("src", "now a file\n");
    std::fs::remove_file(root.join("README")).unwrap();
    std::os::unix::fs::symlink("docs/page", root.join("README")).unwrap();
    std::fs::remove_file(root.join("configure")).unwrap();
    let snapshot = fixture.snapshot().unwrap();
    fixture.commit("For comparison");
    assert_eq!(
        snapshot.commit.tree,
        fixture.git(&["rev-parse", "HEAD^{tree}"])
    );
}

#[test]
fn a_submodule_counts_by_its_commit() {
    let library = Fixture::with_history();
    let fixture = Fixture::with_history();
    let url = library.root();
    fixture.git(&["submodule", "add", "-q", url.to_str().unwrap(), "library"]);
    fixture.commit("Add the library");
    fixture.write("library/README", "edited in place\n");
    assert!(fixture.snapshot().unwrap().changed.is_empty());

    git(
        &fixture.root().join("library"),
        &["commit", "-qam", "Edited"],
    )
    .unwrap();
    let snapshot = fixture.snapshot().unwrap();
    assert_eq!(snapshot.changed, ["library"]);
    fixture.commit("For comparison");
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(snapshot.commit.tree, tree);
}

#[test]
fn a_change_within_the_index_s_own_second_is_seen() {
    // Same length, same second: only git's racy rule tells, by the time of the index, and a copy
    // made later must not look younger.
    let fixture = Fixture::with_history();
    fixture.write("README", "sEcond\n");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(fixture.snapshot().unwrap().changed, ["README"]);
}

#[test]
fn lfs_files_become_pointers_without_git_lfs() {
    let fixture = Fixture::with_history();
    fixture.write(".gitattributes", "*.bin filter=lfs diff=lfs -text\n");
    fixture.write("data.bin", "abc");
    let snapshot = fixture.snapshot().unwrap();
    let blob = fixture.show(&snapshot, "data.bin");
    assert!(
        blob.starts_with("version https://git-lfs.github.com/spec/v1\noid sha256:ba7816bf"),
        "{blob}"
    );
    assert!(!fixture.root().join(".git/lfs").exists());
}

#[test]
fn line_ends_are_normalised_as_the_user_s_own_commit_would() {
    let fixture = Fixture::with_history();
    fixture.git(&["config", "core.autocrlf", "true"]);
    fixture.write("README", "second\r\n");
    assert_eq!(
        fixture.snapshot().unwrap().sha(),
        fixture.git(&["rev-parse", "HEAD"])
    );
}

#[test]
fn the_user_s_repository_is_never_written() {
    let fixture = Fixture::with_history();
    fixture.git(&["config", "core.fsmonitor", "true"]);
    fixture.git(&["update-index", "--split-index"]);
    fixture.write("README", "edited\n");
    fixture.write("new", "new\n");
    // Git runs it whenever it writes an index; lrun writes one of its own.
    fixture.write(".git/hooks/post-index-change", "#!/bin/sh\ntouch ran\n");
    let executable = std::fs::Permissions::from_mode(0o755);
    let hook = fixture.root().join(".git/hooks/post-index-change");
    std::fs::set_permissions(hook, executable).unwrap();
    let before = fingerprint(&fixture.root());
    fixture.snapshot().unwrap();
    assert_eq!(fingerprint(&fixture.root()), before);
}

#[test]
fn a_pull_request_is_the_merge_of_head_into_base() {
    let fixture = Fixture::with_history();
    fixture.git(&["checkout", "-q", "-b", "topic", "HEAD~1"]);
    fixture.write("topic", "work\n");
    fixture.commit("Topic");
    let repository = fixture.repository();
    let facts = Facts::gather(&repository).unwrap();
    let base = facts.refs.branch("main").unwrap();
    let head = fixture.snapshot().unwrap();
    let merged = head
        .clone()
        .merged_into(&repository, ("main", base), "topic")
        .unwrap();
    assert_eq!(fixture.show(&merged, "README"), "second");
    assert_eq!(fixture.show(&merged, "topic"), "work");
    let again = head.merged_into(&repository, ("main", base), "topic");
    assert_eq!(again.unwrap().sha(), merged.sha());
}

#[test]
fn a_pull_request_with_conflicts_starts_nothing() {
    let fixture = Fixture::with_history();
    fixture.git(&["checkout", "-q", "-b", "topic", "HEAD~1"]);
    fixture.write("README", "other\n");
    let head = fixture.snapshot().unwrap();
    let base = fixture.git(&["rev-parse", "main"]);
    let error = head
        .merged_into(&fixture.repository(), ("main", &base), "topic")
        .unwrap_err();
    assert!(
        matches!(&error, GitError::MergeConflict { paths, .. } if paths == &["README"]),
        "{error}"
    );
}

#[test]
fn an_unfinished_merge_is_named_with_its_files() {
    let fixture = Fixture::with_history();
    fixture.git(&["checkout", "-q", "-b", "topic", "HEAD~1"]);
    fixture.write("README", "other\n");
    fixture.commit("Other");
    assert!(git(&fixture.root(), &["merge", "main"]).is_err());
    let error = fixture.snapshot().unwrap_err();
    assert!(
        matches!(&error, GitError::Unmerged { paths, .. } if paths == &["README"]),
        "{error}"
    );
}

#[test]
fn what_is_no_usable_repository_is_told_apart() {
    let unborn = Fixture::unborn();
    assert!(matches!(unborn.snapshot(), Err(GitError::NoCommits { .. })));

    let nowhere = tempfile::tempdir().unwrap();
    let error = Repository::discover(nowhere.path());
    assert!(matches!(error, Err(GitError::NotARepository { .. })));

    git(nowhere.path(), &["init", "-q", "--bare", "."]).unwrap();
    let error = Repository::discover(nowhere.path());
    assert!(
        matches!(error, Err(GitError::NoWorkTree { .. })),
        "{error:?}"
    );

    let missing = Repository::discover(&nowhere.path().join("missing")).unwrap_err();
    assert!(missing.to_string().contains("missing"), "{missing}");
}

#[test]
fn a_worktree_is_a_source_like_any_other() {
    let fixture = Fixture::with_history();
    let tree = fixture.own("elsewhere").join("tree");
    let path = tree.to_str().unwrap();
    fixture.git(&["worktree", "add", "-q", "-b", "topic", path]);
    std::fs::write(tree.join("README"), "in the worktree\n").unwrap();
    let repository = Repository::discover(&tree.join("src")).unwrap();
    let facts = Facts::gather(&repository).unwrap();
    assert_eq!(facts.head, Head::Branch("topic".into()));
    let objects = fixture.own("objects");
    let snapshot = Snapshot::take(&repository, &facts, &Content::Folder, &objects).unwrap();
    assert_eq!(snapshot.changed, ["README"]);
    assert_eq!(fixture.show(&snapshot, "README"), "in the worktree");
}

#[test]
fn head_is_a_branch_a_tag_or_neither() {
    let fixture = Fixture::with_history();
    let head = || Facts::gather(&fixture.repository()).unwrap().head;
    assert_eq!(head(), Head::Branch("main".into()));
    fixture.git(&["checkout", "-q", "--detach"]);
    assert_eq!(head(), Head::Detached);
    fixture.git(&["tag", "-a", "v1.0", "-m", "annotated"]);
    assert_eq!(head(), Head::Tag("v1.0".into()));
}

#[test]
fn the_origin_names_the_repository_and_its_default_branch() {
    let fixture = Fixture::with_history();
    let url = "git@github.com:octo-org/hello.git";
    fixture.git(&["remote", "add", "origin", url]);
    fixture.git(&["update-ref", "refs/remotes/origin/trunk", "HEAD"]);
    let trunk = "refs/remotes/origin/trunk";
    fixture.git(&["symbolic-ref", "refs/remotes/origin/HEAD", trunk]);
    let facts = Facts::gather(&fixture.repository()).unwrap();
    let origin = facts.origin.unwrap();
    assert_eq!((&*origin.owner, &*origin.name), ("octo-org", "hello"));
    assert_eq!(facts.origin_head.as_deref(), Some("trunk"));
    assert!(facts.refs.branch("trunk").is_some());
}
