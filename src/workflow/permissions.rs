//! What a job's token may do, and what a called workflow may ask of it (`Permissions.cs`, `PermissionsHelper.cs` in
//! actions/runner).

use std::collections::BTreeMap;
use std::fmt;

use super::token::Token;

/// How much a token may do with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// `none`
    #[default]
    None,
    /// `read`
    Read,
    /// `write`, which includes `read`.
    Write,
}

/// What a token has where no file says it: a setting of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PermissionsPolicy {
    /// Reads contents and packages; the setting of new repositories.
    LimitedRead,
    /// Writes everything. What is assumed of a repository whose setting is not known, so that no file is refused that its own
    /// repository accepts.
    #[default]
    Write,
}

/// `permissions` of a workflow or a job.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    /// What is said, or follows from `read-all` and `write-all`.
    levels: BTreeMap<&'static str, Level>,
    /// The same of the names in [`NEWER`] that are not in `levels`.
    newer: Level,
}

/// Every permission, in the order in which GitHub lists those that are not allowed.
const ALL: [&str; 20] = [
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "statuses",
    "security-events",
    "id-token",
    "models",
    "code-quality",
    "copilot-requests",
    "drives",
    "vulnerability-alerts",
];

/// Those that came after `read-all` and `write-all`. A caller that has all allows them; a called workflow that asks for all
/// does not ask for them, and they are not among what all comes to (`conformance/reader`): there GitHub's readers have
/// them behind switches.
const NEWER: [&str; 7] = [
    "artifact-metadata",
    "attestations",
    "models",
    "code-quality",
    "copilot-requests",
    "drives",
    "vulnerability-alerts",
];

impl Level {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "none" => Self::None,
            "read" => Self::Read,
            "write" => Self::Write,
            _ => return None,
        })
    }

    /// As a file would have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Permissions {
    /// What `permissions` comes to: what a mapping does not name is none.
    pub(super) fn read(token: &Token) -> Self {
        match token.as_str() {
            Some("read-all") => Self::all(Level::Read),
            Some("write-all") => Self::all(Level::Write),
            _ => Self::named(|name| token.get(name)?.as_str().and_then(Level::parse)),
        }
    }

    /// What a token has where no file says it.
    pub fn of_policy(policy: PermissionsPolicy) -> Self {
        match policy {
            PermissionsPolicy::LimitedRead => {
                Self::named(|name| matches!(name, "contents" | "packages").then_some(Level::Read))
            }
            PermissionsPolicy::Write => Self::all(Level::Write),
        }
    }

    fn all(level: Level) -> Self {
        Self {
            newer: level,
            ..Self::named(|name| (!NEWER.contains(&name)).then_some(level))
        }
    }

    fn named(level: impl Fn(&str) -> Option<Level>) -> Self {
        let levels = ALL
            .iter()
            .filter_map(|&name| Some((name, level(name)?)))
            .collect();
        let newer = Level::None;
        Self { levels, newer }
    }

    /// How much it allows of one thing.
    pub fn level(&self, name: &str) -> Level {
        let newer = || match NEWER.contains(&name) {
            true => self.newer,
            false => Level::None,
        };
        self.levels.get(name).copied().unwrap_or_else(newer)
    }

    /// What it gives by name, in alphabetical order, without what is `none`.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, Level)> {
        let levels = self.levels.iter().map(|(&name, &level)| (name, level));
        levels.filter(|(_, level)| *level > Level::None)
    }

    /// What it asks for beyond `most`, as GitHub words it: `is requesting 'actions: write', but is only allowed
    /// 'actions: read'`.
    pub(super) fn excess(&self, most: &Self) -> Option<String> {
        let asked = |name: &str| self.levels.get(name).copied().unwrap_or_default();
        let beyond = ALL
            .iter()
            .copied()
            .filter(|name| asked(name) > most.level(name));
        let beyond: Vec<&str> = beyond.collect();
        if beyond.is_empty() {
            return None;
        }
        let list = |level: &dyn Fn(&str) -> Level| {
            let levels = beyond.iter().map(|name| format!("{name}: {}", level(name)));
            levels.collect::<Vec<_>>().join(", ")
        };
        Some(format!(
            "is requesting '{}', but is only allowed '{}'",
            list(&asked),
            list(&|name| most.level(name))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_beyond_is_listed_in_githubs_order() {
        let read = Permissions::all(Level::Read);
        let some = Permissions::named(|name| match name {
            "statuses" | "security-events" => Some(Level::Write),
            "contents" => Some(Level::Read),
            _ => None,
        });
        assert_eq!(
            some.excess(&read).as_deref(),
            Some(
                "is requesting 'statuses: write, security-events: write', but is only allowed 'statuses: read, security-events: read'"
            )
        );
        assert_eq!(some.excess(&Permissions::all(Level::Write)), None);
    }

    #[test]
    fn a_caller_with_all_allows_what_came_later() {
        let newer = Permissions::named(|name| (name == "attestations").then_some(Level::Write));
        assert_eq!(newer.excess(&Permissions::all(Level::Write)), None);
        assert!(newer.excess(&Permissions::all(Level::Read)).is_some());
        let limited = Permissions::of_policy(PermissionsPolicy::LimitedRead);
        assert!(newer.excess(&limited).is_some());
        let classic = Permissions::named(|name| (!NEWER.contains(&name)).then_some(Level::Write));
        assert_eq!(Permissions::all(Level::Write).excess(&classic), None);
    }
}
