//! Why a key did not match exactly: a comparison with what there is. Pure.

use std::collections::BTreeMap;

use super::cache::{CacheQuery, Record, View};
use super::matching::folded;
use crate::digest::Digest;
use crate::lookup::{Attempt, Change, FileChange, HashedFile, KeyOrigin, KeyPart, MissReason};

/// What the store knows that bears on a key.
#[derive(Debug)]
pub(super) struct Known {
    /// The undamaged entries with the same key, in whatever scope and version, newest first.
    pub(super) of_key: Vec<Record>,
    /// The latest undamaged entries of the same step, and of the same version.
    pub(super) of_step: Vec<Record>,
    /// Why an entry with the same key and version can no longer be restored.
    pub(super) damaged: Option<MissReason>,
    /// The last save of the step that was not made.
    pub(super) attempt: Option<Attempt>,
}

/// The reasons, never empty, and the entry they compare with. `matched` is the entry that a
/// prefix has found.
pub(super) fn reasons<'a>(
    view: &View,
    query: &CacheQuery<'_>,
    known: &'a Known,
    matched: Option<&'a Record>,
) -> (Vec<MissReason>, Option<&'a Record>) {
    let same_key = same_key(view, query, known);
    if !same_key.is_empty() {
        return (same_key, None);
    }
    let compared = nearest(view, query, &known.of_step).or(matched);
    let changes = compared
        .map(|record| changed_parts(record, query))
        .unwrap_or_default();
    if !changes.is_empty() {
        return (changes, compared);
    }
    let attempt = known.attempt.clone();
    (vec![MissReason::NeverSaved { attempt }], None)
}

/// What keeps an entry with the very same key from being found.
fn same_key(view: &View, query: &CacheQuery<'_>, known: &Known) -> Vec<MissReason> {
    let key = folded(&query.request.key);
    let version = query.request.version;
    let find = |reads: bool, same_version: bool| {
        known.of_key.iter().find(|record| {
            record.folded == key
                && view.sees(record)
                && view.reads(record) == reads
                && (record.version == version) == same_version
        })
    };
    let concurrent = known.of_key.iter().find(|record| {
        let is_ours = record.version == version && view.reads(record);
        is_ours && record.run == view.run && !view.sees(record)
    });
    if let Some(record) = concurrent {
        let job = record.job.clone();
        return vec![MissReason::Concurrent { job }];
    }
    if let Some(damaged) = &known.damaged {
        return vec![damaged.clone()];
    }
    let other_version = |record: &Record| MissReason::OtherVersion {
        run: record.run,
        paths: record.paths.clone(),
    };
    let other_scope = |record: &Record| MissReason::OtherScope {
        scope: record.scope.clone(),
        run: Some(record.run),
    };
    if let Some(record) = find(true, false) {
        return vec![other_version(record)];
    }
    if let Some(record) = find(false, true) {
        return vec![other_scope(record)];
    }
    match find(false, false) {
        Some(record) => vec![other_scope(record), other_version(record)],
        None => Vec::new(),
    }
}

/// The entry that has most in common with what is asked for: one of the same step, else one
/// that another step made of the same template and paths. That of another leg of the matrix is
/// none, unless the matrix itself has changed in between.
fn nearest<'a>(view: &View, query: &CacheQuery<'_>, of_step: &'a [Record]) -> Option<&'a Record> {
    let own = query.origin;
    let rank = |record: &&Record| {
        (
            view.reads(record),
            record.step == *query.step,
            same_legs(&record.origin, own),
            same_template(&record.origin, own),
            equal_parts(&record.origin, own),
            record.job.leg == view.job.leg,
            record.id,
        )
    };
    of_step
        .iter()
        .filter(|record| view.sees(record))
        .filter(|record| match record.step == *query.step {
            true => record.job.leg == view.job.leg || same_legs(&record.origin, own),
            false => {
                record.version == query.request.version
                    && same_template(&record.origin, own)
                    && same_legs(&record.origin, own)
            }
        })
        .max_by_key(rank)
}

