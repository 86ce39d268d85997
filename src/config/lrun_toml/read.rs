//! Reading the two files, and whose word counts.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::LrunToml;
use super::table::{Document, Owner, Table};
use crate::config::inside::inside;
use crate::config::settings::Settings;

/// The file's name.
pub(super) const NAME: &str = "lrun.toml";

/// What the user's file has for single repositories, each with sections of its own.
const FOR_REPOSITORY: &str = "repository";

/// What is wrong with the files: every place that is, a line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LrunTomlError(Vec<String>);

impl fmt::Display for LrunTomlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl LrunToml {
    /// Reads the file of the repository at `root`, which GitHub calls `repository`
    /// (`OWNER/NAME`), and the user's. A file that is not there says nothing.
    ///
    /// # Errors
    /// Files that cannot be read, are no TOML, have keys that nothing reads or values of another
    /// type, or say in a repository what only the user may say: all of it, with the places.
    pub fn read(root: &Path, repository: &str, settings: &Settings) -> Result<Self, LrunTomlError> {
        let mut problems = Vec::new();
        let mut documents = Vec::new();
        let users = settings
            .config_home()
            .map(|home| home.join("lrun").join(NAME));
        let users = users.map(|path| (Owner::User, path.display().to_string(), path));
        let own = (Owner::Repository, NAME.to_owned(), root.join(NAME));
        for (owner, shown, path) in users.into_iter().chain([own]) {
            match text_of(owner, root, &path) {
                Ok(None) => {}
                Ok(Some(text)) => documents.push(Document::new(owner, shown, &path, text)),
                Err(error) => problems.push(format!("cannot read {shown}: {error}")),
            }
        }
        let all = Self::of_documents(&documents, repository);
        problems.extend(documents.iter().flat_map(Document::problems));
        match problems.is_empty() {
            true => Ok(all),
            false => Err(LrunTomlError(problems)),
        }
    }

    fn of_documents(documents: &[Document], repository: &str) -> Self {
        let mut all = Self::default();
        let parsed: Vec<_> = documents
            .iter()
            .filter_map(|document| Some((document, document.parse()?)))
            .collect();
        for (document, entries) in &parsed {
            let mut whole = document.whole(entries.get_ref());
            all.take(&mut whole);
            whole.only_users(
                FOR_REPOSITORY,
                "a repository's file is of that repository alone",
            );
            whole.finish();
        }
        let users = |(document, _): &&(&Document, _)| document.owner() == Owner::User;
        for (document, entries) in parsed.iter().filter(users) {
            let mut whole = document.whole(entries.get_ref());
            whole.tables(FOR_REPOSITORY, |name, sections| {
                let mut other = Self::default();
                let taken = match name.eq_ignore_ascii_case(repository) {
                    true => &mut all,
                    // What is wrong there is told all the same.
                    false => &mut other,
                };
                sections.be_of_one_repository();
                taken.take(sections);
            });
        }
        all
    }

    /// Reads every section there is.
    fn take(&mut self, whole: &mut Table<'_>) {
        self.environments.take(whole);
        self.node.take(whole);
    }
}

/// The text of a file; none where there is no file.
fn text_of(owner: Owner, root: &Path, path: &Path) -> io::Result<Option<String>> {
    let path = match owner {
        Owner::Repository => inside(root, path),
        _ => path.canonicalize(),
    };
    match path.and_then(fs::read_to_string) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
}
