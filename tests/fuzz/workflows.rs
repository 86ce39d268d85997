//! Workflow and action files, their YAML first of all.

use std::fs;
use std::path::Path;

use lrun::source::{Diagnostic, Source};
use lrun::workflow::{read_action, read_workflow};
use lrun::yaml::{Limits, read};

use crate::allocations;
use crate::frame::Fuzzer;
use crate::random::Random;
use crate::workflow_texts::{Grammar, change, known, probes, slip, write};

const WORDS: &[&str] = &[
    "\n",
    "\n  ",
    "\n    ",
    "  ",
    "\t",
    "\r\n",
    ": ",
    ":",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "#",
    " # ",
    "&a ",
    "*a",
    "*a\n",
    "!!str ",
    "!x ",
    "|\n",
    ">-\n",
    "|9\n",
    "'",
    "\"",
    "\\u0041",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: ",
    "${{ ",
    " }}",
    "${{ insert }}",
    "${{ github.ref }}",
    "${{ fromJSON(",
    "'${{ '",
    "on: push\n",
    "jobs:\n",
    "runs-on: x\n",
    "steps:\n",
    "- run: x\n",
    "uses: a/b@c\n",
    "needs: [a, b]\n",
    "matrix: {a: [1, 2]}\n",
    "parallel:\n",
    "wait: a\n",
    "if: always()\n",
    "runs:\n",
    "using: composite\n",
    "0x1F",
    "0o7",
    ".inf",
    "1e400",
    "null",
    "~",
    "true",
    "é",
    "\u{feff}",
    "\u{2028}",
    "\0",
    "\u{7}",
    "😀",
];

/// What a file may cost at the most, one below another and beside it.
fn extremes() -> Vec<String> {
    const NESTED: usize = 100_000;
    let in_workflow =
        |value: &str| format!("on: push\njobs:\n  j:\n    runs-on: x\n    env: {value}\n");
    let mut texts: Vec<String> = [
        "[", "{", "- ", "? ", "[[", "{a: ", "[{", "- - ", "? - ", "-\n", ": ", "&a ", "!!str ",
        "*a ", "'", "\"\\",
    ]
    .iter()
    .map(|piece| piece.repeat(NESTED / piece.len()))
    .collect();
    texts.extend([
        // Blocks in blocks.
        (0..400)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect(),
        (0..400)
            .map(|depth| format!("{}- b\n", "- ".repeat(depth)))
            .collect(),
        // One scalar as large as the file may be, and larger.
        in_workflow(&format!("{{A: '{}'}}", "x".repeat((1 << 20) - 100))),
        in_workflow(&format!("{{A: \"{}\"}}", "\\n".repeat(1 << 19))),
        in_workflow(&format!("|\n{}", "      x\n".repeat(130_000))),
        in_workflow(&format!("{{A: {}}}", "x\n\n        ".repeat(80_000))),
        "x".repeat(5 << 20),
        format!("{}: x\n", "k".repeat((1 << 20) - 10)),
        format!("? {}\n: x\n", "k".repeat((1 << 20) - 10)),
        format!("'{}", "''".repeat(1 << 19)),
        // As many nodes as fit.
        format!("[{}]", "a,".repeat(130_000)),
        "a:\n".repeat(60_000),
        "-\n".repeat(130_000),
        in_workflow(&format!("{{{}}}", "a: ,".repeat(60_000))),
        in_workflow(&format!("{{{}}}", "'${{ insert }}': 1,".repeat(20_000))),
        (0..100_000)
            .map(|number| format!("&a{number} a\n"))
            .collect(),
        // Aliases: nine in nine of nine, and many of one.
        bomb(10, 9),
        in_workflow(&format!(
            "&e {{A: b}}\n  k: {{runs-on: x, steps: [{}]}}",
            "{run: x, env: *e},".repeat(30_000)
        )),
        format!("- &a [{}]\n{}", "x,".repeat(40_000), "- *a\n".repeat(100)),
        format!("{}\n", "[&a ".repeat(60)),
        "&a [*a, *a]".to_owned(),
        // Comments, directives and line ends.
        "#".repeat(1 << 20),
        "# x\n".repeat(260_000),
        "%x\n".repeat(300_000),
        "[]#\n".repeat(250_000),
        "- []#\n".repeat(170_000),
        "\r".repeat(1 << 20),
        "\t".repeat(1 << 20),
        " ".repeat(1 << 20),
        "\u{feff}".repeat(300_000),
        "...\n".repeat(260_000),
        "---\n".repeat(260_000),
        // Expressions.
        in_workflow(&format!("{{A: '{}'}}", "${{ github.a }}".repeat(60_000))),
        in_workflow(&format!("{{A: '${{{{ {}'}}", "(".repeat(500_000))),
        in_workflow(&format!("{{A: '{}'}}", "${{".repeat(300_000))),
        // Jobs that wait for each other, steps by the thousand, and keys that are nearly right.
        format!(
            "on: push\njobs:\n{}",
            (0..3000)
                .map(|job| format!(
                    "  j{job}:\n    needs: [j{}, j{}]\n    runs-on: x\n",
                    job + 1,
                    job / 2
                ))
                .collect::<String>()
        ),
        format!(
            "on: push\njobs: {{j: {{runs-on: x, steps: [{}]}}}}",
            "{run: x},".repeat(20_000)
        ),
        format!(
            "on: push\njobs: {{j: {{runs-on: x, steps: [{}]}}}}",
            "{wait: x},".repeat(20_000)
        ),
        format!(
            "on: push\njobs: {{j: {{runs-on: x, {}}}}}",
            (0..20_000)
                .map(|key| format!("runs-on{key}: x,"))
                .collect::<String>()
        ),
        format!(
            "on: push\njobs: {{j: {{runs-on: x, strategy: {{matrix: {{{}}}}}}}}}",
            (0..20_000)
                .map(|key| format!("k{key}: [],"))
                .collect::<String>()
        ),
    ]);
    texts
}

