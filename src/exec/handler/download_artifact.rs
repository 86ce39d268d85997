//! `actions/download-artifact` on the store. The archives are read here; the files are written in
//! the place, as the job's user.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::batches::Batches;
use super::{Inputs, Scope, in_store, input};
use crate::agent::AgentError;
use crate::archive::{self, Choice, DownloadInputs, Offered, UnzipError};
use crate::clock;
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::{EventKind, MovedArtifact};
use crate::exec::effects::Effects;
use crate::exec::log::StepLog;
use crate::exec::paths;
use crate::outcome::Outcome;
use crate::store::{Artifact, Store, StoreError};
use crate::tree::TreeItem;
use crate::workflow::ActionRef;

/// The newest major version, which commits and branches are taken for.
const NEWEST: u32 = 8;

/// Why an artifact did not come out of the store.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Zip(#[from] UnzipError),
}

/// Downloads the artifacts that the inputs choose.
pub(in crate::exec) async fn download(
    scope: &mut Scope<'_>,
    action: &ActionRef,
    inputs: &Inputs,
) -> Result<Effects, AgentError> {
    let major = action.major().unwrap_or(NEWEST);
    let inputs = match DownloadInputs::new(major, |name| input(inputs, name)) {
        Ok(inputs) => inputs,
        Err(refusal) => return Ok(failed(scope.log, &refusal)),
    };
    let (seen, beside) = match artifacts(scope).await {
        Ok(artifacts) => artifacts,
        Err(error) => return Ok(failed(scope.log, &error)),
    };
    name_race(scope.log, &inputs, &beside);
    let choice = match inputs.choose(&offered(&seen)) {
        Ok(choice) => choice,
        Err(refusal) => return Ok(failed(scope.log, &refusal)),
    };
    let chosen: Vec<&Artifact> = choice.chosen.iter().map(|&at| &seen[at]).collect();
    announce(scope.log, &choice, &chosen);
    let path = directory(scope, &inputs);
    for artifact in &chosen {
        let to = match choice.own_directories {
            true => format!("{path}/{}", artifact.name),
            false => path.clone(),
        };
        if let Err(message) = bring(scope, &inputs, artifact, to).await? {
            return Ok(failed(scope.log, &message));
        }
    }
    let total = format!("Total of {} artifact(s) downloaded", chosen.len());
    scope.log.runner(total);
    scope
        .log
        .runner("Download artifact has finished successfully");
    let mut effects = Effects::of(Outcome::Success);
    effects.outputs.insert("download-path".to_owned(), path);
    Ok(effects)
}

/// The artifacts of the run that this job sees whatever is faster, and those of jobs beside it.
async fn artifacts(scope: &Scope<'_>) -> Result<(Vec<Artifact>, Vec<Artifact>), StoreError> {
    let run = scope.run.id;
    let all = in_store(scope, move |store| store.artifacts(run)).await?;
    let (own, needs) = (&scope.place.key, &scope.place.needs);
    Ok(all
        .into_iter()
        .partition(|artifact| artifact.job == *own || needs.contains(&artifact.job.id)))
}

fn offered(artifacts: &[Artifact]) -> Vec<Offered<'_>> {
    artifacts
        .iter()
        .map(|Artifact { name, id, .. }| Offered { name, id: *id })
        .collect()
}

/// Whether GitHub would find what a job beside this one uploads depends on which is faster.
fn name_race(log: &StepLog, inputs: &DownloadInputs, beside: &[Artifact]) {
    let wanted = inputs.choose(&offered(beside));
    for at in wanted.map(|choice| choice.chosen).unwrap_or_default() {
        let Artifact { name, job, .. } = &beside[at];
        log.send(EventKind::Differs(Difference {
            kind: DifferenceKind::Other {
                text: format!(
                    "artifact '{name}' is of job '{job}', which this one does not need: GitHub has it only where that job is faster"
                ),
            },
            site: Site::Step(log.step().clone()),
            effect: Effect::MayFlip,
        }));
    }
}

