//! The store, as several processes use it.

use std::fs::{self, File, FileTimes, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

#[path = "support/ordinary_user.rs"]
mod ordinary_user;

use lrun::digest::Digest;
use lrun::ids::{JobKey, RunId};
use lrun::lookup::{
    CacheRequest, Change, Compression, FileChange, HashedFile, KeyOrigin, KeyPart, Lookup,
    MatchedBy, MissReason, NotSaved, Scope, version,
};
use lrun::store::{
    CacheIdentity, CacheQuery, ColdJob, ColdStep, NewArtifact, NewEntry, Reserve, Saver,
    StepAddress, Store, StoreError, StoredTree, View,
};
use lrun::tree::{Kind, Member, TreeItem};
use ordinary_user::as_ordinary_user;
use tempfile::TempDir;

const REPOSITORY: &str = "octo/demo";

fn open() -> (TempDir, Store) {
    let root = TempDir::new().expect("a directory");
    let store = Store::open(&root.path().join("store")).expect("a store");
    (root, store)
}

fn file(path: &str, content: &[u8]) -> [TreeItem; 2] {
    let member = Member {
        path: path.into(),
        kind: Kind::File {
            size: content.len() as u64,
            content: (),
        },
        mode: 0o644,
        mtime_ns: 1_000_000_007,
    };
    [
        TreeItem::Member(member),
        TreeItem::Content(content.to_vec()),
    ]
}

fn store_tree(store: &Store, items: impl IntoIterator<Item = TreeItem>) -> StoredTree {
    let mut writer = store.write_tree();
    for item in items {
        writer.take(item).expect("an item");
    }
    writer.finish().expect("a tree")
}

fn step() -> StepAddress {
    StepAddress {
        workflow: ".github/workflows/ci.yml".to_owned(),
        job: "build".to_owned(),
        step: "cache".to_owned(),
    }
}

/// A save, by default of `data` by leg 0 of job `build` of run 1 on main.
#[derive(Clone)]
struct Save {
    key: String,
    scope: &'static str,
    paths: Vec<String>,
    run: u64,
    job: JobKey,
    origin: KeyOrigin,
    step: StepAddress,
}

impl Save {
    fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            scope: "main",
            paths: vec!["data".to_owned()],
            run: 1,
            job: JobKey::new("build", 0),
            origin: KeyOrigin::default(),
            step: step(),
        }
    }

    fn reserve(&self, store: &Store) -> Reserve {
        let identity = CacheIdentity {
            repository: REPOSITORY.to_owned(),
            scope: Scope(self.scope.to_owned()),
            key: self.key.clone(),
            version: version(&self.paths, Compression::Zstd),
        };
        let saver = Saver {
            run: RunId(self.run),
            job: self.job.clone(),
        };
        store.reserve(&identity, &saver).expect("an answer")
    }

    fn to(&self, store: &Store) -> i64 {
        let Reserve::Granted(reservation) = self.reserve(store) else {
            panic!("{} is reserved", self.key);
        };
        let entry = NewEntry {
            tree: store_tree(store, file("data", self.key.as_bytes())),
            paths: self.paths.clone(),
            origin: self.origin.clone(),
            step: self.step.clone(),
            dirty: false,
            commit: "c0ffee".to_owned(),
        };
        reservation.commit(&entry).expect("a commit").id
    }
}

/// What run 9 may see: all there is now, nothing of its own.
fn view(store: &Store, scopes: &[&str]) -> View {
    View {
        repository: REPOSITORY.to_owned(),
        scopes: scopes.iter().map(|&s| Scope(s.to_owned())).collect(),
        position: store.position().expect("a position"),
        run: RunId(9),
        job: JobKey::new("looks", 0),
        needs: Vec::new(),
    }
}

fn request(key: &str, restore_keys: &[&str]) -> CacheRequest {
    let paths = vec!["data".to_owned()];
    CacheRequest {
        key: key.to_owned(),
        restore_keys: restore_keys.iter().map(|&k| k.to_owned()).collect(),
        version: version(&paths, Compression::Zstd),
        paths,
    }
}

fn ask(store: &Store, view: &View, request: &CacheRequest, origin: &KeyOrigin) -> Lookup {
    let step = step();
    let query = CacheQuery {
        request,
        origin,
        step: &step,
    };
    store.lookup(view, &query).expect("an answer").lookup
}

