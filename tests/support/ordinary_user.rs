//! Tests that mean something only without root's powers.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use tempfile::TempDir;

const ORDINARY_USER: u32 = 1001;

/// Runs the test of this name as an ordinary user: under root, in a process of its own.
pub(super) fn as_ordinary_user(test: &str, body: fn()) {
    if !nix::unistd::geteuid().is_root() {
        return body();
    }
    let directory = TempDir::new().expect("a directory");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("a mode");
    let program = directory.path().join("tests");
    // Were it written by this process, a child forked meanwhile would hold it open for writing,
    // and it could not be started ("text file busy").
    let copied = Command::new("cp")
        .arg(std::env::current_exe().expect("this program"))
        .arg(&program)
        .status()
        .expect("cp");
    assert!(copied.success());
    let output = Command::new(program)
        .args([test, "--exact", "--nocapture"])
        .env("TMPDIR", "/tmp")
        .current_dir("/")
        .gid(ORDINARY_USER)
        .uid(ORDINARY_USER)
        .output()
        .expect("a child");
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("1 passed"), "{out}");
}
