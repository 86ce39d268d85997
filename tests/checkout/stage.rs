//! What a staged checkout is like.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use lrun::clock;
use lrun::event::LogLine;
use lrun::exec::workspace::{Staged, WorkspaceError};
use lrun::plan::github_event::EventOptions;

use super::fixture::{Fixture, WORKSPACE, fingerprint, git, job_user};

/// A submodule, an LFS pointer, autocrlf, a tag, an ignored `target/`, uncommitted edits.
fn awkward() -> Fixture {
    let library = Fixture::with_history();
    let fixture = Fixture::with_history();
    let url = library.root();
    fixture.git(&["submodule", "add", "-q", url.to_str().unwrap(), "library"]);
    fixture.write(".gitattributes", "*.bin filter=lfs diff=lfs -text\n");
    fixture.write(".gitignore", "target/\n");
    fixture.write("asset.bin", POINTER);
    fixture.write("target/debug/out", "built\n");
    fixture.git(&["config", "core.autocrlf", "true"]);
    fixture.commit("Awkward");
    fixture.git(&["tag", "-a", "v1.0", "-m", "One"]);
    fixture.write("asset.bin", "abc");
    fixture.write("README", "edited\r\nhere\r\n");
    fixture.write("notes/new", "untracked\n");
    fixture
}

/// What LFS has for `abc` (FIPS 180-2, appendix B.1).
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n\
    oid sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n\
    size 3\n";

fn in_tree(staged: &Staged, args: &[&str]) -> Result<String, String> {
    git(staged.dir(), args)
}

/// All paths below but those in `.git`.
fn files(root: &Path) -> BTreeSet<PathBuf> {
    let inside = |path: PathBuf| Some(path.strip_prefix(root).ok()?.to_owned());
    fingerprint(root)
        .into_keys()
        .filter_map(inside)
        .filter(|path| !path.starts_with(".git"))
        .collect()
}

#[test]
fn the_job_sees_what_a_hosted_checkout_would_give() {
    let fixture = awkward();
    let before = fingerprint(&fixture.root());
    let staged = fixture.stage(&[]).unwrap();
    assert_eq!(fingerprint(&fixture.root()), before, "the user's folder");

    let tree = staged.dir();
    let read = |path: &str| std::fs::read_to_string(tree.join(path)).unwrap();
    assert_eq!(read("README"), "edited\nhere\n");
    assert_eq!(read("notes/new"), "untracked\n");
    assert_eq!(read("asset.bin"), POINTER);
    assert!(!tree.join("target").exists());
    assert_eq!(tree.join("library").read_dir().unwrap().count(), 0);
    assert_eq!(in_tree(&staged, &["status", "--porcelain"]).unwrap(), "");
    assert!(in_tree(&staged, &["describe", "--tags"]).is_err());
    let parent = fixture.git(&["rev-parse", "HEAD"]);
    assert!(in_tree(&staged, &["cat-file", "-t", &parent]).is_err());
    assert_eq!(
        in_tree(&staged, &["rev-parse", "HEAD"]).unwrap(),
        staged.commit
    );
    assert_eq!((staged.files, staged.changed), (8, 2));
}

#[test]
fn the_tree_equals_a_clone_of_depth_one() {
    let fixture = awkward();
    let staged = fixture.stage(&[]).unwrap();
    let clone = fixture.own("clones").join("clone");
    let url = format!("file://{}", staged.dir().display());
    let arguments = ["clone", "-q", "--depth=1", &url, clone.to_str().unwrap()];
    git(&fixture.own("clones"), &arguments).unwrap();
    assert_eq!(files(&clone), files(staged.dir()));
    for path in files(&clone) {
        let (theirs, ours) = (clone.join(&path), staged.dir().join(&path));
        let metadata = theirs.symlink_metadata().unwrap();
        assert_eq!(
            metadata.mode(),
            ours.symlink_metadata().unwrap().mode(),
            "{path:?}"
        );
        if metadata.is_file() {
            let (theirs, ours) = (std::fs::read(theirs), std::fs::read(ours));
            assert_eq!(theirs.unwrap(), ours.unwrap(), "{path:?}");
        }
    }
    for question in [
        &["log", "--format=%H %an %ad %s"][..],
        &["rev-list", "--all", "--objects"],
        &["rev-parse", "--is-shallow-repository"],
        &["fsck", "--strict"],
    ] {
        assert_eq!(
            git(&clone, question),
            in_tree(&staged, question),
            "{question:?}"
        );
    }
}