fn lookup(store: &Store, view: &View, key: &str, restore_keys: &[&str]) -> Lookup {
    ask(
        store,
        view,
        &request(key, restore_keys),
        &KeyOrigin::default(),
    )
}

/// The stored key and how it was found.
fn found(lookup: &Lookup) -> (&str, Option<MatchedBy>) {
    match lookup {
        Lookup::Hit { entry } => (&entry.key, None),
        Lookup::Partial { entry, by, .. } => (&entry.key, Some(*by)),
        Lookup::Miss { .. } => ("", None),
    }
}

fn reasons(lookup: Lookup) -> Vec<MissReason> {
    match lookup {
        Lookup::Hit { entry } => panic!("a hit: {entry:?}"),
        Lookup::Partial { reasons, .. } | Lookup::Miss { reasons } => reasons,
    }
}

#[test]
fn what_was_stored_comes_back_and_equal_contents_are_kept_once() {
    let (_root, store) = open();
    let big = vec![7; 3_000_000];
    let items = [file("a", b"alpha"), file("big", &big), file("empty", b"")].concat();
    let first = store_tree(&store, items.clone());
    assert_eq!((first.files, first.size), (3, 3_000_005));
    assert_eq!(first.new_bytes, 3_000_005);
    let again = store_tree(
        &store,
        [items.clone(), file("b", b"beta").to_vec()].concat(),
    );
    assert_eq!(again.new_bytes, 4);

    let tree = store.read_tree(first.digest).expect("a tree");
    let mut members = Vec::new();
    let mut contents: Vec<Vec<u8>> = Vec::new();
    for item in store.items(tree) {
        match item.expect("an item") {
            TreeItem::Member(member) => {
                members.push(TreeItem::Member(member));
                contents.push(Vec::new());
            }
            TreeItem::Content(bytes) => contents.last_mut().expect("a member").extend(bytes),
            TreeItem::Stat { .. } => panic!("nobody needs stat data to lay a tree out"),
        }
    }
    let expected: Vec<_> = items
        .into_iter()
        .filter(|item| matches!(item, TreeItem::Member(_)))
        .collect();
    assert_eq!(members, expected);
    assert_eq!(contents, [b"alpha".to_vec(), big, Vec::new()]);
}

#[test]
fn content_of_another_length_than_announced_is_refused() {
    let (_root, store) = open();
    let [member, content] = file("a", b"alpha");
    let mut writer = store.write_tree();
    writer.take(member.clone()).expect("a member");
    assert!(matches!(writer.finish(), Err(StoreError::Torn { path }) if path == "a"));
    let mut writer = store.write_tree();
    writer.take(member).expect("a member");
    writer.take(content.clone()).expect("its content");
    assert!(matches!(writer.take(content), Err(StoreError::Torn { .. })));
}

#[test]
fn the_primary_key_is_a_prefix_too_and_the_newest_entry_wins() {
    let (_root, store) = open();
    for key in ["k-1", "k-2", "other"] {
        Save::new(key).to(&store);
    }
    let view = view(&store, &["main"]);
    let get = |key, restore: &[&str]| lookup(&store, &view, key, restore);
    assert_eq!(found(&get("k-", &[])), ("k-2", Some(MatchedBy::PrimaryKey)));
    assert_eq!(found(&get("k-1", &["k-"])), ("k-1", None));
    assert_eq!(
        found(&get("k-3", &["none", "k-"])),
        ("k-2", Some(MatchedBy::RestoreKey(1)))
    );
    assert_eq!(found(&get("K-1", &[])), ("k-1", None));
    assert_eq!(found(&get("k-9", &[])), ("", None));
    // `_` and `%` are letters like any others.
    assert_eq!(found(&get("k_", &["%"])), ("", None));
}

#[test]
fn every_key_is_tried_in_one_scope_before_the_next() {
    let (_root, store) = open();
    Save {
        scope: "feature",
        ..Save::new("K-old")
    }
    .to(&store);
    Save::new("K").to(&store);
    Save {
        scope: "sibling",
        ..Save::new("K-sibling")
    }
    .to(&store);
    let view = view(&store, &["feature", "main"]);
    assert_eq!(found(&lookup(&store, &view, "K", &[])).0, "K-old");
    assert_eq!(found(&lookup(&store, &view, "K-s", &[])).0, "");
}

