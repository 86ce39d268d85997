//! The shelf: trees laid out once are what they were each time they are handed out.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, UNIX_EPOCH};

use lrun::digest::Digest;
use lrun::ids::JobKey;
use lrun::store::{Holder, NewRun, NewSlot, Owner, Store, tree_key};
use lrun::tree::{Kind, Member, TreeItem};
use rustix::buffer::spare_capacity;
use rustix::fs::XattrFlags;
use tempfile::TempDir;

/// A store with a run in it, and a tree that has one of each kind.
struct Bench {
    _root: TempDir,
    store: Store,
    run: NewRun,
    tree: Digest,
}

fn member(path: &str, kind: Kind<()>, mode: u32) -> TreeItem {
    TreeItem::Member(Member {
        path: path.into(),
        kind,
        mode,
        mtime_ns: 1_700_000_000_123_456_789,
    })
}

fn file(path: &str, content: &str, mode: u32) -> [TreeItem; 2] {
    let size = content.len() as u64;
    let kind = Kind::File { size, content: () };
    [
        member(path, kind, mode),
        TreeItem::Content(content.as_bytes().to_vec()),
    ]
}

fn items() -> Vec<TreeItem> {
    let directory = |path| member(path, Kind::Directory, 0o755);
    let mut items = vec![directory("../data"), directory("../data/sub")];
    items.extend(file("../data/sub/a", "alpha", 0o644));
    items.extend(file("../data/sub/b", "beta", 0o755));
    let target = "../data/sub/a".into();
    items.push(member("../data/sub/c", Kind::Hardlink { target }, 0o644));
    let target = "sub/b".into();
    items.push(member("../data/link", Kind::Symlink { target }, 0o777));
    items.push(member("../data/closed", Kind::Directory, 0o555));
    items.extend(file("../data/closed/d", "delta", 0o444));
    items
}

fn owner() -> Owner {
    match nix::unistd::geteuid().is_root() {
        true => Owner {
            uid: 1001,
            gid: 1001,
        },
        false => Owner {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        },
    }
}

impl Bench {
    fn new() -> Self {
        let root = TempDir::new().expect("a directory");
        let store = Store::open(&root.path().join("store")).expect("a store");
        let mut writer = store.write_tree();
        for item in items() {
            writer.take(item).expect("an item");
        }
        let tree = writer.finish().expect("a tree").digest;
        let run = store.next_run("octo/demo", "ci.yml").expect("a run");
        Self {
            _root: root,
            store,
            run,
            tree,
        }
    }

    fn key(&self) -> String {
        tree_key(self.tree, 0)
    }

    fn holder(&self, leg: u32) -> Holder {
        Holder {
            run: self.run.id,
            job: JobKey::new("build", leg),
        }
    }

    fn place(&self, leg: u32) -> PathBuf {
        let job = self.run.work.join(format!("jobs/{leg}"));
        fs::create_dir_all(&job).expect("a directory");
        job.join("data")
    }

    /// Lays the tree out for a leg, which then has it.
    fn lay_out(&self, leg: u32) -> PathBuf {
        let members = self.store.read_tree(self.tree).expect("the tree").entries;
        let place = self.place(leg);
        let manifest = self
            .store
            .lay_out(&members, &place, owner(), &AtomicU64::new(0))
            .expect("it is laid out");
        let key = self.key();
        let new = NewSlot {
            key: &key,
            note: "a note",
            attached: &[],
            manifest: &manifest,
            owner: owner(),
            place: &place,
        };
        self.store
            .shelve(&self.holder(leg), &new)
            .expect("it is noted");
        place
    }

    /// What a leg gets from the shelf, if anything.
    fn lease(&self, leg: u32) -> Option<PathBuf> {
        let place = self.place(leg);
        let leased = self
            .store
            .lease(&self.key(), &self.holder(leg), &place)
            .expect("an answer")?;
        assert_eq!(leased.note, "a note");
        fs::rename(&leased.directory, &place).expect("it is moved");
        Some(place)
    }

    fn end(&self, leg: u32) {
        self.store
            .end_leases(&self.holder(leg))
            .expect("the job has ended");
    }

    fn shelf(&self) -> PathBuf {
        self.store.root().join("shelf")
    }

    /// The one tree that is on the shelf.
    fn shelved(&self) -> PathBuf {
        let slots = fs::read_dir(self.shelf()).expect("the shelf");
        let trees: Vec<_> = slots
            .map(|slot| slot.expect("a slot").path().join("tree"))
            .filter(|tree| tree.exists())
            .collect();
        let [tree] = &trees[..] else {
            panic!("{trees:?}");
        };
        tree.clone()
    }
}

