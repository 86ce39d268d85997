//! What the text after `uses:` names.

use crate::workflow::Location;

/// `owner/repository[/path]@ref`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActionReference {
    /// `owner/repository`, as written.
    pub repository: String,
    /// The folder of the action in the repository, without slashes around it; empty for the root.
    pub path: String,
    /// The branch, tag or commit.
    pub git_ref: String,
}

impl ActionReference {
    /// Reads a `uses:` text; none for one of another form.
    pub fn parse(uses: &str) -> Option<Self> {
        let (place, git_ref) = uses.split_once('@')?;
        let (owner, rest) = place.split_once('/')?;
        let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_reference = is_name(owner) && is_name(name) && !git_ref.is_empty();
        is_reference.then(|| Self {
            repository: format!("{owner}/{name}"),
            path: plain(path),
            git_ref: git_ref.to_owned(),
        })
    }
}

/// Where a `uses:` of a step leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// A repository at a ref.
    Remote(ActionReference),
    /// The commit of the run, in this folder.
    Own(String),
    /// A folder of the workspace, whatever is there when the step's turn comes.
    Workspace(String),
    /// An image.
    Image,
}

impl Target {
    /// What `uses` means in the file `from`: `./` is in the workspace wherever it stands, `$/` in the
    /// file's own repository at its own commit (runner `ActionManager.cs`).
    pub(super) fn of(from: &Location, uses: &str) -> Option<Self> {
        if uses.starts_with("docker://") {
            return Some(Self::Image);
        }
        if uses.starts_with("./") || uses.starts_with("../") {
            return Some(Self::Workspace(plain(uses)));
        }
        let Some(path) = uses.strip_prefix("$/") else {
            return ActionReference::parse(uses).map(Self::Remote);
        };
        Some(match from {
            Location::Own { .. } => Self::Own(plain(path)),
            Location::Remote {
                repository,
                git_ref,
                ..
            } => Self::Remote(ActionReference {
                repository: repository.clone(),
                path: plain(path),
                git_ref: git_ref.clone(),
            }),
        })
    }
}

/// A path without `.` and doubled slashes; `..` stays, and is found nowhere.
fn plain(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

/// Whether it can be the name of an owner or a repository.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !matches!(name, "." | "..") && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_a_repository_a_path_and_a_ref() {
        let parsed = |uses: &str| {
            ActionReference::parse(uses).map(|it| (it.repository, it.path, it.git_ref))
        };
        let some = |repository: &str, path: &str, git_ref: &str| {
            Some((repository.into(), path.into(), git_ref.into()))
        };
        assert_eq!(parsed("O/r@v1"), some("O/r", "", "v1"));
        assert_eq!(parsed("o/r/a//b/@x/y"), some("o/r", "a/b", "x/y"));
        for uses in ["o@v1", "o/r", "o/r@", "../r@v1", "o/ r@v1"] {
            assert_eq!(parsed(uses), None, "{uses}");
        }
    }

    #[test]
    fn own_references_are_of_the_file_and_dots_of_the_workspace() {
        let remote = Location::Remote {
            repository: "o/r".into(),
            path: "a/action.yml".into(),
            git_ref: "v1".into(),
        };
        let in_remote = Target::of(&remote, "$/b");
        let expected = ActionReference::parse("o/r/b@v1").map(Target::Remote);
        assert_eq!(in_remote, expected);
        assert_eq!(
            Target::of(&remote, "./b"),
            Some(Target::Workspace("b".into()))
        );
        let own = Location::own("x.yml");
        assert_eq!(Target::of(&own, "$/b/"), Some(Target::Own("b".into())));
    }
}