#[test]
fn a_branch_run_has_the_branch_and_its_remote_one() {
    let fixture = awkward();
    fixture.git(&["branch", "other"]);
    fixture.git(&["remote", "add", "origin", "git@github.com:octo/hello.git"]);
    fixture.git(&[
        "config",
        "url.git@example.org:.insteadOf",
        "https://github.com/",
    ]);
    let staged = fixture.stage(&[]).unwrap();
    let refs = in_tree(&staged, &["for-each-ref", "--format=%(refname)"]).unwrap();
    assert_eq!(refs, "refs/heads/main\nrefs/remotes/origin/main");
    let config = std::fs::read_to_string(staged.dir().join(".git/config")).unwrap();
    let expected = "[remote \"origin\"]\n\turl = https://github.com/octo/hello\n";
    assert!(config.contains(expected), "{config}");
    assert!(config.contains("[gc]\n\tauto = 0\n"), "{config}");
    assert!(
        !config.contains("insteadOf") && !config.contains("autocrlf"),
        "{config}"
    );
    assert!(!staged.dir().join(".git/objects/info/alternates").exists());
    assert_eq!(
        in_tree(&staged, &["rev-parse", "--abbrev-ref", "@{u}"]).unwrap(),
        "origin/main"
    );
}

#[test]
fn a_tag_run_is_detached_at_the_tag() {
    let fixture = awkward();
    fixture.git(&["stash", "-q", "-u"]);
    let options = EventOptions {
        git_ref: Some("v1.0".into()),
        ..EventOptions::default()
    };
    let staged = fixture.stage_for("push", &options, &[]).unwrap();
    let refs = in_tree(&staged, &["for-each-ref", "--format=%(refname)"]).unwrap();
    assert_eq!(refs, "refs/tags/v1.0");
    assert!(in_tree(&staged, &["symbolic-ref", "HEAD"]).is_err());
    assert_eq!(in_tree(&staged, &["describe"]).unwrap(), "v1.0");
    assert_eq!(staged.commit, fixture.git(&["rev-parse", "v1.0^{commit}"]));
}

#[test]
fn a_pull_request_run_is_detached_at_the_merge() {
    let fixture = Fixture::with_history();
    fixture.git(&["checkout", "-q", "-b", "topic", "HEAD~1"]);
    fixture.write("topic", "not committed\n");
    let options = EventOptions {
        number: Some(7),
        ..EventOptions::default()
    };
    let staged = fixture.stage_for("pull_request", &options, &[]).unwrap();
    let refs = in_tree(&staged, &["for-each-ref", "--format=%(refname)"]).unwrap();
    assert_eq!(refs, "refs/remotes/pull/7/merge");
    assert!(staged.dir().join("topic").exists(), "the head's");
    assert!(staged.dir().join("src/main.rs").exists(), "the base's");
    let parents = in_tree(&staged, &["cat-file", "-p", "HEAD"]).unwrap();
    assert_eq!(parents.matches("parent ").count(), 2, "{parents}");

    let head = fixture.stage_for("pull_request", &options, &[("ref", "topic")]);
    assert!(!head.unwrap().dir().join("src/main.rs").exists());
}

#[test]
fn a_pull_request_s_refs_and_its_range_are_there() {
    let fixture = Fixture::with_history();
    fixture.git(&["checkout", "-q", "-b", "topic", "HEAD~1"]);
    fixture.write("topic", "committed\n");
    fixture.commit("Topic");
    let head = fixture.git(&["rev-parse", "HEAD"]);
    let options = EventOptions {
        number: Some(7),
        ..EventOptions::default()
    };
    let stage = |with: &[(&str, &str)]| {
        let staged = fixture.stage_for("pull_request", &options, with);
        staged.unwrap()
    };
    for asked in [head.as_str(), "refs/pull/7/head", "topic"] {
        for depth in ["1", "0"] {
            let staged = stage(&[("ref", asked), ("fetch-depth", depth)]);
            assert_eq!(staged.commit, head, "{asked} {depth}");
        }
    }
    let whole = stage(&[("fetch-depth", "0")]);
    assert_eq!(stage(&[("ref", "refs/pull/7/merge")]).commit, whole.commit);
    let range = ["diff", "--name-only", "origin/main...HEAD"];
    assert_eq!(in_tree(&whole, &range).unwrap(), "topic");
    let range = ["log", "--format=%s", "origin/main..origin/topic"];
    assert_eq!(in_tree(&whole, &range).unwrap(), "Topic");
    assert!(in_tree(&stage(&[]), &["log", "origin/main"]).is_err());
}

