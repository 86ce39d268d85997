//! A directory as data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, NotADigest};

/// A directory as data: entries in the order they were archived, parents before children.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tree {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// One member of a tree. Owners are not kept: everything belongs to the job's user.
///
/// `C` is how the content of a file is known: as [`Stored`] once it is, not yet (`()`) while it
/// travels behind its [`Member`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<C = Stored> {
    /// Path as tar would store it: relative to the workspace, `/` as separator; leading `..` allowed.
    /// Bytes that are no UTF-8 stand as they are.
    #[serde(with = "path_bytes")]
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind<C>,
    /// Permission bits, `0o7777` at the most.
    pub mode: u32,
    /// Time of last change, nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// A member whose content travels behind it, as in a tar file.
pub type Member = Entry<()>;

/// The content of a file in the store. As text: the digest, and behind a plus sign what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The blob's name.
    pub digest: Digest,
    /// About how many bytes of a `tar.zst` it takes; none where nobody has found out.
    pub packed: Option<u64>,
}

/// What tells that a file is the one it was, and unchanged: each change gives it another time
/// of change, which no job can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u64, i64)", into = "(u64, i64)")]
pub struct Stat {
    /// Its inode.
    pub ino: u64,
    /// When it was last changed in any way (ctime), nanoseconds since 1970.
    pub ctime_ns: i64,
}

impl From<(u64, i64)> for Stat {
    fn from((ino, ctime_ns): (u64, i64)) -> Self {
        Self { ino, ctime_ns }
    }
}

impl From<Stat> for (u64, i64) {
    fn from(stat: Stat) -> Self {
        (stat.ino, stat.ctime_ns)
    }
}

impl Stat {
    /// No file's: what has it is changed in any case.
    pub const UNKNOWN: Self = Self {
        ino: 0,
        ctime_ns: 0,
    };

    /// The same file's, at no time at which it can have been seen: it counts as changed.
    pub fn of_another_time(self) -> Self {
        Self {
            ctime_ns: 0,
            ..self
        }
    }
}

/// One piece of a tree on its way out of a place or into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeItem {
    /// The next member. Exactly as many bytes of content follow as a file is long.
    Member(Member),
    /// What the member announced last is on disk. `known`: whoever receives it has its content
    /// from there already, and none follows.
    Stat {
        /// The stat data.
        stat: Stat,
        /// Whether the content is left out.
        known: bool,
    },
    /// The next bytes of the file announced last.
    Content(Vec<u8>),
}

impl TreeItem {
    /// Bytes of file content in it.
    pub fn content_length(&self) -> usize {
        match self {
            Self::Member(_) | Self::Stat { .. } => 0,
            Self::Content(bytes) => bytes.len(),
        }
    }
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind<C = Stored> {
    /// A directory.
    Directory,
    /// A regular file, its content a blob.
    File {
        /// Length in bytes.
        size: u64,
        /// The content.
        content: C,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to.
        #[serde(with = "path_bytes")]
        target: Vec<u8>,
    },
    /// Another name of a file that stands earlier in the tree.
    Hardlink {
        /// That file's path in the tree.
        #[serde(with = "path_bytes")]
        target: Vec<u8>,
    },
}

impl<C> Entry<C> {
    /// Bytes of content; zero for all but regular files.
    pub fn size(&self) -> u64 {
        match self.kind {
            Kind::File { size, .. } => size,
            _ => 0,
        }
    }

    /// The same entry with its content known in another way; `change` is asked for files only.
    pub fn try_map<D, E>(self, change: impl FnOnce(C) -> Result<D, E>) -> Result<Entry<D>, E> {
        let kind = match self.kind {
            Kind::Directory => Kind::Directory,
            Kind::File { size, content } => Kind::File {
                size,
                content: change(content)?,
            },
            Kind::Symlink { target } => Kind::Symlink { target },
            Kind::Hardlink { target } => Kind::Hardlink { target },
        };
        Ok(Entry {
            path: self.path,
            kind,
            mode: self.mode,
            mtime_ns: self.mtime_ns,
        })
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.packed {
            Some(packed) => write!(f, "{}+{packed}", self.digest),
            None => write!(f, "{}", self.digest),
        }
    }
}

impl FromStr for Stored {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let (digest, packed) = match text.split_once('+') {
            Some((digest, packed)) => (digest, packed.parse().ok()),
            None => (text, None),
        };
        Ok(Self {
            digest: digest.parse()?,
            packed,
        })
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => (self.digest.0, self.packed).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return text.parse().map_err(serde::de::Error::custom);
        }
        let (digest, packed) = Deserialize::deserialize(deserializer)?;
        Ok(Self {
            digest: Digest(digest),
            packed,
        })
    }
}

impl Tree {
    /// Bytes of file content, each file once.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(Entry::size).sum()
    }

    /// How many regular files there are.
    pub fn files(&self) -> u64 {
        self.entries
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::File { .. }))
            .count() as u64
    }
}

/// Paths are text in almost every tree; where they are not, they are kept as an array of bytes.
/// In a compact format they are bytes at all times.
mod path_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum PathText {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(path: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return path.serialize(serializer);
        }
        match std::str::from_utf8(path) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => path.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer);
        }
        Ok(match PathText::deserialize(deserializer)? {
            PathText::Text(text) => text.into_bytes(),
            PathText::Bytes(bytes) => bytes,
        })
    }
}
