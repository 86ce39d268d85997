//! What files are called in an answer.

use std::path::{Path, PathBuf};

/// Names of files, from one folder.
pub(super) struct Names {
    /// Where names start; other files have names with `..`, or whole paths.
    base: PathBuf,
}

impl Names {
    /// Names that start at this folder, which has an absolute path without links.
    pub(super) fn from(base: PathBuf) -> Self {
        Self { base }
    }

    /// The name of an absolute path.
    pub(super) fn of(&self, path: &Path) -> String {
        let shared = self
            .base
            .ancestors()
            .find(|folder| path.starts_with(folder));
        // Nothing in common but the root of the file system is nothing in common.
        let shared = shared.filter(|folder| folder.parent().is_some());
        let name = shared.and_then(|shared| {
            let up = self.base.strip_prefix(shared).ok()?.iter().map(|_| "..");
            Some(
                up.collect::<PathBuf>()
                    .join(path.strip_prefix(shared).ok()?),
            )
        });
        name.as_deref()
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    }
}
