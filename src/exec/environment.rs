//! The environment of a step's process, in the runner's order (`ExecutionContext`, `Handler`).
//!
//! Later wins: the label's environment, what the user named, the `env` context, PATH with
//! what steps put in front of it, then GitHub's and the runner's own, which nothing overrides.

use indexmap::IndexMap;

use super::contexts::GithubOfStep;
use super::paths;

/// The environment every step of a job starts from.
#[derive(Debug, Clone)]
pub(super) struct JobEnvironment {
    /// The label's variables, network settings that have no file form, and `--env`.
    pub(super) base: IndexMap<String, String>,
    /// `GITHUB_*` and `RUNNER_*`, save those that change with each step.
    pub(super) github: IndexMap<String, String>,
}

/// The files behind a step's file commands, as paths inside the place.
#[derive(Debug, Clone)]
pub(super) struct FileCommandPaths {
    /// `GITHUB_ENV`
    pub(super) env: String,
    /// `GITHUB_OUTPUT`
    pub(super) output: String,
    /// `GITHUB_PATH`
    pub(super) path: String,
    /// `GITHUB_STATE`
    pub(super) state: String,
    /// `GITHUB_STEP_SUMMARY`
    pub(super) summary: String,
    /// `GITHUB_ARTIFACTS`: what a step says it made. Nothing here reads it.
    pub(super) artifacts: String,
    /// `GITHUB_ARTIFACTS_LIST`: the same in another form.
    pub(super) artifacts_list: String,
}

impl FileCommandPaths {
    /// Fresh names for one step.
    pub(super) fn new(unique: &str) -> Self {
        let name = |stem| format!("{}/{stem}_{unique}", paths::FILE_COMMANDS);
        Self {
            env: name("set_env"),
            output: name("set_output"),
            path: name("add_path"),
            state: name("save_state"),
            summary: name("step_summary"),
            artifacts: name("artifacts"),
            artifacts_list: name("artifacts_list"),
        }
    }

    /// All of them, in the order they are read back.
    pub(super) fn all(&self) -> [&str; 7] {
        [
            &self.env,
            &self.output,
            &self.path,
            &self.state,
            &self.summary,
            &self.artifacts,
            &self.artifacts_list,
        ]
    }
}

/// What of a process's environment is its step's own.
pub(super) struct OfStep<'a> {
    /// `GITHUB_ACTION` and what belongs to it.
    pub(super) github: &'a GithubOfStep,
    /// The files behind its file commands.
    pub(super) files: &'a FileCommandPaths,
    /// `STATE_*` and `INPUT_*` of an action, in this order; scripts have none.
    pub(super) action: Vec<(String, String)>,
    /// `ACTIONS_*`.
    pub(super) services: Vec<(String, String)>,
}

impl JobEnvironment {
    /// The environment of one step's process.
    ///
    /// `env` is the `env` context with the step's own on top; `path` is what steps put in
    /// front of PATH.
    pub(super) fn of_step(
        &self,
        env: &IndexMap<String, String>,
        path: &[String],
        own: OfStep<'_>,
    ) -> Vec<(String, String)> {
        let mut all = self.base.clone();
        all.extend(env.iter().map(|(k, v)| (k.clone(), v.clone())));
        all.extend(own.action);
        if !path.is_empty() {
            let rest = all.get("PATH").filter(|rest| !rest.is_empty());
            let joined = path
                .iter()
                .chain(rest)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(":");
            all.insert("PATH".to_owned(), joined);
        }
        all.extend(self.github.iter().map(|(k, v)| (k.clone(), v.clone())));
        let OfStep { github, files, .. } = own;
        let repository = github.repository.as_ref();
        let (repository, git_ref) = repository.map_or(("", ""), |(name, git_ref)| (name, git_ref));
        let step = [
            ("GITHUB_ACTION", github.action.as_str()),
            ("GITHUB_ACTION_REPOSITORY", repository),
            ("GITHUB_ACTION_REF", git_ref),
            ("GITHUB_ENV", &files.env),
            ("GITHUB_OUTPUT", &files.output),
            ("GITHUB_PATH", &files.path),
            ("GITHUB_STATE", &files.state),
            ("GITHUB_STEP_SUMMARY", &files.summary),
            ("GITHUB_ARTIFACTS", &files.artifacts),
            ("GITHUB_ARTIFACTS_LIST", &files.artifacts_list),
        ];
        all.extend(step.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if let Some(path) = &github.path {
            all.insert("GITHUB_ACTION_PATH".to_owned(), path.clone());
        }
        all.extend(own.services);
        all.entry("CI".to_owned())
            .or_insert_with(|| "true".to_owned());
        all.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> IndexMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn github() -> GithubOfStep {
        GithubOfStep {
            action: "__run".to_owned(),
            ..GithubOfStep::default()
        }
    }

    fn of_step<'a>(github: &'a GithubOfStep, files: &'a FileCommandPaths) -> OfStep<'a> {
        OfStep {
            github,
            files,
            action: Vec::new(),
            services: Vec::new(),
        }
    }

    #[test]
    fn a_step_cannot_override_github_s_own_variables() {
        let job = JobEnvironment {
            base: map(&[("PATH", "/usr/bin"), ("HOME", "/home/runner")]),
            github: map(&[("GITHUB_SHA", "abc")]),
        };
        let env = map(&[
            ("GITHUB_SHA", "forged"),
            ("HOME", "/elsewhere"),
            ("CI", "no"),
        ]);
        let (files, github) = (FileCommandPaths::new("1"), github());
        let all: IndexMap<_, _> = job
            .of_step(&env, &[], of_step(&github, &files))
            .into_iter()
            .collect();
        assert_eq!(all["GITHUB_SHA"], "abc");
        assert_eq!(all["HOME"], "/elsewhere");
        assert_eq!(all["CI"], "no");
        assert_eq!(all["GITHUB_ACTION"], "__run");
    }

    #[test]
    fn what_steps_put_in_path_comes_before_the_rest() {
        let job = JobEnvironment {
            base: map(&[("PATH", "/usr/bin")]),
            github: IndexMap::new(),
        };
        let path = ["/second".to_owned(), "/first".to_owned()];
        let (files, github) = (FileCommandPaths::new("1"), github());
        let all: IndexMap<_, _> = job
            .of_step(&map(&[("PATH", "/own")]), &path, of_step(&github, &files))
            .into_iter()
            .collect();
        assert_eq!(all["PATH"], "/second:/first:/own");
    }
}
