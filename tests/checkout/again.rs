//! Checkouts that are made of earlier ones, from the shelf: nobody must see the difference.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use lrun::ids::JobKey;
use lrun::store::{Holder, Store};

use super::fixture::{Fixture, JobPlace, git, job_user};

/// A repository, a store, and jobs that check it out one after another.
struct Jobs {
    fixture: Fixture,
    store: Store,
}

impl Jobs {
    fn of(fixture: Fixture) -> Self {
        let store = Store::open(&fixture.own("store")).unwrap();
        Self { fixture, store }
    }

    /// Has a job check the repository out.
    fn check_out(&self, with: &[(&str, &str)]) -> JobPlace {
        let run = self.store.next_run("octo/project", "ci.yml").unwrap();
        let job = JobPlace {
            holder: Holder {
                run: run.id,
                job: JobKey::new("build", 0),
            },
            place: run.work.join("project"),
        };
        self.fixture.check_out(&self.store, &job, with);
        job
    }

    fn end(&self, job: &JobPlace) {
        self.store.end_leases(&job.holder).unwrap();
    }

    /// Checks out again and compares with a checkout that was made from nothing.
    fn check_out_again(&self, with: &[(&str, &str)]) -> JobPlace {
        let job = self.check_out(with);
        let anew = self.fixture.stage(with).unwrap();
        assert_eq!(seen(&job.place), seen(anew.dir()));
        let status = git(&job.place, &["status", "--porcelain", "--ignored"]);
        assert_eq!(status.unwrap(), "");
        let fsck = ["fsck", "--strict", "--no-dangling", "--no-progress"];
        git(&job.place, &fsck).unwrap();
        job
    }
}

/// What there is in a checkout: modes, owners and contents of all but objects and the index,
/// whose stat data are each checkout's own; of reflogs without times; of the index what git lists.
fn seen(checkout: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(path) = left.pop() {
        let full = checkout.join(&path);
        let data = full.symlink_metadata().unwrap();
        let content = if path.starts_with(".git/objects") {
            continue;
        } else if data.is_dir() {
            let entries = full.read_dir().unwrap();
            left.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
            "a directory".to_owned()
        } else if data.is_symlink() {
            format!("{:?}", fs::read_link(&full).unwrap())
        } else if path == Path::new(".git/index") {
            git(checkout, &["ls-files", "--stage"]).unwrap()
        } else {
            let text = String::from_utf8_lossy(&fs::read(&full).unwrap()).into_owned();
            match path.starts_with(".git/logs") {
                true => without_time(&text),
                false => text,
            }
        };
        let line = format!("{:o} {}:{} {content}", data.mode(), data.uid(), data.gid());
        found.insert(path, line);
    }
    found
}

/// A line of a reflog without its seconds.
fn without_time(line: &str) -> String {
    let (before, after) = line.split_once("> ").unwrap();
    format!("{before}> {}", after.split_once(' ').unwrap().1)
}

fn inodes(checkout: &Path, names: &[&str]) -> Vec<u64> {
    let inode = |name: &&str| checkout.join(name).symlink_metadata().unwrap().ino();
    names.iter().map(inode).collect()
}

const FILES: [&str; 3] = ["README", "configure", "src/main.rs"];

#[test]
fn the_same_commit_again_is_the_same_files_with_new_times() {
    let jobs = Jobs::of(Fixture::with_history());
    let job = jobs.check_out(&[]);
    let first = inodes(&job.place, &FILES);
    jobs.end(&job);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let started = lrun::clock::since_epoch().as_secs() as i64;
    let again = jobs.check_out_again(&[]);
    assert_eq!(inodes(&again.place, &FILES), first);
    for name in FILES {
        let changed = again.place.join(name).metadata().unwrap().mtime();
        assert!(changed >= started - 1, "{name}: {changed} of {started}");
    }
}

#[test]
fn another_commit_changes_what_differs() {
    let jobs = Jobs::of(Fixture::with_history());
    let job = jobs.check_out(&[]);
    let first = inodes(&job.place, &FILES);
    let old = jobs.fixture.git(&["rev-parse", "HEAD"]);
    jobs.end(&job);
    jobs.fixture.write("README", "third\n");
    jobs.fixture.write("docs/deep/page", "new\n");
    jobs.fixture.git(&["rm", "-q", "src/main.rs"]);
    jobs.fixture.commit("Third");
    let again = jobs.check_out_again(&[]);
    let configure = inodes(&again.place, &FILES[1..2]);
    assert_eq!(
        configure,
        first[1..2],
        "what is the same was not written anew"
    );
    assert!(!again.place.join("src").exists());
    let old_commit = git(&again.place, &["cat-file", "-t", &old]);
    assert!(old_commit.is_err(), "the old commit does not resolve");
}