/// Whether no part that the matrix decides has another value.
fn same_legs(was: &KeyOrigin, is: &KeyOrigin) -> bool {
    let of_matrix = |part: &&KeyPart| {
        let expression = part.expression.as_deref().unwrap_or_default();
        expression.contains("matrix.") || expression.contains("matrix[")
    };
    let pairs = of_same_expression(was, is);
    pairs
        .filter(|(_, is)| of_matrix(is))
        .all(|(was, is)| was.value == is.value)
}

/// The parts that are in both, each time an expression is evaluated in both.
fn of_same_expression<'a>(
    was: &'a KeyOrigin,
    is: &'a KeyOrigin,
) -> impl Iterator<Item = (&'a KeyPart, &'a KeyPart)> {
    is.parts.iter().filter_map(|part| {
        let expression = part.expression.as_ref()?;
        let was = was
            .parts
            .iter()
            .find(|was| was.expression.as_ref() == Some(expression))?;
        Some((was, part))
    })
}

fn same_template(was: &KeyOrigin, is: &KeyOrigin) -> bool {
    let alike = |(was, is): (&KeyPart, &KeyPart)| {
        was.expression == is.expression && (is.expression.is_some() || was.value == is.value)
    };
    was.parts.len() == is.parts.len() && was.parts.iter().zip(&is.parts).all(alike)
}

fn equal_parts(was: &KeyOrigin, is: &KeyOrigin) -> usize {
    let is_there = |part: &&KeyPart| {
        let same = |was: &KeyPart| was.expression == part.expression && was.value == part.value;
        was.parts.iter().any(same)
    };
    is.parts.iter().filter(is_there).count()
}

/// What of a key is not as in an entry: the template, and the parts with other values. An entry
/// that another step made from another template says nothing of how this key changed.
fn changed_parts(record: &Record, query: &CacheQuery<'_>) -> Vec<MissReason> {
    let (key, origin) = (&query.request.key, query.origin);
    let was = &record.origin;
    let changed = |(was, is): (&KeyPart, &KeyPart)| MissReason::KeyPartChanged {
        expression: is.expression.clone().unwrap_or_default(),
        was: was.value.clone(),
        is: is.value.clone(),
        run: record.run,
        bearing: is.bearing,
        hosted: is.hosted.clone(),
        files: changed_files(&was.files, &is.files),
    };
    let differs = |(was, is): &(&KeyPart, &KeyPart)| was.value != is.value;
    if same_template(was, origin) {
        let pairs = was.parts.iter().zip(&origin.parts);
        return pairs.filter(differs).map(changed).collect();
    }
    if folded(key) == record.folded {
        return Vec::new();
    }
    if record.step != *query.step {
        return vec![MissReason::OfAnotherStep {
            key: record.key.clone(),
            run: record.run,
            job: record.job.clone(),
            step: record.step.step.clone(),
        }];
    }
    let template = |origin: &KeyOrigin, key: &str| match origin.parts.is_empty() {
        true => key.to_owned(),
        false => origin.template(),
    };
    let of_template = MissReason::TemplateChanged {
        was: template(was, &record.key),
        is: template(origin, key),
        run: record.run,
    };
    let of_parts = of_same_expression(was, origin).filter(differs).map(changed);
    std::iter::once(of_template).chain(of_parts).collect()
}

/// What happened to the files between two hashes, sorted by path.
fn changed_files(was: &[HashedFile], is: &[HashedFile]) -> Vec<FileChange> {
    let by_path = |files: &[HashedFile]| -> BTreeMap<String, Digest> {
        let pairs = files.iter().map(|file| (file.path.clone(), file.digest));
        pairs.collect()
    };
    let (was, is) = (by_path(was), by_path(is));
    let mut paths: Vec<&String> = was.keys().chain(is.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let changes = paths.into_iter().filter_map(|path| {
        let (before, after) = (was.get(path).copied(), is.get(path).copied());
        let change = match (before, after) {
            (before, after) if before == after => return None,
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ => Change::Changed,
        };
        Some(FileChange {
            path: path.clone(),
            change,
            before,
            after,
            lines: Vec::new(),
            more: 0,
        })
    });
    changes.collect()
}

#[cfg(test)]
mod tests;
