//! What `git archive` writes, into the store.
//!
//! The form is that of git's `archive-tar.c`: ustar headers, before them pax headers for what does not
//! fit, and one global header with the commit.

use std::collections::HashMap;

use super::records::Kept;
use crate::store::{Store, StoreError, TreeWriter};
use crate::tree::{Entry, Kind, Member, TreeItem};
use crate::workflow::{DOCKERFILES, MANIFESTS};

const BLOCK: usize = 512;

/// Bytes of content handed on at a time.
const CHUNK: usize = 256 * 1024;

/// Stores what an archive holds; its members are below [`super::TREE_ROOT`].
pub(super) fn keep(store: &Store, archive: &[u8]) -> Result<Kept, StoreError> {
    let mut writer = store.write_tree();
    for part in Parts::of(archive) {
        let (member, content) = part.ok_or_else(|| torn("the archive"))?;
        take(&mut writer, member, content)?;
    }
    finish(store, writer)
}

/// Adds a member and its content to a tree.
pub(super) fn take(
    writer: &mut TreeWriter,
    member: Member,
    content: &[u8],
) -> Result<(), StoreError> {
    writer.take(TreeItem::Member(member))?;
    for chunk in content.chunks(CHUNK) {
        writer.take(TreeItem::Content(chunk.to_vec()))?;
    }
    Ok(())
}

/// Ends a tree, and finds in it what is read alone.
pub(super) fn finish(store: &Store, writer: TreeWriter) -> Result<Kept, StoreError> {
    let tree = writer.finish()?.digest;
    let entries = store.read_tree(tree)?.entries.into_iter();
    let files = entries.filter_map(|entry| match entry.kind {
        Kind::File { content, .. } => {
            let path = String::from_utf8(entry.path).ok()?;
            let path = path.strip_prefix(super::TREE_ROOT)?.strip_prefix('/')?;
            is_read_alone(path).then(|| (path.to_owned(), content.digest))
        }
        _ => None,
    });
    Ok(Kept {
        tree,
        files: files.collect(),
    })
}

fn is_read_alone(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    MANIFESTS.contains(&name)
        || DOCKERFILES.contains(&name)
        || path.starts_with(".github/workflows/")
}

fn torn(path: &str) -> StoreError {
    StoreError::Torn { path: path.into() }
}

/// The members of an archive with their contents; none in the place of what cannot be read.
struct Parts<'a> {
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(archive: &'a [u8]) -> Self {
        Self { rest: archive }
    }

    /// The next header and what follows it; none at the end.
    fn block(&mut self) -> Option<Option<(&'a [u8], &'a [u8])>> {
        let (header, rest) = self.rest.split_at_checked(BLOCK)?;
        if header.iter().all(|&byte| byte == 0) {
            return None;
        }
        Some(number(&header[124..136]).and_then(|size| {
            let size = usize::try_from(size).ok()?;
            let content = rest.get(..size)?;
            self.rest = rest.get(size.next_multiple_of(BLOCK)..)?;
            Some((header, content))
        }))
    }

    fn read(&mut self) -> Option<Option<(Member, &'a [u8])>> {
        let mut more = HashMap::new();
        loop {
            let Some((header, content)) = self.block()? else {
                return Some(None);
            };
            match header[156] {
                b'g' => {}
                b'x' => more = records(content),
                kind => return Some(member(header, kind, content, &more)),
            }
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Option<(Member, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read();
        if matches!(next, Some(None)) {
            self.rest = &[];
        }
        next
    }
}

fn member<'a>(
    header: &[u8],
    kind: u8,
    content: &'a [u8],
    more: &HashMap<&[u8], &[u8]>,
) -> Option<(Member, &'a [u8])> {
    let mut path = match more.get(&b"path"[..]) {
        Some(path) => path.to_vec(),
        None => {
            let (prefix, name) = (text(&header[345..500]), text(&header[..100]));
            match prefix {
                [] => name.to_vec(),
                prefix => [prefix, b"/", name].concat(),
            }
        }
    };
    while path.ends_with(b"/") {
        path.pop();
    }
    let target = more.get(&b"linkpath"[..]).copied();
    let target = || target.unwrap_or_else(|| text(&header[157..257])).to_vec();
    let kind = match kind {
        b'0' | 0 => Kind::File {
            size: content.len() as u64,
            content: (),
        },
        b'2' => Kind::Symlink { target: target() },
        b'5' => Kind::Directory,
        _ => return None,
    };
    let seconds = i64::try_from(number(&header[136..148])?).ok()?;
    let member = Entry {
        path,
        kind,
        mode: u32::try_from(number(&header[100..108])?).ok()? & 0o7777,
        mtime_ns: seconds.checked_mul(1_000_000_000)?,
    };
    Some((member, content))
}

/// The records `LENGTH NAME=VALUE\n` of a pax header.
fn records(mut content: &[u8]) -> HashMap<&[u8], &[u8]> {
    let mut found = HashMap::new();
    while let Some(space) = content.iter().position(|&byte| byte == b' ') {
        let length = std::str::from_utf8(&content[..space]).ok();
        let length: Option<usize> = length.and_then(|length| length.parse().ok());
        let Some((record, rest)) = length.and_then(|length| content.split_at_checked(length))
        else {
            break;
        };
        let record = record.get(space + 1..record.len().saturating_sub(1));
        let record = record.unwrap_or_default();
        if let Some(equals) = record.iter().position(|&byte| byte == b'=') {
            found.insert(&record[..equals], &record[equals + 1..]);
        }
        content = rest;
    }
    found
}

/// A field up to its first zero.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0);
    &field[..end.unwrap_or(field.len())]
}

/// An octal number.
fn number(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text(field)).ok()?;
    u64::from_str_radix(text.trim(), 8).ok()
}
