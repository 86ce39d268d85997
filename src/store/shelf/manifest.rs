//! What a directory laid out consists of.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::store::StoreError;
use crate::tree::{Entry, Stat, Stored};

/// The first byte of a manifest's file.
const FORMAT: u8 = 1;

/// A directory laid out: the parts lrun put there, and how to tell that one is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The directory itself, with the path `""`, then all that is in it, parents before children.
    pub parts: Vec<Laid>,
    /// Equal stat data prove that a part is unchanged if its time of change is before this, in
    /// nanoseconds since 1970: a change within the same tick of the clock would not show.
    pub certain_before: i64,
}

/// A part of a directory laid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Laid {
    /// What it is. Where the content of a file is not in the store, the part can be checked but
    /// not be laid out again.
    pub entry: Entry<Option<Stored>>,
    /// Its stat data once all was laid out.
    pub stat: Stat,
}

impl Manifest {
    /// Bytes of file content.
    pub(super) fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.entry.size()).sum()
    }

    /// Whether stat data that are equal prove that the part is unchanged.
    pub(super) fn is_certain(&self, part: &Laid) -> bool {
        part.stat.ctime_ns < self.certain_before
    }

    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = fs::read(path).map_err(|error| StoreError::io(path, error))?;
        let unreadable = || StoreError::io(path, std::io::ErrorKind::InvalidData.into());
        match bytes.split_first() {
            Some((&FORMAT, bytes)) => postcard::from_bytes(bytes).map_err(|_| unreadable()),
            _ => Err(unreadable()),
        }
    }

    /// Writes it beside the file and renames it, so that there is always a whole one.
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let failed = |error| StoreError::io(path, error);
        let bytes = postcard::to_extend(self, vec![FORMAT])
            .map_err(|error| failed(std::io::Error::other(error)))?;
        let new = path.with_extension("new");
        fs::write(&new, bytes).map_err(failed)?;
        fs::rename(&new, path).map_err(failed)
    }
}
