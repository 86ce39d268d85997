//! Runs that GitHub trusts less: of forks and of Dependabot.

use super::identity::ACTOR;

/// Who started the run, if not a member of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outsider {
    /// A pull request of a fork.
    Fork,
    /// A push or a pull request of Dependabot.
    Dependabot,
}

/// Events that run as Dependabot's with its secrets alone and a token that reads (docs: "Troubleshooting Dependabot on
/// GitHub Actions").
const OF_DEPENDABOT: [&str; 8] = [
    "create",
    "deployment",
    "deployment_status",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
];

impl Outsider {
    /// `--as NAME`
    pub fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Dependabot => "dependabot",
        }
    }

    /// The events that such a run can be of.
    pub fn events(self) -> &'static [&'static str] {
        match self {
            Self::Fork => &["pull_request", "pull_request_target"],
            Self::Dependabot => &OF_DEPENDABOT,
        }
    }

    /// `github.actor`
    pub fn actor(self) -> &'static str {
        match self {
            Self::Fork => ACTOR,
            Self::Dependabot => "dependabot[bot]",
        }
    }

    /// `github.secret_source`: which secrets GitHub gives to a run of the event.
    pub fn secret_source(self, event: &str) -> &'static str {
        match self {
            // What such a run is of is the base, which is the repository's own.
            Self::Fork if event == "pull_request_target" => "Actions",
            Self::Fork => "None",
            Self::Dependabot => "Dependabot",
        }
    }
}
