//! The action that a step uses, found when its turn comes (runner `ActionManager.LoadAction`).

use std::sync::Arc;

use super::handler;
use super::job::Leading;
use super::paths;
use crate::action::Files;
use crate::agent::AgentError;
use crate::agent::protocol::User;
use crate::event::EventKind;
use crate::source::Source;
use crate::workflow::{Action, DOCKERFILES, Location, MANIFESTS, read_action};

/// An action, found.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Its manifest.
    pub(super) manifest: Arc<Action>,
    /// Its directory, a path inside the place.
    pub(super) directory: String,
    /// The repository it comes from and the ref; none for one of the workspace.
    pub(super) repository: Option<(String, String)>,
    /// What `uses:` in its steps is relative to.
    pub(super) location: Location,
    /// How the runner's log calls it: its path, or `owner/repo/path@ref`.
    pub(super) shown: String,
}

/// An action, or what its step's log says instead, line by line.
pub(super) type Found = Result<Arc<Loaded>, Vec<String>>;

impl Loaded {
    /// An action of a repository, where its files are laid out for a job.
    pub(super) fn of_files(files: &Files) -> Self {
        Self {
            manifest: Arc::clone(&files.manifest),
            directory: format!("{}/{}", paths::ACTIONS, files.folder()),
            repository: Some((files.repository.clone(), files.git_ref.clone())),
            location: files.location.clone(),
            shown: files.name(),
        }
    }
}

/// The action of a repository that `uses` leads to: found before the run, or now where an action of
/// the workspace turned out to use it.
///
/// # Errors
/// When the agent cannot be spoken to.
pub(super) async fn from_repository(job: &Leading<'_>, uses: &str) -> Result<Found, AgentError> {
    let from = &job.frame.location;
    let files = match job.run.actions.find(from, uses) {
        Some(files) => files,
        None => match fetch(job, uses).await {
            Ok(files) => files,
            Err(message) => return Ok(Err(vec![message])),
        },
    };
    let laid_out = handler::lay_out_action(job.run, job.place, &files).await;
    Ok(match laid_out {
        Ok(_) => Ok(Arc::new(Loaded::of_files(&files))),
        Err(message) => Err(vec![message]),
    })
}

async fn fetch(job: &Leading<'_>, uses: &str) -> Result<Arc<Files>, String> {
    let actions = Arc::clone(&job.run.actions);
    let (from, wanted) = (job.frame.location.clone(), uses.to_owned());
    let fetching = tokio::task::spawn_blocking(move || actions.fetch(&from, &wanted));
    let fetched = match fetching.await {
        Ok(fetched) => fetched,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    match fetched {
        Ok((files, resolved)) => {
            for resolved in resolved {
                let event = EventKind::ActionResolved(resolved.fact());
                job.run.events.send(event);
            }
            files.ok_or_else(|| format!("{uses} leads to no action"))
        }
        Err(missing) => Err(missing.to_string()),
    }
}

/// The action of the workspace that `./path` leads to, as it is there now.
///
/// # Errors
/// When the agent cannot be spoken to.
pub(super) async fn from_workspace(job: &Leading<'_>, uses: &str) -> Result<Found, AgentError> {
    let workspace = &job.place.paths.workspace;
    // As the runner puts them together: `GITHUB_ACTION_PATH` has the `./` in it.
    let directory = format!("{workspace}/{uses}");
    let full = paths::resolved(workspace, uses);
    let paths = MANIFESTS.map(|name| format!("{full}/{name}")).to_vec();
    let files = job.place.agent.read_files(User::Job, paths).await?;
    let found = MANIFESTS.iter().zip(files);
    let found = found.filter_map(|(name, content)| Some((name, content?)));
    let Some((name, content)) = found.into_iter().next() else {
        let dockerfiles = DOCKERFILES.map(|name| format!("{full}/{name}")).to_vec();
        let is_docker = job.place.agent.exists(dockerfiles).await?.contains(&true);
        return Ok(Err(vec![match is_docker {
            true => no_engine(uses),
            false => format!(
                "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{full}'. Did you \
                 forget to run actions/checkout before running your local action?"
            ),
        }]));
    };
    // Errors name it from the root of the repository, where the user finds it.
    let path = format!("{full}/{name}");
    let shown = path.strip_prefix(&format!("{workspace}/")).unwrap_or(&path);
    let text = String::from_utf8_lossy(&content).into_owned();
    Ok(match read_action(Source::new(shown, text)) {
        Ok(manifest) => Ok(Arc::new(Loaded {
            manifest: Arc::new(manifest),
            directory,
            repository: None,
            location: job.frame.location.clone(),
            shown: uses.to_owned(),
        })),
        Err(problems) => {
            let problems = problems.iter().map(ToString::to_string);
            Err(problems.chain([format!("Fail to load {path}")]).collect())
        }
    })
}

/// Why a docker action does not run.
pub(super) fn no_engine(uses: &str) -> String {
    format!(
        "'{uses}' is a docker action: these need an engine, and this version of lrun has none. \
         GitHub would run it"
    )
}
