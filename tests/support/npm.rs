//! Packages from npm.
//!
//! They are installed by the user's own npm, with the user's own settings, into the build
//! directory: once for each state of a manifest.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lrun::digest::Digest;

/// The major version of Node.js that the packages ask for.
const NODE: u32 = 20;

/// Installs what the manifest, a `package.json`, asks for, if it is not there, and gives the
/// directory of it. Any number of processes may ask at once.
pub(crate) fn installed(manifest: &str) -> PathBuf {
    check_node();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(target).expect("the build directory");
    let state = Digest::of(manifest.as_bytes()).to_string();
    let directory = target.join(format!("npm-{}", &state[..16]));
    let lock = File::create(target.join("npm.lock")).expect("a file in the build directory");
    lock.lock().expect("a lock");
    if !directory.exists() {
        install(manifest, &directory);
    }
    directory
}

fn check_node() {
    let wanted = format!("these tests need Node.js {NODE} or later and npm on PATH");
    let output = Command::new("node").arg("--version").output();
    let version = succeeded(
        "node",
        output.unwrap_or_else(|error| panic!("{wanted}: {error}")),
    );
    let version = String::from_utf8_lossy(&version);
    let major = version.trim_start_matches('v').split('.').next();
    let major: u32 = major.and_then(|major| major.parse().ok()).unwrap_or(0);
    assert!(major >= NODE, "{wanted}; `node` is {version}");
}

fn install(manifest: &str, directory: &Path) {
    let partial = directory.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).expect("what was left of an installation can be removed");
    }
    fs::create_dir(&partial).expect("a directory");
    fs::write(partial.join("package.json"), manifest).expect("a file");
    let output = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
        .arg("--no-package-lock")
        .current_dir(&partial)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("these tests need npm on PATH: {error}"));
    succeeded("npm install", output);
    fs::rename(&partial, directory).expect("a name for the directory");
}

/// What a command printed; fails with its complaints if it failed.
pub(crate) fn succeeded(command: &str, output: Output) -> Vec<u8> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command}: {}\n{stderr}",
        output.status
    );
    output.stdout
}