#[test]
fn uncommitted_changes_come_and_go() {
    let jobs = Jobs::of(Fixture::with_history());
    jobs.end(&jobs.check_out(&[]));
    jobs.fixture.write("README", "edited\n");
    jobs.fixture.write("untracked", "new\n");
    let edited = jobs.check_out_again(&[]);
    assert_eq!(
        fs::read_to_string(edited.place.join("README")).unwrap(),
        "edited\n"
    );
    jobs.end(&edited);
    jobs.fixture.git(&["checkout", "-q", "README"]);
    fs::remove_file(jobs.fixture.root().join("untracked")).unwrap();
    let clean = jobs.check_out_again(&[]);
    assert!(!clean.place.join("untracked").exists());
}

#[test]
fn what_a_job_did_to_the_checkout_is_gone() {
    let jobs = Jobs::of(Fixture::with_history());
    let job = jobs.check_out(&[]);
    let at = |name: &str| job.place.join(name);
    fs::write(at("README"), "SECOND\n").unwrap();
    fs::remove_file(at("configure")).unwrap();
    fs::remove_dir_all(at("src")).unwrap();
    symlink("/etc", at("src")).unwrap();
    fs::create_dir_all(at("target/debug")).unwrap();
    fs::write(at("target/debug/app"), "built").unwrap();
    fs::write(at(".git/hooks/post-checkout"), "#!/bin/sh\nexit 1\n").unwrap();
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(at(".git/hooks/post-checkout"), executable).unwrap();
    let marker = jobs.fixture.own("marker");
    let evil = format!("[core]\n\tfsmonitor = touch {}/ran\n", marker.display());
    fs::write(at(".git/config"), evil).unwrap();
    fs::write(at(".git/info/attributes"), "* eol=crlf\n").unwrap();
    jobs.end(&job);
    jobs.check_out_again(&[]);
    assert_eq!(
        marker.read_dir().unwrap().count(),
        0,
        "nothing of the job's ran"
    );
}

#[test]
fn packs_that_a_job_removed_are_made_anew() {
    let jobs = Jobs::of(Fixture::with_history());
    let job = jobs.check_out(&[]);
    fs::remove_dir_all(job.place.join(".git/objects")).unwrap();
    jobs.end(&job);
    let again = jobs.check_out_again(&[]);
    assert!(git(&again.place, &["show", "HEAD:README"]).is_ok());
}

#[test]
fn history_and_depth_one_take_turns() {
    let jobs = Jobs::of(Fixture::with_history());
    let parent = jobs.fixture.git(&["rev-parse", "HEAD~1"]);
    let all: &[(&str, &str)] = &[("fetch-depth", "0")];
    for with in [all, &[], all, all, &[]] {
        let job = jobs.check_out_again(with);
        let has_parent = git(&job.place, &["cat-file", "-t", &parent]).is_ok();
        assert_eq!(has_parent, !with.is_empty());
        jobs.end(&job);
    }
}

#[test]
fn other_attributes_write_every_file_anew() {
    let fixture = Fixture::with_history();
    fixture.write(".gitattributes", "* text\n");
    fixture.commit("Attributes");
    let jobs = Jobs::of(fixture);
    jobs.end(&jobs.check_out(&[]));
    jobs.fixture.write(".gitattributes", "* text eol=crlf\n");
    jobs.fixture.commit("Line ends");
    let job = jobs.check_out_again(&[]);
    assert_eq!(fs::read(job.place.join("README")).unwrap(), b"second\r\n");
}

#[test]
fn a_file_becomes_a_directory_and_the_reverse() {
    let jobs = Jobs::of(Fixture::with_history());
    jobs.end(&jobs.check_out(&[]));
    fs::remove_file(jobs.fixture.root().join("configure")).unwrap();
    jobs.fixture.write("configure/inner", "x\n");
    fs::remove_dir_all(jobs.fixture.root().join("src")).unwrap();
    jobs.fixture.write("src", "a file\n");
    jobs.fixture.commit("Swap");
    jobs.end(&jobs.check_out_again(&[]));
    jobs.fixture.git(&["revert", "--no-edit", "HEAD"]);
    jobs.check_out_again(&[]);
}

#[test]
fn many_commits_later_there_are_few_packs() {
    let jobs = Jobs::of(Fixture::with_history());
    for number in 0..15 {
        jobs.fixture.write("README", format!("{number}\n"));
        jobs.fixture.commit("More");
        let job = jobs.check_out(&[]);
        let packs = job
            .place
            .join(".git/objects/pack")
            .read_dir()
            .unwrap()
            .count();
        assert!(packs <= 22, "{packs}");
        jobs.end(&job);
    }
    let job = jobs.check_out_again(&[]);
    let owner = job_user().uid;
    assert_eq!(
        job.place.join(".git/index").metadata().unwrap().uid(),
        owner
    );
}
