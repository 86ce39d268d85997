//! The program out of a release's archive, after the archive's digest is known to be right.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha512};

use super::error::SourceError;
use crate::digest::Digest;

/// The digest that an archive is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// As in a distribution's list, in lower case.
    Sha256(String),
    /// As pinned for a package.
    Sha512(&'static str),
}

/// Fails unless the archive has the digest.
pub(super) fn verify(archive: &Path, expected: &Expected) -> Result<(), SourceError> {
    let file = || name(archive);
    let unreadable = |source| SourceError::Unpack {
        file: file(),
        source,
    };
    let content = File::open(archive).map_err(unreadable)?;
    let (expected, found) = match expected {
        Expected::Sha256(expected) => {
            let found = Digest::of_reader(content).map_err(unreadable)?;
            (expected.as_str(), found.to_string())
        }
        Expected::Sha512(expected) => (*expected, sha512(content).map_err(unreadable)?),
    };
    if expected == found {
        return Ok(());
    }
    Err(SourceError::Digest {
        file: file(),
        expected: expected.to_owned(),
        found,
    })
}

fn sha512(mut content: File) -> io::Result<String> {
    let mut hasher = Sha512::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(hex::encode(hasher.finalize())),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// Writes `bin/node` and `LICENSE` of a gzipped tar archive whose members stand in one
/// directory; on the disk when this returns.
pub(super) fn unpack(archive: &Path, to: &Path) -> Result<(), SourceError> {
    let unpacked = || -> io::Result<bool> {
        let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive)?));
        let mut has_program = false;
        for member in archive.entries()? {
            let mut member = member?;
            let path = member.path()?.into_owned();
            let mut parts = path.components();
            parts.next();
            let (path, mode) = match parts.as_path().to_str() {
                Some("bin/node") => (to.join("bin/node"), 0o755),
                Some("LICENSE") => (to.join("LICENSE"), 0o644),
                _ => continue,
            };
            if !member.header().entry_type().is_file() {
                continue;
            }
            has_program |= mode == 0o755;
            fs::create_dir_all(path.parent().unwrap_or(to))?;
            let mut options = File::options();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&path)?;
            io::copy(&mut member, &mut file)?;
            file.sync_all()?;
        }
        Ok(has_program)
    };
    let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no bin/node in it");
    match unpacked() {
        Ok(true) => Ok(()),
        Ok(false) => Err(missing()),
        Err(error) => Err(error),
    }
    .map_err(|source| SourceError::Unpack {
        file: name(archive),
        source,
    })
}

fn name(archive: &Path) -> String {
    let name = archive.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
