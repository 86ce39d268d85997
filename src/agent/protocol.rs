//! What travels between lrun and an agent. Private to the two: both are the same binary,
//! so there is no version to negotiate.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::lookup::HashedFile;
use crate::outcome::Timing;
use crate::tree::Stat;

pub use crate::tree::TreeItem;

/// Who a process or a file operation acts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum User {
    /// The job's user: `runner`, uid 1001, in a hosted runner's stand-in.
    Job,
    /// The place's root.
    Root,
}

/// A process to start. Its standard input is closed; it leads a session of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessSpec {
    /// Program and arguments. A program without a slash is looked up in the PATH of `env`.
    pub argv: Vec<String>,
    /// The whole environment, in order.
    pub env: Vec<(String, String)>,
    /// Working directory, a path inside the place.
    pub cwd: String,
    /// Who it runs as.
    pub user: User,
}

/// Which stream a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code; `128 + n` for a process that signal `n` ended.
    pub code: i32,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// What it and the descendants it waited for cost.
    pub timing: Timing,
}

/// How a process ended and what it left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How it ended.
    pub exit: Exit,
    /// The files that were asked for, in that order.
    pub results: Vec<FoundFile>,
    /// The watched files that were opened since this was last told, by any process; sorted.
    pub opened: Vec<String>,
}

/// A file that a process may have written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundFile {
    /// There is nothing.
    Missing,
    /// It is no regular file, or one that the user may not read.
    Unreadable,
    /// It is larger than 8 MiB.
    TooLarge {
        /// How large, in bytes.
        size: u64,
    },
    /// Its content.
    Content(#[serde(with = "bytes_as_text")] Vec<u8>),
}

/// A process that was left when its place was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphan {
    /// Its id inside the place.
    pub pid: i32,
    /// Its name as the kernel has it: 15 bytes at most.
    pub name: String,
}

/// A signal to the process of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// SIGINT
    Interrupt,
    /// SIGTERM
    Terminate,
    /// SIGKILL
    Kill,
}

/// A file to write. Parents are made with mode 0755; an existing file is replaced, never followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSpec {
    /// Path inside the place.
    pub path: String,
    /// The content.
    #[serde(with = "bytes_as_text")]
    pub content: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
}

/// What `hashFiles` is to hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashSpec {
    /// Its arguments, without the option.
    pub patterns: Vec<String>,
    /// `GITHUB_WORKSPACE`: what relative patterns are relative to, and where files count.
    pub workspace: String,
    /// What `~` stands for.
    pub home: String,
    /// `--follow-symbolic-links` was given.
    pub follow_links: bool,
}

/// What `hashFiles` gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashReport {
    /// The digest over the files' digests; none when nothing matched.
    pub digest: Option<Digest>,
    /// The files in the order they were hashed.
    pub files: Vec<HashedFile>,
}

/// What to put into a cache entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackSpec {
    /// The `path:` lines of the step.
    pub paths: Vec<String>,
    /// `GITHUB_WORKSPACE`: what relative patterns and the members' paths are relative to.
    pub workspace: String,
    /// What `~` stands for.
    pub home: String,
    /// Files whose content lrun has: it is neither read nor sent.
    pub known: HashSet<Stat>,
}

/// What became of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PackReport {
    /// For each `path:` line, how many members it named itself (before tar recursed).
    pub matched: Vec<u64>,
    /// What could not be read, in tar's words. Not empty: tar would have failed.
    pub problems: Vec<String>,
    /// Whether nothing else ran in the place. A process that has mapped a file may go on writing
    /// to it, and for a while nothing shows that.
    pub was_alone: bool,
}

/// What to put into an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactSpec {
    /// The `path` input.
    pub path: String,
    /// `GITHUB_WORKSPACE`: what relative patterns are relative to.
    pub workspace: String,
    /// What `~` stands for.
    pub home: String,
    /// The `include-hidden-files` input.
    pub include_hidden: bool,
}

/// What became of an unpack.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnpackReport {
    /// What could not be written, in tar's words. Not empty: tar would have failed.
    pub problems: Vec<String>,
}

/// Bytes as a JSON string where they are UTF-8.
pub(super) mod bytes_as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Bytes {
        Text(String),
        Raw(Vec<u8>),
    }

    pub(in crate::agent) fn serialize<S: Serializer>(
        bytes: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => bytes.serialize(serializer),
        }
    }

    pub(in crate::agent) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        Ok(match Bytes::deserialize(deserializer)? {
            Bytes::Text(text) => text.into_bytes(),
            Bytes::Raw(bytes) => bytes,
        })
    }
}