#[test]
fn a_key_makes_the_url_one_of_ssh_and_is_no_part_of_the_clone() {
    let fixture = Fixture::with_history();
    fixture.git(&["remote", "add", "origin", "https://github.com/octo/hello"]);
    let staged = fixture.stage(&[("ssh-key", "PRIVATE")]).unwrap();
    let url = in_tree(&staged, &["config", "remote.origin.url"]);
    assert_eq!(url.unwrap(), "git@github.com:octo/hello.git");
    assert_eq!(staged.doubts.len(), 1);
    let config = std::fs::read_to_string(staged.dir().join(".git/config")).unwrap();
    assert!(!config.contains("PRIVATE"), "{config}");
}

#[test]
fn depth_counts_commits_and_zero_has_all_branches_and_tags() {
    let fixture = awkward();
    fixture.git(&["branch", "other", "HEAD~1"]);
    let count = |staged: &Staged| in_tree(staged, &["rev-list", "--count", "HEAD"]).unwrap();

    let two = fixture.stage(&[("fetch-depth", "2")]).unwrap();
    assert_eq!(count(&two), "2");
    assert!(in_tree(&two, &["diff", "HEAD~1"]).is_ok());
    assert!(
        in_tree(
            &two,
            &["cat-file", "-t", &fixture.git(&["rev-parse", "HEAD~1"])]
        )
        .is_err()
    );

    let all = fixture.stage(&[("fetch-depth", "0")]).unwrap();
    assert_eq!(count(&all), "4");
    assert!(
        in_tree(&all, &["describe"])
            .unwrap()
            .starts_with("v1.0-1-g")
    );
    let refs = in_tree(&all, &["for-each-ref", "--format=%(refname)"]).unwrap();
    let expected =
        "refs/heads/main\nrefs/remotes/origin/main\nrefs/remotes/origin/other\nrefs/tags/v1.0";
    assert_eq!(refs, expected);
    assert!(!all.dir().join(".git/shallow").exists());
    in_tree(&all, &["fsck", "--strict"]).unwrap();
}

