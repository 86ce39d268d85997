//! The two dialects of globs: of trigger filters, and of `hashFiles`. An input is patterns, a
//! line each, then an empty line and names.

use std::collections::BTreeMap;
use std::io;

use lrun::plan::Filter;
use lrun::tree::{FileKind, Files, Links, Roots, hash_files_in};

use crate::frame::Fuzzer;
use crate::known::{lines, rules};

const WORDS: [&str; 34] = [
    "*", "**", "/", "**/", "/**", "?", "+", "[", "]", "[a-z]", "[!a]", "[z-a]", "[^", "-", "!",
    "\\", "{a,b}", ".", "..", "./", "~", "#", "a", "a/b", "é", "𝒜", "\n", "\n\n", " ", "*a", "a**",
    "(", "**/a/", "a*",
];

/// Patterns and names of an input: the work is their product, as it is for any matcher.
const MOST: usize = 40;

fn halves(input: &[u8]) -> (Vec<String>, Vec<String>) {
    let text = String::from_utf8_lossy(input);
    let (patterns, names) = text.split_once("\n\n").unwrap_or((&text, "a/a/a/a/b"));
    let lines = |text: &str| text.lines().take(MOST).map(str::to_owned).collect();
    (lines(patterns), lines(names))
}

#[test]
fn filters() {
    let seeds = rules("filter.json", |case| {
        format!("{}\n\n{}", lines(&case["patterns"]), lines(&case["inputs"]))
    });
    let mut extremes = Vec::new();
    for pattern in ["**/", "*a", "a?", "[a-z]+", "**", "a+", "é*"] {
        extremes
            .push(format!("{}\n\n{}", pattern.repeat(20_000), "a/".repeat(20_000)).into_bytes());
    }
    let fuzzer = Fuzzer {
        name: "filters",
        seeds,
        extremes,
        words: &WORDS,
        inputs: 4_000,
    };
    fuzzer.run(|input| {
        let (patterns, names) = halves(input);
        match Filter::new(&patterns) {
            Ok(filter) => {
                let _ = (filter.includes(&names), filter.ignores(&names));
            }
            Err(error) => assert!(patterns.contains(&error.pattern)),
        }
    });
}

/// Files that are nowhere: every name a file, with the directories it needs.
struct Imagined(BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, FileKind>>);

impl Imagined {
    fn new(workspace: &str, names: &[String]) -> Self {
        let mut directories: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, FileKind>> = BTreeMap::new();
        for name in names {
            let mut directory = workspace.as_bytes().to_vec();
            let segments: Vec<&str> = name
                .split('/')
                .filter(|segment| !segment.is_empty())
                .take(60)
                .collect();
            for (index, segment) in segments.iter().enumerate() {
                let kind = match index + 1 == segments.len() {
                    true => FileKind::File,
                    false => FileKind::Directory,
                };
                let members = directories.entry(directory.clone()).or_default();
                let known = members.entry(segment.as_bytes().to_vec()).or_insert(kind);
                if kind == FileKind::Directory {
                    *known = kind;
                }
                directory.push(b'/');
                directory.extend(segment.bytes());
            }
        }
        Self(directories)
    }
}

impl Files for Imagined {
    fn kind(&self, path: &[u8], _: Links) -> io::Result<FileKind> {
        if self.0.contains_key(path) {
            return Ok(FileKind::Directory);
        }
        let slash = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let directory = self.0.get(&path[..slash]);
        let found = directory.and_then(|members| members.get(path.get(slash + 1..)?));
        found.copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn names(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let members = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(members.keys().cloned().collect())
    }

    fn real_path(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        Ok(path.to_vec())
    }

    fn open(&self, _: &[u8]) -> io::Result<Box<dyn io::Read + '_>> {
        Ok(Box::new(io::empty()))
    }
}

#[test]
fn hash_files() {
    let mut seeds = rules("hash-files.json", |case| {
        format!(
            "{}\n\na.txt\ndir/sub/a.txt\n[b]/g.txt\n.hid",
            lines(&case["patterns"])
        )
    });
    seeds.extend(rules("glob.json", |case| {
        format!(
            "{}\n\na/b/c.txt\nZ/a/é/a\\b/.h\nx*y",
            lines(&case["patterns"])
        )
    }));
    // What a matcher that tries every way would never finish.
    let deep = "a/".repeat(50);
    let mut extremes = Vec::new();
    for pattern in ["**/a/", "a**", "*a", "**/", "[a-z]"] {
        for times in [20, 1000, 15_000] {
            extremes.push(
                format!("{}b\n\n{deep}a\n{}", pattern.repeat(times), "a".repeat(200)).into_bytes(),
            );
        }
    }
    let fuzzer = Fuzzer {
        name: "hashFiles",
        seeds,
        extremes,
        words: &WORDS,
        inputs: 8_000,
    };
    fuzzer.run(|input| {
        let (patterns, names) = halves(input);
        let files = Imagined::new("/w", &names);
        let roots = Roots {
            workspace: "/w",
            home: "/h",
        };
        if let Ok(hashed) = hash_files_in(&files, &patterns, roots, Links::Keep) {
            assert_eq!(hashed.digest.is_none(), hashed.files.is_empty());
        }
    });
}
