//! Artifacts: one archive per name and run, immutable (`actions/upload-artifact` v4 and later).

use std::io::Read;

use rusqlite::OptionalExtension as _;

use super::blobs::BlobWriter;
use super::error::StoreError;
use super::root::Store;
use super::runs::now_ms;
use crate::digest::Digest;
use crate::ids::RunId;

/// An artifact of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// `artifact-id`: unique in the store, ascending.
    pub id: u64,
    /// Its name, unique in the run.
    pub name: String,
    /// Digest of the archive: `artifact-digest`.
    pub digest: Digest,
    /// Length of the archive in bytes.
    pub size: u64,
}

impl Store {
    /// Keeps an archive as an artifact of a run; [`StoreError::ArtifactExists`] when the run
    /// has one of that name.
    pub fn save_artifact(
        &self,
        run: RunId,
        name: &str,
        archive: &mut dyn Read,
    ) -> Result<Artifact, StoreError> {
        let mut writer = BlobWriter::default();
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let read = archive.read(&mut buffer);
            match read.map_err(|error| StoreError::io(self.root(), error))? {
                0 => break,
                length => writer.write(self.blobs(), &buffer[..length])?,
            }
        }
        let blob = writer.finish(self.blobs())?;
        let saved = self.index().write(|index| {
            index
                .query_row(
                    "INSERT INTO artifacts (run, name, digest, size, created_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING RETURNING id",
                    (
                        run.0 as i64,
                        name,
                        blob.digest.to_string(),
                        blob.size as i64,
                        now_ms(),
                    ),
                    |row| row.get::<_, i64>(0),
                )
                .optional()
        })?;
        let id = saved.ok_or_else(|| StoreError::ArtifactExists {
            name: name.to_owned(),
        })?;
        Ok(Artifact {
            id: id as u64,
            name: name.to_owned(),
            digest: blob.digest,
            size: blob.size,
        })
    }

    /// Removes an artifact (`overwrite: true`); whether there was one.
    pub fn delete_artifact(&self, run: RunId, name: &str) -> Result<bool, StoreError> {
        let delete = "DELETE FROM artifacts WHERE run = ?1 AND name = ?2";
        let deleted = self
            .index()
            .write(|index| index.execute(delete, (run.0 as i64, name)))?;
        Ok(deleted > 0)
    }

    /// The artifacts of a run in the order they were made.
    pub fn artifacts(&self, run: RunId) -> Result<Vec<Artifact>, StoreError> {
        self.index().read(|index| {
            index
                .prepare("SELECT id, name, digest, size FROM artifacts WHERE run = ?1 ORDER BY id")?
                .query_map([run.0 as i64], |row| {
                    Ok(Artifact {
                        id: row.get::<_, i64>(0)? as u64,
                        name: row.get(1)?,
                        digest: super::cache::parsed(row, 2)?,
                        size: row.get::<_, i64>(3)? as u64,
                    })
                })?
                .collect()
        })
    }

    /// The archive of an artifact, verified.
    pub fn open_artifact(&self, artifact: &Artifact) -> Result<Box<dyn Read + Send>, StoreError> {
        self.blobs().open(artifact.digest)
    }
}
