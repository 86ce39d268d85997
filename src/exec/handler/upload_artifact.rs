//! `actions/upload-artifact` on the store. The files are found and read in
//! the place, as the job's user; the archive is made here.

use std::io::{Read, Seek as _};
use std::path::Path;

use tokio::sync::mpsc::Receiver;

use super::{Inputs, Scope, in_store};
use crate::agent::protocol::ArtifactSpec;
use crate::agent::{AgentError, Batch};
use crate::archive::{
    self, ArtifactInputs, FoundFiles, IfNoFilesFound, Uploaded, ZipError, ZipWriter,
};
use crate::event::{EventKind, MovedArtifact};
use crate::exec::effects::Effects;
use crate::exec::log::StepLog;
use crate::exec::paths;
use crate::outcome::Outcome;
use crate::store::{Artifact, NewArtifact, StoreError};
use crate::tree::TreeItem;
use crate::workflow::ActionRef;

/// The newest major version, which commits and branches are taken for.
const NEWEST: u32 = 7;
/// `GITHUB_RETENTION_DAYS` of a repository that did not change it.
const RETENTION_DAYS: i64 = 90;

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
enum ArchiveError {
    #[error(transparent)]
    Zip(#[from] ZipError),
    #[error("cannot make the archive: {0}")]
    Io(#[from] std::io::Error),
}

/// Uploads the files that `path` names.
pub(in crate::exec) async fn upload(
    scope: &mut Scope<'_>,
    action: &ActionRef,
    inputs: &Inputs,
) -> Result<Effects, AgentError> {
    let major = action.major().unwrap_or(NEWEST);
    let given = |name: &str| {
        let mut found = inputs
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.clone())
    };
    let inputs = match ArtifactInputs::new(major, &given) {
        Ok(inputs) => inputs,
        Err(refusal) => return Ok(failed(scope.log, &refusal)),
    };
    let spec = ArtifactSpec {
        path: inputs.path.clone(),
        workspace: scope.place.paths.workspace.clone(),
        home: paths::HOME.to_owned(),
        include_hidden: inputs.include_hidden_files,
    };
    let found = match scope.place.agent.find_artifact(spec).await {
        Ok(found) => found,
        Err(error @ AgentError::Refused { .. }) => return Ok(failed(scope.log, &error)),
        Err(error) => return Err(error),
    };
    for line in archive::search_lines(&found) {
        scope.log.runner(line);
    }
    if found.files.is_empty() {
        return Ok(nothing_found(scope.log, &inputs));
    }
    scope.log.runner(archive::count_line(found.files.len()));
    let name = match archive::artifact_name(&inputs, &found) {
        Ok(name) => name,
        Err(refusal) => return Ok(failed(scope.log, &refusal)),
    };
    for line in archive::VALID_LINES {
        scope.log.runner(line);
    }
    let (_, warning) = archive::retention(inputs.retention_days, Some(RETENTION_DAYS));
    if let Some(warning) = warning {
        scope.log.warning(warning);
    }
    upload_found(scope, major, &inputs, name, found).await
}

async fn upload_found(
    scope: &mut Scope<'_>,
    major: u32,
    inputs: &ArtifactInputs,
    name: String,
    found: FoundFiles,
) -> Result<Effects, AgentError> {
    let files = found.files.len() as u64;
    let (items, sending) = scope.place.agent.send_artifact(found).await?;
    let (archived, directory) = (inputs.clone(), scope.run.directory.clone());
    let archiving = in_store(scope, move |_| write_archive(items, &archived, &directory));
    let (archive, sent) = tokio::join!(archiving, sending);
    let sent = sent?;
    for problem in &sent.left_out {
        scope.log.warning(problem);
    }
    if let Some(problem) = sent.problems.first() {
        return Ok(failed(scope.log, problem));
    }
    let mut archive = match archive {
        Ok(archive) => archive,
        Err(error) => return Ok(failed(scope.log, &error)),
    };
    let (saver, overwritten) = (scope.saver(), inputs.overwrite.then(|| inputs.name.clone()));
    let new = NewArtifact {
        name,
        zip: inputs.archive,
    };
    let saved = in_store(scope, move |store| {
        if let Some(name) = overwritten {
            // Best effort, and by the input's name, as the action does it.
            store.delete_artifact(saver.run, &name)?;
        }
        store.save_artifact(&saver, &new, &mut archive)
    })
    .await;
    Ok(match saved {
        Ok(artifact) => uploaded(scope, (major, inputs), files, &artifact),
        Err(StoreError::ArtifactExists { name }) => failed(
            scope.log,
            &format!(
                "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) \
                 Conflict: an artifact with this name already exists on the workflow run: {name}"
            ),
        ),
        Err(error) => failed(scope.log, &error),
    })
}

/// The uploaded bytes: an archive, or with `archive: false` the one file as it is.
fn write_archive(
    mut items: Receiver<Batch>,
    inputs: &ArtifactInputs,
    directory: &Path,
) -> Result<impl Read + Send + use<>, ArchiveError> {
    let mut file = tempfile::tempfile_in(directory)?;
    if inputs.archive {
        let mut zip = ZipWriter::new(&mut file, inputs.compression_level);
        while let Some(batch) = items.blocking_recv() {
            batch.iter().try_for_each(|item| zip.take(item))?;
        }
        zip.finish()?;
    } else {
        while let Some(batch) = items.blocking_recv() {
            for item in batch {
                if let TreeItem::Content(bytes) = item {
                    std::io::Write::write_all(&mut file, &bytes)?;
                }
            }
        }
    }
    file.rewind()?;
    Ok(file)
}

fn uploaded(
    scope: &Scope<'_>,
    (major, inputs): (u32, &ArtifactInputs),
    files: u64,
    artifact: &Artifact,
) -> Effects {
    let identity = &scope.run.github.identity;
    let url = format!(
        "{}/actions/runs/{}/artifacts/{}",
        identity.url(),
        scope.run.id,
        artifact.id
    );
    let digest = artifact.digest.to_string();
    let lines = archive::upload_lines(&Uploaded {
        major,
        inputs,
        name: &artifact.name,
        size: artifact.size,
        digest: &digest,
        id: artifact.id,
        url: &url,
    });
    for line in lines {
        scope.log.runner(line);
    }
    scope.log.send(EventKind::ArtifactUploaded {
        step: scope.log.step().clone(),
        artifact: MovedArtifact {
            name: artifact.name.clone(),
            files,
            size: artifact.size,
        },
    });
    let mut effects = Effects::of(Outcome::Success);
    let outputs = [
        ("artifact-id", artifact.id.to_string()),
        ("artifact-digest", digest),
        ("artifact-url", url),
    ];
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value));
    effects.outputs.extend(outputs);
    effects
}

fn nothing_found(log: &mut StepLog, inputs: &ArtifactInputs) -> Effects {
    let line = archive::no_files_line(&inputs.path);
    match inputs.if_no_files_found {
        IfNoFilesFound::Error => return failed(log, &line),
        IfNoFilesFound::Warn => log.warning(line),
        IfNoFilesFound::Ignore => log.runner(line),
    }
    Effects::of(Outcome::Success)
}

fn failed(log: &mut StepLog, message: &dyn std::fmt::Display) -> Effects {
    log.error(message.to_string());
    Effects::of(Outcome::Failure)
}
