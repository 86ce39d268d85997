//! Which entry a request gets: GitHub's order (protocol facts 1.9). Pure.

use super::cache::Record;
use crate::lookup::{CacheRequest, MatchedBy};

/// A key as keys are compared: without regard to letter case.
pub(super) fn folded(key: &str) -> String {
    key.to_lowercase()
}

/// How an entry was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Its key is the primary key.
    Exactly,
    /// One of the keys is a prefix of its key.
    By(MatchedBy),
}

/// The entry that a request gets among the `scopes`, each of which holds the entries that may
/// be seen in it, of the request's version, newest first. All keys are tried in one scope
/// before the next scope is: per key the exact entry, else the newest that begins with it.
pub(super) fn select<'a>(
    scopes: &'a [Vec<Record>],
    request: &CacheRequest,
) -> Option<(&'a Record, Found)> {
    let primary = folded(&request.key);
    let keys: Vec<String> = std::iter::once(&request.key)
        .chain(&request.restore_keys)
        .map(|key| folded(key))
        .collect();
    scopes.iter().find_map(|entries| {
        keys.iter().enumerate().find_map(|(number, key)| {
            let entry = entries
                .iter()
                .find(|entry| entry.folded == *key)
                .or_else(|| entries.iter().find(|entry| entry.folded.starts_with(key)))?;
            let found = match (entry.folded == primary, number.checked_sub(1)) {
                (true, _) => Found::Exactly,
                (false, None) => Found::By(MatchedBy::PrimaryKey),
                (false, Some(restore)) => Found::By(MatchedBy::RestoreKey(restore as u32)),
            };
            Some((entry, found))
        })
    })
}
