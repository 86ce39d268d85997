//! What a job's processes find in their environment before GitHub and the workflow add to it.

use super::facts::Label;

/// The home of the job's user.
pub const HOME: &str = "/home/runner";

/// Where setup actions look for tools that are already there: `runner.tool_cache`.
pub const TOOL_CACHE: &str = "/opt/hostedtoolcache";

/// The directory for temporary files that the runner empties before each job: `runner.temp`.
pub const TEMP: &str = "/home/runner/work/_temp";

const USER: &str = "runner";

impl Label {
    /// The environment a job's processes start with, in a fixed order. `exists` says of an
    /// absolute path whether it is in the place; it is asked for [`Label::paths_asked`] alone.
    ///
    /// An entry whose value is a path outside the home that does not exist is left out: on
    /// the image it names a tool, here it would name nothing.
    pub fn environment(&self, exists: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let of_the_image = self.image_entries().filter(|(_, value)| {
            let depends_on_place = value.starts_with('/') && !is_at_home(value);
            !depends_on_place || exists(value)
        });
        let of_the_user = [
            ("PATH", self.facts.path.join(":")),
            ("HOME", HOME.to_owned()),
            ("USER", USER.to_owned()),
            ("LOGNAME", USER.to_owned()),
            ("SHELL", "/bin/bash".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
        ];
        of_the_image
            .chain(of_the_user.map(|(name, value)| (name.to_owned(), value)))
            .collect()
    }

    /// The paths whose existence decides about [`Label::environment`].
    pub fn paths_asked(&self) -> Vec<String> {
        self.image_entries()
            .map(|(_, value)| value)
            .filter(|value| value.starts_with('/') && !is_at_home(value))
            .collect()
    }

    /// The `runner` context, `workspace` and `debug` apart: they belong to the job and the run.
    /// `RUNNER_*` of a step are the same under upper-case names.
    pub fn runner(&self) -> [(&'static str, &'static str); 6] {
        [
            ("os", "Linux"),
            ("arch", self.architecture.as_str()),
            ("name", "GitHub Actions 1"),
            ("environment", "github-hosted"),
            ("tool_cache", TOOL_CACHE),
            ("temp", TEMP),
        ]
    }

    fn image_entries(&self) -> impl Iterator<Item = (String, String)> {
        self.facts.environment.iter().map(|(name, value)| {
            let value = java_home(name).unwrap_or_else(|| value.clone());
            (name.clone(), value)
        })
    }
}

/// Where the image keeps the JDK that `JAVA_HOME_N_X64` names; the facts have its version there.
fn java_home(name: &str) -> Option<String> {
    let major = name.strip_prefix("JAVA_HOME_")?.strip_suffix("_X64")?;
    Some(format!("/usr/lib/jvm/temurin-{major}-jdk-amd64"))
}

fn is_at_home(path: &str) -> bool {
    path.strip_prefix(HOME)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label::find("ubuntu-24.04").expect("a known label")
    }

    fn value(entries: &[(String, String)], name: &str) -> Option<String> {
        let (_, value) = entries.iter().find(|(known, _)| known == name)?;
        Some(value.clone())
    }

    #[test]
    fn entries_that_name_nothing_here_are_left_out() {
        let environment = label().environment(|path| path == "/opt/hostedtoolcache");
        assert_eq!(
            value(&environment, "RUNNER_TOOL_CACHE").as_deref(),
            Some("/opt/hostedtoolcache")
        );
        assert_eq!(value(&environment, "CHROME_BIN"), None);
        assert_eq!(value(&environment, "JAVA_HOME_17_X64"), None);
        assert_eq!(
            value(&environment, "NVM_DIR").as_deref(),
            Some("/home/runner/.nvm"),
            "the home is the job's own: what is missing there is made by the job"
        );
    }

    #[test]
    fn java_homes_are_paths() {
        let jdk = "/usr/lib/jvm/temurin-21-jdk-amd64";
        assert!(label().paths_asked().contains(&jdk.to_owned()));
        let environment = label().environment(|path| path == jdk);
        assert_eq!(
            value(&environment, "JAVA_HOME_21_X64").as_deref(),
            Some(jdk)
        );
    }

    #[test]
    fn the_user_is_the_hosted_one() {
        let environment = label().environment(|_| true);
        let expected = [
            ("HOME", "/home/runner"),
            ("USER", "runner"),
            ("LOGNAME", "runner"),
            ("SHELL", "/bin/bash"),
            ("LANG", "C.UTF-8"),
            ("ImageOS", "ubuntu24"),
        ];
        for (name, expected) in expected {
            assert_eq!(
                value(&environment, name).as_deref(),
                Some(expected),
                "{name}"
            );
        }
        let path = value(&environment, "PATH").expect("PATH is set");
        assert!(path.starts_with("/snap/bin:/home/runner/.local/bin:/opt/pipx_bin:"));
        assert!(path.contains(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"));
    }
}
