//! Directories in the store: their files as blobs, the list of their members as one more.

use std::collections::HashMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::blobs::BlobWriter;
use super::error::StoreError;
use super::packing::Packing;
use super::root::Store;
use super::roots::{Root, Roots, roots};
use super::shelf::{Manifest, certain_before};
use crate::digest::Digest;
use crate::tree::{Entry, Kind, Member, Stat, Stored, Tree, TreeItem};

/// Bytes of content handed out at a time.
const CHUNK: u64 = 128 * 1024;

/// The first line of a stored tree; a member on each further line.
#[derive(Serialize, Deserialize)]
struct Header {
    tree: u32,
    /// Number of the first member and count of the members of each [`Root`].
    #[serde(default)]
    roots: Vec<(usize, usize)>,
}

/// The format that is written and read.
const FORMAT: u32 = 1;

/// What a member takes in an archive beside its content: a header of 512 bytes and padding.
const MEMBER_OVERHEAD: u64 = 1024;

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
    /// About how many bytes the `tar.zst` takes that GitHub would keep.
    pub archive_size: u64,
}

impl Store {
    /// Begins to store a tree.
    pub fn write_tree(&self) -> TreeWriter {
        self.write_tree_knowing(HashMap::new())
    }

    /// Begins to store a tree, some of whose files are in the store already: those with these
    /// stat data may come without their content.
    pub fn write_tree_knowing(&self, known: HashMap<Stat, Stored>) -> TreeWriter {
        TreeWriter {
            store: self.clone(),
            known,
            tree: Tree::default(),
            stats: Vec::new(),
            last: None,
            new_bytes: 0,
            packing: Packing::default(),
            certain_before: certain_before(self.root()),
        }
    }

    /// The members of a stored tree; [`StoreError::Damaged`] when it is not what was stored.
    pub fn read_tree(&self, digest: Digest) -> Result<Tree, StoreError> {
        let text = self.tree_text(digest)?;
        let (_, lines) = header_and_lines(digest, &text)?;
        let entries = lines
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .map_err(|error| damaged(digest, &error))?;
        Ok(Tree { entries })
    }

    /// The directories a stored tree consists of, and whether there is nothing beside them. Much
    /// faster than [`Store::read_tree`].
    pub fn tree_roots(&self, digest: Digest) -> Result<Roots, StoreError> {
        let text = self.tree_text(digest)?;
        let (header, lines) = header_and_lines(digest, &text)?;
        let lines: Vec<_> = lines.collect();
        let roots = header.roots.iter().map(|&(first, count)| {
            let line = lines.get(first).copied().unwrap_or_default();
            let entry: Entry =
                serde_json::from_slice(line).map_err(|error| damaged(digest, &error))?;
            Ok(Root {
                path: entry.path,
                members: first..first + count,
            })
        });
        let covered: usize = header.roots.iter().map(|&(_, count)| count).sum();
        Ok(Roots {
            roots: roots.collect::<Result<_, StoreError>>()?,
            are_all: covered == lines.len(),
        })
    }

    fn tree_text(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let mut text = Vec::new();
        let mut blob = self.blobs().open(digest)?;
        blob.read_to_end(&mut text)
            .map_err(|error| damaged(digest, &error))?;
        Ok(text)
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

    /// Keeps a content by itself: nothing but its digest refers to it.
    pub fn keep(&self, content: &[u8]) -> Result<Digest, StoreError> {
        Ok(self.blobs().put(content)?.digest)
    }

    /// A content of at most `limit` bytes that is here, whoever stored it, and verified.
    pub fn kept(&self, digest: Digest, limit: u64) -> Option<Vec<u8>> {
        if !self.blobs().is_there(digest, limit) {
            return None;
        }
        let mut content = Vec::new();
        let read = self.blobs().open(digest).ok()?.read_to_end(&mut content);
        read.ok().map(|_| content)
    }

    /// Whether all that a stored tree consists of is there, in its full length.
    pub(super) fn check_tree(&self, digest: Digest) -> Result<(), StoreError> {
        for entry in self.read_tree(digest)?.entries {
            if let Kind::File { size, content } = entry.kind {
                self.blobs().check(content.digest, size)?;
            }
        }
        Ok(())
    }
}

fn header_and_lines(
    digest: Digest,
    text: &[u8],
) -> Result<(Header, impl Iterator<Item = &[u8]>), StoreError> {
    let mut lines = text.split(|&byte| byte == b'\n').filter(|l| !l.is_empty());
    let header: Header = serde_json::from_slice(lines.next().unwrap_or_default())
        .map_err(|error| damaged(digest, &error))?;
    if header.tree != FORMAT {
        let problem = format!("it is a tree of format {}", header.tree);
        return Err(StoreError::Damaged { digest, problem });
    }
    Ok((header, lines))
}

fn damaged(digest: Digest, error: &impl ToString) -> StoreError {
    StoreError::Damaged {
        digest,
        problem: error.to_string(),
    }
}

/// Stores a tree, item by item.
pub struct TreeWriter {
    store: Store,
    known: HashMap<Stat, Stored>,
    tree: Tree,
    /// Of each member of the tree, where it came with one.
    stats: Vec<Option<Stat>>,
    last: Option<Pending>,
    new_bytes: u64,
    packing: Packing,
    /// Of the files read from now on: [`Manifest::certain_before`].
    certain_before: i64,
}

/// The member that came last, and what came of it so far.
struct Pending {
    member: Member,
    stat: Option<Stat>,
    content: Pieces,
}

enum Pieces {
    Sent(BlobWriter),
    Known(Stored),
}

impl TreeWriter {
    /// Takes the next item.
    pub fn take(&mut self, item: TreeItem) -> Result<(), StoreError> {
        match item {
            TreeItem::Content(bytes) => self.take_content(&bytes),
            TreeItem::Stat { stat, known } => {
                let pending = self.last.as_mut().ok_or_else(|| torn(b""))?;
                pending.stat = Some(stat);
                if known {
                    let stored = self.known.get(&stat).copied();
                    let stored = stored.ok_or_else(|| torn(&pending.member.path))?;
                    pending.content = Pieces::Known(stored);
                }
                Ok(())
            }
            TreeItem::Member(member) => {
                self.finish_member()?;
                self.last = Some(Pending {
                    member,
                    stat: None,
                    content: Pieces::Sent(BlobWriter::default()),
                });
                Ok(())
            }
        }
    }

