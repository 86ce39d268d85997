//! `--action OWNER/REPO[/PATH][@REF]=DIR`: a folder of this machine in the place of an action.

use std::path::{Path, PathBuf};

use super::reference::ActionReference;

/// One such option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    repository: String,
    path: String,
    git_ref: Option<String>,
    /// The folder, without links on the way to it.
    pub folder: PathBuf,
}

/// Why an option is not acceptable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidMapping {
    /// It has another form.
    #[error(
        "--action '{0}' must be OWNER/REPO=DIR, OWNER/REPO/PATH=DIR or either with @REF before the equals sign"
    )]
    Form(String),
    /// The folder is not there.
    #[error("--action '{option}': there is no folder '{}'", folder.display())]
    NoFolder {
        /// The option.
        option: String,
        /// What it names.
        folder: PathBuf,
    },
}

impl Mapping {
    /// Reads an option; a relative folder is one of `directory`.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, InvalidMapping> {
        let form = || InvalidMapping::Form(text.to_owned());
        let (action, folder) = text.split_once('=').ok_or_else(form)?;
        let (place, git_ref) = match action.split_once('@') {
            Some((place, git_ref)) => (place, Some(git_ref.to_owned())),
            None => (action, None),
        };
        let any = git_ref.as_deref().unwrap_or("any");
        let reference = ActionReference::parse(&format!("{place}@{any}")).ok_or_else(form)?;
        let folder = directory.join(folder);
        let found = folder.canonicalize().ok().filter(|found| found.is_dir());
        let Some(folder) = found else {
            let option = text.to_owned();
            return Err(InvalidMapping::NoFolder { option, folder });
        };
        Ok(Self {
            repository: reference.repository,
            path: reference.path,
            git_ref,
            folder,
        })
    }

    /// The folder of the repository that it stands for; empty for all of it.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn takes(&self, reference: &ActionReference) -> bool {
        let repository = &reference.repository;
        let rest = reference.path.strip_prefix(&*self.path);
        let is_below = rest
            .is_some_and(|rest| self.path.is_empty() || rest.is_empty() || rest.starts_with('/'));
        let git_ref = self.git_ref.as_ref();
        self.repository.eq_ignore_ascii_case(repository)
            && is_below
            && git_ref.is_none_or(|git_ref| *git_ref == reference.git_ref)
    }

    /// The one that says most of a reference.
    pub(super) fn of<'m>(all: &'m [Self], reference: &ActionReference) -> Option<&'m Self> {
        let taking = all.iter().filter(|mapping| mapping.takes(reference));
        taking.max_by_key(|mapping| (mapping.path.len(), mapping.git_ref.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_that_says_most_is_the_one() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["all", "one", "sub"] {
            std::fs::create_dir(directory.path().join(name)).expect("made");
        }
        let texts = ["o/r=all", "o/r@v1=one", "O/R/sub=sub"];
        let parsed = texts.map(|text| Mapping::parse(text, directory.path()));
        let all: Vec<_> = parsed.into_iter().map(|it| it.expect("valid")).collect();
        let folder = |uses: &str| {
            let reference = ActionReference::parse(uses).expect("a reference");
            let mapping = Mapping::of(&all, &reference)?;
            mapping.folder.file_name()?.to_str()
        };
        assert_eq!(folder("o/R@v2"), Some("all"));
        assert_eq!(folder("o/r@v1"), Some("one"));
        assert_eq!(folder("o/r/sub/x@v1"), Some("sub"));
        assert_eq!(folder("o/r/subx@v1"), Some("one"));
        assert_eq!(folder("o/s@v1"), None);
    }

    #[test]
    fn what_is_no_mapping_is_told() {
        let here = Path::new("/");
        let form = |text: &str| InvalidMapping::Form(text.into());
        for text in ["o/r", "r=tmp", "o/r@=tmp"] {
            assert_eq!(Mapping::parse(text, here), Err(form(text)));
        }
        let absent = Mapping::parse("o/r=nonexistent", here);
        assert!(matches!(absent, Err(InvalidMapping::NoFolder { .. })));
    }
}