fn announce(log: &mut StepLog, choice: &Choice, chosen: &[&Artifact]) {
    for line in &choice.lines {
        log.runner(line);
    }
    if let Some(warning) = &choice.warning {
        log.warning(warning);
    }
    if !chosen.is_empty() {
        log.runner("Preparing to download the following artifacts:");
    }
    for artifact in chosen {
        let Artifact {
            name,
            id,
            size,
            digest,
            ..
        } = artifact;
        log.runner(format!(
            "- {name} (ID: {id}, Size: {size}, Expected Digest: sha256:{digest})"
        ));
    }
}

/// `path`, absolute: a leading `~` is the home.
fn directory(scope: &Scope<'_>, inputs: &DownloadInputs) -> String {
    let path = match inputs.path.strip_prefix('~') {
        Some(rest) => format!("{}{rest}", paths::HOME),
        None => inputs.path.clone(),
    };
    paths::resolved(&scope.place.paths.workspace, &path)
}

/// Unpacks one artifact into a directory; the inner error is what the step fails with.
async fn bring(
    scope: &mut Scope<'_>,
    inputs: &DownloadInputs,
    artifact: &Artifact,
    to: String,
) -> Result<Result<(), String>, AgentError> {
    let unable = |why: &dyn std::fmt::Display| {
        Ok(Err(format!(
            "Unable to download and extract artifact: {why}"
        )))
    };
    if !artifact.zip && !inputs.knows_files() {
        return unable(&"Artifact download failed after 5 retries.");
    }
    scope
        .log
        .runner(format!("Starting download of artifact to: {to}"));
    let raw = raw_name(inputs, artifact);
    if let Some(name) = &raw {
        scope
            .log
            .runner(format!("Downloading raw file (non-zip) to: {to}/{name}"));
    }
    let moved = Arc::new(scope.log.transfer(None));
    let (sender, receiver) = mpsc::channel(4);
    let of = artifact.clone();
    let reading = in_store(scope, move |store| {
        let mut batches = Batches::new(sender, &moved);
        let sent = send(store, &of, raw, &mut batches);
        // Nobody listens any more once the place is gone.
        let _ = batches.finish();
        sent
    });
    let unpacking = scope.place.agent.unpack(to, receiver);
    let (read, unpacked) = tokio::join!(reading, unpacking);
    let problems = unpacked?.problems;
    let files = match (read, problems.first()) {
        (_, Some(problem)) => return unable(problem),
        (Err(error), None) => return unable(&error),
        (Ok(files), None) => files,
    };
    let digest = artifact.digest;
    scope
        .log
        .runner(format!("SHA256 digest of downloaded artifact is {digest}"));
    scope
        .log
        .runner("Artifact download completed successfully.");
    scope.log.send(EventKind::ArtifactDownloaded {
        step: scope.log.step().clone(),
        artifact: MovedArtifact {
            name: artifact.name.clone(),
            files,
            size: artifact.size,
        },
    });
    Ok(Ok(()))
}

/// The name of the file that the artifact is kept as, where it is not unpacked.
fn raw_name(inputs: &DownloadInputs, artifact: &Artifact) -> Option<String> {
    match (artifact.zip, inputs.keep_archive) {
        (false, _) => Some(artifact.name.clone()),
        (true, true) => Some(format!("{}.zip", artifact.name)),
        (true, false) => None,
    }
}

/// Sends the files of an artifact; gives their number.
fn send(
    store: &Store,
    artifact: &Artifact,
    raw: Option<String>,
    batches: &mut Batches<'_>,
) -> Result<u64, Broken> {
    let mut content = store.open_artifact(artifact)?;
    let now_ns = i64::try_from(clock::since_epoch().as_nanos()).unwrap_or(i64::MAX);
    let mut sink = |item: TreeItem| {
        let sent = batches.push(item);
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    };
    match raw {
        None => Ok(archive::unzip(content, now_ns, &mut sink)?),
        Some(name) => {
            let size = artifact.size;
            let sent = archive::send_file(name.into_bytes(), size, &mut content, now_ns, &mut sink);
            sent.map_err(UnzipError::from)?;
            Ok(1)
        }
    }
}

fn failed(log: &mut StepLog, why: &dyn std::fmt::Display) -> Effects {
    log.error(format!("Unable to download artifact(s): {why}"));
    Effects::of(Outcome::Failure)
}
