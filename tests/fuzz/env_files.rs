//! The files a step writes.

use lrun::exec::file_command::{blocked_variable, parse_pairs, prepend_paths, text};

use crate::frame::Fuzzer;
use crate::known;

#[test]
fn env_files() {
    let fuzzer = Fuzzer {
        name: "env files",
        seeds: known::rules("env-file.json", |case| {
            case["text"].as_str().unwrap_or_default().to_owned()
        }),
        extremes: vec!["A<<E\n".repeat(20_000).into_bytes()],
        words: &[
            "<<",
            "=",
            "\n",
            "\r\n",
            "EOF\n",
            "A<<EOF\n",
            "A=1\n",
            "\u{feff}",
            "\0",
            "é",
            "node_options=",
        ],
        inputs: 40_000,
    };
    fuzzer.run(|input| {
        let text = text(input);
        let read = parse_pairs(&text);
        // What is read stands in the file.
        for (name, value) in &read.pairs {
            assert!(text.contains(name.as_str()) && text.contains(value.as_str()));
            let _ = blocked_variable(name);
        }
        assert!(read.error.is_none_or(|error| !error.to_string().is_empty()));
        prepend_paths(&mut Vec::new(), &text);
    });
}
