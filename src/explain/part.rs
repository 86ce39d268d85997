//! The parts of a key in words.

use super::reason::Line;
use super::text::{count, shorten};
use crate::lookup::{Bearing, Hosted, KeyOrigin, KeyPart};

/// Files of a part that are named; the rest is counted.
const FILES: usize = 5;

/// A part of a key: what it is and gave, what it depends on, and below that the files it hashed.
pub fn part(part: &KeyPart) -> Vec<Line> {
    let value = shorten(&part.value);
    let mut line = match &part.expression {
        Some(expression) => format!("{expression} = '{value}'"),
        None => format!("'{value}'"),
    };
    if let Some(bearing) = part.bearing {
        line += &format!(" · {bearing}");
        line += match bearing {
            Bearing::Run => ": of the run, the commit or the moment",
            Bearing::Place if !part.made.is_empty() => ": of files that the job made: ",
            Bearing::Place if part.hosted.is_some() => ": reported by a tool of this machine",
            Bearing::Place => ": made by the job's steps; may differ on GitHub",
            Bearing::Portable | Bearing::Label => "",
        };
    }
    if part.bearing == Some(Bearing::Place) {
        line += &named(&part.made);
    }
    if matched_nothing(part) {
        line += " · it matched no file: the key does not change with any";
    }
    if let Some(known) = &part.hosted {
        line += &format!(" · {}", hosted(known, &part.value));
    }
    let mut lines = vec![Line(0, line)];
    let files = part.files.iter().take(FILES);
    lines.extend(files.map(|file| {
        let digest = shorten(&file.digest.to_string());
        Line(1, format!("{} {digest}", file.path))
    }));
    if let Some(more) = part.files.len().checked_sub(FILES).filter(|&more| more > 0) {
        lines.push(Line(1, format!("and {}", count(more as u64, "other file"))));
    }
    lines
}

/// The parts of a key whose `hashFiles` matched no file.
pub fn unmatched(origin: &KeyOrigin) -> Vec<Line> {
    let parts = origin.parts.iter().filter(|part| matched_nothing(part));
    let expressions = parts.filter_map(|part| part.expression.as_ref());
    expressions
        .map(|expression| {
            let line = format!("{expression} matched no file: the key does not change with any");
            Line(0, line)
        })
        .collect()
}

/// Whether a part is a `hashFiles` alone, which gave nothing: it gives a digest of any file.
fn matched_nothing(part: &KeyPart) -> bool {
    const FUNCTION: &str = "hashfiles(";
    let is_hash = |expression: &String| expression.to_ascii_lowercase().starts_with(FUNCTION);
    part.value.is_empty() && part.expression.as_ref().is_some_and(is_hash)
}

/// Paths in a row, and how many more there are.
fn named(paths: &[String]) -> String {
    let first = paths.iter().take(FILES).map(String::as_str);
    let mut named = first.collect::<Vec<_>>().join(", ");
    if paths.len() > FILES {
        named += &format!(" and {} more", paths.len() - FILES);
    }
    named
}

/// What GitHub's image is known to have, beside the value here.
pub fn hosted(hosted: &Hosted, value: &str) -> String {
    let label = &hosted.label;
    match &hosted.value {
        Some(known) if known == value => format!("the same on {label}"),
        Some(known) => format!("'{}' on {label}", shorten(known)),
        None => {
            let tools = hosted.tools.iter();
            let tools =
                tools.map(|tool| format!("{} {}", tool.command, tool.versions.join(" or ")));
            format!("{label} has {}", tools.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::lookup::{HashedFile, HostedTool};

    fn told(told: &KeyPart) -> Vec<String> {
        let lines = part(told).into_iter();
        lines
            .map(|Line(depth, text)| "  ".repeat(depth) + &text)
            .collect()
    }

    #[test]
    fn a_part_tells_its_value_its_bearing_and_github_s_value() {
        let mut part = KeyPart {
            made: Vec::new(),
            expression: None,
            value: "cargo-".to_owned(),
            bearing: Some(Bearing::Portable),
            hosted: None,
            files: Vec::new(),
        };
        assert_eq!(told(&part), ["'cargo-' · portable"]);
        part.expression = Some("runner.os".to_owned());
        part.value = "Linux".to_owned();
        part.expression = Some("hashFiles('nothing*')".to_owned());
        part.value = String::new();
        assert_eq!(
            told(&part),
            [
                "hashFiles('nothing*') = '' · portable · it matched no file: the key does not change with any"
            ]
        );
        let parts = vec![part.clone()];
        assert_eq!(
            unmatched(&KeyOrigin { parts }),
            [Line(
                0,
                "hashFiles('nothing*') matched no file: the key does not change with any"
                    .to_owned()
            )]
        );
        part.expression = Some("runner.os".to_owned());
        part.value = "Linux".to_owned();
        part.bearing = Some(Bearing::Label);
        let mut hosted = Hosted {
            label: "ubuntu-24.04".to_owned(),
            value: Some("Linux".to_owned()),
            tools: Vec::new(),
        };
        part.hosted = Some(hosted.clone());
        assert_eq!(
            told(&part),
            ["runner.os = 'Linux' · label · the same on ubuntu-24.04"]
        );
        hosted.value = None;
        hosted.tools = vec![HostedTool {
            command: "rustc".to_owned(),
            versions: vec!["1.97.1".to_owned()],
        }];
        part.hosted = Some(hosted);
        part.bearing = Some(Bearing::Place);
        assert!(told(&part)[0].ends_with(" · ubuntu-24.04 has rustc 1.97.1"));
        part.bearing = None;
        part.hosted = None;
        part.files = vec![
            HashedFile {
                path: "a".to_owned(),
                digest: Digest::of("a"),
            };
            7
        ];
        let lines = told(&part);
        assert_eq!(lines[0], "runner.os = 'Linux'");
        assert_eq!(lines[1], "  a ca97…");
        assert_eq!(lines[6], "  and 2 other files");
    }
}
