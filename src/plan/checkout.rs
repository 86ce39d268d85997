//! What an `actions/checkout` step asks for (action.yml of v1 to v6; `input-helper.ts`,
//! `url-helper.ts`).

use std::num::NonZeroU32;

/// The inputs in the newest major's order, and the first major that has each.
const KNOWN: &[(&str, u32)] = &[
    ("repository", 1),
    ("ref", 1),
    ("token", 1),
    ("ssh-key", 2),
    ("ssh-known-hosts", 2),
    ("ssh-strict", 2),
    ("ssh-user", 4),
    ("persist-credentials", 2),
    ("path", 1),
    ("clean", 1),
    ("filter", 4),
    ("sparse-checkout", 3),
    ("sparse-checkout-cone-mode", 3),
    ("fetch-depth", 1),
    ("fetch-tags", 3),
    ("show-progress", 4),
    ("lfs", 1),
    ("submodules", 1),
    ("set-safe-directory", 2),
    ("github-server-url", 2),
];

/// From this major on, tags keep their annotations and `fetch-tags` fetches every tag (release
/// notes of v6.0.2); before, a tag run made a lightweight tag and `fetch-tags` followed what was
/// fetched.
const FIRST_WITH_WHOLE_TAGS: u32 = 6;
/// From this major on, a step has outputs (release notes of v4.2.0).
const FIRST_WITH_OUTPUTS: u32 = 4;
/// From this major on, credentials are in a file of `RUNNER_TEMP` (release notes of v6.0.0).
const FIRST_WITH_CREDENTIALS_APART: u32 = 6;
/// The major that fetches all history unless told otherwise, and takes `path` from the workspace's
/// parent (its action.yml).
const RUNNER_PLUGIN: u32 = 1;

const GITHUB: &str = "https://github.com";

/// What a checkout step asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutInputs {
    /// `repository`, where given.
    pub repository: Option<String>,
    /// `ref`, where given.
    pub git_ref: Option<String>,
    /// `path`, as given.
    pub path: String,
    /// `clean`: whether what git does not track is removed from a clone that is there already.
    pub clean: bool,
    /// `fetch-depth`; none is all history (`0`, a negative number or no number).
    pub depth: Option<NonZeroU32>,
    /// `fetch-tags`
    pub fetch_tags: bool,
    /// Whether tags are fetched whole; see the majors.
    pub whole_tags: bool,
    /// `filter`, or what `sparse-checkout` implies.
    pub filter: Option<String>,
    /// `sparse-checkout`, where given.
    pub sparse: Option<Sparse>,
    /// `submodules`
    pub submodules: Submodules,
    /// `lfs: true`
    pub lfs: bool,
    /// `show-progress`
    pub progress: bool,
    /// `token`, where it is to stay in the clone's configuration.
    pub persisted_token: Option<String>,
    /// The action's major; none, as of a commit id, is the newest.
    pub major: Option<u32>,
    /// `ssh-user` of a checkout with an `ssh-key`.
    ssh_user: Option<String>,
    /// `github-server-url`, without a slash at its end.
    server: String,
}

/// Which paths are checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sparse {
    /// One a line.
    pub patterns: Vec<String>,
    /// Whether they are directories, not patterns of files.
    pub is_cone: bool,
}

/// Which submodules are checked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submodules {
    /// None.
    No,
    /// Those of the repository.
    Yes,
    /// Theirs too.
    Recursive,
}

