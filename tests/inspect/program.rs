//! Starting the program with an empty environment.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// How it ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The last line, which is JSON.
    pub(crate) fn json(&self) -> Json {
        let last = self.stdout.lines().last();
        let last = last.unwrap_or_else(|| panic!("nothing was printed: {self:?}"));
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless it ended so, without a word on standard error where all is good.
    pub(crate) fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(code != 0 || self.stderr.is_empty(), "{self:?}");
        self
    }
}

/// Runs `lrun` to its end.
pub(crate) fn lrun(arguments: &[&str]) -> Ended {
    lrun_reading(arguments, b"")
}

/// Runs `lrun` with this on its standard input.
pub(crate) fn lrun_reading(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lrun"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("lrun can be started");
    let mut stdin = child.stdin.take().expect("it is a pipe");
    // It may end without reading.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("it was started");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("lrun prints UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("lrun prints UTF-8"),
    }
}
