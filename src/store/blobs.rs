//! Contents by their digest: `blobs/ab/cdef…`.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, Write as _};
use std::path::{Path, PathBuf};

use nix::fcntl::AtFlags;
use nix::sys::stat::fstatat;
use tempfile::NamedTempFile;

use super::error::StoreError;
use crate::digest::{Digest, Hasher};
use crate::tree::on_all_processors;

/// Contents up to this many bytes are handled in memory.
const IN_MEMORY: usize = 1024 * 1024;

/// A content that is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredBlob {
    pub(super) digest: Digest,
    /// Length in bytes.
    pub(super) size: u64,
    /// Whether the store did not have it before.
    pub(super) new: bool,
}

/// A verified content, which can be read in any order.
pub trait Content: Read + Seek + Send {}

impl<T: Read + Seek + Send> Content for T {}

#[derive(Debug, Clone)]
pub(super) struct Blobs {
    directory: PathBuf,
    temporary: PathBuf,
}

impl Blobs {
    /// Both directories exist, on one file system.
    pub(super) fn new(directory: PathBuf, temporary: PathBuf) -> Self {
        Self {
            directory,
            temporary,
        }
    }

    /// Stores some bytes.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<StoredBlob, StoreError> {
        let mut writer = BlobWriter::default();
        writer.write(self, bytes)?;
        writer.finish(self)
    }

    /// Whether a blob of this length is there; its content is not looked at.
    pub(super) fn check(&self, digest: Digest, size: u64) -> Result<(), StoreError> {
        match fs::metadata(self.path(digest)) {
            Ok(metadata) if metadata.len() == size => Ok(()),
            Ok(metadata) => Err(self.damaged(digest, wrong_length(metadata.len(), size))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.damaged(digest, "it is missing".to_owned()))
            }
            Err(error) => Err(StoreError::io(&self.path(digest), error)),
        }
    }

    /// Whether there is a blob of at most `limit` bytes; its content is not looked at.
    pub(super) fn is_there(&self, digest: Digest, limit: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|metadata| metadata.len() <= limit)
    }

    /// The content, verified before the first byte is handed out.
    pub(super) fn open(&self, digest: Digest) -> Result<Box<dyn Content>, StoreError> {
        Ok(match self.open_verified(digest)? {
            Verified::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Verified::File(file) => Box::new(file),
        })
    }

    /// Writes the content, verified, to a file that is empty; where the file system can share it,
    /// without copying. `path` is the file's.
    pub(super) fn copy(
        &self,
        digest: Digest,
        to: &mut File,
        path: &Path,
    ) -> Result<(), StoreError> {
        let copied = match self.open_verified(digest)? {
            Verified::Bytes(bytes) => to.write_all(&bytes),
            // In the kernel (`copy_file_range`).
            Verified::File(mut file) => io::copy(&mut file, to).map(drop),
        };
        copied.map_err(|error| StoreError::io(path, error))
    }

    fn open_verified(&self, digest: Digest) -> Result<Verified, StoreError> {
        let path = self.path(digest);
        let failed = |error| StoreError::io(&path, error);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.damaged(digest, "it is missing".to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        let size = file.metadata().map_err(failed)?.len();
        if size <= IN_MEMORY as u64 {
            let mut bytes = Vec::with_capacity(size as usize);
            file.read_to_end(&mut bytes).map_err(failed)?;
            self.verify(digest, Digest::of(&bytes))?;
            return Ok(Verified::Bytes(bytes));
        }
        let found = Digest::of_reader(&file).map_err(failed)?;
        self.verify(digest, found)?;
        file.rewind().map_err(failed)?;
        Ok(Verified::File(file))
    }

    /// Whether each of these blobs is there, in its full length; the contents are not looked at.
    pub(super) fn have(&self, blobs: &[(Digest, u64)]) -> Result<Vec<bool>, StoreError> {
        let directory =
            File::open(&self.directory).map_err(|error| StoreError::io(&self.directory, error))?;
        let has = |(digest, size): &(Digest, u64)| {
            let name = digest.to_string();
            let (shard, rest) = name.split_at(2);
            let path = format!("{shard}/{rest}");
            let found = fstatat(&directory, &*path, AtFlags::AT_SYMLINK_NOFOLLOW);
            found.is_ok_and(|found| found.st_size as u64 == *size)
        };
        Ok(on_all_processors(blobs, |_, share| {
            share.iter().map(has).collect()
        }))
    }

    fn verify(&self, digest: Digest, found: Digest) -> Result<(), StoreError> {
        if found == digest {
            return Ok(());
        }
        Err(self.damaged(digest, format!("its content has the digest {found}")))
    }

    /// Takes a damaged blob out of the store: otherwise the right content, when it is saved
    /// again, would be taken for stored.
    fn damaged(&self, digest: Digest, problem: String) -> StoreError {
        // Where it cannot be removed, it will be found damaged again.
        let _ = fs::remove_file(self.path(digest));
        StoreError::Damaged { digest, problem }
    }

    fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let (shard, rest) = name.split_at(2);
        self.directory.join(shard).join(rest)
    }

    pub(super) fn has(&self, digest: Digest, size: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|metadata| metadata.len() == size)
    }

    fn temporary(&self) -> Result<NamedTempFile, StoreError> {
        NamedTempFile::new_in(&self.temporary)
            .map_err(|error| StoreError::io(&self.temporary, error))
    }

    fn keep(&self, file: NamedTempFile, digest: Digest) -> Result<(), StoreError> {
        let path = self.path(digest);
        let shard = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(shard).map_err(|error| StoreError::io(shard, error))?;
        file.persist(&path)
            .map(drop)
            .map_err(|error| StoreError::io(&path, error.error))
    }
}

/// A content that is what its name says.
enum Verified {
    Bytes(Vec<u8>),
    File(File),
}

fn wrong_length(found: u64, expected: u64) -> String {
    format!("it is {found} bytes long instead of {expected}")
}

/// Takes a content piece by piece. Dropped before it is finished, it leaves nothing.
#[derive(Default)]
pub(super) struct BlobWriter {
    hasher: Hasher,
    size: u64,
    /// The beginning of the content, until there is too much of it.
    buffer: Vec<u8>,
    file: Option<NamedTempFile>,
}

impl BlobWriter {
    pub(super) fn write(&mut self, blobs: &Blobs, bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        if self.file.is_none() {
            self.buffer.extend_from_slice(bytes);
            if self.buffer.len() > IN_MEMORY {
                self.file = Some(spill(blobs, &self.buffer)?);
                self.buffer = Vec::new();
            }
        } else if let Some(file) = &mut self.file {
            write_all(file, bytes)?;
        }
        Ok(())
    }

    /// Puts the content into the store, if it is not there already.
    pub(super) fn finish(self, blobs: &Blobs) -> Result<StoredBlob, StoreError> {
        let digest = self.hasher.finish();
        let new = !blobs.has(digest, self.size);
        if new {
            let file = match self.file {
                Some(file) => file,
                None => spill(blobs, &self.buffer)?,
            };
            blobs.keep(file, digest)?;
        }
        Ok(StoredBlob {
            digest,
            size: self.size,
            new,
        })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

fn spill(blobs: &Blobs, bytes: &[u8]) -> Result<NamedTempFile, StoreError> {
    let mut file = blobs.temporary()?;
    write_all(&mut file, bytes)?;
    Ok(file)
}

fn write_all(file: &mut NamedTempFile, bytes: &[u8]) -> Result<(), StoreError> {
    let written = file.write_all(bytes);
    written.map_err(|error| StoreError::io(Path::new(file.path()), error))
}