#[test]
fn a_ref_may_be_a_branch_a_tag_or_a_commit() {
    let fixture = awkward();
    fixture.git(&["branch", "other", "HEAD~1"]);
    let first = fixture.git(&["rev-parse", "HEAD~2"]);
    let other = fixture.git(&["rev-parse", "other"]);
    let tagged = fixture.git(&["rev-parse", "HEAD"]);
    let commit = |name: &str| fixture.stage(&[("ref", name)]).unwrap().commit;
    assert_eq!(commit("other"), other);
    assert_eq!(commit("refs/heads/other"), other);
    assert_eq!(commit("v1.0"), tagged);
    assert_eq!(commit(&first), first);
    assert_eq!(commit("main"), fixture.stage(&[]).unwrap().commit);
    let error = fixture
        .stage(&[("ref", "missing")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "A branch or tag with the name 'missing' could not be found"
    );
    let error = fixture.stage(&[("ref", &"0".repeat(40))]).unwrap_err();
    assert!(
        matches!(error, WorkspaceError::NoSuchCommit { .. }),
        "{error}"
    );
}

#[test]
fn tags_are_fetched_when_asked_for() {
    let fixture = awkward();
    let staged = fixture.stage(&[("fetch-tags", "true")]).unwrap();
    assert_eq!(in_tree(&staged, &["tag"]).unwrap(), "v1.0");
    assert_eq!(
        in_tree(&staged, &["rev-list", "--count", "HEAD"]).unwrap(),
        "1"
    );
}

#[test]
fn a_shallow_clone_is_a_source_like_any_other() {
    let origin = Fixture::with_history();
    let fixture = Fixture::unborn();
    let url = format!("file://{}", origin.root().display());
    fixture.git(&["fetch", "-q", "--depth=1", &url, "main"]);
    fixture.git(&["reset", "-q", "--hard", "FETCH_HEAD"]);
    fixture.write("new", "new\n");
    for depth in ["1", "5", "0"] {
        let staged = fixture.stage(&[("fetch-depth", depth)]).unwrap();
        let count = in_tree(&staged, &["rev-list", "--count", "HEAD"]).unwrap();
        assert_eq!(count, if depth == "1" { "1" } else { "2" }, "depth {depth}");
        in_tree(&staged, &["fsck", "--strict"]).unwrap();
    }
}

#[test]
fn a_partial_clone_gives_what_it_has_and_says_what_it_has_not() {
    let origin = Fixture::with_history();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", origin.root().display());
    let fixture = Fixture::clone_of(&["--filter=blob:none", &url]);
    let before = fingerprint(&fixture.root());
    assert!(fixture.stage(&[]).is_ok());
    let error = fixture.stage(&[("fetch-depth", "0")]).unwrap_err();
    assert!(
        matches!(error, WorkspaceError::PartialClone { .. }),
        "{error}"
    );
    assert_eq!(fingerprint(&fixture.root()), before, "nothing was fetched");
}

#[test]
fn times_ascend_in_index_order_and_end_now() {
    let fixture = awkward();
    let staged = fixture.stage(&[]).unwrap();
    let listed = in_tree(&staged, &["ls-files"]).unwrap();
    let time = |path: &str| {
        let metadata = staged.dir().join(path).symlink_metadata();
        metadata.unwrap().modified().unwrap()
    };
    let times: Vec<_> = listed.lines().map(time).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let newest = *times.last().unwrap();
    let newest_at = newest.duration_since(UNIX_EPOCH).unwrap();
    let age = clock::since_epoch().checked_sub(newest_at).unwrap();
    assert!(age < Duration::from_secs(10), "{age:?}");
    for directory in ["", "src", "notes"] {
        assert!(time(directory) >= newest, "{directory}");
    }
}

#[test]
fn the_index_fits_and_status_need_not_write_it() {
    let fixture = awkward();
    let staged = fixture.stage(&[]).unwrap();
    let index = staged.dir().join(".git/index");
    let before = std::fs::metadata(&index).unwrap();
    assert_eq!(in_tree(&staged, &["status", "--porcelain"]).unwrap(), "");
    let after = std::fs::metadata(&index).unwrap();
    assert_eq!(
        before.ino(),
        after.ino(),
        "git replaces the index it writes"
    );

    // And a change of the same length right away is seen.
    std::fs::write(staged.dir().join("configure"), "#!/bin/SH\n").unwrap();
    let status = in_tree(&staged, &["status", "--porcelain"]).unwrap();
    assert_eq!(status, " M configure");
}

#[test]
fn everything_belongs_to_the_job_with_git_s_own_modes() {
    let fixture = awkward();
    let staged = fixture.stage(&[]).unwrap();
    for path in fingerprint(staged.dir()).into_keys() {
        let metadata = path.symlink_metadata().unwrap();
        let owner = job_user();
        assert_eq!(
            (metadata.uid(), metadata.gid()),
            (owner.uid, owner.gid),
            "{path:?}"
        );
    }
    let mode = |path: &str| staged.dir().join(path).metadata().unwrap().mode() & 0o7777;
    assert_eq!(mode("README"), 0o644);
    assert_eq!(mode("configure"), 0o755);
    for directory in ["", "src", ".git", ".git/refs", ".git/hooks"] {
        assert_eq!(mode(directory), 0o755, "{directory}");
    }
    for file in [".git/config", ".git/HEAD", ".git/index", ".git/shallow"] {
        assert_eq!(mode(file), 0o644, "{file}");
    }
}

#[test]
fn a_strict_umask_changes_none_of_that() {
    let arguments = [
        "--exact",
        "stage::everything_belongs_to_the_job_with_git_s_own_modes",
    ];
    let output = Command::new("sh")
        .args(["-c", "umask 077 && exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
fn the_log_is_the_action_s() {
    let fixture = Fixture::with_history();
    fixture.git(&["remote", "add", "origin", "https://github.com/octo/hello"]);
    let staged = fixture.stage(&[]).unwrap();
    let sha = &staged.commit;
    let has = |kind: LogLine, text: String| staged.log.contains(&(kind, text));
    assert!(has(
        LogLine::Output,
        "Syncing repository: octo/hello".into()
    ));
    assert!(has(
        LogLine::Output,
        format!("Deleting the contents of '{WORKSPACE}'")
    ));
    assert!(has(
        LogLine::Command,
        format!(
            "/usr/bin/git -c protocol.version=2 fetch --no-tags --prune --no-recurse-submodules --depth=1 origin +{sha}:refs/remotes/origin/main"
        )
    ));
    assert!(has(
        LogLine::Command,
        "/usr/bin/git checkout --progress --force -B main refs/remotes/origin/main".into()
    ));
    assert_eq!(staged.log.last(), Some(&(LogLine::Output, sha.clone())));
}