/// Anchors of `width` aliases of the anchor before, `levels` times.
fn bomb(levels: usize, width: usize) -> String {
    let mut text = format!("a0: &a0 [{}]\n", "x,".repeat(width));
    for level in 1..levels {
        let aliases = format!("*a{},", level - 1).repeat(width);
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

/// The conformance workflows and manifests, and some that are made up.
fn seeds() -> Vec<String> {
    let mut texts = known();
    let manifests =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/action-manifests");
    let mut paths: Vec<_> = fs::read_dir(manifests)
        .expect("a suite")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    let manifests = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"));
    texts.extend(manifests.map(|path| fs::read_to_string(path).expect("a text")));
    let (grammar, probes) = (Grammar::new(), probes());
    let mut random = Random::new(3);
    for ways in grammar.places() {
        let probe = probes[random.below(probes.len())].clone();
        texts.push(write(&grammar.fill(&ways, probe), &mut random));
    }
    for _ in 0..300 {
        let mut tree = grammar.workflow(&mut random);
        change(&mut tree, &probes, &mut random);
        let text = write(&tree, &mut random);
        texts.push(slip(&text, &mut random));
    }
    texts
}

fn bytes(texts: Vec<String>) -> Vec<Vec<u8>> {
    texts.into_iter().map(String::into_bytes).collect()
}

/// Every error is in the file, and says something.
fn check(errors: &[Diagnostic], source: &Source) {
    assert!(!errors.is_empty() && errors.len() <= 10);
    for error in errors {
        let position = error.position();
        assert!(!error.message.is_empty() && position.line >= 1 && position.column >= 1);
        assert!(error.span.start <= error.span.end && error.span.end <= source.text.len());
        assert!(
            error.message.chars().count() <= 600,
            "{}",
            error.message.len()
        );
    }
}

#[test]
fn workflows_and_actions() {
    let fuzzer = Fuzzer {
        name: "workflows and actions",
        seeds: bytes(seeds()),
        extremes: bytes(extremes()),
        words: WORDS,
        inputs: 2_000,
    };
    fuzzer.run(|input| {
        let source = Source::new("w.yml", String::from_utf8_lossy(input));
        if let Err(errors) = read_workflow(source.clone()) {
            check(&errors, &source);
        }
        if let Err(errors) = read_action(source.clone()) {
            check(&errors, &source);
        }
    });
}

#[test]
fn hostile_files_end_at_the_limit_they_break() {
    let wide = format!("[{}]", "[".repeat(49) + &"]".repeat(49));
    let cases = [
        ("x".repeat((1 << 20) + 1), "The maximum file size of"),
        ("é".repeat((1 << 20) + 1), "The maximum file size of"),
        ("[".repeat(300), "Maximum object depth exceeded"),
        (wide.replace("[]", "[[]]"), "Maximum object depth exceeded"),
        ("- ".repeat(51) + "x", "Maximum object depth exceeded"),
        ("? ".repeat(51) + "x", "Maximum object depth exceeded"),
        (
            bomb(6, 9),
            "The aliases of this file stand for more than 50000 nodes",
        ),
        ("&a [*a]".to_owned(), "Recursive alias '*a'"),
    ];
    for (text, message) in &cases {
        let ((), taken) = allocations::within(64 << 20, || {
            let errors = read_workflow(Source::new("w.yml", text.as_str())).expect_err("refused");
            assert_eq!(errors.len(), 1);
            assert!(
                errors[0].message.starts_with(message),
                "{}",
                errors[0].message
            );
        });
        assert!(taken.peak < 64 << 20);
    }
    let good = [wide, bomb(4, 9), "x".repeat(1 << 20), "é".repeat(1 << 20)];
    for text in &good {
        let read = read(&Source::new("w.yml", text.as_str()), &Limits::default());
        assert!(read.is_ok(), "{:?}", read.err());
    }
}