impl CheckoutInputs {
    /// Reads a step's `with:`, already evaluated. `major` is that of the `uses:` reference; none,
    /// as of a commit id, is the newest. The second value is the runner's warning about inputs
    /// that the action does not have.
    pub fn read<'a>(
        with: impl IntoIterator<Item = (&'a str, &'a str)>,
        major: Option<u32>,
    ) -> (Self, Option<String>) {
        let with: Vec<_> = with
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        let is_known = |name: &str| {
            let mut all = KNOWN.iter();
            all.any(|(known, first)| *known == name && major.is_none_or(|major| major >= *first))
        };
        let get = |name: &str| {
            let mut found = with.iter().rev().filter(|(key, _)| key == name);
            let found = found.next().filter(|_| is_known(name));
            found.map_or("", |(_, value)| *value)
        };
        let given = |name| Some(get(name).to_owned()).filter(|value| !value.is_empty());
        let is_true = |name| get(name).eq_ignore_ascii_case("true");
        let or_true = |name| get(name).is_empty() || is_true(name);
        let patterns: Vec<_> = lines(get("sparse-checkout"));
        let sparse = (!patterns.is_empty()).then(|| Sparse {
            patterns,
            is_cone: or_true("sparse-checkout-cone-mode"),
        });
        let implied = sparse.as_ref().map(|_| "blob:none".to_owned());
        let inputs = Self {
            repository: given("repository"),
            git_ref: given("ref"),
            path: given("path").unwrap_or_else(|| ".".to_owned()),
            clean: or_true("clean"),
            depth: match (get("fetch-depth"), major) {
                ("", Some(RUNNER_PLUGIN)) => None,
                (text, _) => depth(text),
            },
            fetch_tags: is_true("fetch-tags"),
            whole_tags: major.is_none_or(|major| major >= FIRST_WITH_WHOLE_TAGS),
            filter: given("filter").or(implied),
            sparse,
            submodules: match get("submodules").to_ascii_lowercase().as_str() {
                "recursive" => Submodules::Recursive,
                "true" => Submodules::Yes,
                _ => Submodules::No,
            },
            lfs: is_true("lfs"),
            progress: major.is_none_or(|major| major >= 4) && or_true("show-progress"),
            persisted_token: given("token")
                .filter(|_| get("ssh-key").is_empty() && or_true("persist-credentials")),
            ssh_user: (!get("ssh-key").is_empty())
                .then(|| given("ssh-user").unwrap_or_else(|| "git".to_owned())),
            server: given("github-server-url")
                .unwrap_or_else(|| GITHUB.to_owned())
                .trim_end_matches('/')
                .to_owned(),
            major,
        };
        let names = with.iter().map(|(name, _)| name.as_str());
        let unknown: Vec<_> = names.filter(|name| !is_known(name)).collect();
        (inputs, warning(&unknown, major))
    }

    /// The repository where it is not the run's own, which is `own`; both are `owner/name`.
    ///
    /// # Errors
    /// The action's, for what is not `owner/name`.
    pub fn other_repository(&self, own: &str) -> Result<Option<String>, NotARepository> {
        let Some(name) = &self.repository else {
            return Ok(None);
        };
        let is_part = |part: &&str| !part.is_empty();
        let parts: Vec<_> = name.split('/').filter(is_part).collect();
        match parts.as_slice() {
            [owner, repository] if name.split('/').count() == 2 => {
                let is_own = name.eq_ignore_ascii_case(own) && self.server == GITHUB;
                Ok((!is_own).then(|| format!("{owner}/{repository}")))
            }
            _ => Err(NotARepository { name: name.clone() }),
        }
    }

    /// The URL of a repository, `owner/name`, that its clone has.
    pub fn url(&self, repository: &str) -> String {
        match &self.ssh_user {
            Some(user) => format!("{user}@{}:{repository}.git", self.host()),
            None => format!("{}/{repository}", self.server),
        }
    }

    /// Whether a key was given: the URL is one of ssh.
    pub fn is_by_ssh(&self) -> bool {
        self.ssh_user.is_some()
    }

    /// The server, such as `https://github.com`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whether the step has outputs.
    pub fn has_outputs(&self) -> bool {
        self.major.is_none_or(|major| major >= FIRST_WITH_OUTPUTS)
    }

    /// Whether credentials are in a file apart from the clone's configuration.
    pub fn credentials_are_apart(&self) -> bool {
        let major = self.major;
        major.is_none_or(|major| major >= FIRST_WITH_CREDENTIALS_APART)
    }

    /// Whether `path` is one below the workspace's parent.
    pub fn is_from_parent(&self) -> bool {
        self.major == Some(RUNNER_PLUGIN) && self.path != "."
    }

    fn host(&self) -> &str {
        let server = self.server.split_once("://");
        let host = server.map_or(self.server.as_str(), |(_, host)| host);
        host.split(['/', ':']).next().unwrap_or(host)
    }
}

/// `repository` is not of the form that the action wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid repository '{name}'. Expected format {{owner}}/{{repo}}.")]
pub struct NotARepository {
    /// The input.
    pub name: String,
}

