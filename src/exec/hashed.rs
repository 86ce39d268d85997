//! Contents of the files that keys hash, now and when an entry was saved: what tells the lines
//! that changed.
//!
//! A content is taken from a commit or from the store, and only if it has the digest that the
//! key was made of: a file that a step changed after the checkout has no lines, never wrong ones.

use std::collections::BTreeMap;

use super::run::Run;
use crate::digest::Digest;
use crate::lookup::{
    Bearing, Change, FileChange, HashedFile, KeyOrigin, KeyPart, Lookup, MissReason, changes,
};
use crate::store::{CacheAnswer, Store};

/// A longer file is compared by its digest alone.
const LONGEST: u64 = 1 << 20;
/// Changed files of a key whose lines are told.
const COMPARED: usize = 5;
/// A longer file of the commit is taken to be the one that was hashed.
const LONGEST_MADE: u64 = 16 << 20;
/// What a commit with submodules has.
const SUBMODULES: &str = ".gitmodules";
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

/// Tells the parts of a key that hash files which the job made: those that the commit does not
/// have with that content. What git cannot tell is left out.
pub(super) fn tell_made(run: &Run, origin: &mut KeyOrigin) {
    let paths: BTreeMap<String, Digest> = origin
        .parts
        .iter()
        .flat_map(|part| &part.files)
        .map(|file| (file.path.clone(), file.digest))
        .collect();
    let mut names: Vec<String> = paths
        .keys()
        .flat_map(|path| from_each_folder(path))
        .map(|path| name_now(run, path))
        .collect();
    if names.is_empty() {
        return;
    }
    names.push(name_now(run, SUBMODULES));
    let content = &run.content;
    let (repository, objects) = (&content.repository, &content.snapshot.objects);
    let (Ok(sizes), Ok(contents)) = (
        repository.sizes(objects, &names),
        repository.contents(objects, &names, LONGEST_MADE),
    ) else {
        return;
    };
    let mut of_names = sizes.into_iter().zip(contents);
    // The files of submodules are in commits of their own.
    if of_names.next_back().is_some_and(|(size, _)| size.is_some()) {
        return;
    }
    let mut made = Vec::new();
    for (path, digest) in &paths {
        let versions: Vec<_> = of_names
            .by_ref()
            .take(from_each_folder(path).count())
            .collect();
        let may_be = |(size, bytes): &(Option<u64>, Option<Vec<u8>>)| {
            let bytes = bytes.as_deref();
            size.is_some() && bytes.is_none_or(|bytes| is_checked_out_as(bytes, *digest))
        };
        if !versions.iter().any(may_be) {
            made.push(path.clone());
        }
    }
    for part in &mut origin.parts {
        name_made(part, &made);
    }
}

fn name_made(part: &mut KeyPart, made: &[String]) {
    let is_made = |file: &&HashedFile| made.contains(&file.path);
    let of_part = part.files.iter().filter(is_made);
    part.made = of_part.map(|file| file.path.clone()).collect();
    if !part.made.is_empty() {
        part.bearing = part.bearing.max(Some(Bearing::Place));
    }
}

/// A path from the workspace, and from each folder of it that a checkout may be in.
fn from_each_folder(path: &str) -> impl Iterator<Item = &str> {
    let folders = path.match_indices('/').map(|(slash, _)| &path[slash + 1..]);
    std::iter::once(path).chain(folders)
}

/// Whether a checkout of a blob may have a content: as it is, with other line ends, or as what a
/// link or a pointer of LFS leads to.
fn is_checked_out_as(blob: &[u8], content: Digest) -> bool {
    const POINTER: &[u8] = b"version https://git-lfs.github.com/";
    if Digest::of(blob) == content || blob.starts_with(POINTER) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(blob) else {
        return false;
    };
    let may_be_link = !text.is_empty() && !text.contains('\n') && text.contains(['/', '.']);
    may_be_link || Digest::of(text.replace('\n', "\r\n")) == content
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_what_its_checkout_has() {
        let content = |text: &str| Digest::of(text);
        let is = |blob: &str, text: &str| is_checked_out_as(blob.as_bytes(), content(text));
        assert!(is("one\ntwo\n", "one\ntwo\n"));
        assert!(is("one\ntwo\n", "one\r\ntwo\r\n"), "by eol=crlf");
        assert!(is("../deps.lock", "one\n"), "a link");
        assert!(is("version https://git-lfs.github.com/spec/v1\n", "large"));
        assert!(!is("one\ntwo\n", "one\n2\n"));
        assert!(!is("", "one"));
        let paths: Vec<&str> = from_each_folder("src/a/lock").collect();
        assert_eq!(paths, ["src/a/lock", "a/lock", "lock"]);
    }
}
