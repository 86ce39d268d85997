//! Why a key did not match exactly: a comparison with what there is. Pure.

use std::collections::BTreeMap;

use super::cache::{CacheQuery, Record, View};
use super::matching::folded;
use crate::lookup::{Change, FileChange, HashedFile, KeyOrigin, KeyPart, MissReason};

/// The reasons, never empty. `candidates` are the undamaged entries with the same key, in
/// whatever scope and version, and the latest of the same step; `matched` is the entry that a
/// prefix has found.
pub(super) fn reasons(
    view: &View,
    query: &CacheQuery<'_>,
    candidates: &[Record],
    matched: Option<&Record>,
) -> Vec<MissReason> {
    if let Some(reason) = same_key(view, query, candidates) {
        return vec![reason];
    }
    let changes = matched
        .or_else(|| nearest(view, query, candidates))
        .map(|record| changed_parts(record, &query.request.key, query.origin))
        .unwrap_or_default();
    match changes.is_empty() {
        true => vec![MissReason::NeverSaved],
        false => changes,
    }
}

/// What keeps an entry with the very same key from being found.
fn same_key(view: &View, query: &CacheQuery<'_>, candidates: &[Record]) -> Option<MissReason> {
    let key = folded(&query.request.key);
    let version = query.request.version;
    let same = || candidates.iter().filter(|record| record.folded == key);
    let concurrent = same()
        .filter(|record| record.version == version && view.reads(record))
        .find(|record| record.run == view.run && !view.sees(record))
        .map(|record| MissReason::Concurrent {
            job: record.job.clone(),
        });
    let other_version = || {
        same()
            .find(|record| view.reads(record) && view.sees(record) && record.version != version)
            .map(|record| MissReason::OtherVersion {
                run: record.run,
                paths: record.paths.clone(),
            })
    };
    let other_scope = || {
        same()
            .find(|record| !view.reads(record) && view.sees(record) && record.version == version)
            .map(|record| MissReason::OtherScope {
                scope: record.scope.clone(),
            })
    };
    concurrent.or_else(other_version).or_else(other_scope)
}

/// The latest entry of the same step, if possible one that the run may read.
fn nearest<'a>(
    view: &View,
    query: &CacheQuery<'_>,
    candidates: &'a [Record],
) -> Option<&'a Record> {
    candidates
        .iter()
        .filter(|record| record.step == *query.step && view.sees(record))
        .max_by_key(|record| (view.reads(record), record.id))
}

/// The parts of a key that have other values than in an entry. Where the templates differ too
/// much to be laid side by side, the key as a whole is the part.
fn changed_parts(record: &Record, key: &str, origin: &KeyOrigin) -> Vec<MissReason> {
    let alike = |(was, is): (&KeyPart, &KeyPart)| {
        was.expression == is.expression && (is.expression.is_some() || was.value == is.value)
    };
    let pairs = || record.origin.parts.iter().zip(&origin.parts);
    let same_template = record.origin.parts.len() == origin.parts.len() && pairs().all(alike);
    if !same_template {
        return match record.key == key {
            true => Vec::new(),
            false => vec![MissReason::KeyPartChanged {
                expression: "key".to_owned(),
                was: record.key.clone(),
                is: key.to_owned(),
                run: record.run,
                files: Vec::new(),
            }],
        };
    }
    pairs()
        .filter(|(was, is)| was.value != is.value)
        .map(|(was, is)| MissReason::KeyPartChanged {
            expression: is.expression.clone().unwrap_or_default(),
            was: was.value.clone(),
            is: is.value.clone(),
            run: record.run,
            files: changed_files(&was.files, &is.files),
        })
        .collect()
}

/// What happened to the files between two hashes, sorted by path.
fn changed_files(was: &[HashedFile], is: &[HashedFile]) -> Vec<FileChange> {
    let by_path = |files: &[HashedFile]| -> BTreeMap<String, _> {
        files
            .iter()
            .map(|file| (file.path.clone(), file.digest))
            .collect()
    };
    let (was, is) = (by_path(was), by_path(is));
    let gone = was
        .keys()
        .filter(|path| !is.contains_key(*path))
        .map(|path| (path, Change::Removed));
    let here = is.iter().filter_map(|(path, digest)| match was.get(path) {
        None => Some((path, Change::Added)),
        Some(before) if before != digest => Some((path, Change::Changed)),
        Some(_) => None,
    });
    let mut changes: Vec<FileChange> = gone
        .chain(here)
        .map(|(path, change)| FileChange {
            path: path.clone(),
            change,
        })
        .collect();
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn files(files: &[(&str, &str)]) -> Vec<HashedFile> {
        files
            .iter()
            .map(|(path, content)| HashedFile {
                path: (*path).to_owned(),
                digest: Digest::of(content),
            })
            .collect()
    }

    #[test]
    fn files_are_compared_by_path_and_content() {
        let was = files(&[("b", "1"), ("gone", "1"), ("same", "1")]);
        let is = files(&[("same", "1"), ("b", "2"), ("a", "1")]);
        let changes: Vec<_> = changed_files(&was, &is)
            .into_iter()
            .map(|change| (change.path, change.change))
            .collect();
        assert_eq!(
            changes,
            [
                ("a".to_owned(), Change::Added),
                ("b".to_owned(), Change::Changed),
                ("gone".to_owned(), Change::Removed)
            ]
        );
    }
}
