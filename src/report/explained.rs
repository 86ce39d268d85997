//! What a recorded run's steps asked of the cache, and why they got what they got: for people
//! in lines, for programs as one JSON object a step.

use std::io::{self, Write};

use serde::Serialize;

use super::layout::{self, Paint, Style};
use super::wire::{Answer, Job, Request, Unsaved, VERSION};
use crate::explain::{self, Line, RecordedRun, RecordedStep, Save};
use crate::ids::RunId;
use crate::lookup::{CacheRequest, KeyOrigin, Lookup};

/// Prints the steps of a run for people.
///
/// # Errors
/// When `out` cannot be written.
pub fn explained(
    out: &mut dyn Write,
    run: &RecordedRun,
    steps: &[&RecordedStep],
    color: bool,
) -> io::Result<()> {
    let paint = Paint(color);
    if let Some(summary) = &run.summary {
        let verdict = layout::verdict(run.verdict, run.alive);
        let title = layout::title(summary);
        writeln!(out, "run {} · {title} · {verdict}", summary.run)?;
    }
    for step in steps {
        let id = step.id.as_ref().map(|id| format!(", id {id}"));
        let name = format!("{} · {}", run.job_name(&step.job), step.name);
        let number = format!(" (step {}{})", step.number(), id.unwrap_or_default());
        writeln!(out, "{}{number}", paint.text(Style::Strong, &name))?;
        if let Some((request, origin, lookup)) = &step.lookup {
            let (word, style, found) = answer(lookup);
            let word = paint.text(style, word);
            writeln!(out, "  {word}{found}")?;
            for Line(depth, line) in asked(request, origin) {
                writeln!(out, "    {:1$}{line}", "", 2 * depth)?;
            }
            for Line(depth, line) in explain::reasons(request, lookup) {
                writeln!(out, "    {:1$}{line}", "", 2 * depth)?;
            }
        }
        save(out, paint, step.save.as_ref())?;
    }
    Ok(())
}

/// What was found, and on what that rests.
fn answer(lookup: &Lookup) -> (&'static str, Style, String) {
    let entry = match lookup {
        Lookup::Miss { .. } => return ("MISS", Style::Bad, String::new()),
        Lookup::Hit { entry } | Lookup::Partial { entry, .. } => entry,
    };
    let rest = format!(
        "   {} · local: {}",
        layout::size(entry.size),
        explain::basis(entry)
    );
    let (key, scope) = (&entry.key, &entry.scope);
    match lookup {
        Lookup::Partial { by, .. } => {
            let by = explain::matched_by(*by);
            (
                "PARTIAL",
                Style::Poor,
                format!(" {key} in {scope} {by}{rest}"),
            )
        }
        _ => ("HIT", Style::Good, format!(" {key} in {scope}{rest}")),
    }
}

/// The request and how its key came about.
fn asked(request: &CacheRequest, origin: &KeyOrigin) -> Vec<Line> {
    let mut lines = vec![Line(0, format!("key      {}", request.key))];
    let mut add = |what: &str, value: &str| lines.push(Line(0, format!("{what:9}{value}")));
    for key in &request.restore_keys {
        add("restore", key);
    }
    for path in &request.paths {
        add("path", path);
    }
    add("version", &request.version.to_string());
    for part in &origin.parts {
        let of_part = explain::part(part)
            .into_iter()
            .map(|Line(depth, line)| match depth {
                0 => Line(0, format!("part     {line}")),
                depth => Line(depth, format!("         {line}")),
            });
        lines.extend(of_part);
    }
    lines
}

fn save(out: &mut dyn Write, paint: Paint, save: Option<&Save>) -> io::Result<()> {
    match save {
        None => Ok(()),
        Some(Save::Saved {
            key,
            size,
            new_bytes,
        }) => {
            let word = paint.text(Style::Good, "saved");
            let (size, new) = (layout::size(*size), layout::size(*new_bytes));
            writeln!(out, "  {word} {key}   {size}, {new} new")
        }
        Some(Save::Not { key, why }) => {
            let (why, problems) = explain::not_saved(why);
            let word = paint.text(Style::Faint, "not saved");
            writeln!(out, "  {word} {key}: {why}")?;
            problems
                .iter()
                .try_for_each(|problem| writeln!(out, "    {problem}"))
        }
    }
}

#[derive(Debug, Serialize)]
struct Explained<'a> {
    version: u32,
    r#type: &'static str,
    run: Option<RunId>,
    #[serde(flatten)]
    job: Job<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    within: Vec<u32>,
    step: u32,
    id: Option<&'a str>,
    name: &'a str,
    request: Option<Request<'a>>,
    #[serde(flatten)]
    answer: Option<Answer<'a>>,
    /// The reasons in words.
    why: Vec<String>,
    saved: Option<Saved<'a>>,
    not_saved: Option<NotSaved<'a>>,
}