/// The lines of an input that have something on them (`core.getMultilineInput`).
fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// The runner's words on inputs that the action does not have.
fn warning(unknown: &[&str], major: Option<u32>) -> Option<String> {
    let known = KNOWN.iter();
    let known = known.filter(|(_, first)| major.is_none_or(|major| major >= *first));
    let known: Vec<_> = known.map(|(name, _)| *name).collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "Unexpected input(s) '{}', valid inputs are ['{}']",
            unknown.join("', '"),
            known.join("', '")
        )
    })
}

/// `Math.floor(Number(input || '1'))`, and everything that is no positive number is all history.
fn depth(input: &str) -> Option<NonZeroU32> {
    match input {
        "" => NonZeroU32::new(1),
        // A float saturates and drops its fraction as an integer; NaN becomes 0.
        text => NonZeroU32::new(text.parse::<f64>().unwrap_or(0.0) as u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(with: &[(&str, &str)]) -> CheckoutInputs {
        CheckoutInputs::read(with.iter().copied(), Some(5)).0
    }

    #[test]
    fn depth_is_one_unless_given_and_zero_is_everything() {
        let depth = |value| read(&[("fetch-depth", value)]).depth.map(NonZeroU32::get);
        assert_eq!(read(&[]).depth.map(NonZeroU32::get), Some(1));
        assert_eq!(depth("50"), Some(50));
        assert_eq!(depth(" 2.9 "), Some(2));
        for everything in ["0", "-1", "all"] {
            assert_eq!(depth(everything), None, "{everything}");
        }
        assert_eq!(CheckoutInputs::read([], Some(1)).0.depth, None, "v1");
    }

    #[test]
    fn unknown_inputs_get_the_runner_s_warning() {
        let (inputs, warning) = CheckoutInputs::read([("Fetch-Depth", "0"), ("depht", "1")], None);
        assert_eq!(inputs.depth, None);
        let warning = warning.unwrap();
        let start = "Unexpected input(s) 'depht', valid inputs are ['repository', 'ref', 'token'";
        assert!(warning.starts_with(start), "{warning}");
        assert_eq!(CheckoutInputs::read([("ref", "x")], None).1, None);
    }

    #[test]
    fn what_an_older_major_does_not_know_has_no_effect() {
        let (inputs, warning) = CheckoutInputs::read([("sparse-checkout", "src")], Some(2));
        assert_eq!(inputs.sparse, None);
        assert!(warning.unwrap().contains("'sparse-checkout', valid"));
        let (inputs, _) = CheckoutInputs::read([("sparse-checkout", "src\n\n docs ")], Some(3));
        let sparse = inputs.sparse.unwrap();
        assert_eq!(sparse.patterns, ["src", "docs"]);
        assert!(sparse.is_cone);
        assert_eq!(inputs.filter.as_deref(), Some("blob:none"));
    }

    #[test]
    fn only_owner_and_name_are_a_repository() {
        let other = |name| read(&[("repository", name)]).other_repository("octo/hello");
        assert_eq!(other("Octo/Hello"), Ok(None));
        assert_eq!(other("octo/other"), Ok(Some("octo/other".to_owned())));
        for name in ["other", "a/b/c", "/b", "a/", "a//b"] {
            let words = format!("Invalid repository '{name}'. Expected format {{owner}}/{{repo}}.");
            assert_eq!(other(name).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn a_key_makes_the_url_one_of_ssh() {
        let url = |with: &[(&str, &str)]| read(with).url("octo/hello");
        assert_eq!(url(&[]), "https://github.com/octo/hello");
        let key = ("ssh-key", "PRIVATE");
        assert_eq!(url(&[key]), "git@github.com:octo/hello.git");
        let server = ("github-server-url", "https://ghe.example.org:8443/");
        assert_eq!(url(&[server]), "https://ghe.example.org:8443/octo/hello");
        assert_eq!(url(&[key, server]), "git@ghe.example.org:octo/hello.git");
    }

    #[test]
    fn a_token_stays_unless_told_otherwise() {
        let token = ("token", "secret");
        assert_eq!(read(&[token]).persisted_token.as_deref(), Some("secret"));
        assert_eq!(read(&[]).persisted_token, None);
        let inputs = read(&[token, ("persist-credentials", "false")]);
        assert_eq!(inputs.persisted_token, None);
    }
}
