//! Why a cache did not hit, why nothing was saved: one wording for each reason.

use super::part::hosted;
use super::text::shorten;
use super::version;
use crate::lookup::{
    Attempt, Bearing, CacheRequest, Change, EntrySummary, FileChange, LineChange, Lookup,
    MatchedBy, MissReason, NotSaved,
};
use crate::outcome::Outcome;

/// Files and tar's lines named under a reason before the rest is counted.
const NAMED: usize = 5;

/// A line of an explanation and how deep it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(pub usize, pub String);

/// Why a lookup was no exact hit, reason by reason; of a hit, if its key is spelled otherwise.
pub fn reasons(request: &CacheRequest, lookup: &Lookup) -> Vec<Line> {
    let (what, reasons) = match lookup {
        Lookup::Hit { entry } if entry.key != request.key => {
            let line = format!(
                "hit: the entry's key is '{}'; letter case does not count",
                entry.key
            );
            return vec![Line(0, line)];
        }
        Lookup::Hit { .. } => return Vec::new(),
        Lookup::Partial { reasons, .. } => ("not exact", reasons),
        Lookup::Miss { reasons } => ("missed", reasons),
    };
    let mut lines = Vec::new();
    for reason in reasons {
        let (line, below) = miss(request, reason);
        lines.push(Line(0, format!("{what}: {line}")));
        lines.extend(below);
    }
    lines
}

/// A reason in a line, and what stands below it.
fn miss(request: &CacheRequest, reason: &MissReason) -> (String, Vec<Line>) {
    let alone = |line: String| (line, Vec::new());
    match reason {
        MissReason::NeverSaved { attempt } => never_saved(attempt.as_ref()),
        MissReason::KeyPartChanged {
            expression, run, ..
        } => (
            format!("{expression} changed since run {run}"),
            below_part(reason),
        ),
        MissReason::TemplateChanged { was, is, run } => (
            format!("the template of the key changed since run {run}"),
            vec![
                Line(1, format!("was '{was}'")),
                Line(1, format!("is  '{is}'")),
            ],
        ),
        MissReason::OfAnotherStep {
            key,
            run,
            job,
            step,
        } => (
            "no entry has this key".to_owned(),
            vec![Line(
                1,
                format!(
                    "nearest: '{}', saved by step {step} of job {job} in run {run}",
                    shorten(key)
                ),
            )],
        ),
        MissReason::OtherVersion { run, paths } => {
            let (what, below) = version::difference(&request.paths, paths);
            (
                format!("run {run} saved the key with {what}: another version"),
                below,
            )
        }
        MissReason::OtherScope {
            scope,
            run: Some(run),
        } => alone(format!(
            "run {run} saved the key in {scope}, which this run cannot read"
        )),
        MissReason::OtherScope { scope, run: None } => alone(format!(
            "the key exists in {scope}, which this run cannot read"
        )),
        MissReason::Concurrent { job } => alone(format!(
            "job {job} saved the key during this run; on GitHub that is a race"
        )),
        MissReason::NotPermitted { mode } => {
            alone(format!("cache-mode '{mode}' does not permit reads"))
        }
        MissReason::NotRestored { problem } => alone(format!(
            "the entry was found but could not be restored: {problem}"
        )),
        MissReason::Damaged {
            problem,
            run: Some(run),
        } => alone(format!(
            "the entry that run {run} saved is damaged: {problem}"
        )),
        MissReason::Damaged { problem, run: None } => {
            alone(format!("the entry is damaged: {problem}"))
        }
    }
}

fn never_saved(attempt: Option<&Attempt>) -> (String, Vec<Line>) {
    const NEVER: &str = "this step never saved an entry";
    let Some(Attempt { run, why, .. }) = attempt else {
        return (NEVER.to_owned(), Vec::new());
    };
    let how = match why {
        NotSaved::NothingMatched => {
            format!("run {run} reached the save, but nothing matched its paths")
        }
        NotSaved::JobNotSuccessful { status } => {
            let how = match status {
                Outcome::Cancelled => "was cancelled",
                _ => "failed",
            };
            format!("run {run} did not reach the save, because the job {how}")
        }
        why => format!("run {run} reached the save, but {}", not_saved(why).0),
    };
    let below = not_saved(why).1.iter().take(NAMED);
    let below = below.map(|problem| Line(1, problem.clone())).collect();
    (format!("{NEVER}: {how}"), below)
}

