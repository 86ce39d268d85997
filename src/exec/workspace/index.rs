//! The index of a new checkout: its paths, and the stat data by which git knows that a file is
//! unchanged without reading it.
//!
//! `git update-index --refresh` would give the same stat data, but reads every file again, which
//! takes as long as writing them did.
//!
//! Versions 2 and 3 of the format are known (gitformat-index(5)): what git writes for a new clone
//! unless it is configured otherwise; 3 where a sparse checkout leaves paths out.

use std::ffi::OsStr;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use nix::sys::stat::FileStat;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::WorkspaceError;
use super::dot_git::write_file;
use crate::tree::{Below, on_all_processors};

const HEADER: usize = 12;
const SIGNATURE: &[u8] = b"DIRC\0\0\0";
/// More flags follow, in version 3.
const EXTENDED: u16 = 0x4000;
/// Among those: the path is not checked out.
const SKIP_WORKTREE: u16 = 0x4000;
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
    /// Bytes of an object's id, and of the checksum.
    id_length: usize,
    entries: Vec<Entry>,
}

/// One path of an index.
#[derive(Debug)]
pub(super) struct Entry {
    /// From the top of the working tree.
    pub(super) path: PathBuf,
    /// Kind and mode as git has them.
    pub(super) mode: u32,
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
        Self::parse(path, bytes, id_length)
    }

    /// The entries in their order, without those that a sparse checkout leaves out.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The index in memory; as read from a file at `path`.
    pub(super) fn parse(
        path: &Path,
        bytes: Vec<u8>,
        id_length: usize,
    ) -> Result<Self, WorkspaceError> {
        let entries = parse(&bytes, id_length).ok_or_else(|| WorkspaceError::Index {
            path: path.to_owned(),
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            id_length,
            entries,
        })
    }

    /// The bytes of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether both have the same version of every file by which git decides how to write others.
    pub(super) fn has_attributes_of(&self, other: &Self) -> bool {
        self.attributes().eq(other.attributes())
    }

    /// Paths and ids of the `.gitattributes`.
    fn attributes(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        let name = OsStr::new(".gitattributes");
        let entries = self.entries.iter();
        let attributes = entries.filter(move |entry| entry.path.file_name() == Some(name));
        attributes.map(|entry| {
            let id = entry.stat + STAT;
            (&*entry.path, &self.bytes[id..id + self.id_length])
        })
    }

    /// What lstat says of each entry's file below `root`; none where there is none.
    pub(super) fn stats_below(&self, root: &Path) -> Result<Vec<Option<FileStat>>, WorkspaceError> {
        let opened = std::fs::File::open(root).map_err(WorkspaceError::io("open", root))?;
        let stat = |share: &[Entry]| {
            let mut below = Below::new(opened.as_fd());
            let stat = |entry: &Entry| below.stat(entry.path.as_os_str().as_bytes()).ok();
            share.iter().map(stat).collect()
        };
        Ok(on_all_processors(&self.entries, |_, share| stat(share)))
    }

    /// Gives the entries this stat data, each its own; an entry without any is one whose file git
    /// is to look at.
    pub(super) fn set_stats<'s>(&mut self, stats: impl IntoIterator<Item = Option<&'s FileStat>>) {
        for (entry, found) in self.entries.iter().zip(stats) {
            let stat = &mut self.bytes[entry.stat..entry.stat + STAT];
            match found {
                _ if entry.is_submodule() => {}
                Some(found) => write_stat(stat, entry.mode, found),
                None => {
                    stat[..MODE_IN_STAT].fill(0);
                    stat[MODE_IN_STAT + 4..].fill(0);
                }
            }
        }
    }

    /// Writes the file, with the checksum at its end.
    pub(super) fn write(&mut self) -> Result<(), WorkspaceError> {
        let end = self.bytes.len() - self.id_length;
        let checksum = match self.id_length {
            32 => Sha256::digest(&self.bytes[..end]).to_vec(),
            _ => Sha1::digest(&self.bytes[..end]).to_vec(),
        };
        self.bytes[end..].copy_from_slice(&checksum);
        write_file(&self.path, &self.bytes, 0o644).map_err(WorkspaceError::io("write", &self.path))
    }
}

fn parse(bytes: &[u8], id_length: usize) -> Option<Vec<Entry>> {
    let header = bytes.get(..HEADER)?.strip_prefix(SIGNATURE)?;
    let (version, count) = header.split_first()?;
    if !matches!(version, 2 | 3) {
        return None;
    }
    let count = u32::from_be_bytes(count.try_into().ok()?) as usize;
    let mut entries = Vec::with_capacity(count.min(bytes.len() / STAT));
    let mut start = HEADER;
    for _ in 0..count {
        let mode = bytes.get(start + MODE_IN_STAT..start + MODE_IN_STAT + 4)?;
        let flags = start + STAT + id_length;
        let is_extended = number(bytes, flags)? & EXTENDED != 0;
        let name = flags + FLAGS * if is_extended { 2 } else { 1 };
        let length = bytes.get(name..)?.iter().position(|&byte| byte == 0)?;
        if !is_extended || number(bytes, flags + FLAGS)? & SKIP_WORKTREE == 0 {
            entries.push(Entry {
                path: PathBuf::from(OsStr::from_bytes(&bytes[name..name + length])),
                mode: u32::from_be_bytes(mode.try_into().ok()?),
                stat: start,
            });
        }
        // One to eight zero bytes make its length a multiple of eight.
        let unpadded = name + length - start;
        start += (unpadded / 8 + 1) * 8;
    }
    Some(entries)
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + FLAGS)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

/// Numbers that are longer than 32 bits are cut off, as git does.
fn write_stat(stat: &mut [u8], mode: u32, found: &FileStat) {
    let numbers = [
        found.st_ctime as u32,
        found.st_ctime_nsec as u32,
        found.st_mtime as u32,
        found.st_mtime_nsec as u32,
        found.st_dev as u32,
        found.st_ino as u32,
        mode,
        found.st_uid,
        found.st_gid,
        found.st_size as u32,
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
        let mut bytes = b"DIRC\0\0\0\x02".to_vec();
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
