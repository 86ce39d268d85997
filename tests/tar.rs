//! Packing and unpacking beside GNU tar: the same members, the same files, the same complaints.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, FileTimes, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

#[path = "support/ordinary_user.rs"]
mod ordinary_user;

use lrun::archive::{Manifest, PackError, PackRequest, Packed, Unpacker, pack};
use lrun::tree::{Kind, Member, Roots, Stat, TreeItem};
use ordinary_user::as_ordinary_user;
use tempfile::TempDir;

struct Archive {
    items: Vec<TreeItem>,
    packed: Packed,
    /// What tar made of the same names.
    tar: PathBuf,
    complaints: Vec<String>,
    directory: TempDir,
}

fn lines(text: &[u8]) -> Vec<String> {
    let lines = String::from_utf8(text.to_vec()).expect("text");
    lines.lines().map(str::to_owned).collect()
}

fn tar(arguments: &[&str]) -> (Vec<String>, Vec<String>) {
    let output = Command::new("tar")
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .output()
        .expect("tar is installed");
    (lines(&output.stdout), lines(&output.stderr))
}

/// Packs `paths` of `workspace` with lrun and with tar.
fn archive(workspace: &Path, paths: &[&str]) -> Archive {
    let directory = TempDir::new().expect("a directory");
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    let workspace = workspace.to_str().expect("text");
    let roots = Roots {
        workspace,
        home: workspace,
    };
    let manifest = Manifest::new(&paths, roots).expect("a manifest");
    let names = directory.path().join("manifest.txt");
    fs::write(&names, manifest.names.join(&b'\n')).expect("a file");
    let mut items = Vec::new();
    let request = PackRequest {
        paths: &paths,
        roots,
        known: &HashSet::new(),
    };
    let packed = pack(&request, &mut |item| {
        items.push(item);
        Ok(())
    })
    .expect("a pack");
    let tar_file = directory.path().join("cache.tar");
    let [file, names] = [&tar_file, &names].map(|path| path.to_str().expect("text"));
    let options = [
        "--posix",
        "--sort=name",
        "-cf",
        file,
        "--exclude",
        "cache.tzst",
    ];
    let rest = ["-P", "-C", workspace, "--files-from", names];
    let (_, complaints) = tar(&[&options[..], &rest[..]].concat());
    Archive {
        items,
        packed,
        tar: tar_file,
        complaints,
        directory,
    }
}

/// The members as `tar -tv --full-time` lists them, without owners and sizes of links.
fn listing(items: &[TreeItem]) -> Vec<String> {
    let members = items.iter().filter_map(|item| match item {
        TreeItem::Member(member) => Some(member),
        _ => None,
    });
    members.map(listed).collect()
}

fn listed(member: &Member) -> String {
    let path = String::from_utf8(member.path.clone()).expect("text");
    let text = |target: &Vec<u8>| String::from_utf8(target.clone()).expect("text");
    let (kind, size, name) = match &member.kind {
        Kind::Directory => ('d', 0, format!("{path}/")),
        Kind::File { size, .. } => ('-', *size, path),
        Kind::Symlink { target } => ('l', 0, format!("{path} -> {}", text(target))),
        Kind::Hardlink { target } => ('h', 0, format!("{path} link to {}", text(target))),
    };
    let time = jiff::Timestamp::from_nanosecond(member.mtime_ns.into()).expect("a time");
    let time = time.strftime("%Y-%m-%d %H:%M:%S%.f");
    format!("{kind}{} {size} {time} {name}", symbolic(member.mode))
}

fn symbolic(mode: u32) -> String {
    assert_eq!(mode & 0o7000, 0, "the listing's trees have plain modes");
    let bit = |shift: u32, letter| if mode >> shift & 1 == 1 { letter } else { '-' };
    let letters = "rwxrwxrwx".chars().enumerate();
    letters
        .map(|(at, letter)| bit(8 - at as u32, letter))
        .collect()
}

fn tar_listing(file: &Path) -> Vec<String> {
    let file = file.to_str().expect("text");
    let (listed, _) = tar(&["-tvf", file, "--full-time", "-P"]);
    listed
        .iter()
        .map(|line| {
            let mut columns = line.split_whitespace();
            let mode = columns.next().expect("a mode");
            let rest: Vec<&str> = columns.skip(1).collect();
            format!("{mode} {}", rest.join(" "))
        })
        .collect()
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, content).expect("a file");
}

fn mode(root: &Path, path: &str, mode: u32) {
    fs::set_permissions(root.join(path), Permissions::from_mode(mode)).expect("a mode");
}

