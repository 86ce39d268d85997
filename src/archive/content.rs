//! A file on its way into an archive: its member, and its content piece by piece.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;

use crate::tree::{Kind, Member, TreeItem};

/// Bytes of content handed on at a time.
pub(super) const CHUNK: usize = 128 * 1024;

/// Takes the items of an archive, in order.
pub(super) type Sink<'a> = &'a mut dyn FnMut(TreeItem) -> io::Result<()>;

/// What is announced under this name, with the mode and the time that the file has.
pub(super) fn member(name: &[u8], kind: Kind<()>, metadata: &Metadata) -> Member {
    Member {
        path: name.to_vec(),
        kind,
        mode: metadata.mode() & 0o7777,
        mtime_ns: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
    }
}

/// How the content of a file came to its end.
#[derive(Debug)]
pub(super) enum Ending {
    /// There were as many bytes as announced.
    Whole,
    /// The file ended this many bytes too early.
    Short(u64),
    /// Reading failed on the way.
    Unreadable(io::Error),
}

/// Hands on exactly `size` bytes, whatever happens to the file meanwhile: zeros stand for what
/// cannot be had, and what was added since is left out. The error is the sink's.
pub(super) fn send_content(file: &mut File, size: u64, sink: Sink<'_>) -> io::Result<Ending> {
    let mut left = size;
    while left > 0 {
        let mut chunk = vec![0; left.min(CHUNK as u64) as usize];
        let ending = match file.read(&mut chunk) {
            Ok(0) => Ending::Short(left),
            Ok(length) => {
                chunk.truncate(length);
                left -= length as u64;
                sink(TreeItem::Content(chunk))?;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Ending::Unreadable(error),
        };
        pad(left, sink)?;
        return Ok(ending);
    }
    Ok(Ending::Whole)
}

fn pad(mut left: u64, sink: Sink<'_>) -> io::Result<()> {
    while left > 0 {
        let length = left.min(CHUNK as u64);
        sink(TreeItem::Content(vec![0; length as usize]))?;
        left -= length;
    }
    Ok(())
}
