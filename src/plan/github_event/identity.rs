//! Who and what a run belongs to on GitHub, as far as a clone tells.

use crate::digest::Digest;
use crate::git::Facts;

/// `github.actor`. Nobody's key can depend on it: a key made of the actor's name misses for
/// every other member of a team, so the constant shows the same miss that GitHub would.
pub const ACTOR: &str = "lrun";

/// The repository on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The owner's login.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// The branch that every run may read caches of.
    pub default_branch: String,
    /// What had to be assumed, in words; empty when the clone told everything.
    pub assumptions: Vec<String>,
}

impl Identity {
    /// Reads `origin` and `origin/HEAD`. Without them the repository is `local/FOLDER` and its
    /// default branch `main`.
    pub fn of(facts: &Facts) -> Self {
        let mut assumptions = Vec::new();
        let (owner, name) = match &facts.origin {
            Some(origin) => (origin.owner.clone(), origin.name.clone()),
            None => {
                let name = folder_name(facts);
                assumptions.push(format!(
                    "no remote 'origin' on a server: the repository is taken for local/{name}"
                ));
                ("local".to_owned(), name)
            }
        };
        let default_branch = facts.origin_head.clone().unwrap_or_else(|| {
            assumptions.push(
                "'origin/HEAD' is not known: the default branch is taken for main \
                 (`git remote set-head origin --auto` records it)"
                    .to_owned(),
            );
            "main".to_owned()
        });
        Self {
            owner,
            name,
            default_branch,
            assumptions,
        }
    }

    /// `owner/name`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The URL the remote of a checkout has, and pages begin with.
    pub fn url(&self) -> String {
        format!("{SERVER_URL}/{}/{}", self.owner, self.name)
    }
}

/// Whatever the clone's host: the cache and artifact clients take any other for GitHub
/// Enterprise Server and switch protocols (toolkit `isGhes`).
pub(super) const SERVER_URL: &str = "https://github.com";

/// The folder's name in the letters GitHub allows.
fn folder_name(facts: &Facts) -> String {
    let name = facts.root.file_name().unwrap_or_default().to_string_lossy();
    let allowed = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
        _ => '-',
    };
    match name.chars().map(allowed).collect::<String>() {
        name if name.is_empty() => "repository".to_owned(),
        name => name,
    }
}

/// A number like GitHub's ids: the same for the same name everywhere, positive, 31 bits.
pub(super) fn stable_id(name: &str) -> u32 {
    let Digest([a, b, c, d, ..]) = Digest::of(name);
    (u32::from_be_bytes([a, b, c, d]) >> 1).max(1)
}