#[test]
fn a_lookup_sees_what_was_there_at_the_start_and_what_its_needs_saved() {
    let (_root, store) = open();
    let mut view = view(&store, &["main"]);
    let leg = |leg| Save {
        run: 9,
        job: JobKey::new("build", leg),
        ..Save::new("k")
    };
    leg(2).to(&store);
    assert_eq!(
        reasons(lookup(&store, &view, "k", &[])),
        [MissReason::Concurrent {
            job: JobKey::new("build", 2)
        }]
    );
    let Reserve::Conflict { by } = leg(1).reserve(&store) else {
        panic!("it exists");
    };
    assert_eq!(by, Some(JobKey::new("build", 2)));
    let Reserve::Conflict { by } = (Save {
        run: 8,
        ..Save::new("K")
    })
    .reserve(&store) else {
        panic!("it exists, in another spelling");
    };
    assert_eq!(by, None);
    view.needs = vec!["build".to_owned()];
    assert_eq!(found(&lookup(&store, &view, "k", &[])), ("k", None));
}

fn hashed_key(value: &str, files: &[(&str, &str)]) -> KeyOrigin {
    let files = files.iter().map(|(path, content)| HashedFile {
        path: (*path).to_owned(),
        digest: Digest::of(content),
    });
    let part = |expression: Option<&str>, value: &str| KeyPart {
        made: Vec::new(),
        expression: expression.map(str::to_owned),
        value: value.to_owned(),
        bearing: None,
        hosted: None,
        files: Vec::new(),
    };
    let hash = KeyPart {
        made: Vec::new(),
        files: files.collect(),
        ..part(Some("hashFiles('*.lock')"), value)
    };
    KeyOrigin {
        parts: vec![part(None, "k-"), part(Some("runner.os"), "Linux"), hash],
    }
}

#[test]
fn a_miss_names_the_part_of_the_key_and_the_file_that_moved() {
    let (_root, store) = open();
    let origin = hashed_key("aa", &[("Cargo.lock", "1"), ("gone.lock", "1")]);
    Save {
        origin,
        run: 3,
        ..Save::new("k-Linuxaa")
    }
    .to(&store);
    let view = view(&store, &["main"]);
    let origin = hashed_key("bb", &[("Cargo.lock", "2")]);
    let moved = |path: &str, change| FileChange {
        path: path.to_owned(),
        change,
        before: Some(Digest::of("1")),
        after: (change == Change::Changed).then(|| Digest::of("2")),
        lines: Vec::new(),
        more: 0,
    };
    let expected = [MissReason::KeyPartChanged {
        expression: "hashFiles('*.lock')".to_owned(),
        was: "aa".to_owned(),
        is: "bb".to_owned(),
        run: RunId(3),
        bearing: None,
        hosted: None,
        files: vec![
            moved("Cargo.lock", Change::Changed),
            moved("gone.lock", Change::Removed),
        ],
    }];
    let miss = ask(&store, &view, &request("k-Linuxbb", &[]), &origin);
    assert!(matches!(miss, Lookup::Miss { .. }));
    assert_eq!(reasons(miss), expected);
    let partial = ask(&store, &view, &request("k-Linuxbb", &["k-"]), &origin);
    assert!(matches!(partial, Lookup::Partial { .. }));
    assert_eq!(reasons(partial), expected);
}

#[test]
fn a_miss_tells_other_versions_and_scopes_from_what_was_never_saved() {
    let (_root, store) = open();
    let paths = vec!["data".to_owned(), "more".to_owned()];
    Save {
        paths: paths.clone(),
        run: 4,
        ..Save::new("paths")
    }
    .to(&store);
    Save {
        scope: "feature",
        ..Save::new("scope")
    }
    .to(&store);
    let view = view(&store, &["main"]);
    let why = |key| reasons(lookup(&store, &view, key, &[]));
    assert_eq!(
        why("paths"),
        [MissReason::OtherVersion {
            run: RunId(4),
            paths
        }]
    );
    let scope = Scope("feature".to_owned());
    let run = Some(RunId(1));
    assert_eq!(why("scope"), [MissReason::OtherScope { scope, run }]);
    let (_root, empty) = open();
    let nothing = lookup(&empty, &view, "paths", &[]);
    let attempt = None;
    assert_eq!(reasons(nothing), [MissReason::NeverSaved { attempt }]);
}

