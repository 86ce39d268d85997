//! Which file of which repository: what the references of a workflow are relative to and lead to.

use std::fmt;

/// A file of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    /// Of the repository, and at the commit, of the workflow that an event starts.
    Own {
        /// The path from the repository's root, with `/`.
        path: String,
    },
    /// Of another repository, or of another commit.
    Remote {
        /// `owner/repo`, as written.
        repository: String,
        /// The path from the repository's root, with `/`.
        path: String,
        /// The branch, tag or commit after `@`.
        git_ref: String,
    },
}

impl Location {
    /// A file of the repository whose event starts the run.
    pub fn own(path: impl Into<String>) -> Self {
        let path = path.into();
        Self::Own { path }
    }

    /// Where a `uses` of a job leads that stands in this file: `./path` and `$/path` are in the file's own repository
    /// at its own commit, whosever that is. None for a text that is no such reference.
    pub fn resolve(&self, uses: &str) -> Option<Self> {
        if let Some(path) = uses.strip_prefix("./").or_else(|| uses.strip_prefix("$/")) {
            let path = path.to_owned();
            return Some(match self {
                Self::Own { .. } => Self::Own { path },
                Self::Remote {
                    repository,
                    git_ref,
                    ..
                } => Self::Remote {
                    repository: repository.clone(),
                    path,
                    git_ref: git_ref.clone(),
                },
            });
        }
        let (place, git_ref) = uses.split_once('@')?;
        let (owner, rest) = place.split_once('/')?;
        let (name, path) = rest.split_once('/')?;
        Some(Self::Remote {
            repository: format!("{owner}/{name}"),
            path: path.to_owned(),
            git_ref: git_ref.to_owned(),
        })
    }
}

impl fmt::Display for Location {
    /// As a `uses` would have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { path } => write!(f, "./{path}"),
            Self::Remote {
                repository,
                path,
                git_ref,
            } => write!(f, "{repository}/{path}@{git_ref}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_relative_to_the_file_they_stand_in() {
        let own = Location::own(".github/workflows/ci.yml");
        let resolved = |from: &Location, uses: &str| from.resolve(uses).map(|to| to.to_string());
        for uses in ["./.github/workflows/a.yml", "$/.github/workflows/a.yml"] {
            assert_eq!(
                resolved(&own, uses).as_deref(),
                Some("./.github/workflows/a.yml")
            );
        }
        let remote = own
            .resolve("o/r/.github/workflows/b.yml@v1")
            .expect("a reference");
        assert_eq!(
            resolved(&remote, "$/.github/workflows/a.yml").as_deref(),
            Some("o/r/.github/workflows/a.yml@v1")
        );
        assert_eq!(resolved(&own, "a.yml"), None);
    }
}
