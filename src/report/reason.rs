//! Why a cache did not hit, why nothing was saved: one wording for each reason.

use super::layout::shorten;
use crate::lookup::{Change, FileChange, MatchedBy, MissReason, NotSaved};

/// Files named under a reason before the rest is counted.
const FILES: usize = 5;

/// A reason in lines: what it is, then what it is about.
pub(super) fn lines(reason: &MissReason) -> (String, Vec<String>) {
    match reason {
        MissReason::NeverSaved => ("this step never saved an entry".to_owned(), Vec::new()),
        MissReason::KeyPartChanged {
            expression,
            was,
            is,
            run,
            files,
        } => {
            let below = if files.is_empty() {
                vec![format!("was '{}', is '{}'", shorten(was), shorten(is))]
            } else {
                changed(files)
            };
            (format!("{expression} changed since run {run}"), below)
        }
        MissReason::OtherVersion { run, paths } => (
            format!("the key exists with other paths or another compression, saved by run {run}"),
            paths.iter().map(|path| format!("path: {path}")).collect(),
        ),
        MissReason::OtherScope { scope } => (
            format!("the key exists in {scope}, which this run cannot read"),
            Vec::new(),
        ),
        MissReason::Concurrent { job } => (
            format!("job {job} saved the key during this run; on GitHub that is a race"),
            Vec::new(),
        ),
        MissReason::NotPermitted { mode } => (
            format!("cache-mode '{mode}' does not permit reads"),
            Vec::new(),
        ),
        MissReason::NotRestored { problem } => (
            format!("the entry was found but could not be restored: {problem}"),
            Vec::new(),
        ),
        MissReason::Damaged { problem } => (format!("the entry is damaged: {problem}"), Vec::new()),
    }
}

fn changed(files: &[FileChange]) -> Vec<String> {
    let mut lines: Vec<String> = files
        .iter()
        .take(FILES)
        .map(|file| {
            let change = match file.change {
                Change::Added => "added",
                Change::Removed => "removed",
                Change::Changed => "changed",
            };
            format!("{} {change}", file.path)
        })
        .collect();
    if files.len() > FILES {
        lines.push(format!("and {} more", files.len() - FILES));
    }
    lines
}

/// Which key of a request an entry was found by.
pub(super) fn matched_by(by: MatchedBy) -> String {
    match by {
        MatchedBy::PrimaryKey => "by key as a prefix".to_owned(),
        MatchedBy::RestoreKey(index) => format!("by restore-keys {}", index + 1),
    }
}

/// Why nothing was saved, and what tar or the toolkit said.
pub(super) fn not_saved(reason: &NotSaved) -> (String, &[String]) {
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
    }
}
