use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::server::Server;
use super::*;
use crate::digest::Digest;
use crate::label::Architecture;

fn release() -> Release {
    Release::node24(Architecture::here().expect("an architecture of a label"))
}

/// An archive as the distribution has it, of a program that answers `answer`.
fn archive_of(answer: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut add = |path: &str, mode, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        let path = format!("node-v1-linux-x64/{path}");
        archive
            .append_data(&mut header, path, content.as_bytes())
            .expect("in memory");
    };
    add("LICENSE", 0o644, "words");
    add("lib/node_modules/npm/index.js", 0o644, "0");
    add("bin/node", 0o755, &format!("#!/bin/sh\necho {answer}\n"));
    let gzip = archive.into_inner().expect("in memory");
    gzip.finish().expect("in memory")
}

fn list_of(archive: &[u8]) -> String {
    format!("{}  {}\n", Digest::of(archive), release().file())
}

struct Case {
    store: tempfile::TempDir,
    server: Server,
    environment: Environment,
}

impl Case {
    fn new() -> Self {
        Self {
            store: tempfile::tempdir().expect("a temporary directory"),
            server: Server::start(),
            environment: Environment::default(),
        }
    }

    /// A mirror that has the right archive.
    fn served() -> Self {
        let case = Self::new();
        let archive = archive_of(&format!("v{}", release().version));
        case.server
            .answer(&release().checksums(), list_of(&archive).as_bytes());
        case.server.answer(&release().archive(), &archive);
        case
    }

    fn sources(&self) -> Sources<'_> {
        Sources {
            store: self.store.path(),
            mirror: Some(&self.server.url),
            offline: false,
            environment: &self.environment,
        }
    }

    /// Why the mirror has it not; npm is not asked.
    fn refusal(&self) -> String {
        let to = tempfile::tempdir_in(self.store.path()).expect("writable");
        let filled = self.sources().fill(&release(), Origin::Mirror, to.path());
        filled.expect_err("not to be had").to_string()
    }
}

#[test]
fn a_mirror_s_archive_is_checked_and_kept() {
    let case = Case::served();
    let mut told = 0;
    let fetched = case
        .sources()
        .ensure(&release(), || told += 1)
        .expect("served");
    assert_eq!((fetched.node.origin, told), (Origin::Mirror, 1));
    assert!(fetched.failed.is_empty());
    let from = &fetched.node.from;
    assert!(from.join("bin/node").is_file() && from.join("LICENSE").is_file());
    let mut there: Vec<_> = fs::read_dir(from).expect("a directory").flatten().collect();
    there.sort_by_key(fs::DirEntry::file_name);
    assert_eq!(there.len(), 2, "the program and its licence: {there:?}");
    let offline = Sources {
        offline: true,
        ..case.sources()
    };
    let again = offline.ensure(&release(), || told += 1).expect("kept");
    assert_eq!((again.node.origin, told), (Origin::Store, 1));
    assert_eq!(case.server.asked(), 1);
}

#[test]
fn offline_nothing_is_fetched() {
    let case = Case::served();
    let offline = Sources {
        offline: true,
        ..case.sources()
    };
    let error = offline.ensure(&release(), || ()).expect_err("not there");
    assert!(error.to_string().contains("lrun vendor"), "{error}");
    assert_eq!(case.server.asked(), 0);
}

#[test]
fn what_is_wrong_with_an_archive_is_said_and_nothing_is_kept() {
    let case = Case::new();
    assert!(case.refusal().contains("404"), "{}", case.refusal());
    let archive = archive_of(&format!("v{}", release().version));
    case.server
        .answer(&release().checksums(), b"00  other.tar.gz\n");
    assert!(
        case.refusal().contains("has no digest of"),
        "{}",
        case.refusal()
    );
    case.server
        .answer(&release().checksums(), list_of(b"other").as_bytes());
    case.server.answer(&release().archive(), &archive);
    assert!(case.refusal().contains("instead of"), "{}", case.refusal());
    case.server
        .answer(&release().checksums(), list_of(&archive).as_bytes());
    case.server
        .answer_in_part(&release().archive(), &archive, archive.len() / 2);
    assert!(
        case.refusal().contains(&release().archive()),
        "{}",
        case.refusal()
    );
    let other = archive_of("v1.2.3");
    case.server
        .answer(&release().checksums(), list_of(&other).as_bytes());
    case.server.answer(&release().archive(), &other);
    assert!(case.refusal().contains("v1.2.3"), "{}", case.refusal());
    assert!(case.sources().kept(&release()).is_none());
}

#[test]
fn what_a_killed_process_left_is_no_release() {
    let case = Case::served();
    let root = case.store.path().join("externals");
    let name = release().directory();
    fs::create_dir_all(root.join(format!("{name}.new/bin"))).expect("writable");
    let mut half = File::create(root.join(format!("{name}.new/bin/node"))).expect("writable");
    half.write_all(b"half").expect("writable");
    assert!(case.sources().kept(&release()).is_none());
    let fetched = case.sources().ensure(&release(), || ()).expect("served");
    assert!(!root.join(format!("{name}.new")).exists());
    let program = fs::read(fetched.node.from.join("bin/node")).expect("readable");
    assert!(program.starts_with(b"#!/bin/sh"));
}

#[test]
fn of_two_that_fetch_at_once_one_does() {
    let case = Case::served();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| case.sources().ensure(&release(), || ()).expect("served"));
        }
    });
    assert_eq!(case.server.asked(), 1);
}

#[test]
fn a_digest_is_found_by_the_whole_name() {
    let list = "aa  node-v1.tar.gz.sig\nBB  node-v1.tar.gz\ncc *node-v2.tar.gz\n";
    assert_eq!(digest_of(list, "node-v1.tar.gz").as_deref(), Some("bb"));
    assert_eq!(digest_of(list, "node-v2.tar.gz").as_deref(), Some("cc"));
    assert_eq!(digest_of(list, "node-v3.tar.gz"), None);
}