#[test]
fn a_step_that_never_saved_tells_the_last_time_it_could_have() {
    let (_root, store) = open();
    let saver = |run, leg| Saver {
        run: RunId(run),
        job: JobKey::new("build", leg),
    };
    let note = |run, leg, why: NotSaved| {
        let noted = store.note_unsaved(REPOSITORY, &step(), &saver(run, leg), ("k", &why));
        noted.expect("a note");
    };
    let unreadable = |problem: &str| NotSaved::Unreadable {
        problems: vec![problem.to_owned()],
    };
    note(3, 0, unreadable("replaced by the next"));
    note(4, 0, unreadable("its own"));
    note(5, 1, NotSaved::NothingMatched);
    let attempt_of = |leg| {
        let mut view = view(&store, &["main"]);
        view.job = JobKey::new("build", leg);
        let why = reasons(lookup(&store, &view, "k", &[]));
        match &why[..] {
            [
                MissReason::NeverSaved {
                    attempt: Some(attempt),
                },
            ] => attempt.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(attempt_of(0).run, RunId(4));
    assert_eq!(attempt_of(0).why, unreadable("its own"));
    assert_eq!(attempt_of(1).run, RunId(5));
    assert_eq!(
        attempt_of(2).run,
        RunId(5),
        "that of another leg, for want of its own"
    );
}

#[test]
fn what_an_older_lrun_saved_is_read_and_compared() {
    let (_root, store) = open();
    let old = r#"{"parts":[{"expression":null,"value":"k-"},{"expression":"h","value":"1"}]}"#;
    Save::new("k-1").to(&store);
    let index = rusqlite::Connection::open(store.root().join("index.db")).expect("the index");
    let changed = index.execute("UPDATE entries SET origin = ?1, commit_id = NULL", [old]);
    assert_eq!(changed.expect("an update"), 1);
    let origin = serde_json::from_str::<KeyOrigin>(&old.replace(r#""1""#, r#""2""#));
    let origin = origin.expect("an origin");
    let view = view(&store, &["main"]);
    let why = reasons(ask(&store, &view, &request("k-2", &[]), &origin));
    assert!(
        matches!(&why[..], [MissReason::KeyPartChanged { was, is, .. }] if was == "1" && is == "2"),
        "{why:?}"
    );
}

fn blob_path(store: &Store, content: &[u8]) -> PathBuf {
    let name = Digest::of(content).to_string();
    store.root().join("blobs").join(&name[..2]).join(&name[2..])
}

#[test]
fn damage_is_a_named_miss_and_never_a_wrong_file() {
    let (_root, store) = open();
    Save::new("k").to(&store);
    let view = view(&store, &["main"]);
    let blob = blob_path(&store, b"k");
    fs::write(&blob, b"x").expect("damage");
    let step = step();
    let query = CacheQuery {
        request: &request("k", &[]),
        origin: &KeyOrigin::default(),
        step: &step,
    };
    let answer = store.lookup(&view, &query).expect("an answer");
    let tree = store
        .read_tree(answer.tree.expect("a tree"))
        .expect("a tree");
    let items: Vec<_> = store.items(tree).collect();
    assert!(
        matches!(items[..], [Err(StoreError::Damaged { .. })]),
        "{items:?}"
    );
    assert!(!blob.exists(), "the damaged blob is gone");

    for _ in 0..2 {
        // The second time it is not found damaged, but known to be.
        let why = reasons(lookup(&store, &view, "k", &[]));
        let [MissReason::Damaged { problem, run }] = &why[..] else {
            panic!("{why:?}");
        };
        assert!(problem.contains("missing"), "{problem}");
        assert_eq!(*run, Some(RunId(1)));
    }
    Save::new("k").to(&store);
    assert!(matches!(
        lookup(&store, &self::view(&store, &["main"]), "k", &[]),
        Lookup::Hit { .. }
    ));
}

#[test]
fn of_four_reservations_at_once_one_is_granted() {
    let (_root, store) = open();
    let answers: Vec<Reserve> = thread::scope(|scope| {
        let ask = |leg| {
            let store = Store::open(store.root()).expect("a store");
            let job = JobKey::new("build", leg);
            Save {
                job,
                ..Save::new("k")
            }
            .reserve(&store)
        };
        let threads: Vec<_> = (0..4).map(|leg| scope.spawn(move || ask(leg))).collect();
        threads
            .into_iter()
            .map(|t| t.join().expect("an answer"))
            .collect()
    });
    let granted = answers.iter().filter(|a| matches!(a, Reserve::Granted(_)));
    assert_eq!(granted.count(), 1);
    drop(answers);
    assert!(matches!(
        Save::new("k").reserve(&store),
        Reserve::Granted(_)
    ));
}

#[test]
fn runs_are_numbered_per_workflow() {
    let (_root, store) = open();
    let begin = |(repository, workflow)| store.next_run(repository, workflow).expect("a run");
    let runs = [("a/a", "ci"), ("b/b", "ci"), ("a/a", "ci"), ("a/a", "lint")].map(begin);
    assert_eq!(runs.each_ref().map(|run| run.number), [1, 1, 2, 1]);
    assert!(runs[0].id < runs[1].id && runs[1].id < runs[2].id);
    assert!(runs[2].directory.is_dir());
}

#[test]
fn of_cold_jobs_of_one_likeness_the_latest_are_kept() {
    let (_root, store) = open();
    let job = |run| ColdJob {
        run: RunId(run),
        lookups: vec![Digest::of("asked")],
        steps: vec![ColdStep {
            index: 2,
            lookups: 1,
            work: Digest::of("script"),
            wall_us: 38_200_000,
        }],
        wall_us: 39_000_000,
    };
    let (one, other) = (Digest::of("one"), Digest::of("other"));
    store.remember_cold(other, &job(1)).expect("it is kept");
    for run in 2..=13 {
        store.remember_cold(one, &job(run)).expect("it is kept");
    }
    let kept = store.cold_jobs(one).expect("they are read");
    assert_eq!(kept, (4..=13).rev().map(job).collect::<Vec<_>>());
    assert_eq!(store.cold_jobs(other).expect("they are read"), [job(1)]);
}

#[test]
fn an_artifact_s_name_is_free_once_per_run() {
    let (_root, store) = open();
    let save = |run, content: &mut &[u8]| {
        let saver = Saver {
            run: RunId(run),
            job: JobKey::new("build", 0),
        };
        let logs = NewArtifact {
            name: "logs".to_owned(),
            zip: true,
        };
        store.save_artifact(&saver, &logs, content)
    };
    let saved = save(1, &mut &b"zip"[..]).expect("an artifact");
    assert_eq!((saved.digest, saved.size), (Digest::of("zip"), 3));
    let conflict = save(1, &mut &b"other"[..]).expect_err("a conflict");
    assert_eq!(
        conflict.to_string(),
        "an artifact named 'logs' already exists on the workflow run"
    );
    assert!(save(2, &mut &b"zip"[..]).is_ok());
    assert_eq!(store.artifacts(RunId(1)).expect("a list"), [saved]);
    assert!(store.delete_artifact(RunId(1), "logs").expect("an answer"));
    assert!(save(1, &mut &b"other"[..]).is_ok());
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    let (root, store) = open();
    let file = root.path().join("file");
    fs::write(&file, "").expect("a file");
    let refused = |path: &Path| Store::open(path).expect_err("no store");
    assert!(matches!(refused(&file), StoreError::NotADirectory { .. }));
    assert!(matches!(
        refused(&file.join("below")),
        StoreError::NotADirectory { .. }
    ));
    let index = rusqlite::Connection::open(store.root().join("index.db")).expect("the index");
    index
        .pragma_update(None, "user_version", 99)
        .expect("a later format");
    let newer = refused(store.root());
    assert!(
        matches!(newer, StoreError::Newer { found: 99, .. }),
        "{newer}"
    );
}

#[test]
fn a_store_without_permission_says_so_and_what_to_do() {
    as_ordinary_user("a_store_without_permission_says_so_and_what_to_do", || {
        let (root, store) = open();
        let mode = |mode| fs::set_permissions(root.path(), Permissions::from_mode(mode));
        mode(0o500).expect("a mode");
        let error = Store::open(&root.path().join("other")).expect_err("no store");
        assert!(
            error
                .to_string()
                .ends_with("set LRUN_STORE to a directory you own"),
            "{error}"
        );
        mode(0o700).expect("a mode");
        let blobs = store.root().join("tmp");
        fs::set_permissions(blobs, Permissions::from_mode(0o500)).expect("a mode");
        let mut writer = store.write_tree();
        let items = [file("a", b"alpha"), file("b", b"beta")].concat();
        let error = items.into_iter().find_map(|item| writer.take(item).err());
        assert!(
            matches!(error, Some(StoreError::NoPermission { .. })),
            "{error:?}"
        );
    });
}

#[test]
fn opening_removes_what_the_dead_left_behind_a_day_ago() {
    let (_root, store) = open();
    let yesterday = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let left = |path: &str, old: bool| {
        let path = store.root().join(path);
        let file = File::create(&path).expect("a file");
        if old {
            let times = FileTimes::new().set_modified(yesterday);
            file.set_times(times).expect("a time");
        }
        (path, file)
    };
    let (fresh, _) = left("tmp/fresh", false);
    let (stale, _) = left("tmp/stale", true);
    let (free, _) = left("locks/free", true);
    let (held, lock) = left("locks/held", true);
    lock.lock().expect("a lock");
    Store::open(store.root()).expect("a store");
    assert_eq!(
        [fresh, stale, free, held].map(|path| path.exists()),
        [true, false, false, true]
    );
}

/// This program again, with one of the tests below, on a store.
fn child(test: &str, store: &Store) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args([test, "--exact", "--ignored", "--nocapture"])
        .current_dir(store.root())
        .stdout(Stdio::piped());
    command
}

fn store_of_the_parent() -> Store {
    Store::open(&std::env::current_dir().expect("a directory")).expect("a store")
}

#[test]
fn several_processes_save_into_one_store() {
    let (_root, store) = open();
    let spawn = |_| child("child_saves_many", &store).spawn().expect("a child");
    let children: Vec<_> = (0..4).map(spawn).collect();
    for child in children {
        assert!(child.wait_with_output().expect("an end").status.success());
    }
    assert_eq!(store.position().expect("a position"), 4 * 25);
    let view = view(&store, &["main"]);
    assert!(
        found(&lookup(&store, &view, "many-", &[]))
            .0
            .starts_with("many-")
    );
}

#[test]
#[ignore = "the part of a child process of several_processes_save_into_one_store"]
fn child_saves_many() {
    let store = store_of_the_parent();
    let process = std::process::id();
    for number in 0..25 {
        Save::new(&format!("many-{process}-{number}")).to(&store);
    }
}

#[test]
fn a_process_killed_while_it_saves_leaves_nothing_that_is_visible() {
    let (_root, store) = open();
    let mut saving = child("child_saves_forever", &store)
        .spawn()
        .expect("a child");
    let output = BufReader::new(saving.stdout.take().expect("its output"));
    let reserved = output
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("reserved"));
    assert!(reserved);
    assert!(matches!(
        Save::new("k").reserve(&store),
        Reserve::Conflict { .. }
    ));
    saving.kill().expect("a kill");
    saving.wait().expect("an end");
    let view = view(&store, &["main"]);
    assert_eq!(
        reasons(lookup(&store, &view, "k", &[])),
        [MissReason::NeverSaved { attempt: None }]
    );
    Save::new("k").to(&store);
    assert_eq!(
        found(&lookup(&store, &self::view(&store, &["main"]), "k", &[])).0,
        "k"
    );
}

#[test]
#[ignore = "the part of a child process of a_process_killed_while_it_saves…"]
fn child_saves_forever() {
    let store = store_of_the_parent();
    let Reserve::Granted(_reservation) = Save::new("k").reserve(&store) else {
        panic!("nobody else saves");
    };
    println!("reserved");
    for number in 0_u64.. {
        let _ = store_tree(&store, file("data", &number.to_le_bytes()));
    }
}
