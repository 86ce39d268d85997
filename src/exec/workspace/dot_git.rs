//! The `.git` of a checkout but for its objects and its index: what `git init`, `git remote add`,
//! `git fetch` and `git checkout` leave, written without any of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::WorkspaceError;
use super::fetch::{Checkout, Fetch};

/// Who acts, in reflogs, whoever runs lrun.
const RUNNER: &str = "runner <runner@localhost>";

const DIRECTORIES: [&str; 9] = [
    "",
    "hooks",
    "info",
    "logs",
    "objects",
    "objects/info",
    "objects/pack",
    "refs",
    "refs/heads",
];

/// What a clone is to be like.
pub(super) struct DotGit<'a> {
    /// The `.git` directory.
    pub(super) directory: PathBuf,
    /// `sha1` or `sha256`.
    pub(super) object_format: &'a str,
    /// The URL of `origin`.
    pub(super) url: &'a str,
    /// What of its objects `git fetch` was told to leave out.
    pub(super) filter: Option<&'a str>,
    /// When it is made, since 1970.
    pub(super) now: Duration,
}

impl DotGit<'_> {
    /// Writes it for a checkout of `commit`.
    pub(super) fn write(&self, fetch: &Fetch, commit: &str) -> Result<(), WorkspaceError> {
        for directory in DIRECTORIES {
            self.make(&self.directory.join(directory))?;
        }
        self.make(&self.directory.join("refs/tags"))?;
        self.file("config", &self.config(&fetch.checkout))?;
        if !fetch.shallow.is_empty() {
            let lines = fetch.shallow.iter().map(|id| format!("{id}\n"));
            self.file("shallow", &lines.collect::<String>())?;
        }
        self.refs(&fetch.refs)?;
        self.head(&fetch.checkout, commit)
    }

    fn config(&self, checkout: &Checkout) -> String {
        let is_sha1 = self.object_format == "sha1";
        let version = u8::from(!is_sha1 || self.filter.is_some());
        let mut config = format!(
            "[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = false\n\
             \tlogallrefupdates = true\n"
        );
        // Writing to a string cannot fail.
        if !is_sha1 {
            let _ = write!(
                config,
                "[extensions]\n\tobjectformat = {}\n",
                self.object_format
            );
        }
        let _ = write!(
            config,
            "[remote \"origin\"]\n\turl = {}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
            self.url
        );
        if let Some(filter) = self.filter {
            let filter = quoted(filter);
            let _ = write!(
                config,
                "\tpromisor = true\n\tpartialclonefilter = {filter}\n"
            );
        }
        config.push_str("[gc]\n\tauto = 0\n");
        if let Checkout::Branch(name) = checkout {
            let section = name.replace('\\', "\\\\").replace('"', "\\\"");
            let value = quoted(&format!("refs/heads/{name}"));
            let _ = write!(
                config,
                "[branch \"{section}\"]\n\tremote = origin\n\tmerge = {value}\n"
            );
        }
        config
    }

    fn refs(&self, refs: &BTreeMap<String, String>) -> Result<(), WorkspaceError> {
        for (name, object) in refs {
            self.file(name, &format!("{object}\n"))?;
            // git keeps no log of tags (`core.logAllRefUpdates`).
            if name.starts_with("refs/remotes/") {
                self.log(name, object, "fetch: storing head")?;
            }
        }
        Ok(())
    }

    fn head(&self, checkout: &Checkout, commit: &str) -> Result<(), WorkspaceError> {
        let moved_to = match checkout {
            Checkout::Branch(name) => {
                let full = format!("refs/heads/{name}");
                self.file(&full, &format!("{commit}\n"))?;
                let from = format!("branch: Created from refs/remotes/origin/{name}");
                self.log(&full, commit, &from)?;
                self.file("HEAD", &format!("ref: {full}\n"))?;
                name
            }
            Checkout::Detached(name) => {
                self.file("HEAD", &format!("{commit}\n"))?;
                name
            }
        };
        let moved = format!("checkout: moving from master to {moved_to}");
        self.log("HEAD", commit, &moved)
    }

    /// The one line of a reflog: the ref did not exist before.
    fn log(&self, name: &str, object: &str, message: &str) -> Result<(), WorkspaceError> {
        let nothing = "0".repeat(object.len());
        let seconds = self.now.as_secs();
        let line = format!("{nothing} {object} {RUNNER} {seconds} +0000\t{message}\n");
        self.file(&format!("logs/{name}"), &line)
    }

    fn file(&self, name: &str, text: &str) -> Result<(), WorkspaceError> {
        let path = self.directory.join(name);
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        write_file(&path, text.as_bytes(), 0o644).map_err(WorkspaceError::io("write", &path))
    }

    /// Makes a directory below the `.git`, and those above it that are missing.
    fn make(&self, directory: &Path) -> Result<(), WorkspaceError> {
        if directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = directory.parent()
            && parent.starts_with(&self.directory)
        {
            self.make(parent)?;
        }
        make_directory(directory).map_err(WorkspaceError::io("create", directory))
    }
}

/// Makes a directory as git does under the umask 022, whatever the umask is.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o755).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Writes a new file with this mode, whatever the umask is.
pub(super) fn write_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// A value of a configuration file; in quotes where it would mean something else without.
fn quoted(value: &str) -> String {
    let is_plain = value == value.trim() && !value.contains(['#', ';', '"', '\\', '\n', '\t']);
    match is_plain {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
