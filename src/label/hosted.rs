//! Which versions of its commands an image has.

use super::facts::{Architecture, Facts, Label};

impl Label {
    /// Whether the image has a command of that name, by what the facts say of commands and
    /// tools alone; packages may bring further ones.
    pub fn has_command(&self, command: &str) -> bool {
        self.facts.commands.contains_key(command)
            || self.version_matters(command)
            || self
                .facts
                .tools
                .keys()
                .any(|tool| tool.eq_ignore_ascii_case(command))
    }

    /// Whether another major.minor of the command may flip a verdict.
    pub fn version_matters(&self, command: &str) -> bool {
        self.facts
            .version_matters
            .iter()
            .any(|known| known == command)
    }

    /// The versions a command may have on the image: one where the default is known, several
    /// where it is not, none where the facts do not say.
    pub fn hosted_versions(&self, command: &str) -> Vec<String> {
        if self.architecture == Architecture::Arm64 {
            return Vec::new();
        }
        match command {
            "java" | "javac" => self.facts.default_java().into_iter().collect(),
            "go" => self.facts.tool_cache.get("Go").cloned().unwrap_or_default(),
            _ => self.facts.default_version(command).into_iter().collect(),
        }
    }
}

impl Facts {
    /// Of several versions that a tool has, the one its plain command name starts: that of the
    /// distribution's package where the command is named like one, else the newest.
    fn default_version(&self, command: &str) -> Option<String> {
        let versions = self.tools.get(self.commands.get(command)?)?;
        let versions = versions.split(", ").map(|version| {
            // Some entries go on: `10.32.7 - available by …`.
            version.split(' ').next().unwrap_or(version)
        });
        let packaged = self.apt_packages.get(package_of(command)).and_then(|full| {
            let upstream = full
                .rsplit_once(':')
                .map_or(full.as_str(), |(_, rest)| rest);
            upstream.split('.').next()
        });
        let of_package = |version: &&str| version.split('.').next() == packaged;
        versions
            .clone()
            .find(of_package)
            .or_else(|| versions.last())
            .map(str::to_owned)
    }

    /// The JDK that `java` starts: the entry marked as the default.
    fn default_java(&self) -> Option<String> {
        let marked = self
            .environment
            .values()
            .find(|value| value.starts_with("java ") && value.ends_with(" (default)"))?;
        marked.split(' ').nth(1).map(str::to_owned)
    }
}

/// The package that brings a compiler under its plain name.
fn package_of(command: &str) -> &str {
    match command {
        "cc" => "gcc",
        "c++" => "g++",
        // Built of the same source, by the same version, as gcc.
        "gfortran" => "gcc",
        other => other,
    }
}

/// Major and minor number of a version, such as (3, 12) of `3.12.3`; the minor is none where
/// the version has a single number.
pub fn major_minor(version: &str) -> Option<(u32, Option<u32>)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|minor| minor.parse().ok())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label::find("ubuntu-24.04").expect("a known label")
    }

    #[test]
    fn the_default_among_several_is_the_distribution_s_or_the_newest() {
        for (command, version) in [
            ("gcc", "13.3.0"),
            ("cc", "13.3.0"),
            ("c++", "13.3.0"),
            ("gfortran", "13.3.0"),
            ("clang", "18.1.3"),
            ("rustc", "1.97.1"),
            ("python3", "3.12.3"),
            ("java", "17.0.20+8"),
            ("dotnet", "10.0.400"),
        ] {
            assert_eq!(label().hosted_versions(command), [version], "{command}");
        }
    }

    #[test]
    fn several_are_named_where_the_default_is_not_known() {
        assert_eq!(
            label().hosted_versions("go"),
            ["1.24.13", "1.25.13", "1.26.6"]
        );
        assert!(label().hosted_versions("graphviz").is_empty());
    }

    #[test]
    fn versions_of_arm_images_are_not_known() {
        let arm = Label::find("ubuntu-24.04-arm").expect("a known label");
        assert!(arm.hosted_versions("gcc").is_empty());
        assert!(arm.has_command("gcc"));
    }

    #[test]
    fn commands_are_known_by_their_own_name_or_by_their_tool_s() {
        assert!(label().has_command("sqlite3"));
        assert!(label().has_command("azcopy"));
        assert!(label().has_command("go"));
        assert!(!label().has_command("dot"));
    }

    #[test]
    fn major_and_minor_are_the_first_two_numbers() {
        assert_eq!(major_minor("3.12.3"), Some((3, Some(12))));
        assert_eq!(major_minor("17.0.20+8"), Some((17, Some(0))));
        assert_eq!(major_minor("25"), Some((25, None)));
        assert_eq!(major_minor("x"), None);
    }
}
