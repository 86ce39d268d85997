//! The tables of what actions and commands do beyond this machine: data, in `actions.toml` and
//! `commands.toml`, which say what their keys mean.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

/// What something does beyond this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Does {
    /// It puts something where others use it.
    Deploys,
    /// It makes something public, or writes to a repository.
    Publishes,
    /// It tells others.
    Sends,
    /// It asks GitHub, or has it do something.
    Api,
    /// It logs in somewhere.
    Login,
    /// It needs a container engine.
    Engine,
    /// It stays on the machine.
    Nothing,
}

impl Does {
    /// Whether `--allow-publish` lets it run.
    pub fn may_be_allowed(self) -> bool {
        !matches!(self, Self::Engine | Self::Nothing)
    }
}

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deploys => "deploys",
            Self::Publishes => "publishes",
            Self::Sends => "tells others",
            Self::Api => "talks to GitHub's API",
            Self::Login => "logs in, and what it logs in with is empty",
            Self::Engine => "needs a container engine, and this version of lrun has none for steps",
            Self::Nothing => "stays here",
        })
    }
}

/// What is known of actions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Actions {
    pub(super) action: Vec<Action>,
}

/// One entry of `actions.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Action {
    pub(super) uses: Vec<String>,
    pub(super) does: Does,
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    #[serde(default)]
    pub(super) unless: Vec<Condition>,
    #[serde(default)]
    pub(super) credentials: Vec<String>,
    pub(super) token: Option<String>,
    #[serde(default)]
    pub(super) events: Vec<String>,
}

/// What an input must be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) input: String,
    #[serde(default)]
    pub(super) is: Vec<String>,
    pub(super) given: Option<bool>,
    #[serde(default)]
    pub(super) mentions: Vec<String>,
}

/// What is known of commands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commands {
    pub(super) values: BTreeMap<String, Vec<String>>,
    pub(super) wrappers: BTreeMap<String, Wrapper>,
    pub(super) command: Vec<Command>,
}

/// A program that runs another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapper {
    #[serde(default)]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) words: usize,
}

/// One entry of `commands.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    pub(super) run: Vec<String>,
    pub(super) does: Does,
    #[serde(default)]
    pub(super) anywhere: bool,
    #[serde(default)]
    pub(super) when: Vec<String>,
    #[serde(default)]
    pub(super) unless: Vec<String>,
    #[serde(default)]
    pub(super) first: Vec<String>,
    #[serde(default)]
    pub(super) mentions: Vec<String>,
    #[serde(default)]
    pub(super) remote: bool,
}

const ACTIONS: &str = include_str!("actions.toml");
const COMMANDS: &str = include_str!("commands.toml");

// The embedded files are read by a test of this module, so that neither can fail.

/// What `actions.toml` says.
pub(super) static OF_ACTIONS: LazyLock<Actions> =
    LazyLock::new(|| toml::from_str(ACTIONS).unwrap_or_default());

/// What `commands.toml` says.
pub(super) static OF_COMMANDS: LazyLock<Commands> =
    LazyLock::new(|| toml::from_str(COMMANDS).unwrap_or_default());

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_is_named_as_uses_has_it() {
        let table: Actions =
            toml::from_str(ACTIONS).expect("actions.toml is as this module has it");
        assert!(table.action.len() > 20);
        for entry in &table.action {
            assert!(!entry.uses.is_empty(), "{entry:?}");
            for uses in &entry.uses {
                let (owner, rest) = uses.split_once('/').expect("OWNER/REPO");
                assert!(!owner.is_empty() && !rest.is_empty(), "{uses}");
                assert!(!uses.contains(['@', ' ']), "{uses}");
                let stars = uses.matches('*').count();
                assert!(stars == 0 || (stars == 1 && uses.ends_with('*')), "{uses}");
            }
            for condition in entry.when.iter().chain(&entry.unless) {
                let asked = usize::from(!condition.is.is_empty())
                    + usize::from(!condition.mentions.is_empty())
                    + usize::from(condition.given.is_some());
                assert_eq!(asked, 1, "{condition:?} of {:?}", entry.uses);
            }
            let logs_in = !entry.credentials.is_empty() || entry.token.is_some();
            assert_eq!(logs_in, entry.does == Does::Login, "{:?}", entry.uses);
        }
    }

    #[test]
    fn no_action_is_named_twice_without_a_condition() {
        let mut whole = BTreeSet::new();
        for entry in &OF_ACTIONS.action {
            for uses in &entry.uses {
                let uses = uses.to_lowercase();
                assert!(!whole.contains(&uses), "{uses} is out of reach");
                let is_whole = entry.when.is_empty()
                    && entry.events.is_empty()
                    && entry.unless.is_empty()
                    && entry.credentials.is_empty();
                if is_whole && entry.token.is_none() {
                    whole.insert(uses);
                }
            }
        }
        assert!(whole.len() > 60, "{}", whole.len());
    }

    #[test]
    fn every_command_is_a_program_and_words() {
        let table: Commands =
            toml::from_str(COMMANDS).expect("commands.toml is as this module has it");
        let names: Vec<&String> = table.command.iter().flat_map(|entry| &entry.run).collect();
        assert!(names.len() > 100, "{}", names.len());
        for name in names {
            let mut words = name.split(' ');
            let program = words.next().expect("a program");
            assert!(
                !program.is_empty() && !program.contains(['/', '*']),
                "{name}"
            );
            // An option is no word that must follow.
            assert!(
                words.all(|word| !word.is_empty() && !word.starts_with('-')),
                "{name}"
            );
        }
    }
}
