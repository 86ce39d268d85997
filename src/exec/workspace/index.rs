//! The index of a new checkout: its paths, and the stat data by which git knows that a file is
//! unchanged without reading it.
//!
//! `git update-index --refresh` would give the same stat data, but reads every file again, which
//! takes as long as writing them did.
//!
//! Only version 2 of the format is known (gitformat-index(5)): what git writes for a new clone
//! unless it is configured otherwise.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::WorkspaceError;

const HEADER: usize = 12;
const SIGNATURE_AND_VERSION: &[u8] = b"DIRC\0\0\0\x02";
/// Ten numbers of 32 bits: ctime and mtime in seconds and nanoseconds, device, inode, mode,
/// owner, group, size.
const STAT: usize = 40;
const MODE_IN_STAT: usize = 24;
const FLAGS: usize = 2;
const GITLINK: u32 = 0o160_000;

/// An index file in memory.
pub(super) struct Index {
    path: PathBuf,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// One path of an index.
pub(super) struct Entry {
    /// From the top of the working tree.
    pub(super) path: PathBuf,
    mode: u32,
    /// Where its stat data begin in the file.
    stat: usize,
}

impl Entry {
    /// Whether it is a submodule's, which is a directory.
    pub(super) fn is_submodule(&self) -> bool {
        self.mode == GITLINK
    }
}

impl Index {
    /// Reads the index file; ids in it are `id_length` bytes long.
    pub(super) fn read(path: &Path, id_length: usize) -> Result<Self, WorkspaceError> {
        let bytes = std::fs::read(path).map_err(WorkspaceError::io("read", path))?;
        let entries = parse(&bytes, id_length).ok_or_else(|| WorkspaceError::Index {
            path: path.to_owned(),
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            entries,
        })
    }

    /// The entries in their order.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes the file again with the stat data that the files below `root` have now. The
    /// checksum at its end is left wrong: only `git fsck` looks at it, and git makes it anew
    /// whenever it writes the index.
    pub(super) fn write_with_stat_of(mut self, root: &Path) -> Result<(), WorkspaceError> {
        for entry in self.entries.iter().filter(|entry| !entry.is_submodule()) {
            let path = root.join(&entry.path);
            let metadata = path
                .symlink_metadata()
                .map_err(WorkspaceError::io("read", &path))?;
            let stat = &mut self.bytes[entry.stat..entry.stat + STAT];
            write_stat(stat, entry.mode, &metadata);
        }
        std::fs::write(&self.path, &self.bytes).map_err(WorkspaceError::io("write", &self.path))
    }
}

fn parse(bytes: &[u8], id_length: usize) -> Option<Vec<Entry>> {
    let header = bytes.get(..HEADER)?;
    let count = header.strip_prefix(SIGNATURE_AND_VERSION)?;
    let count = u32::from_be_bytes(count.try_into().ok()?) as usize;
    let mut entries = Vec::with_capacity(count.min(bytes.len() / STAT));
    let mut start = HEADER;
    for _ in 0..count {
        let mode = bytes.get(start + MODE_IN_STAT..start + MODE_IN_STAT + 4)?;
        let name = start + STAT + id_length + FLAGS;
        let length = bytes.get(name..)?.iter().position(|&byte| byte == 0)?;
        entries.push(Entry {
            path: PathBuf::from(OsStr::from_bytes(&bytes[name..name + length])),
            mode: u32::from_be_bytes(mode.try_into().ok()?),
            stat: start,
        });
        // One to eight zero bytes make its length a multiple of eight.
        let unpadded = name + length - start;
        start += (unpadded / 8 + 1) * 8;
    }
    Some(entries)
}

/// Numbers that are longer than 32 bits are cut off, as git does.
fn write_stat(stat: &mut [u8], mode: u32, metadata: &Metadata) {
    let numbers = [
        metadata.ctime() as u32,
        metadata.ctime_nsec() as u32,
        metadata.mtime() as u32,
        metadata.mtime_nsec() as u32,
        metadata.dev() as u32,
        metadata.ino() as u32,
        mode,
        metadata.uid(),
        metadata.gid(),
        metadata.size() as u32,
    ];
    for (bytes, number) in stat.chunks_exact_mut(4).zip(numbers) {
        bytes.copy_from_slice(&number.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry with ids of 20 bytes.
    fn entry(mode: u32, path: &str) -> Vec<u8> {
        let mut bytes = vec![0; STAT + 20 + FLAGS];
        bytes[MODE_IN_STAT..MODE_IN_STAT + 4].copy_from_slice(&mode.to_be_bytes());
        bytes.extend(path.bytes());
        bytes.resize((bytes.len() / 8 + 1) * 8, 0);
        bytes
    }

    fn index(entries: &[Vec<u8>]) -> Vec<u8> {
        let count = entries.len() as u32;
        let mut bytes = SIGNATURE_AND_VERSION.to_vec();
        bytes.extend(count.to_be_bytes());
        bytes.extend(entries.concat());
        bytes
    }

    #[test]
    fn entries_of_every_padding_are_found() {
        let names: Vec<_> = (1..=9).map(|length| "n".repeat(length)).collect();
        let files = names.iter().map(|name| entry(0o100_644, name));
        let bytes = index(&files.chain([entry(GITLINK, "sub")]).collect::<Vec<_>>());
        let entries = parse(&bytes, 20).unwrap();
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.to_str()).collect();
        let expected = names.iter().map(String::as_str).chain(["sub"]).map(Some);
        assert_eq!(paths, expected.collect::<Vec<_>>());
        assert!(entries.last().unwrap().is_submodule());
    }

    #[test]
    fn what_is_not_version_2_or_is_cut_off_is_refused() {
        let good = index(&[entry(0o100_644, "a"), entry(0o100_755, "b")]);
        assert!(parse(&good, 20).is_some());
        let mut newer = good.clone();
        newer[7] = 4;
        assert!(parse(&newer, 20).is_none());
        assert!(parse(&good[..100], 20).is_none());
        assert!(parse(b"", 20).is_none());
    }
}
