//! `lrun env-file`.

use serde_json::json;

use crate::program::{lrun, lrun_reading};

#[test]
fn pairs_are_printed_in_their_order() {
    let read = |text: &[u8]| {
        lrun_reading(&["env-file", "--json", "-"], text)
            .exited(0)
            .json()
    };
    let pairs = json!({"pairs": [["B", "2"], ["A", "one\ntwo"], ["B", "3"]]});
    assert_eq!(read(b"B=2\nA<<E\none\ntwo\nE\nB=3"), pairs);
    assert_eq!(read(b""), json!({"pairs": []}));
    // As .NET reads text: no mark at the beginning, U+FFFD for what is no UTF-8, NUL as it is.
    assert_eq!(
        read(b"\xef\xbb\xbfA=\xff\0"),
        json!({"pairs": [["A", "\u{fffd}\0"]]})
    );
    let shown = lrun_reading(&["env-file", "-"], b"A=1\nB<<E\n1\n2\nE\n").exited(0);
    assert_eq!(shown.stdout, "A=1\nB=\"1\\n2\"\n");
    // Nothing of the file talks to the terminal.
    let shown = lrun_reading(&["env-file", "-"], b"\x1b[2J=\x1b[2J").exited(0);
    assert_eq!(shown.stdout, "\u{fffd}[2J=\"\\u001b[2J\"\n");
    let refused = lrun_reading(&["env-file", "-"], b"\x1b[2J").exited(1);
    assert!(refused.stderr.contains("\u{fffd}[2J"), "{refused:?}");
}

#[test]
fn a_bad_file_is_told_in_the_runner_s_words() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("output");
    std::fs::write(&file, "A=1\nB<<E\n").expect("a file");
    let file = file.to_str().expect("text");
    let message = "Invalid value. Matching delimiter not found 'E'";
    let ended = lrun(&["env-file", "--json", file]).exited(1);
    assert_eq!(ended.json(), json!({ "error": message }));
    let ended = lrun(&["env-file", file]).exited(1);
    assert_eq!(ended.stdout, "A=1\n");
    assert_eq!(ended.stderr, format!("error: {file}: {message}\n"));
    lrun(&["env-file", "/nowhere"]).exited(2);
    assert!(
        lrun(&["env-file", "--help"])
            .exited(0)
            .stdout
            .contains("Exit codes")
    );
}

#[test]
fn of_a_line_without_end_the_beginning_is_shown() {
    let line = "é".repeat(100_000);
    let ended = lrun_reading(&["env-file", "-"], line.as_bytes()).exited(1);
    assert!(ended.stderr.chars().count() < 300, "{ended:?}");
    assert!(ended.stderr.contains("Invalid format 'éé"), "{ended:?}");
    let ended = lrun_reading(&["env-file", "--json", "-"], line.as_bytes()).exited(1);
    let error = ended.json()["error"]
        .as_str()
        .map(|text| text.chars().count());
    assert_eq!(error, Some(500 + "[...]".len()));
}

#[test]
fn nobody_waits_for_a_pipe_without_a_writer() {
    let directory = tempfile::tempdir().expect("a directory");
    let pipe = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let pipe = pipe.to_str().expect("text");
    for command in [
        &["env-file", pipe][..],
        &["parse", pipe],
        &["matrix", pipe],
        &["expr", "eval", "--context", pipe, "--", "1"],
    ] {
        let ended = lrun(command).exited(2);
        assert!(
            ended
                .stderr
                .contains("it is neither a file nor a directory"),
            "{ended:?}"
        );
    }
    lrun_reading(&["env-file", "/dev/stdin"], b"A=1").exited(0);
    lrun(&["env-file", "/dev/null"]).exited(0);
}