/// A tree with links of all kinds, odd modes, times and names.
fn odd_tree(root: &Path) {
    write(root, "data/a.txt", "alpha");
    write(root, "data/sub/b.log", "beta");
    write(root, "data/sub/deep/empty", "");
    write(root, "data/cache.tzst", "never packed");
    write(root, "data/é ü", "name");
    write(root, "big", &"0123456789abcdef".repeat(40_000));
    fs::hard_link(root.join("data/sub/b.log"), root.join("data/z-link")).expect("a link");
    symlink("a.txt", root.join("data/link")).expect("a link");
    symlink("nowhere", root.join("data/dangling")).expect("a link");
    symlink("sub", root.join("data/to-directory")).expect("a link");
    UnixListener::bind(root.join("data/socket")).expect("a socket");
    mode(root, "data/a.txt", 0o755);
    mode(root, "data/sub/b.log", 0o440);
    mode(root, "data/sub", 0o750);
    let old = UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    for path in ["data/a.txt", "data/sub/deep", "data/sub"] {
        let file = File::open(root.join(path)).expect("a file");
        let times = FileTimes::new().set_modified(old);
        file.set_times(times).expect("a time");
    }
}

#[test]
fn members_are_those_of_tar() {
    let root = TempDir::new().expect("a directory");
    odd_tree(root.path());
    let lists: [&[&str]; 5] = [
        &["data"],
        &["data/**", "!data/**/*.log", "big"],
        &["."],
        &["data/to-directory/*", "data/sub", "data/link"],
        &["big", "data/sub/*/", "nothing"],
    ];
    for paths in lists {
        let archive = archive(root.path(), paths);
        assert_eq!(
            listing(&archive.items),
            tar_listing(&archive.tar),
            "{paths:?}"
        );
        assert_eq!(archive.packed.problems, Vec::<String>::new(), "{paths:?}");
    }
}

#[test]
fn paths_outside_the_workspace_are_members_with_leading_dots() {
    let root = TempDir::new().expect("a directory");
    write(root.path(), "home/.cargo/x", "x");
    fs::create_dir_all(root.path().join("work/r")).expect("a directory");
    let outside = root.path().join("home/.cargo");
    let archive = archive(
        &root.path().join("work/r"),
        &[outside.to_str().expect("text")],
    );
    assert_eq!(listing(&archive.items), tar_listing(&archive.tar));
    assert!(listing(&archive.items)[0].ends_with(" ../../home/.cargo/"));
    assert_eq!(archive.packed.matched, [1]);
}

#[test]
fn what_cannot_be_read_is_complained_of_as_tar_does() {
    as_ordinary_user("what_cannot_be_read_is_complained_of_as_tar_does", || {
        let root = TempDir::new().expect("a directory");
        for path in ["d/secret", "d/fine", "d/locked/x", "d/listed/x", "alone"] {
            write(root.path(), path, "x");
        }
        write(root.path(), "d/empty", "");
        for path in ["d/secret", "d/empty", "alone", "d/locked"] {
            mode(root.path(), path, 0);
        }
        mode(root.path(), "d/listed", 0o600);
        let archive = archive(root.path(), &["d", "alone"]);
        assert_eq!(archive.packed.problems, archive.complaints);
        assert_eq!(listing(&archive.items), tar_listing(&archive.tar));
        assert!(archive.complaints.len() > 5, "{:?}", archive.complaints);
        mode(root.path(), "d/locked", 0o755);
        mode(root.path(), "d/listed", 0o755);
    });
}

/// Packs the file `f` of a directory.
fn pack_f(
    directory: &Path,
    sink: &mut dyn FnMut(TreeItem) -> io::Result<()>,
) -> Result<Packed, PackError> {
    let workspace = directory.to_str().expect("text");
    let roots = Roots {
        workspace,
        home: workspace,
    };
    let paths = &["f".to_owned()];
    let known = &HashSet::new();
    pack(
        &PackRequest {
            paths,
            roots,
            known,
        },
        sink,
    )
}

/// What is said of the file `f`, `alpha`, when it is changed before its content is read.
fn complaints_after(change: fn(&Path)) -> Vec<String> {
    let root = TempDir::new().expect("a directory");
    write(root.path(), "f", "alpha");
    let mut length = 0;
    let packed = pack_f(root.path(), &mut |item| {
        match item {
            TreeItem::Member(_) => change(&root.path().join("f")),
            TreeItem::Content(bytes) => length += bytes.len(),
            TreeItem::Stat { .. } => {}
        }
        Ok(())
    });
    assert_eq!(length, 5, "a file keeps its announced length");
    packed.expect("a pack").problems
}

#[test]
fn a_file_that_changes_meanwhile_is_complained_of() {
    assert_eq!(
        complaints_after(|file| fs::write(file, "al").expect("a file")),
        ["tar: f: File shrank by 3 bytes; padding with zeros"]
    );
    let changed = ["tar: f: file changed as we read it"];
    assert_eq!(
        complaints_after(|file| fs::write(file, "alphabet").expect("a file")),
        changed
    );
    assert_eq!(
        complaints_after(|file| mode(file.parent().expect("a parent"), "f", 0o600)),
        changed
    );
}