#[derive(Debug, Serialize)]
struct Saved<'a> {
    key: &'a str,
    size: u64,
    new_bytes: u64,
}

#[derive(Debug, Serialize)]
struct NotSaved<'a> {
    key: &'a str,
    #[serde(flatten)]
    reason: Unsaved<'a>,
}

/// Prints the steps of a run for programs: a JSON object a line, of the version of
/// [`super::Json`].
///
/// # Errors
/// When `out` cannot be written.
pub fn explained_json(
    out: &mut dyn Write,
    run: &RecordedRun,
    steps: &[&RecordedStep],
) -> io::Result<()> {
    for step in steps {
        serde_json::to_writer(&mut *out, &of_step(run, step))?;
        writeln!(out)?;
    }
    Ok(())
}

fn of_step<'a>(run: &RecordedRun, step: &'a RecordedStep) -> Explained<'a> {
    let lookup = step.lookup.as_ref();
    let why = lookup.map(|(request, _, lookup)| explain::reasons(request, lookup));
    let why = why.unwrap_or_default().into_iter();
    let why = why.map(|Line(depth, line)| format!("{:1$}{line}", "", 2 * depth));
    let (saved, not_saved) = match &step.save {
        None => (None, None),
        Some(Save::Saved {
            key,
            size,
            new_bytes,
        }) => {
            let (size, new_bytes) = (*size, *new_bytes);
            let saved = Saved {
                key,
                size,
                new_bytes,
            };
            (Some(saved), None)
        }
        Some(Save::Not { key, why }) => {
            let reason = why.into();
            (None, Some(NotSaved { key, reason }))
        }
    };
    Explained {
        version: VERSION,
        r#type: "cache-explained",
        run: run.summary.as_ref().map(|summary| summary.run),
        job: (&step.job).into(),
        within: step.within.iter().map(|place| place + 1).collect(),
        step: step.index + 1,
        id: step.id.as_deref(),
        name: &step.name,
        request: lookup.map(|(request, origin, _)| Request::new(request, origin)),
        answer: lookup.map(|(_, _, lookup)| lookup.into()),
        why: why.collect(),
        saved,
        not_saved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn run() -> RecordedRun {
        RecordedRun::new(&fixture::every_kind(), false)
    }

    #[test]
    fn a_step_is_told_whole() {
        let run = run();
        let mut out = Vec::new();
        let steps: Vec<_> = run.cached().take(1).collect();
        explained(&mut out, &run, &steps, false).expect("memory can be written");
        let text = String::from_utf8(out).expect("it is text");
        let (head, why) = text.split_at(text.find("    not exact").expect("it has reasons"));
        insta::assert_snapshot!(head, @"
        run 13 · ci.yml · push · main@3f2c1ab + 1 changed file · failed
        build · Cache registry (step 2)
          PARTIAL cargo-Linux-9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c in refs/heads/main by restore-keys 1   71 MB · local: run 12, dirty
            key      cargo-Linux-41fe41fe41fe41fe41fe41fe41fe41fe41fe41fe41fe41fe41fe41fe41fe41fe
            restore  cargo-Linux-
            path     ~/.cargo/registry
            version  5ca4f3850ccc331aaf8a257d6086e526a3b42a63e18cb11d020847985b31d188
            part     hashFiles('**/Cargo.lock') = '41fe…' · portable
                       Cargo.lock 0c03…
        ");
        assert!(
            why.contains("\n      Cargo.lock:41   regex 1.11.1 → 1.11.2\n"),
            "{why}"
        );
        assert!(why.ends_with("71 MB, 400 kB new\n"), "{why}");
    }

    #[test]
    fn programs_get_the_same_words() {
        let run = run();
        let mut out = Vec::new();
        let steps: Vec<_> = run.cached().collect();
        explained_json(&mut out, &run, &steps).expect("memory can be written");
        let text = String::from_utf8(out).expect("it is text");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is an object"))
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (&lines[0]["version"], &lines[0]["run"]),
            (&1.into(), &13.into())
        );
        assert_eq!(
            (&lines[0]["job"], &lines[0]["step"]),
            (&"build".into(), &2.into())
        );
        assert_eq!(lines[0]["result"], "partial");
        assert_eq!(lines[0]["reasons"][0]["reason"], "never-saved");
        assert_eq!(
            lines[0]["why"][0],
            "not exact: this step never saved an entry"
        );
        assert_eq!(lines[0]["saved"]["new_bytes"], 400_000);
        assert_eq!(lines[1]["not_saved"]["reason"], "reserved");
    }
}
