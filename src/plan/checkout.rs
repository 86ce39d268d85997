//! What an `actions/checkout` step asks for (action.yml of v1 to v6; `input-helper.ts`), and what
//! of it lrun cannot do.

use std::num::NonZeroU32;

/// The inputs of the newest major; older ones have a part of them.
const KNOWN: &[&str] = &[
    "repository",
    "ref",
    "token",
    "ssh-key",
    "ssh-known-hosts",
    "ssh-strict",
    "ssh-user",
    "persist-credentials",
    "path",
    "clean",
    "filter",
    "sparse-checkout",
    "sparse-checkout-cone-mode",
    "fetch-depth",
    "fetch-tags",
    "show-progress",
    "lfs",
    "submodules",
    "set-safe-directory",
    "github-server-url",
];

/// From this major on, tags keep their annotations and `fetch-tags` fetches every tag (release
/// notes of v6.0.2); before, a tag run made a lightweight tag and `fetch-tags` followed what was
/// fetched.
const FIRST_WITH_WHOLE_TAGS: u32 = 6;

/// What a checkout step asks for. Inputs that only concern the network (`token`, `ssh-…`,
/// `persist-credentials`, `show-progress`, `set-safe-directory`) have no effect: there is no
/// network here, and no credential is ever left in the job's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutInputs {
    /// `repository`, where given.
    pub repository: Option<String>,
    /// `ref`, where given.
    pub git_ref: Option<String>,
    /// `path`, as given.
    pub path: String,
    /// `fetch-depth`; none is all history (`0`, a negative number or no number).
    pub depth: Option<NonZeroU32>,
    /// `fetch-tags`
    pub fetch_tags: bool,
    /// Whether tags are fetched whole; see the majors.
    pub whole_tags: bool,
    /// `submodules` other than `false`, as given.
    submodules: Option<String>,
    /// `lfs: true`
    lfs: bool,
    /// `sparse-checkout`, not empty.
    sparse: bool,
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
        let get = |name: &str| {
            let mut found = with.iter().rev().filter(|(key, _)| key == name);
            found.next().map_or("", |(_, value)| *value)
        };
        let given = |name| Some(get(name).to_owned()).filter(|value| !value.is_empty());
        let is_true = |name| get(name).eq_ignore_ascii_case("true");
        let inputs = Self {
            repository: given("repository"),
            git_ref: given("ref"),
            path: given("path").unwrap_or_else(|| ".".to_owned()),
            depth: depth(get("fetch-depth")),
            fetch_tags: is_true("fetch-tags"),
            whole_tags: major.is_none_or(|major| major >= FIRST_WITH_WHOLE_TAGS),
            submodules: given("submodules").filter(|value| !value.eq_ignore_ascii_case("false")),
            lfs: is_true("lfs"),
            sparse: !get("sparse-checkout").is_empty(),
        };
        let unknown: Vec<_> = with
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !KNOWN.contains(name))
            .collect();
        let warning = (!unknown.is_empty()).then(|| {
            format!(
                "Unexpected input(s) '{}', valid inputs are ['{}']",
                unknown.join("', '"),
                KNOWN.join("', '")
            )
        });
        (inputs, warning)
    }

    /// What lrun cannot do of this, if anything; known before the run starts. `repository` is
    /// the run's own, `owner/name`.
    pub fn obstacle(&self, repository: &str) -> Option<String> {
        let other = self.repository.as_deref();
        if let Some(other) = other.filter(|other| !other.eq_ignore_ascii_case(repository)) {
            return Some(format!(
                "checkout of another repository ({other}) is not supported"
            ));
        }
        if let Some(submodules) = &self.submodules {
            return Some(format!(
                "checkout with submodules: {submodules} is not supported"
            ));
        }
        if self.lfs {
            return Some("checkout with lfs: true is not supported".to_owned());
        }
        self.sparse
            .then(|| "checkout with sparse-checkout is not supported".to_owned())
    }
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
    fn what_lrun_cannot_check_out_is_an_obstacle() {
        let obstacle = |name, value| read(&[(name, value)]).obstacle("octo/hello");
        assert_eq!(obstacle("repository", "Octo/Hello"), None);
        assert_eq!(obstacle("submodules", "false"), None);
        assert!(obstacle("repository", "octo/other").is_some());
        assert!(obstacle("submodules", "recursive").is_some());
        assert!(obstacle("lfs", "true").is_some());
        assert!(obstacle("sparse-checkout", "src").is_some());
    }
}
