//! Reading and checking the workflow that is to run: the folder's, or a commit's.

use std::sync::Arc;

use super::failure::Failure;
use super::find::Found;
use crate::git::{Git, GitError};
use crate::source::{Diagnostic, Source};
use crate::workflow::{self, Workflow};

/// The file as it is in the folder; every error of it is reported at once.
pub(super) fn in_folder(found: &Found) -> Result<Arc<Workflow>, Failure> {
    read(found)?.map_err(|errors| Failure::invalid(&errors))
}

/// The file as it is in the folder, or what is wrong with it.
pub(super) fn read(found: &Found) -> Result<Result<Arc<Workflow>, Vec<Diagnostic>>, Failure> {
    let bytes = std::fs::read(&found.file).map_err(|error| {
        Failure::usage(format!("cannot read {}: {error}", found.file.display()))
    })?;
    checked(found, bytes)
}

/// The file's path as it is shown: from the folder that has the workflows, where it is in that.
pub(super) fn shown(found: &Found) -> String {
    let shown = found.file.strip_prefix(&found.root).unwrap_or(&found.file);
    shown.to_string_lossy().into_owned()
}

/// The file as it is in a commit, which is what GitHub reads when it runs that commit. None for a
/// file that is not in the folder.
pub(super) fn in_commit(found: &Found, commit: &str) -> Result<Option<Arc<Workflow>>, Failure> {
    let Ok(path) = found.file.strip_prefix(&found.root) else {
        return Ok(None);
    };
    let blob = Git::in_repository(&found.root)
        .args(["cat-file", "blob"])
        .arg(format!("{commit}:./{}", path.display()))
        .output();
    match blob {
        Ok(bytes) => match checked(found, bytes)? {
            Ok(workflow) => Ok(Some(workflow)),
            Err(errors) => Err(Failure::invalid(&errors)),
        },
        Err(GitError::Failed { .. }) => Err(Failure::usage(format!(
            "there is no {} in commit {commit}: GitHub would start nothing",
            path.display()
        ))),
        Err(error) => Err(Failure::cannot_run(error)),
    }
}

fn checked(
    found: &Found,
    bytes: Vec<u8>,
) -> Result<Result<Arc<Workflow>, Vec<Diagnostic>>, Failure> {
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8 text", found.file.display())))?;
    let source = Source::new(shown(found), text);
    Ok(workflow::read_workflow(source).map(Arc::new))
}
