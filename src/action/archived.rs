//! What `git archive` writes, into the store: files, links and directories, and a global header with the
//! commit.

use std::io::{self, Read as _};

use tar::EntryType;

use super::records::Kept;
use crate::store::{Store, StoreError, TreeWriter};
use crate::tree::{Entry, Kind, Member, TreeItem};
use crate::workflow::{DOCKERFILES, MANIFESTS};

/// Bytes of content handed on at a time.
const CHUNK: usize = 256 * 1024;

/// Stores what an archive holds; its members are below [`super::TREE_ROOT`].
pub(super) fn keep(store: &Store, archive: &[u8]) -> Result<Kept, StoreError> {
    let mut writer = store.write_tree();
    let mut archive = tar::Archive::new(archive);
    for part in archive.entries().map_err(torn)? {
        let mut part = part.map_err(torn)?;
        let Some(member) = member(&part).map_err(torn)? else {
            continue;
        };
        let mut content = Vec::new();
        part.read_to_end(&mut content).map_err(torn)?;
        if content.len() as u64 != part.size() {
            return Err(torn(io::ErrorKind::UnexpectedEof.into()));
        }
        take(&mut writer, member, &content)?;
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

fn torn(_: io::Error) -> StoreError {
    StoreError::Torn {
        path: "the archive".into(),
    }
}

/// What a member of an archive is; none for what is no part of a tree.
///
/// # Errors
/// What cannot be read, or has a kind that git does not write.
fn member(part: &tar::Entry<'_, &[u8]>) -> io::Result<Option<Member>> {
    let kind = match part.header().entry_type() {
        EntryType::XGlobalHeader => return Ok(None),
        EntryType::Regular => Kind::File {
            size: part.size(),
            content: (),
        },
        EntryType::Symlink => Kind::Symlink {
            target: part.link_name_bytes().unwrap_or_default().into_owned(),
        },
        EntryType::Directory => Kind::Directory,
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    let mut path = part.path_bytes().into_owned();
    while path.ends_with(b"/") {
        path.pop();
    }
    let seconds = i64::try_from(part.header().mtime()?).ok();
    let mtime_ns = seconds.and_then(|seconds| seconds.checked_mul(1_000_000_000));
    Ok(Some(Entry {
        path,
        kind,
        mode: part.header().mode()? & 0o7777,
        mtime_ns: mtime_ns.ok_or(io::ErrorKind::InvalidData)?,
    }))
}