    /// Ends the tree; now it is in the store, though nothing refers to it yet.
    pub fn finish(self) -> Result<StoredTree, StoreError> {
        self.finish_in_place().map(|(stored, _)| stored)
    }

    /// As [`Self::finish`]; also what the directories were that it was read from.
    pub fn finish_in_place(mut self) -> Result<(StoredTree, Vec<Seen>), StoreError> {
        self.finish_member()?;
        let roots = roots(&self.tree);
        let header = Header {
            tree: FORMAT,
            roots: roots.iter().map(|root| (root.start, root.len())).collect(),
        };
        let mut text = Vec::new();
        push_line(&mut text, &header)?;
        for entry in &self.tree.entries {
            push_line(&mut text, entry)?;
        }
        let stored = StoredTree {
            digest: self.store.blobs().put(&text)?.digest,
            size: self.tree.size(),
            files: self.tree.files(),
            new_bytes: self.new_bytes,
            archive_size: archive_size(&self.tree),
        };
        let seen = roots
            .into_iter()
            .enumerate()
            .filter_map(|(number, members)| {
                let entries = &self.tree.entries[members.clone()];
                let stats: Option<Vec<_>> = self.stats[members.clone()].iter().copied().collect();
                Some(Seen {
                    number,
                    manifest: Manifest::of_job(entries, &stats?, self.certain_before),
                    root: Root {
                        path: entries.first()?.path.clone(),
                        members,
                    },
                })
            });
        Ok((stored, seen.collect()))
    }

    fn take_content(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let Some(Pending {
            member,
            content: Pieces::Sent(content),
            ..
        }) = &mut self.last
        else {
            return Err(torn(b""));
        };
        if content.size() + bytes.len() as u64 > member.size() {
            return Err(torn(&member.path));
        }
        self.packing.write(bytes);
        content.write(self.store.blobs(), bytes)
    }

    fn finish_member(&mut self) -> Result<(), StoreError> {
        let Some(Pending {
            member,
            stat,
            content,
        }) = self.last.take()
        else {
            return Ok(());
        };
        if let Pieces::Sent(content) = &content
            && content.size() != member.size()
        {
            return Err(torn(&member.path));
        }
        let entry = member.try_map(|()| match content {
            Pieces::Known(stored) => Ok(stored),
            Pieces::Sent(content) => {
                let blob = content.finish(self.store.blobs())?;
                if blob.new {
                    self.new_bytes += blob.size;
                }
                Ok(Stored {
                    digest: blob.digest,
                    packed: Some(self.packing.finish()),
                })
            }
        })?;
        self.tree.entries.push(entry);
        self.stats.push(stat);
        Ok(())
    }
}

/// A directory that a tree was read from.
#[derive(Debug)]
pub struct Seen {
    /// Which of the tree's roots, from zero.
    pub number: usize,
    /// That root.
    pub root: Root,
    /// The directory as it was then.
    pub manifest: Manifest,
}

/// What an archive of it takes: its contents, each compressed for itself, and its members.
fn archive_size(tree: &Tree) -> u64 {
    let content = |entry: &Entry| match &entry.kind {
        Kind::File { size, content } => content.packed.unwrap_or(*size),
        _ => 0,
    };
    tree.entries
        .iter()
        .map(|entry| content(entry) + MEMBER_OVERHEAD)
        .sum()
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
        let member = entry.try_map(|Stored { digest, .. }| {
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
