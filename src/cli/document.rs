//! Reading and checking workflows with all they call: the folder's, or a commit's, and those of other repositories. One
//! loader for every command.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::actions::Elsewhere;
use super::failure::Failure;
use super::find::Found;
use super::read;
use crate::git::{Git, GitError};
use crate::source::{Diagnostic, Source};
use crate::workflow::{self, Document, Documents, Location, ReadOptions, Reference, Workflow};

/// The file as it is in the folder, with the files it calls; every error is reported at once.
pub(super) fn in_folder(
    found: &Found,
    elsewhere: &Rc<Elsewhere>,
) -> Result<Arc<Workflow>, Failure> {
    read(found, elsewhere)?.map_err(|errors| Failure::invalid(&errors))
}

/// The same, or what is wrong with it.
pub(super) fn read(found: &Found, elsewhere: &Rc<Elsewhere>) -> Result<Checked, Failure> {
    let bytes = read::bytes_within(&found.file, read::MOST_BYTES)?;
    let files = Files::of_folder(&found.root, elsewhere);
    Ok(checked(found, bytes, &files))
}

/// A workflow, or everything that is wrong with it.
type Checked = Result<Arc<Workflow>, Vec<Diagnostic>>;

/// The file's path as it is shown: from the folder that has the workflows, where it is in that.
pub(super) fn shown(found: &Found) -> String {
    let shown = found.file.strip_prefix(&found.root).unwrap_or(&found.file);
    shown.to_string_lossy().into_owned()
}

/// What a commit has of a workflow.
#[derive(Debug)]
pub(super) enum InCommit {
    /// The workflow as it is there.
    There(Arc<Workflow>),
    /// No such file, said in words.
    Missing(String),
    /// Nothing to be found: the file is not in the folder.
    Elsewhere,
}

/// The file as it is in a commit, which is what GitHub reads when it runs that commit, with the files it calls there.
pub(super) fn in_commit(
    found: &Found,
    commit: &str,
    elsewhere: &Rc<Elsewhere>,
) -> Result<InCommit, Failure> {
    let Ok(path) = found.file.strip_prefix(&found.root) else {
        return Ok(InCommit::Elsewhere);
    };
    match blob(&found.root, commit, path) {
        Ok(bytes) => checked(
            found,
            bytes,
            &Files::of_commit(&found.root, commit, elsewhere),
        )
        .map(InCommit::There)
        .map_err(|errors| Failure::invalid(&errors)),
        Err(GitError::Failed { .. }) => Ok(InCommit::Missing(format!(
            "there is no {} in commit {commit}",
            path.display()
        ))),
        Err(error) => Err(Failure::cannot_run(error)),
    }
}

fn checked(found: &Found, bytes: Vec<u8>, files: &Files) -> Checked {
    let source = read::source(&shown(found), bytes)?;
    let options = ReadOptions {
        documents: Some(files),
        ..ReadOptions::default()
    };
    loop {
        let workflow = workflow::read_workflow_with(Arc::clone(&source), &options)?;
        // What was brought shows what is called in turn.
        if !files.bring(&workflow) {
            return Ok(Arc::new(workflow));
        }
    }
}

fn blob(root: &Path, commit: &str, path: &Path) -> Result<Vec<u8>, GitError> {
    Git::in_repository(root)
        .args(["cat-file", "blob"])
        .arg(format!("{commit}:./{}", path.display()))
        .output()
}

/// The workflows of one repository that others call: each is read once.
#[derive(Debug)]
pub(super) struct Files {
    /// The folder that has `.github/workflows`.
    root: PathBuf,
    /// Where the files are taken from; the folder itself if there is none.
    commit: Option<String>,
    read: RefCell<HashMap<Location, Document>>,
    elsewhere: Rc<Elsewhere>,
    /// What of other repositories was asked for.
    brought: RefCell<HashSet<Location>>,
}

impl Files {
    /// As they are in the folder.
    pub(super) fn of_folder(root: &Path, elsewhere: &Rc<Elsewhere>) -> Self {
        Self {
            root: root.to_owned(),
            commit: None,
            read: RefCell::default(),
            elsewhere: Rc::clone(elsewhere),
            brought: RefCell::default(),
        }
    }

    /// As they are in a commit.
    pub(super) fn of_commit(root: &Path, commit: &str, elsewhere: &Rc<Elsewhere>) -> Self {
        Self {
            commit: Some(commit.to_owned()),
            ..Self::of_folder(root, elsewhere)
        }
    }

    /// Has at hand what a workflow calls of other repositories; false where nothing is new of that.
    fn bring(&self, workflow: &Workflow) -> bool {
        let wanted = workflow.not_followed();
        let wanted = wanted.iter().map(|(_, reference)| &reference.location);
        let mut brought = self.brought.borrow_mut();
        let new: HashSet<_> = wanted
            .filter(|location| !brought.contains(location))
            .cloned()
            .collect();
        if new.is_empty() {
            return false;
        }
        self.elsewhere.bring(&new.iter().collect::<Vec<_>>());
        brought.extend(new);
        true
    }

    /// The files that were asked for and are there, from the root.
    pub(super) fn called(&self) -> Vec<PathBuf> {
        let read = self.read.borrow();
        let found = read.values().filter_map(|document| match document {
            Document::Found(source) => Some(PathBuf::from(&source.path)),
            _ => None,
        });
        found.collect()
    }

    fn load(&self, path: &str) -> Document {
        let missing = |why: &str| Document::Missing {
            why: why.to_owned(),
        };
        // GitHub looks in a tree of git, where no name leads out.
        if path.split('/').any(|part| matches!(part, "." | ".." | "")) {
            return missing(NOT_FOUND);
        }
        let file = self.root.join(path);
        // A commit has files alone: nobody waits for a device or a pipe.
        if self.commit.is_none() && file.metadata().is_ok_and(|found| !found.is_file()) {
            return missing(NOT_FOUND);
        }
        let bytes = match &self.commit {
            Some(commit) => match blob(&self.root, commit, Path::new(path)) {
                Err(GitError::Failed { .. }) => return missing(NOT_FOUND),
                other => other.map_err(|error| error.to_string()),
            },
            None => match std::fs::File::open(file)
                .and_then(|file| read::some(file, read::MOST_BYTES))
            {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return missing(NOT_FOUND);
                }
                other => other.map_err(|error| format!("cannot read {path}: {error}")),
            },
        };
        match bytes.map(String::from_utf8) {
            Ok(Ok(text)) => Document::Found(Source::new(path, text)),
            Ok(Err(_)) => missing("it is not UTF-8 text"),
            Err(why) => Document::NotHere { why },
        }
    }
}

/// GitHub's words.
pub(super) const NOT_FOUND: &str = "workflow was not found";

impl Documents for Files {
    fn find(&self, reference: &Reference) -> Document {
        let Location::Own { path } = &reference.location else {
            // What is fetched is fetched between two readings.
            if self.elsewhere.is_offline() {
                self.elsewhere.bring(&[&reference.location]);
            }
            return self.elsewhere.document(&reference.location);
        };
        let mut read = self.read.borrow_mut();
        let document = read
            .entry(reference.location.clone())
            .or_insert_with(|| self.load(path));
        document.clone()
    }
}
