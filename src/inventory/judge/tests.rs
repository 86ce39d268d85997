use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::inventory::{Link, Mount};

const STATUS: &str = "\
Package: coreutils
Status: install ok installed
Priority: required
Version: 9.1-1

Package: libnet
Status: install ok installed
Priority: optional
Version: 1
Provides: net-library (= 1)

Package: curl
Status: install ok installed
Priority: optional
Version: 8
Depends: libc (>= 2), net-library:any | other
Description: with more lines
 Package: not-a-package

Package: graphviz
Status: install ok installed
Priority: optional
Version: 2.42-1

Package: gone
Status: deinstall ok config-files
Priority: required
Version: 1

Package: gcc-12
Status: install ok installed
Priority: optional
Architecture: amd64
Version: 4:12.2.0-14+deb12u1

Package: nodejs
Status: install ok installed
Priority: optional
Version: 20.20.2-1nodesource1
";

const LABEL: &str = r#"{
    "image_os": "ubuntu0", "image_version": "1", "os_version": "1",
    "environment": {}, "path": ["/opt/bin", "/home/runner/.cargo/bin", "/usr/local/bin", "/usr/bin", "/bin"],
    "tools": {"GNU C++": "12.4.0, 13.3.0", "Npm": "10.9.8", "Rust": "1.97.1", "jq": "1.7"},
    "tool_cache": {"Python": ["3.11.16", "3.12.14"]},
    "apt_packages": {"curl": "8", "gcc": "4:13.2.0-7ubuntu1"},
    "commands": {"gcc": "GNU C++", "cc": "GNU C++", "npm": "Npm", "rustc": "Rust", "jq": "jq"},
    "version_matters": ["cc", "gcc", "npm", "rustc"],
    "limits": {"nofile": 1}, "world_writable": []
}"#;

/// A machine with usr-merged directories, alternatives, and a few packages.
fn machine(with_dpkg: bool) -> TempDir {
    let root = TempDir::new().expect("a temporary directory");
    let file = |path: &str, content: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("files have parents")).expect("writable");
        fs::write(path, content).expect("writable");
    };
    let link = |path: &str, target: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("files have parents")).expect("writable");
        symlink(target, path).expect("writable");
    };
    for command in ["ls", "curl", "netstat", "dot", "jq", "node"] {
        file(&format!("usr/bin/{command}"), "");
    }
    file("usr/local/bin/mine", "");
    file("usr/bin/x86_64-linux-gnu-gcc-12", "");
    link("usr/bin/gcc-12", "x86_64-linux-gnu-gcc-12");
    link("usr/bin/gcc", "gcc-12");
    link("usr/bin/cc", "/etc/alternatives/cc");
    link("etc/alternatives/cc", "/usr/bin/gcc");
    file("usr/lib/node_modules/npm/bin/npm-cli.js", "");
    link("usr/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js");
    // The kernel opens it for every program: no command of the job's, and so not watched.
    file("usr/lib/ld-linux-x86-64.so.2", "");
    link("usr/bin/ld.so", "../lib/ld-linux-x86-64.so.2");
    link("usr/bin/loop", "loop");
    link("opt/bin/list", "/usr/bin/ls");
    link("bin", "usr/bin");
    if with_dpkg {
        file("var/lib/dpkg/status", STATUS);
        let lists = [
            ("coreutils", "/.\n/bin\n/bin/ls\n"),
            ("libnet", "/usr/bin/netstat\n"),
            ("curl", "/usr/bin/curl\n"),
            ("graphviz", "/usr/bin/dot\n/usr/bin/dotty\n"),
            ("gcc-12:amd64", "/usr/bin/x86_64-linux-gnu-gcc-12\n"),
            (
                "nodejs",
                "/usr/bin/node\n/usr/lib/node_modules/npm/bin/npm-cli.js\n",
            ),
        ];
        for (package, files) in lists {
            file(&format!("var/lib/dpkg/info/{package}.list"), files);
        }
    }
    root
}

fn tools(root: &Path) -> Toolchains {
    let python = root.join("py");
    fs::create_dir_all(python.join("bin")).expect("writable");
    fs::write(python.join("bin/python3.10"), "").expect("writable");
    symlink("python3.10", python.join("bin/python3")).expect("writable");
    let proxies = root.join("proxies");
    fs::create_dir_all(&proxies).expect("writable");
    fs::write(proxies.join("rustc"), "").expect("writable");
    Toolchains {
        links: vec![Link {
            at: "/home/runner/.cargo/bin/rustc".to_owned(),
            target: "/run/lrun/rustup/rustc".to_owned(),
        }],
        mounts: vec![
            Mount {
                from: python,
                at: "/opt/hostedtoolcache/Python/3.10.2/x64".to_owned(),
            },
            Mount {
                from: proxies,
                at: "/run/lrun/rustup".to_owned(),
            },
        ],
        bins: vec![
            "/opt/hostedtoolcache/Python/3.10.2/x64/bin".to_owned(),
            "/run/lrun/rustup".to_owned(),
        ],
        ..Toolchains::default()
    }
}

