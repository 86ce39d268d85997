//! The action that a step uses, found when its turn comes (runner `ActionManager.LoadAction`).

use std::sync::Arc;

use super::job::Leading;
use super::paths;
use crate::agent::AgentError;
use crate::agent::protocol::User;
use crate::source::Source;
use crate::workflow::{Action, read_action};

/// What a manifest may be called, in the order they are looked for.
const MANIFESTS: [&str; 2] = ["action.yml", "action.yaml"];
const DOCKERFILES: [&str; 2] = ["Dockerfile", "dockerfile"];

/// An action, found.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Its manifest.
    pub(super) manifest: Arc<Action>,
    /// Its directory, a path inside the place.
    pub(super) directory: String,
    /// The repository it comes from and the ref; none for one of the workspace.
    pub(super) repository: Option<(String, String)>,
    /// How the runner's log calls it: its path, or `owner/repo/path@ref`.
    pub(super) shown: String,
}

/// An action, or what its step's log says instead, line by line.
pub(super) type Found = Result<Arc<Loaded>, Vec<String>>;

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