/// `+` where there is a list of access, as `ls` has it.
fn has_list(path: &Path) -> &'static str {
    let mut names = Vec::with_capacity(1000);
    rustix::fs::llistxattr(path, spare_capacity(&mut names)).expect("names");
    match String::from_utf8_lossy(&names).contains("posix_acl") {
        true => "+",
        false => "",
    }
}

/// Everything in a directory: kind, mode, owner, time and content.
fn listing(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(path) = left.pop() {
        let full = directory.join(&path);
        let data = full.symlink_metadata().expect("metadata");
        let content = if data.is_dir() {
            let entries = fs::read_dir(&full).expect("a directory");
            left.extend(entries.map(|entry| path.join(entry.expect("an entry").file_name())));
            "directory".to_owned()
        } else if data.is_symlink() {
            format!("to {}", fs::read_link(&full).expect("a link").display())
        } else {
            let text = fs::read_to_string(&full).expect("a file");
            format!("{text}, {} names", data.nlink())
        };
        let line = format!(
            "{:o}{} {} {}.{} {content}",
            data.mode(),
            has_list(&full),
            data.uid(),
            data.mtime(),
            data.mtime_nsec()
        );
        found.insert(path, line);
    }
    found
}

#[test]
fn a_tree_is_laid_out_as_tar_would_leave_it() {
    let bench = Bench::new();
    let found = listing(&bench.lay_out(0));
    let uid = owner().uid;
    let line = |mode: &str, content: &str| format!("{mode} {uid} 1700000000.123456789 {content}");
    let expected = [
        ("", line("40755", "directory")),
        ("closed", line("40555", "directory")),
        ("closed/d", line("100444", "delta, 1 names")),
        ("link", line("120777", "to sub/b")),
        ("sub", line("40755", "directory")),
        ("sub/a", line("100644", "alpha, 2 names")),
        ("sub/b", line("100755", "beta, 1 names")),
        ("sub/c", line("100644", "alpha, 2 names")),
    ];
    let expected = expected.map(|(path, line)| (PathBuf::from(path), line));
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn an_untouched_tree_comes_back_as_the_same_directory() {
    let bench = Bench::new();
    let place = bench.lay_out(0);
    let inode = |path: &Path| path.metadata().expect("it is there").ino();
    let (root, file) = (inode(&place), inode(&place.join("sub/a")));
    let before = listing(&place);
    bench.end(0);
    let again = bench.lease(1).expect("it is on the shelf");
    assert_eq!(listing(&again), before);
    assert_eq!((inode(&again), inode(&again.join("sub/a"))), (root, file));
}

#[test]
fn one_job_at_a_time_has_a_tree() {
    let bench = Bench::new();
    bench.lay_out(0);
    assert_eq!(bench.lease(1), None, "leg 0 has it");
    bench.end(0);
    assert!(bench.lease(1).is_some());
    assert_eq!(bench.lease(2), None, "leg 1 has it");
}

/// Something done to a tree, and how it is called.
type Deed = (&'static str, fn(&Path));

/// All that a job may do to a tree it was leased.
fn mischief() -> Vec<Deed> {
    fn open_up(tree: &Path) {
        fs::set_permissions(tree.join("closed"), Permissions::from_mode(0o755)).expect("a mode");
    }
    fn rewrite(path: &Path, text: &str) {
        let modified = path
            .metadata()
            .expect("metadata")
            .modified()
            .expect("a time");
        fs::write(path, text).expect("a file");
        let file = File::options().write(true).open(path).expect("a file");
        file.set_times(FileTimes::new().set_modified(modified))
            .expect("a time");
    }
    vec![
        ("writes in place, and sets the time back", |tree| {
            rewrite(&tree.join("sub/a"), "ALPHA");
        }),
        ("replaces a file", |tree| {
            fs::write(tree.join("new"), "beta").expect("a file");
            fs::rename(tree.join("new"), tree.join("sub/b")).expect("a rename");
        }),
        ("deletes a file", |tree| {
            fs::remove_file(tree.join("sub/c")).expect("a removal");
        }),
        ("deletes everything", |tree| {
            open_up(tree);
            fs::remove_dir_all(tree.join("sub")).expect("a removal");
            fs::remove_dir_all(tree.join("closed")).expect("a removal");
        }),
        ("makes files and directories", |tree| {
            fs::create_dir_all(tree.join("sub/more/and/more")).expect("a directory");
            fs::write(tree.join("sub/more/x"), "x").expect("a file");
            fs::write(tree.join("y"), "y").expect("a file");
        }),
        ("changes modes", |tree| {
            fs::set_permissions(tree.join("sub/a"), Permissions::from_mode(0o600)).expect("a mode");
            fs::set_permissions(tree.join("sub"), Permissions::from_mode(0o000)).expect("a mode");
        }),
        ("links a file to elsewhere", |tree| {
            let elsewhere = tree.parent().expect("a parent").join("elsewhere");
            fs::hard_link(tree.join("sub/b"), &elsewhere).expect("a link");
            fs::write(elsewhere, "through the other name").expect("a file");
        }),
        ("puts a link where a directory was", |tree| {
            fs::rename(tree.join("sub"), tree.join("elsewhere")).expect("a rename");
            symlink("/etc", tree.join("sub")).expect("a link");
        }),
        ("puts a file where a directory was", |tree| {
            fs::remove_dir_all(tree.join("sub")).expect("a removal");
            fs::write(tree.join("sub"), "no directory").expect("a file");
        }),
        ("points a link elsewhere", |tree| {
            fs::remove_file(tree.join("link")).expect("a removal");
            symlink("/etc/passwd", tree.join("link")).expect("a link");
        }),
        (
            "gives a directory a list of access that is inherited",
            |tree| {
                let entry = |tag: u8| [tag, 0, 7, 0, 255, 255, 255, 255];
                let list = [&[2, 0, 0, 0][..], &entry(1), &entry(4), &entry(32)].concat();
                let (name, flags) = ("system.posix_acl_default", XattrFlags::empty());
                rustix::fs::setxattr(tree.join("sub"), name, &list, flags).expect("a list");
            },
        ),
        ("sets times", |tree| {
            let file = File::open(tree.join("sub")).expect("a directory");
            let time = UNIX_EPOCH + Duration::from_secs(1);
            file.set_times(FileTimes::new().set_modified(time))
                .expect("a time");
        }),
    ]
}

#[test]
fn whatever_a_job_did_to_a_tree_is_undone() {
    for (name, act) in mischief() {
        let bench = Bench::new();
        let place = bench.lay_out(0);
        let before = listing(&place);
        act(&place);
        bench.end(0);
        let again = bench.lease(1).expect(name);
        assert_eq!(listing(&again), before, "{name}");
    }
}

#[test]
fn a_tree_that_anyone_touches_on_the_shelf_is_never_leased() {
    for (name, act) in mischief() {
        let bench = Bench::new();
        bench.lay_out(0);
        bench.end(0);
        bench.store.put_back(bench.run.id).expect("it is put back");
        act(&bench.shelved());
        assert_eq!(bench.lease(1), None, "{name}");
    }
}

#[test]
fn a_copied_store_hands_out_nothing_of_the_first() {
    let bench = Bench::new();
    bench.lay_out(0);
    bench.end(0);
    bench.store.put_back(bench.run.id).expect("it is put back");
    let copy = TempDir::new().expect("a directory");
    let copied = copy.path().join("store");
    let status = std::process::Command::new("cp")
        .arg("-a")
        .args([bench.store.root(), &copied])
        .status()
        .expect("cp");
    assert!(status.success());
    let other = Store::open(&copied).expect("a store");
    let place = copied.join("runs/1/work/data");
    let leased = other.lease(&bench.key(), &bench.holder(1), &place);
    assert!(leased.expect("an answer").is_none());
    assert!(bench.lease(1).is_some(), "the first is as it was");
}

#[test]
fn a_moved_store_keeps_its_shelf() {
    let bench = Bench::new();
    let place = bench.lay_out(0);
    let before = listing(&place);
    bench.end(0);
    let moved = bench.store.root().with_file_name("moved");
    fs::rename(bench.store.root(), &moved).expect("a rename");
    let store = Store::open(&moved).expect("a store");
    let place = moved.join("runs/1/work/data");
    let leased = store.lease(&bench.key(), &bench.holder(1), &place);
    let leased = leased.expect("an answer").expect("it was not put back yet");
    assert_eq!(listing(&leased.directory), before);
}

#[test]
fn clearing_up_after_a_job_puts_its_trees_back_the_inner_one_first() {
    let bench = Bench::new();
    let outer = bench.lay_out(0);
    let inner = bench.lay_out(1);
    let nested = outer.join("sub/nested");
    fs::rename(&inner, &nested).expect("a rename");
    // Where leg 1 says it is: within the tree of leg 0.
    let index = rusqlite::Connection::open(bench.store.root().join("index.db")).expect("the index");
    let inside = nested.strip_prefix(bench.store.root()).expect("below");
    index
        .execute(
            "UPDATE shelf SET place = ?1 WHERE leg = 1",
            [inside.as_os_str().as_encoded_bytes()],
        )
        .expect("an update");
    bench
        .store
        .clear_work(&bench.run.work)
        .expect("it is cleared");
    assert!(!bench.run.work.exists());
    fs::create_dir(&bench.run.work).expect("a directory");
    let [one, other] = [2, 3].map(|leg| bench.lease(leg).expect("two are on the shelf"));
    assert_eq!(listing(&one), listing(&other));
}

#[test]
fn what_the_job_moved_away_is_not_followed() {
    let bench = Bench::new();
    let place = bench.lay_out(0);
    let target = TempDir::new().expect("a directory");
    fs::create_dir(target.path().join("data")).expect("a directory");
    fs::write(target.path().join("data/precious"), "mine").expect("a file");
    let job = place.parent().expect("a parent");
    fs::rename(job, job.with_extension("gone")).expect("a rename");
    symlink(target.path(), job).expect("a link");
    bench
        .store
        .clear_work(&bench.run.work)
        .expect("it is cleared");
    assert!(target.path().join("data/precious").exists());
    fs::create_dir_all(&bench.run.work).expect("a directory");
    assert_eq!(bench.lease(1), None);
}

#[test]
fn a_link_with_the_number_of_a_directory_that_is_gone_is_not_put_back() {
    let bench = Bench::new();
    let members = bench.store.read_tree(bench.tree).expect("a tree").entries;
    let place = bench.place(0);
    let mut manifest = bench
        .store
        .lay_out(&members, &place, owner(), &AtomicU64::new(0))
        .expect("it is laid out");
    fs::rename(&place, place.with_extension("gone")).expect("a rename");
    symlink("/etc", &place).expect("a link");
    manifest.parts[0].stat.ino = place.symlink_metadata().expect("a link").ino();
    let key = bench.key();
    let new = NewSlot {
        key: &key,
        note: "",
        attached: &[],
        manifest: &manifest,
        owner: owner(),
        place: &place,
    };
    bench.store.shelve(&bench.holder(0), &new).expect("noted");
    bench.end(0);
    bench.store.put_back(bench.run.id).expect("it is looked at");
    assert!(place.is_symlink(), "it is where it was");
    assert_eq!(bench.lease(1), None);
}

#[test]
fn returning_may_be_cut_short_and_begun_again() {
    let bench = Bench::new();
    let place = bench.lay_out(0);
    let before = listing(&place);
    fs::remove_file(place.join("sub/b")).expect("a removal");
    bench.end(0);
    // As a janitor leaves it that was killed right after the rename.
    let slot = fs::read_dir(bench.shelf()).expect("the shelf").next();
    let slot = slot.expect("a slot").expect("a slot").path();
    fs::rename(&place, slot.join("tree")).expect("a rename");
    let again = bench.lease(1).expect("it is put back");
    assert_eq!(listing(&again), before);
}

#[test]
fn the_shelf_is_kept_within_its_budget() {
    let bench = Bench::new();
    bench.lay_out(0);
    bench.lay_out(1);
    for leg in [0, 1] {
        bench.end(leg);
    }
    bench
        .store
        .put_back(bench.run.id)
        .expect("they are put back");
    // Each has 14 bytes: one of them is enough.
    bench.store.trim_shelf_to(20).expect("it is trimmed");
    bench.shelved();
    bench.store.trim_shelf_to(0).expect("it is trimmed");
    assert_eq!(bench.lease(2), None);
    assert_eq!(fs::read_dir(bench.shelf()).expect("the shelf").count(), 0);
}

#[test]
fn damage_in_the_store_never_becomes_a_laid_out_file() {
    let bench = Bench::new();
    let name = Digest::of("beta").to_string();
    let blob = bench
        .store
        .root()
        .join("blobs")
        .join(&name[..2])
        .join(&name[2..]);
    fs::write(blob, "BETA").expect("a file");
    let members = bench.store.read_tree(bench.tree).expect("the tree").entries;
    let laid = bench
        .store
        .lay_out(&members, &bench.place(0), owner(), &AtomicU64::new(0));
    let error = laid.expect_err("a damaged blob").to_string();
    assert!(
        error.contains(&name) && error.contains("damaged"),
        "{error}"
    );
}
