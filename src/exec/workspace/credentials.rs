//! `persist-credentials`: a token that the workflow gave stays in the clone's configuration
//! (`git-auth-helper.ts`). Nothing of the user's own does.

use std::fs::OpenOptions;
use std::io::Write as _;

use super::{Staged, WorkspaceError};
use crate::agent::protocol::FileSpec;
use crate::exec::{mask, paths};
use crate::plan::CheckoutInputs;

/// What a checkout leaves for the steps after it.
#[derive(Debug)]
pub struct Credentials {
    /// Files that the job's user gets.
    pub files: Vec<FileSpec>,
    /// What is added to the clone's configuration.
    config: String,
}

impl Credentials {
    /// What the inputs ask for, of a clone at `target`, a path inside the place.
    pub fn of(inputs: &CheckoutInputs, target: &str) -> Option<Self> {
        let token = inputs.persisted_token.as_ref()?;
        let encoded = mask::base64(format!("x-access-token:{token}").as_bytes());
        let header = format!(
            "[http \"{}/\"]\n\textraheader = AUTHORIZATION: basic {encoded}\n",
            inputs.server()
        );
        if !inputs.credentials_are_apart() {
            return Some(Self {
                files: Vec::new(),
                config: header,
            });
        }
        let name = format!("git-credentials-{}.config", uuid::Uuid::new_v4());
        // The second pair is for steps in a container.
        let mut config = String::new();
        for (git, temp) in [
            (format!("{target}/.git"), paths::TEMP),
            ("/github/workspace/.git".to_owned(), "/github/runner_temp"),
        ] {
            for git in [git.clone(), format!("{git}/worktrees/*")] {
                config.push_str(&format!(
                    "[includeIf \"gitdir:{git}\"]\n\tpath = {temp}/{name}\n"
                ));
            }
        }
        Some(Self {
            files: vec![FileSpec {
                path: format!("{}/{name}", paths::TEMP),
                content: header.into_bytes(),
                mode: 0o600,
            }],
            config,
        })
    }

    /// Adds it to a checkout that is not in place yet.
    pub fn add_to(&self, staged: &Staged) -> Result<(), WorkspaceError> {
        let path = staged.dir().join(".git/config");
        let appended = OpenOptions::new().append(true).open(&path);
        appended
            .and_then(|mut file| file.write_all(self.config.as_bytes()))
            .map_err(WorkspaceError::io("write", &path))
    }
}
