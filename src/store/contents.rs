//! Directories in the store: their files as blobs, the list of their members as one more.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::blobs::BlobWriter;
use super::error::StoreError;
use super::root::Store;
use crate::digest::Digest;
use crate::tree::{Entry, Kind, Member, Tree, TreeItem};

/// Bytes of content handed out at a time.
const CHUNK: u64 = 128 * 1024;

/// The first line of a stored tree; a member on each further line.
#[derive(Serialize, Deserialize)]
struct Header {
    tree: u32,
}

/// The format that is written and read.
const FORMAT: u32 = 1;

/// A tree that is in the store with all it consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredTree {
    /// What it is called there.
    pub digest: Digest,
    /// Bytes of file content, each file once.
    pub size: u64,
    /// Regular files.
    pub files: u64,
    /// Bytes of file content that the store did not have before.
    pub new_bytes: u64,
}

impl Store {
    /// Begins to store a tree.
    pub fn write_tree(&self) -> TreeWriter {
        TreeWriter {
            store: self.clone(),
            tree: Tree::default(),
            last: None,
            new_bytes: 0,
        }
    }

    /// The members of a stored tree; [`StoreError::Damaged`] when it is not what was stored.
    pub fn read_tree(&self, digest: Digest) -> Result<Tree, StoreError> {
        let mut text = Vec::new();
        let mut blob = self.blobs().open(digest)?;
        let damaged = |problem: String| StoreError::Damaged { digest, problem };
        blob.read_to_end(&mut text)
            .map_err(|error| damaged(error.to_string()))?;
        let mut lines = text.split(|&byte| byte == b'\n').filter(|l| !l.is_empty());
        let header: Header = serde_json::from_slice(lines.next().unwrap_or_default())
            .map_err(|error| damaged(error.to_string()))?;
        if header.tree != FORMAT {
            return Err(damaged(format!("it is a tree of format {}", header.tree)));
        }
        let entries = lines
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .map_err(|error| damaged(error.to_string()))?;
        Ok(Tree { entries })
    }

    /// The items that lay a stored tree out again. Each file's content is verified before any
    /// of it is given; the first error is the last item.
    pub fn items(&self, tree: Tree) -> TreeItems {
        TreeItems {
            store: self.clone(),
            entries: tree.entries.into_iter(),
            content: None,
        }
    }

    /// Whether all that a stored tree consists of is there, in its full length.
    pub(super) fn check_tree(&self, digest: Digest) -> Result<(), StoreError> {
        for entry in self.read_tree(digest)?.entries {
            if let Kind::File { size, content } = entry.kind {
                self.blobs().check(content, size)?;
            }
        }
        Ok(())
    }
}

/// Stores a tree, item by item.
pub struct TreeWriter {
    store: Store,
    tree: Tree,
    /// The member that came last, and what came of its content so far.
    last: Option<(Member, BlobWriter)>,
    new_bytes: u64,
}

impl TreeWriter {
    /// Takes the next item.
    pub fn take(&mut self, item: TreeItem) -> Result<(), StoreError> {
        match item {
            TreeItem::Content(bytes) => {
                let Some((member, content)) = &mut self.last else {
                    return Err(torn(b""));
                };
                if content.size() + bytes.len() as u64 > member.size() {
                    return Err(torn(&member.path));
                }
                content.write(self.store.blobs(), &bytes)
            }
            TreeItem::Member(member) => {
                self.finish_member()?;
                self.last = Some((member, BlobWriter::default()));
                Ok(())
            }
        }
    }

    /// Ends the tree; now it is in the store, though nothing refers to it yet.
    pub fn finish(mut self) -> Result<StoredTree, StoreError> {
        self.finish_member()?;
        let mut text = Vec::new();
        push_line(&mut text, &Header { tree: FORMAT })?;
        for entry in &self.tree.entries {
            push_line(&mut text, entry)?;
        }
        Ok(StoredTree {
            digest: self.store.blobs().put(&text)?.digest,
            size: self.tree.size(),
            files: self.tree.files(),
            new_bytes: self.new_bytes,
        })
    }

    fn finish_member(&mut self) -> Result<(), StoreError> {
        let Some((member, content)) = self.last.take() else {
            return Ok(());
        };
        if content.size() != member.size() {
            return Err(torn(&member.path));
        }
        let entry = member.try_map(|()| {
            let blob = content.finish(self.store.blobs())?;
            if blob.new {
                self.new_bytes += blob.size;
            }
            Ok(blob.digest)
        })?;
        self.tree.entries.push(entry);
        Ok(())
    }
}

fn torn(path: &[u8]) -> StoreError {
    StoreError::Torn {
        path: String::from_utf8_lossy(path).into_owned(),
    }
}

fn push_line(text: &mut Vec<u8>, value: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *text, value).map_err(|error| StoreError::Io {
        path: "tree".into(),
        source: error.into(),
    })?;
    text.push(b'\n');
    Ok(())
}

/// The items of a stored tree; see [`Store::items`].
pub struct TreeItems {
    store: Store,
    entries: std::vec::IntoIter<Entry>,
    /// What is left of the content of the file given last, and its digest.
    content: Option<(Box<dyn Read + Send>, Digest)>,
}

impl TreeItems {
    fn next_content(&mut self) -> Option<Result<TreeItem, StoreError>> {
        let (reader, digest) = self.content.as_mut()?;
        let mut chunk = Vec::new();
        match reader.take(CHUNK).read_to_end(&mut chunk) {
            Ok(0) => {
                self.content = None;
                None
            }
            Ok(_) => Some(Ok(TreeItem::Content(chunk))),
            Err(error) => Some(Err(StoreError::Damaged {
                digest: *digest,
                problem: error.to_string(),
            })),
        }
    }

    fn start(&mut self, entry: Entry) -> Result<TreeItem, StoreError> {
        let member = entry.try_map(|digest| {
            let blob = self.store.blobs().open(digest)?;
            self.content = Some((blob, digest));
            Ok(())
        })?;
        Ok(TreeItem::Member(member))
    }
}

impl Iterator for TreeItems {
    type Item = Result<TreeItem, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match self.next_content() {
            Some(content) => content,
            None => {
                let entry = self.entries.next()?;
                self.start(entry)
            }
        };
        if item.is_err() {
            self.entries = Vec::new().into_iter();
            self.content = None;
        }
        Some(item)
    }
}
