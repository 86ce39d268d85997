//! Artifacts: one archive per name and run, immutable (`actions/upload-artifact` v4 and later).

use std::io::Read;

use rusqlite::OptionalExtension as _;

use super::blobs::{BlobWriter, Content};
use super::error::StoreError;
use super::reservation::Saver;
use super::root::Store;
use super::runs::now_ms;
use crate::digest::Digest;
use crate::ids::{JobKey, RunId};

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
    /// The job that uploaded it.
    pub job: JobKey,
    /// Whether it is a zip file; otherwise it is the one file that was uploaded.
    pub zip: bool,
}

/// What an artifact is to be called, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArtifact {
    /// Its name.
    pub name: String,
    /// Whether it is a zip file.
    pub zip: bool,
}

impl Store {
    /// Keeps an archive as an artifact of a run; [`StoreError::ArtifactExists`] when the run
    /// has one of that name.
    pub fn save_artifact(
        &self,
        saver: &Saver,
        new: &NewArtifact,
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
                    "INSERT INTO artifacts (run, job, leg, name, zip, digest, size, created_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING RETURNING id",
                    (
                        saver.run.0 as i64,
                        &saver.job.id,
                        saver.job.leg,
                        &new.name,
                        new.zip,
                        blob.digest.to_string(),
                        blob.size as i64,
                        now_ms(),
                    ),
                    |row| row.get::<_, i64>(0),
                )
                .optional()
        })?;
        let id = saved.ok_or_else(|| StoreError::ArtifactExists {
            name: new.name.clone(),
        })?;
        Ok(Artifact {
            id: id as u64,
            name: new.name.clone(),
            digest: blob.digest,
            size: blob.size,
            job: saver.job.clone(),
            zip: new.zip,
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
            let select = "SELECT id, name, digest, size, job, leg, zip FROM artifacts
                          WHERE run = ?1 ORDER BY id";
            index
                .prepare(select)?
                .query_map([run.0 as i64], |row| {
                    Ok(Artifact {
                        id: row.get::<_, i64>(0)? as u64,
                        name: row.get(1)?,
                        digest: super::cache::parsed(row, 2)?,
                        size: row.get::<_, i64>(3)? as u64,
                        job: JobKey::new(row.get::<_, String>(4)?, row.get(5)?),
                        zip: row.get(6)?,
                    })
                })?
                .collect()
        })
    }

    /// The archive of an artifact, verified.
    pub fn open_artifact(&self, artifact: &Artifact) -> Result<Box<dyn Content>, StoreError> {
        self.blobs().open(artifact.digest)
    }
}
