//! Where things are inside a plain job's place: a hosted runner's paths, wherever the user's
//! folder is.

/// Home of the job's user.
pub(super) const HOME: &str = "/home/runner";
/// Where the repositories of actions are laid out, as `OWNER/REPO/REF`.
pub(super) const ACTIONS: &str = "/home/runner/work/_actions";
/// `RUNNER_TEMP`.
pub(super) const TEMP: &str = "/home/runner/work/_temp";
/// Where the files behind `GITHUB_ENV` and the like are made.
pub(super) const FILE_COMMANDS: &str = "/home/runner/work/_temp/_runner_file_commands";
/// `GITHUB_EVENT_PATH`.
pub(super) const EVENT: &str = "/home/runner/work/_temp/_github_workflow/event.json";

/// The runner's own programs: `node24/bin/node` in it runs JavaScript actions.
pub(super) const EXTERNALS: &str = "/home/runner/actions-runner/externals";

/// The paths that depend on the repository's name.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    /// `RUNNER_WORKSPACE`: the parent of the workspace.
    pub(super) runner_workspace: String,
    /// `GITHUB_WORKSPACE`.
    pub(super) workspace: String,
}

impl Paths {
    /// The paths for `owner/name`.
    pub(super) fn new(repository: &str) -> Self {
        let name = repository.rsplit('/').next().unwrap_or(repository);
        let runner_workspace = format!("{HOME}/work/{name}");
        Self {
            workspace: format!("{runner_workspace}/{name}"),
            runner_workspace,
        }
    }

    /// A path a workflow gives, relative to the workspace unless it is absolute.
    pub(super) fn in_workspace(&self, path: &str) -> String {
        match path {
            "" => self.workspace.clone(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("{}/{path}", self.workspace),
        }
    }
}

/// A path inside a place, absolute or from `start`, without `.`, `..` and doubled slashes; what is
/// on disk has no say in it.
pub(super) fn resolved(start: &str, path: &str) -> String {
    let start = match path.starts_with('/') {
        true => "",
        false => start,
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
