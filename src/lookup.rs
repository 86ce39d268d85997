//! The vocabulary of caching: what a step asks for, how its key came about, what it got.

mod changes;
mod lock_file;
mod origin;
mod reason;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::RunId;

pub use changes::{Changed, changes};
pub use origin::{Bearing, HashedFile, Hosted, HostedTool, KeyOrigin, KeyPart};
pub use reason::{Attempt, Change, FileChange, LineChange, MissReason, NotSaved};

/// A ref that cache entries belong to, such as `refs/heads/main`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(pub String);

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an `actions/cache` step asks for, as the action would send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheRequest {
    /// The primary key.
    pub key: String,
    /// The restore keys in order.
    pub restore_keys: Vec<String>,
    /// The `path:` lines, trimmed, as given: the version is made of them.
    pub paths: Vec<String>,
    /// The version: [`version`] of the paths.
    pub version: Digest,
}

/// How archives of a place are compressed; part of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    /// What every hosted label has.
    #[serde(rename = "zstd-without-long")]
    Zstd,
    /// What a container image without zstd gets.
    #[serde(rename = "gzip")]
    Gzip,
}

impl Compression {
    /// The toolkit's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd-without-long",
            Self::Gzip => "gzip",
        }
    }
}

/// The version of a cache entry: the hash over the path lines and the compression
/// (toolkit `cacheUtils.getCacheVersion`). Linux only, so never `windows-only`.
pub fn version(paths: &[String], compression: Compression) -> Digest {
    let mut text = paths.join("|");
    text.push('|');
    text.push_str(compression.as_str());
    text.push_str("|1.0");
    Digest::of(text)
}

/// A cache entry as a lookup sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntrySummary {
    /// Its number in the store, ascending with creation.
    pub id: i64,
    /// The key in its stored spelling.
    pub key: String,
    /// The ref it belongs to.
    pub scope: Scope,
    /// The run that made it.
    pub run: RunId,
    /// Whether that run had uncommitted changes.
    pub dirty: bool,
    /// Bytes of file content in it.
    pub size: u64,
    /// Files in it.
    pub files: u64,
    /// About how many bytes GitHub would keep: those of its `tar.zst`. None where nobody has
    /// found out.
    #[serde(default)]
    pub archive_size: Option<u64>,
}

/// Which key of the request found the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// The primary key, taken as a prefix.
    PrimaryKey,
    /// The restore key with this number, from zero.
    RestoreKey(u32),
}

/// What a lookup gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum Lookup {
    /// The primary key itself (up to letter case).
    Hit {
        /// The entry.
        entry: EntrySummary,
    },
    /// The newest entry one of the keys is a prefix of.
    Partial {
        /// The entry.
        entry: EntrySummary,
        /// Which key was the prefix.
        by: MatchedBy,
        /// Why it was not the primary key itself.
        reasons: Vec<MissReason>,
    },
    /// Nothing.
    Miss {
        /// Why; never empty.
        reasons: Vec<MissReason>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_the_toolkit_s() {
        // Golden values of the real client.
        let lines = |lines: &[&str]| lines.iter().map(|&l| l.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            version(&lines(&["data"]), Compression::Gzip).to_string(),
            "d603b013f22c8e30817c9ff51eada3c319f1ee747f362db3bb3d583b5c6153ff"
        );
        let paths = lines(&[
            "~/lrtest",
            "dataX/**",
            "!dataX/**/*.log",
            "/tmp/drv/ws/data/b",
        ]);
        assert_eq!(
            version(&paths, Compression::Zstd).to_string(),
            "63cc6edd2a18f0f8e608501b7cc35c9da18746faacfb837feb27ae1a3773bc46"
        );
    }
}
