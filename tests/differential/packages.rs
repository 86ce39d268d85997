//! Questions to GitHub's own packages from npm, to compare with.
//!
//! A driver is a JavaScript module with a function `answer`; one process of Node.js answers a
//! whole list of questions with it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;

use crate::npm;

const MANIFEST: &str = include_str!("package.json");

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
        let directory = npm::installed(MANIFEST);
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
        let answers = String::from_utf8(npm::succeeded("node", output)).expect("JSON is UTF-8");
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
