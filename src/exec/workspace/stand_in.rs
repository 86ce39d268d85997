//! A bare repository that stands for one on a server, for a git that is to clone or fetch it: with
//! the refs it has there and no others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::WorkspaceError;
use super::dot_git::{make_directory, write_file};

const DIRECTORIES: [&str; 5] = [
    "objects",
    "objects/info",
    "objects/pack",
    "refs",
    "refs/heads",
];

/// What it has.
pub(super) struct StandIn<'a> {
    /// Full names and objects.
    pub(super) refs: &'a BTreeMap<String, String>,
    /// The full name of the default branch.
    pub(super) head: &'a str,
    /// Commits whose parents are not there.
    pub(super) shallow: Vec<&'a str>,
    /// Object directories that it reads.
    pub(super) objects: Vec<&'a Path>,
    /// `sha1` or `sha256`.
    pub(super) object_format: &'a str,
}

impl StandIn<'_> {
    /// Makes it.
    pub(super) fn write(&self, directory: &Path) -> Result<(), WorkspaceError> {
        for name in [""].iter().chain(&DIRECTORIES) {
            let path = directory.join(name);
            make_directory(&path).map_err(WorkspaceError::io("create", &path))?;
        }
        let file = |name: &str, text: String| {
            let path = directory.join(name);
            write_file(&path, text.as_bytes(), 0o644).map_err(WorkspaceError::io("write", &path))
        };
        let format = match self.object_format {
            "sha1" => "\trepositoryformatversion = 0\n".to_owned(),
            format => format!(
                "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = {format}\n[core]\n"
            ),
        };
        // As GitHub does.
        let serves = "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n";
        file("config", format!("[core]\n{format}\tbare = true\n{serves}"))?;
        file("HEAD", format!("ref: {}\n", self.head))?;
        let mut packed = "# pack-refs with: sorted \n".to_owned();
        for (name, object) in self.refs {
            // Writing to a string cannot fail.
            let _ = writeln!(packed, "{object} {name}");
        }
        file("packed-refs", packed)?;
        if !self.shallow.is_empty() {
            file("shallow", self.shallow.join("\n") + "\n")?;
        }
        let lines = self
            .objects
            .iter()
            .map(|path| format!("{}\n", path.display()));
        let lines: String = lines.collect();
        match lines.is_empty() {
            true => Ok(()),
            false => file("objects/info/alternates", lines),
        }
    }
}