fn inventory(root: &TempDir) -> Inventory {
    let label = Label::from_json("ubuntu-0", LABEL).expect("a label");
    Inventory::new(label, root.path(), &tools(root.path()))
}

fn judge(inventory: &mut Inventory, opened: &str) -> Option<Finding> {
    let mut findings = inventory.judge(&[opened.to_owned()]);
    assert!(findings.len() < 2, "one command, one finding");
    findings.pop()
}

fn lacking(command: &str, package: Option<&str>) -> Option<Finding> {
    Some(Finding::Differs(DifferenceKind::CommandNotOnImage {
        command: command.to_owned(),
        package: package.map(str::to_owned),
        label: "ubuntu-0".to_owned(),
    }))
}

fn other_version(command: &str, here: &str, hosted: &str) -> DifferenceKind {
    DifferenceKind::CommandVersion {
        command: command.to_owned(),
        here: here.to_owned(),
        hosted: hosted.to_owned(),
        label: "ubuntu-0".to_owned(),
    }
}

#[test]
fn commands_of_the_image_are_no_difference() {
    let root = machine(true);
    let mut inventory = inventory(&root);
    for (command, because) in [
        (
            "ls",
            "its package is of priority required, listed under /bin",
        ),
        ("curl", "its package is in the list"),
        (
            "netstat",
            "its package provides what one in the list depends on",
        ),
        ("jq", "it is a tool of the image"),
    ] {
        let opened = format!("/usr/bin/{command}");
        assert_eq!(judge(&mut inventory, &opened), None, "{because}");
    }
}

#[test]
fn commands_of_other_packages_are_named_once_with_the_package() {
    let root = machine(true);
    let mut inventory = inventory(&root);
    assert_eq!(
        judge(&mut inventory, "/usr/bin/dot"),
        lacking("dot", Some("graphviz"))
    );
    assert_eq!(judge(&mut inventory, "/usr/bin/dot"), None);
    assert_eq!(
        judge(&mut inventory, "/usr/local/bin/mine"),
        lacking("mine", None)
    );
}

#[test]
fn what_the_job_installed_is_no_difference() {
    let root = machine(true);
    assert_eq!(judge(&mut inventory(&root), "/usr/local/bin/new"), None);
}

#[test]
fn a_file_behind_links_is_the_nearest_name_the_image_has() {
    let root = machine(true);
    assert_eq!(
        judge(&mut inventory(&root), "/usr/bin/x86_64-linux-gnu-gcc-12"),
        Some(Finding::Differs(other_version("gcc", "12.2.0", "13.3.0")))
    );
}

#[test]
fn a_package_of_another_name_does_not_know_the_version() {
    let root = machine(true);
    let opened = "/usr/lib/node_modules/npm/bin/npm-cli.js";
    let Some(Finding::Ask(question)) = judge(&mut inventory(&root), opened) else {
        panic!("npm has to be asked");
    };
    assert_eq!(question.argv, ["/usr/bin/npm", "--version"]);
    assert_eq!(question.answer("10.9.0\n"), None);
    assert_eq!(question.answer("no version"), None);
    assert_eq!(
        question.answer("10.8.2\n"),
        Some(other_version("npm", "10.8.2", "10.9.8"))
    );
}

#[test]
fn proxies_are_asked_by_their_own_name() {
    let root = machine(true);
    let Some(Finding::Ask(question)) = judge(&mut inventory(&root), "/run/lrun/rustup/rustc")
    else {
        panic!("rustc has to be asked");
    };
    assert_eq!(question.argv, ["/run/lrun/rustup/rustc", "--version"]);
    assert_eq!(
        question.answer("rustc 1.95.0 (abc 2026-04-14)"),
        Some(other_version("rustc", "1.95.0", "1.97.1"))
    );
}

#[test]
fn the_tool_cache_says_its_version_in_the_path() {
    let root = machine(true);
    let opened = "/opt/hostedtoolcache/Python/3.10.2/x64/bin/python3.10";
    assert_eq!(
        judge(&mut inventory(&root), opened),
        Some(Finding::Differs(other_version(
            "python3.10",
            "3.10.2",
            "3.11.16, 3.12.14"
        )))
    );
}

#[test]
fn without_a_package_database_only_the_facts_are_known() {
    let root = machine(false);
    let mut inventory = inventory(&root);
    assert_eq!(judge(&mut inventory, "/usr/bin/jq"), None);
    assert_eq!(
        judge(&mut inventory, "/usr/bin/dot"),
        Some(Finding::Unknown {
            command: "dot".to_owned()
        })
    );
}

#[test]
fn directories_are_watched_once_and_files_that_links_lead_to() {
    let root = machine(true);
    assert_eq!(
        inventory(&root).watched(),
        [
            "/home/runner/.cargo/bin",
            "/opt/bin",
            "/opt/hostedtoolcache/Python/3.10.2/x64/bin",
            "/run/lrun/rustup",
            "/usr/bin",
            "/usr/local/bin",
            "/usr/lib/node_modules/npm/bin/npm-cli.js",
        ]
    );
}
