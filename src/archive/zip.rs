//! The zip file of an artifact, written in one pass: each entry's length and checksum stand
//! behind its content, as in the files that the toolkit's archiver streams to GitHub.
//!
//! Equal items at an equal level give equal bytes. Entries are files only; their modes are kept,
//! and their times as zip has them: UTC, in steps of two seconds, since 1980. ZIP64 is used
//! where the lengths or the number of entries need it.

use std::io::{self, Write};

use ::zip::CompressionMethod;
use ::zip::result::ZipError as FormatError;
use ::zip::write::{SimpleFileOptions, StreamWriter};
use jiff::Timestamp;
use jiff::tz::Offset;

use crate::digest::{Digest, Hasher};
use crate::tree::{Kind, Member, TreeItem};

/// The bit of a mode that says "regular file".
const REGULAR_FILE: u32 = 0o100_000;

/// Files of this length and above get ZIP64 fields: 4 GiB, less what deflate may add to content
/// that cannot be compressed.
const LARGE: u64 = (1 << 32) - (1 << 24);

/// How hard to try: 0 stores, 1 is fastest, 9 is smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressionLevel(u8);

impl CompressionLevel {
    /// A level; none outside of 0 to 9.
    pub fn new(level: i64) -> Option<Self> {
        u8::try_from(level)
            .ok()
            .filter(|level| *level <= 9)
            .map(Self)
    }
}

/// 6, as upload-artifact's.
impl Default for CompressionLevel {
    fn default() -> Self {
        Self(6)
    }
}

/// A finished archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zipped {
    /// Its length in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
    /// How many files are in it.
    pub files: u64,
}

/// Why an archive cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// A member is a directory or a link.
    #[error("'{path}' is not a file, and nothing else can be put into an artifact")]
    NotAFile {
        /// Its path in the archive.
        path: String,
    },
    /// The format does not allow the entry (a name twice, a name too long), or writing failed.
    #[error("cannot add '{path}' to the artifact: {source}")]
    Entry {
        /// Its path in the archive.
        path: String,
        /// Why.
        source: FormatError,
    },
    /// Writing content failed, or it came before any member.
    #[error("cannot write the artifact: {0}")]
    Content(io::Error),
    /// The end of the archive could not be written.
    #[error("cannot finish the artifact: {0}")]
    Finish(FormatError),
}

/// Writes one archive. After an error nothing more reaches the writer.
pub struct ZipWriter<W: Write> {
    zip: ::zip::ZipWriter<StreamWriter<Measured<W>>>,
    level: CompressionLevel,
    files: u64,
}

impl<W: Write> ZipWriter<W> {
    /// Begins an archive at the beginning of what `out` writes to.
    pub fn new(out: W, level: CompressionLevel) -> Self {
        let measured = Measured {
            out,
            hasher: Hasher::default(),
            size: 0,
            broken: false,
        };
        Self {
            zip: ::zip::ZipWriter::new_stream(measured),
            level,
            files: 0,
        }
    }

    /// Takes the next item.
    pub fn take(&mut self, item: &TreeItem) -> Result<(), ZipError> {
        match item {
            TreeItem::Member(member) => self.start(member),
            TreeItem::Content(bytes) => self.zip.write_all(bytes).map_err(ZipError::Content),
            TreeItem::Stat { .. } => Ok(()),
        }
    }

    /// Ends the archive. One without any file is an archive, too.
    pub fn finish(self) -> Result<Zipped, ZipError> {
        let finished = self.zip.finish().map(StreamWriter::into_inner);
        let mut measured = finished.map_err(ZipError::Finish)?;
        measured.flush().map_err(ZipError::Content)?;
        Ok(Zipped {
            size: measured.size,
            digest: measured.hasher.finish(),
            files: self.files,
        })
    }

    fn start(&mut self, member: &Member) -> Result<(), ZipError> {
        let path = || String::from_utf8_lossy(&member.path).into_owned();
        let Kind::File { size, .. } = member.kind else {
            return Err(ZipError::NotAFile { path: path() });
        };
        let options = match self.level.0 {
            // As the archiver does; "deflated, but not at all" would only be longer.
            0 => SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
            level => SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(i64::from(level))),
        };
        let options = options
            .name(&member.path)
            .large_file(size >= LARGE)
            .last_modified_time(zip_time(member.mtime_ns))
            .external_attributes((REGULAR_FILE | member.mode) << 16);
        self.zip
            .start_file_with_options(options)
            .map_err(|source| ZipError::Entry {
                path: path(),
                source,
            })?;
        self.files += 1;
        Ok(())
    }
}

/// The time in UTC; the beginning of 1980 for what zip has no time for.
fn zip_time(mtime_ns: i64) -> ::zip::DateTime {
    let time = Timestamp::from_nanosecond(i128::from(mtime_ns)).unwrap_or_default();
    let time = Offset::UTC.to_datetime(time);
    let [month, day, hour, minute, second] = [
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    ]
    .map(i8::unsigned_abs);
    let year = u16::try_from(time.year()).unwrap_or_default();
    ::zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

/// Hashes and counts what is written.
struct Measured<W> {
    out: W,
    hasher: Hasher,
    size: u64,
    /// Set by the first error. The format's writer ends its file when it is dropped and prints
    /// when that fails: from then on it writes into nothing.
    broken: bool,
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Ok(bytes.len());
        }
        match self.out.write(bytes) {
            Ok(length) => {
                self.hasher.update(&bytes[..length]);
                self.size += length as u64;
                Ok(length)
            }
            Err(error) => {
                self.broken = error.kind() != io::ErrorKind::Interrupted;
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.broken {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => self.out.flush(),
        }
    }
}

#[cfg(test)]
#[path = "zip_tests.rs"]
mod tests;