/// What changed of a part, and what a change of it means.
fn below_part(reason: &MissReason) -> Vec<Line> {
    let MissReason::KeyPartChanged {
        was,
        is,
        bearing,
        hosted: known,
        files,
        ..
    } = reason
    else {
        return Vec::new();
    };
    let mut lines = match files.is_empty() {
        true => vec![Line(
            1,
            format!("was '{}', is '{}'", shorten(was), shorten(is)),
        )],
        false => changed(files),
    };
    let meaning = match bearing {
        Some(Bearing::Run) => "it is of the run, the commit or the moment",
        Some(Bearing::Place) if known.is_some() => "a tool of this machine reported it",
        Some(Bearing::Place) => "the job's steps made it; it may differ on GitHub",
        Some(Bearing::Label) => "it comes with the label",
        Some(Bearing::Portable) | None => return lines,
    };
    lines.push(match known {
        Some(known) => Line(1, format!("{meaning}; {}", hosted(known, is))),
        None => Line(1, meaning.to_owned()),
    });
    lines
}

fn changed(files: &[FileChange]) -> Vec<Line> {
    let mut lines: Vec<Line> = files.iter().take(NAMED).flat_map(of_file).collect();
    if files.len() > NAMED {
        lines.push(Line(1, format!("and {} more", files.len() - NAMED)));
    }
    lines
}

fn of_file(file: &FileChange) -> Vec<Line> {
    let path = &file.path;
    if file.change != Change::Changed || file.lines.is_empty() {
        return vec![Line(1, format!("{path} {}", file.change.as_str()))];
    }
    let line = |change: &LineChange| Line(1, format!("{path}:{}   {}", change.line, words(change)));
    let mut lines: Vec<Line> = file.lines.iter().map(line).collect();
    if file.more > 0 {
        lines.push(Line(1, format!("{path}   and {} more", file.more)));
    }
    lines
}

/// `regex 1.11.1 → 1.11.2`; `+` stands before what is new, `-` before what is gone.
fn words(change: &LineChange) -> String {
    let entry = change.entry.as_ref().map(|entry| format!("{entry} "));
    let entry = entry.unwrap_or_default();
    match (&change.was, &change.is) {
        (Some(was), Some(is)) => format!("{entry}{was} → {is}"),
        (None, Some(is)) => format!("+ {entry}{is}"),
        (Some(was), None) => format!("- {entry}{was}"),
        (None, None) => entry,
    }
}

/// What an answer rests on: the run that saved the entry, and whether GitHub can have it.
pub fn basis(entry: &EntrySummary) -> String {
    let dirty = if entry.dirty { ", dirty" } else { "" };
    format!("run {}{dirty}", entry.run)
}

/// Which key of a request an entry was found by.
pub fn matched_by(by: MatchedBy) -> String {
    match by {
        MatchedBy::PrimaryKey => "by key as a prefix".to_owned(),
        MatchedBy::RestoreKey(index) => format!("by restore-keys {}", index + 1),
    }
}

/// Why nothing was saved, and what tar or the toolkit said.
pub fn not_saved(reason: &NotSaved) -> (String, &[String]) {
    match reason {
        NotSaved::ExactHit => ("it was an exact hit".to_owned(), &[]),
        NotSaved::Reserved { by: None } => ("the key exists already".to_owned(), &[]),
        NotSaved::Reserved { by: Some(job) } => (format!("job {job} reserved the key first"), &[]),
        NotSaved::NothingMatched => ("no path matched anything".to_owned(), &[]),
        NotSaved::NotPermitted { mode } => {
            (format!("cache-mode '{mode}' does not permit writes"), &[])
        }
        NotSaved::Unreadable { problems } => ("files could not be read".to_owned(), problems),
        NotSaved::Invalid { message } => (message.clone(), &[]),
        NotSaved::JobNotSuccessful { status } => (
            format!("the job ended as {status}: post-if: success()"),
            &[],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RunId;
    use crate::lookup::{Compression, Scope, version};

    #[test]
    fn a_hit_is_explained_where_letter_case_made_it_one() {
        let paths = vec!["data".to_owned()];
        let request = CacheRequest {
            key: "k-linux".to_owned(),
            restore_keys: Vec::new(),
            version: version(&paths, Compression::Zstd),
            paths,
        };
        let hit = |key: &str| Lookup::Hit {
            entry: EntrySummary {
                id: 1,
                key: key.to_owned(),
                scope: Scope("refs/heads/main".to_owned()),
                run: RunId(1),
                dirty: false,
                size: 0,
                files: 0,
                archive_size: None,
            },
        };
        assert_eq!(reasons(&request, &hit("k-linux")), []);
        let expected = "hit: the entry's key is 'k-Linux'; letter case does not count";
        assert_eq!(
            reasons(&request, &hit("k-Linux")),
            [Line(0, expected.to_owned())]
        );
    }
}