#[test]
fn a_receiver_that_fails_ends_the_pack() {
    let root = TempDir::new().expect("a directory");
    write(root.path(), "f", "x");
    let error = pack_f(root.path(), &mut |_| Err(io::Error::other("full"))).expect_err("it failed");
    assert_eq!(error.to_string(), "cannot hand on packed files: full");
}

/// Everything below a directory that tar restores, and times where the archive has them.
fn contents(root: &Path, items: &[TreeItem]) -> BTreeMap<PathBuf, String> {
    let archived: Vec<PathBuf> = items
        .iter()
        .filter_map(|item| match item {
            TreeItem::Member(member) => {
                Some(String::from_utf8(member.path.clone()).expect("text").into())
            }
            _ => None,
        })
        .collect();
    let mut contents = BTreeMap::new();
    let mut left = vec![PathBuf::from(".")];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(root.join(&path)).expect("metadata");
        let content = if metadata.is_dir() {
            for entry in fs::read_dir(root.join(&path)).expect("a directory") {
                let name = entry.expect("an entry").file_name();
                let child = if path == Path::new(".") {
                    name.into()
                } else {
                    path.join(name)
                };
                left.push(child);
            }
            "directory".to_owned()
        } else if metadata.is_symlink() {
            format!("{:?}", fs::read_link(root.join(&path)).expect("a link"))
        } else {
            let text = fs::read(root.join(&path)).expect("a file");
            format!("{} {:x?}", metadata.nlink(), lrun::digest::Digest::of(text))
        };
        let time = archived
            .contains(&path)
            .then(|| (metadata.mtime(), metadata.mtime_nsec()));
        let line = format!("{:o} {time:?} {content}", metadata.mode());
        contents.insert(path, line);
    }
    contents
}

/// Unpacks with lrun and with tar over equal directories and compares what comes of it.
fn unpack_beside_tar(archive: &Archive, prepare: fn(&Path)) -> Vec<String> {
    let [ours, tars] = ["ours", "tar's"].map(|name| archive.directory.path().join(name));
    fs::create_dir(&ours).expect("a directory");
    prepare(&ours);
    // A copy with its times: what neither replaces must be equal too.
    let copied = Command::new("cp").arg("-a").args([&ours, &tars]).status();
    assert!(copied.expect("cp").success());
    let mut unpacker = Unpacker::new(&ours).expect("an unpacker");
    for item in &archive.items {
        unpacker.take(item.clone());
    }
    let problems = unpacker.finish();
    let [file, target] = [&archive.tar, &tars].map(|path| path.to_str().expect("text"));
    let (_, complaints) = tar(&["-xf", file, "-P", "-C", target]);
    assert_eq!(problems, complaints);
    assert_eq!(
        contents(&ours, &archive.items),
        contents(&tars, &archive.items)
    );
    problems
}

#[test]
fn an_empty_directory_becomes_what_tar_makes_of_it() {
    let root = TempDir::new().expect("a directory");
    odd_tree(root.path());
    for paths in [
        &["data", "big"][..],
        &["data/**"],
        &["."],
        &["data/sub/**", "data/a.txt"],
    ] {
        let archive = archive(root.path(), paths);
        assert!(unpack_beside_tar(&archive, |_| {}).is_empty());
    }
}

#[test]
fn an_ordinary_user_s_modes_are_masked_as_tar_does() {
    as_ordinary_user("an_ordinary_user_s_modes_are_masked_as_tar_does", || {
        let root = TempDir::new().expect("a directory");
        odd_tree(root.path());
        mode(root.path(), "data/a.txt", 0o4777);
        mode(root.path(), "data/sub", 0o3777);
        mode(root.path(), "data/sub/deep", 0o555);
        let archive = archive(root.path(), &["data"]);
        assert!(unpack_beside_tar(&archive, |_| {}).is_empty());
    });
}

#[test]
fn what_exists_is_merged_with() {
    let root = TempDir::new().expect("a directory");
    odd_tree(root.path());
    let archive = archive(root.path(), &["data", "big"]);
    let problems = unpack_beside_tar(&archive, |target| {
        write(target, "data/a.txt", "older and longer than the new one");
        write(target, "data/stays", "mine");
        write(target, "elsewhere/real", "not written through");
        fs::create_dir_all(target.join("data/é ü")).expect("an empty directory");
        symlink("../elsewhere/real", target.join("data/z-link")).expect("a link");
        symlink("../elsewhere", target.join("data/sub")).expect("a link");
        write(target, "data/link", "a file where a link belongs");
        mode(target, "data", 0o700);
    });
    assert!(problems.is_empty());
}

