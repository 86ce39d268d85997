//! Contents of the files that keys hash, now and when an entry was saved: what tells the lines
//! that changed.
//!
//! A content is taken from a commit or from the store, and only if it has the digest that the
//! key was made of: a file that a step changed after the checkout has no lines, never wrong ones.

use std::collections::BTreeMap;

use super::run::Run;
use crate::digest::Digest;
use crate::lookup::{Change, FileChange, KeyOrigin, Lookup, MissReason, changes};
use crate::store::{CacheAnswer, Store};

/// A longer file is compared by its digest alone.
const LONGEST: u64 = 1 << 20;
/// Changed files of a key whose lines are told.
const COMPARED: usize = 5;
/// Files of an entry whose contents are kept.
const KEPT: usize = 64;

/// Adds to the reasons of an answer which lines changed. What cannot be read is left out: the
/// reason stands without it.
pub(super) fn tell_lines(run: &Run, store: &Store, answer: &mut CacheAnswer) {
    let (Lookup::Partial { reasons, .. } | Lookup::Miss { reasons }) = &mut answer.lookup else {
        return;
    };
    let files = reasons.iter_mut().flat_map(|reason| match reason {
        MissReason::KeyPartChanged { files, .. } => files.as_mut_slice(),
        _ => &mut [],
    });
    let changed = files.filter(|file| file.change == Change::Changed);
    let mut changed: Vec<_> = changed.take(COMPARED).collect();
    let earlier = answer.compared.as_deref();
    let wanted: Vec<Wanted> = changed
        .iter()
        .flat_map(|file| both_sides(run, file, earlier))
        .collect();
    let contents = read(run, store, &wanted);
    for file in &mut changed {
        let content = |digest: Option<Digest>| contents.get(&digest?);
        if let (Some(before), Some(after)) = (content(file.before), content(file.after)) {
            let found = changes(&file.path, before, after);
            (file.lines, file.more) = (found.lines, found.more);
        }
    }
}

/// Keeps the contents that a key hashed and that no commit of the user's has: of uncommitted
/// changes and of merges that GitHub makes. The next miss tells their lines.
pub(super) fn keep(run: &Run, store: &Store, origin: &KeyOrigin) {
    let snapshot = &run.content.snapshot;
    let only_changes = snapshot.merge.is_none();
    let is_kept_by_git = |path: &String| {
        only_changes && !snapshot.changed.contains(path) && !snapshot.untracked.contains(path)
    };
    let files = origin.parts.iter().flat_map(|part| &part.files);
    let wanted: Vec<Wanted> = files
        .filter(|file| !is_kept_by_git(&file.path))
        .take(KEPT)
        .map(|file| Wanted {
            name: name_now(run, &file.path),
            digest: file.digest,
        })
        .collect();
    for content in read(run, store, &wanted).values() {
        // Without it the file is named all the same.
        let _ = store.keep(content);
    }
}

/// A content by its digest, and where a commit may have it.
struct Wanted {
    name: String,
    digest: Digest,
}

fn both_sides(run: &Run, file: &FileChange, earlier: Option<&str>) -> Vec<Wanted> {
    let before = file.before.map(|digest| Wanted {
        name: name_then(run, &file.path, earlier.unwrap_or("HEAD")),
        digest,
    });
    let after = file.after.map(|digest| Wanted {
        name: name_now(run, &file.path),
        digest,
    });
    before.into_iter().chain(after).collect()
}

/// What git calls a file of the workspace in the commit that runs.
fn name_now(run: &Run, path: &str) -> String {
    format!("{}:{path}", run.content.snapshot.commit.id)
}

/// What it calls the file in one of the user's own commits.
fn name_then(run: &Run, path: &str, commit: &str) -> String {
    let content = &run.content;
    let folder = content.facts.root.strip_prefix(&content.repository.root);
    let path = folder.map_or_else(|_| path.into(), |folder| folder.join(path));
    format!("{commit}:{}", path.display())
}

/// The contents that could be had, by their digests.
fn read(run: &Run, store: &Store, wanted: &[Wanted]) -> BTreeMap<Digest, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut asked = Vec::new();
    for content in wanted {
        match store.kept(content.digest, LONGEST) {
            Some(bytes) => drop(found.insert(content.digest, bytes)),
            None => asked.push(content),
        }
    }
    if asked.is_empty() {
        return found;
    }
    let names: Vec<String> = asked.iter().map(|content| content.name.clone()).collect();
    let content = &run.content;
    let read = content
        .repository
        .contents(&content.snapshot.objects, &names, LONGEST);
    for (wanted, bytes) in asked.iter().zip(read.unwrap_or_default()) {
        if let Some(bytes) = bytes.filter(|bytes| Digest::of(bytes) == wanted.digest) {
            found.insert(wanted.digest, bytes);
        }
    }
    found
}
