//! The patterns of `hashFiles`, beside minimatch.

use lrun::tree::{Glob, GlobOptions, Links, Roots};
use serde_json::{Value as Json, json};

use crate::assert_same;
use crate::packages::Packages;
use crate::random::Random;

const PATTERNS: usize = 8_000;
const PATHS: usize = 8;

const PIECES: [&str; 51] = [
    "[[:alpha:]]",
    "[![:digit:]]",
    "[[:xdigit:]-]",
    "[[:punct:]a-c]",
    "[[:graph:]]",
    "a",
    "b",
    "ab",
    "c",
    "A",
    "é",
    "𝒜",
    ".",
    ".h",
    "-",
    " ",
    "*",
    "*",
    "*",
    "?",
    "?",
    "**",
    "[a-c]",
    "[!a]",
    "[^a]",
    "[]a]",
    "[]",
    "[!]",
    "[^]",
    "[a-]",
    "[-a]",
    "[a\\-c]",
    "[z-a]",
    "[b",
    "[a]",
    "[*]",
    "[?]",
    "[é-𝒜]",
    "[a^]",
    "[\\]]",
    "]",
    "\\*",
    "\\a",
    "\\[",
    "{a,b}",
    "+(a)",
    "!(a)",
    "@(a|b)",
    "#",
    "$",
    "(",
];
const NAMES: [&str; 24] = [
    "a", "b", "ab", "abc", "c", "A", "é", "𝒜", ".h", ".", "-", "a-c", "]", "[", "a]", "[a", "*",
    "?", "{a,b}", "+(a)", "#", "^", "a b", "",
];

fn pattern(random: &mut Random) -> String {
    let segments: Vec<String> = (0..=random.below(4))
        .map(|_| match random.chance(25) {
            true => "**".to_owned(),
            false => (0..=random.below(3))
                .map(|_| random.pick(&PIECES))
                .collect(),
        })
        .collect();
    segments.join("/")
}

/// A path that has something of the pattern.
fn path(random: &mut Random, pattern: &str) -> String {
    let mut segments: Vec<String> = Vec::new();
    for segment in pattern.split('/') {
        match segment {
            "**" => segments.extend((0..random.below(3)).map(|_| random.pick(&NAMES).to_owned())),
            segment if random.chance(60) => {
                let literal: String = segment
                    .chars()
                    .filter(|c| !"\\[]!^".contains(*c))
                    .map(|c| match c {
                        '*' | '?' => random.pick(&NAMES).chars().next().unwrap_or('b'),
                        _ => c,
                    })
                    .collect();
                segments.push(literal);
            }
            _ => segments.push([random.pick(&NAMES), random.pick(&NAMES)].concat()),
        }
    }
    segments.retain(|segment| !segment.is_empty() && segment != "." && segment != "..");
    segments.join("/")
}

#[test]
fn patterns_match_what_minimatch_matches() {
    let mut random = Random::new(11);
    let mut questions = Vec::new();
    let mut ours: Vec<Vec<bool>> = Vec::new();
    let options = GlobOptions {
        implicit_descendants: false,
        links: Links::Keep,
        exclude_hidden: false,
    };
    let roots = Roots {
        workspace: "/w",
        home: "/h",
    };
    while questions.len() < PATTERNS {
        let pattern = pattern(&mut random);
        // These mean something to the list of patterns before minimatch sees them.
        let first = pattern.starts_with(['!', '#', '~', ' ']) || pattern == ".";
        // JavaScript refuses the regular expression that minimatch makes of these.
        let throws = pattern.contains("[:") && pattern.contains(['-', '#', ',', ' ']);
        if first || throws || pattern.ends_with(' ') {
            continue;
        }
        let Ok(glob) = Glob::new(&[&pattern], roots, options) else {
            continue;
        };
        let paths: Vec<String> = (0..PATHS)
            .map(|_| {
                format!("/w/{}", path(&mut random, &pattern))
                    .trim_end_matches('/')
                    .to_owned()
            })
            .collect();
        ours.push(
            paths
                .iter()
                .map(|path| glob.lines_matching(path.as_bytes()).count() > 0)
                .collect(),
        );
        // What ends in `**` is asked about a directory.
        let end = if pattern == "**" || pattern.ends_with("/**") {
            "/"
        } else {
            ""
        };
        let rooted = format!("/w/{}", pattern.strip_prefix("./").unwrap_or(&pattern));
        let paths: Vec<String> = paths.iter().map(|path| format!("{path}{end}")).collect();
        questions.push(json!({"pattern": rooted, "paths": paths}));
    }
    let answers = Packages::installed().ask(include_str!("minimatch.mjs"), &questions);
    let mut matched = 0;
    let mut wrong = Vec::new();
    for ((question, ours), theirs) in questions.iter().zip(&ours).zip(&answers) {
        let paths = question["paths"].as_array().expect("a list");
        let theirs = theirs
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one == &Json::Bool(true));
        for ((path, ours), theirs) in paths.iter().zip(ours).zip(theirs) {
            matched += usize::from(*ours);
            if *ours != theirs {
                wrong.push(format!(
                    "{} and {path}: {ours} here, {theirs} there",
                    question["pattern"]
                ));
            }
        }
    }
    println!(
        "{} pairs, {matched} match, {} differ",
        PATTERNS * PATHS,
        wrong.len()
    );
    assert_same(&wrong);
}
