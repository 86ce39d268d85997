//! GitHub's own packages from npm, to compare with.
//!
//! They are installed by the user's own npm, with the user's own settings, into the build
//! directory: once for each state of `tests/differential/package.json`. A driver there is a
//! JavaScript module with a function `answer`; one process of Node.js answers a whole list of
//! questions with it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lrun::digest::Digest;
use serde_json::Value as Json;

const MANIFEST: &str = include_str!("../differential/package.json");

/// The major version of Node.js that the packages ask for.
const NODE: u32 = 20;

/// Seconds after which Node.js hangs; it takes a few.
const LIMIT: &str = "600";

/// Standard output belongs to the answers: `@actions/core` writes there as well.
const QUIET: &str = "const print = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;\n";

const ANSWER_ALL: &str = "
import { createInterface } from 'node:readline';
const lines = [];
for await (const line of createInterface({ input: process.stdin })) {
  lines.push(JSON.stringify(await answer(JSON.parse(line))) + '\\n');
}
print(lines.join(''));";

/// The installed packages.
pub(crate) struct Packages {
    directory: PathBuf,
}

impl Packages {
    /// Installs them if they are not there. Any number of processes may ask at once.
    pub(crate) fn installed() -> Self {
        check_node();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(target).expect("the build directory");
        let state = Digest::of(MANIFEST.as_bytes()).to_string();
        let directory = target.join(format!("npm-{}", &state[..16]));
        let lock = File::create(target.join("npm.lock")).expect("a file in the build directory");
        lock.lock().expect("a lock");
        if !directory.exists() {
            install(&directory);
        }
        Self { directory }
    }

    /// What the driver, the text of a module in `tests/differential`, answers to each question.
    pub(crate) fn ask(&self, driver: &str, questions: &[Json]) -> Vec<Json> {
        let mut input = tempfile::tempfile().expect("a file");
        let lines: String = questions.iter().map(|asked| format!("{asked}\n")).collect();
        input.write_all(lines.as_bytes()).expect("room on the disk");
        std::io::Seek::rewind(&mut input).expect("a file");
        let output = Command::new("timeout")
            .args([LIMIT, "node", "--input-type=module", "--eval"])
            .arg(format!("{driver}\n{QUIET}{ANSWER_ALL}"))
            // Where a text given by --eval imports from.
            .current_dir(&self.directory)
            .stdin(input)
            .output()
            .expect("coreutils' timeout");
        let answers = String::from_utf8(succeeded("node", output)).expect("JSON is UTF-8");
        let answers: Vec<Json> = answers
            .lines()
            .map(|line| serde_json::from_str(line).expect("an answer is JSON"))
            .collect();
        assert_eq!(
            answers.len(),
            questions.len(),
            "an answer for each question"
        );
        answers
    }
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

fn install(directory: &Path) {
    let partial = directory.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).expect("what was left of an installation can be removed");
    }
    fs::create_dir(&partial).expect("a directory");
    fs::write(partial.join("package.json"), MANIFEST).expect("a file");
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

fn succeeded(command: &str, output: Output) -> Vec<u8> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command}: {}\n{stderr}",
        output.status
    );
    output.stdout
}
