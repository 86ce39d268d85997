//! Sparse checkouts: which paths git lays out.

use std::path::Path;

use super::WorkspaceError;
use super::dot_git::{make_directory, write_file};
use crate::git::Git;
use crate::plan::Sparse;

/// Has the clone in `directory`, which has no index yet, lay out these paths alone.
pub(super) fn set_up(directory: &Path, paths: &Sparse) -> Result<(), WorkspaceError> {
    if paths.is_cone {
        let set = Git::isolated(directory).args(["sparse-checkout", "set"]);
        set.args(&paths.patterns).output()?;
        return Ok(());
    }
    let config = ["config", "--local", "core.sparseCheckout", "true"];
    Git::isolated(directory).args(config).output()?;
    let info = directory.join(".git/info");
    if !info.is_dir() {
        make_directory(&info).map_err(WorkspaceError::io("create", &info))?;
    }
    let path = info.join("sparse-checkout");
    // The action appends to a file that is not there, after an empty line.
    let text = format!("\n{}\n", paths.patterns.join("\n"));
    write_file(&path, text.as_bytes(), 0o644).map_err(WorkspaceError::io("write", &path))
}