#[test]
fn what_cannot_be_replaced_is_complained_of_and_the_rest_is_unpacked() {
    let root = TempDir::new().expect("a directory");
    write(root.path(), "d/file", "f");
    write(root.path(), "d/rest", "r");
    symlink("x", root.path().join("d/link")).expect("a link");
    let archive = archive(root.path(), &["d"]);
    let problems = unpack_beside_tar(&archive, |target| {
        write(target, "d/file/full", "in the way");
        write(target, "d/link/full", "in the way");
    });
    assert_eq!(problems[0], "tar: d/file: Cannot open: File exists");
}

#[test]
fn directories_that_cannot_be_written_are_complained_of_as_tar_does() {
    as_ordinary_user(
        "directories_that_cannot_be_written_are_complained_of_as_tar_does",
        || {
            let root = TempDir::new().expect("a directory");
            for path in ["d/new", "d/old", "d/sub/x", "e/y"] {
                write(root.path(), path, "x");
            }
            symlink("q", root.path().join("d/link")).expect("a link");
            fs::hard_link(root.path().join("d/new"), root.path().join("d/other")).expect("a link");
            for paths in [&["d", "e"][..], &["d/*", "e/y"]] {
                let archive = archive(root.path(), paths);
                let problems = unpack_beside_tar(&archive, |target| {
                    write(target, "d/old", "old");
                    mode(target, "d", 0o555);
                });
                assert!(!problems.is_empty());
                mode(archive.directory.path(), "ours/d", 0o755);
                mode(archive.directory.path(), "tar's/d", 0o755);
            }
        },
    );
}

#[test]
fn directories_of_others_are_complained_of_as_tar_does() {
    as_ordinary_user(
        "directories_of_others_are_complained_of_as_tar_does",
        || {
            // /usr is root's wherever this runs, and an ordinary user cannot harm it.
            let root = TempDir::new().expect("a directory");
            fs::create_dir(root.path().join("d")).expect("a directory");
            mode(root.path(), "d", 0o700);
            let mut archive = archive(root.path(), &["d"]);
            let TreeItem::Member(member) = &mut archive.items[0] else {
                panic!("a directory is a member");
            };
            member.path = b"/usr".to_vec();
            let workspace = root.path().to_str().expect("text");
            let file = archive.tar.to_str().expect("text");
            let rename = ["--posix", "-cf", file, "--transform", "s,^d$,/usr,"];
            tar(&[&rename[..], &["-P", "-C", workspace, "d"]].concat());
            assert_eq!(
                unpack_beside_tar(&archive, |_| {})[..2],
                [
                    "tar: /usr: Cannot utime: Operation not permitted",
                    "tar: /usr: Cannot change mode to rwx------: Operation not permitted"
                ]
            );
        },
    );
}

#[test]
fn what_the_receiver_knows_is_not_read() {
    let root = TempDir::new().expect("a directory");
    write(root.path(), "d/same", "alpha");
    write(root.path(), "d/other", "beta");
    let workspace = root.path().to_str().expect("text");
    let pack_knowing = |known: &HashSet<Stat>| {
        let mut items = Vec::new();
        let roots = Roots {
            workspace,
            home: workspace,
        };
        let paths = &["d".to_owned()];
        let request = PackRequest {
            paths,
            roots,
            known,
        };
        let packed = pack(&request, &mut |item| {
            items.push(item);
            Ok(())
        });
        assert!(packed.expect("a pack").problems.is_empty());
        items
    };
    let contents = |items: &[TreeItem]| -> Vec<String> {
        let content = items.iter().filter_map(|item| match item {
            TreeItem::Content(bytes) => Some(String::from_utf8(bytes.clone()).expect("text")),
            _ => None,
        });
        content.collect()
    };
    let first = pack_knowing(&HashSet::new());
    assert_eq!(contents(&first), ["beta", "alpha"]);
    let known: HashSet<Stat> = first
        .iter()
        .filter_map(|item| match item {
            TreeItem::Stat { stat, known } => {
                assert!(!known);
                Some(*stat)
            }
            _ => None,
        })
        .collect();
    let again = pack_knowing(&known);
    assert_eq!(listing(&again), listing(&first));
    assert!(contents(&again).is_empty());
    // Same length, and the time set back: only the time of change tells.
    let time = fs::metadata(root.path().join("d/other")).expect("metadata");
    write(root.path(), "d/other", "BETA");
    let file = File::options()
        .write(true)
        .open(root.path().join("d/other"));
    let times = FileTimes::new().set_modified(time.modified().expect("a time"));
    file.expect("a file").set_times(times).expect("a time");
    assert_eq!(contents(&pack_knowing(&known)), ["BETA"]);
}
