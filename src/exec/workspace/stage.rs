//! Laying a checkout out in a private directory.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::fetch::{Checkout, Fetch};
use super::index::{Entry, Index};
use super::{Source, WorkspaceError, log, stamp, target};
use crate::clock;
use crate::event::LogLine;
use crate::git::{Git, GitError};
use crate::plan::CheckoutInputs;
use crate::store::Owner;

/// Where checkouts are laid out.
#[derive(Debug, Clone, Copy)]
pub struct Staging<'a> {
    /// A private directory on the file system of the job's home, outside its place.
    pub directory: &'a Path,
    /// Who they belong to.
    pub owner: Owner,
}

/// A checkout that is laid out and not in place yet. Dropping it removes it; after
/// [`install`](super::install()), what it replaced.
#[derive(Debug)]
pub struct Staged {
    pub(super) dir: PathBuf,
    pub(super) owner: Owner,
    /// Files and links in it, without `.git`.
    pub files: u64,
    /// How many of them differ from the user's own commit.
    pub changed: u64,
    /// The `commit` output: the commit that is checked out.
    pub commit: String,
    /// The `ref` output: what was asked for, in full where the run's own ref was.
    pub git_ref: String,
    /// What the action would have logged.
    pub log: Vec<(LogLine, String)>,
    _holder: TempDir,
}

impl Staged {
    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Lays a checkout out as the inputs ask for it. `workspace` is the job's, inside its place.
pub fn stage(
    source: &Source<'_>,
    inputs: &CheckoutInputs,
    workspace: &str,
    staging: Staging<'_>,
) -> Result<Staged, WorkspaceError> {
    let target = target(inputs, workspace)?;
    let fetch = Fetch::new(source, inputs)?;
    let holder = tempfile::Builder::new()
        .prefix("checkout-")
        .tempdir_in(staging.directory)
        .map_err(WorkspaceError::io("make a directory in", staging.directory))?;
    let clone = NewClone {
        dir: holder.path().join("tree"),
        source,
    };
    clone.init()?;
    clone.fetch(&fetch)?;
    clone.check_out(&fetch.checkout)?;
    let commit = clone.git().args(["rev-parse", "HEAD"]).line()?;
    let files = clone.settle(staging.owner)?;
    let snapshot = source.snapshot;
    let is_snapshot = commit == snapshot.sha();
    Ok(Staged {
        files,
        changed: match is_snapshot {
            true => (snapshot.changed.len() + snapshot.untracked.len()) as u64,
            false => 0,
        },
        git_ref: inputs
            .git_ref
            .clone()
            .unwrap_or_else(|| source.context.git_ref.clone()),
        log: log::lines(source, inputs, &fetch, (&target, &commit)),
        commit,
        dir: clone.dir,
        owner: staging.owner,
        _holder: holder,
    })
}

/// The clone being made.
struct NewClone<'a> {
    dir: PathBuf,
    source: &'a Source<'a>,
}

impl NewClone<'_> {
    fn git(&self) -> Git {
        Git::isolated(&self.dir)
            // What reflogs say, whoever runs lrun.
            .env("GIT_COMMITTER_NAME", "runner")
            .env("GIT_COMMITTER_EMAIL", "runner@localhost")
    }

    /// `git init`, `git remote add origin`, `git config gc.auto 0`.
    fn init(&self) -> Result<(), WorkspaceError> {
        std::fs::create_dir(&self.dir).map_err(WorkspaceError::io("create", &self.dir))?;
        set_mode(&self.dir, 0o755)?;
        // A template could hold hooks of the machine's administrator.
        self.git()
            .args(["init", "--quiet", "--template=", "--initial-branch=master"])
            .arg(format!(
                "--object-format={}",
                self.source.repository.object_format
            ))
            .output()?;
        for directory in ["hooks", "info"] {
            let path = self.dir.join(".git").join(directory);
            std::fs::create_dir_all(&path).map_err(WorkspaceError::io("create", &path))?;
            set_mode(&path, 0o755)?;
        }
        let settings = format!(
            "[remote \"origin\"]\n\turl = {}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[gc]\n\tauto = 0\n",
            self.source.context.identity.url()
        );
        self.append(".git/config", &settings)
    }

    /// The objects, the refs and the end of history.
    fn fetch(&self, fetch: &Fetch) -> Result<(), WorkspaceError> {
        if !fetch.shallow.is_empty() {
            let lines = fetch.shallow.iter().map(|id| format!("{id}\n"));
            self.append(".git/shallow", &lines.collect::<String>())?;
        }
        let tips: String = fetch.tips().iter().map(|id| format!("{id}\n")).collect();
        self.git()
            .alternates(&[
                &self.source.repository.objects,
                &self.source.snapshot.objects,
            ])
            // Deltas are taken over as they are: finding better ones costs more than they save.
            .args(["pack-objects", "--revs", "--quiet", "--window=0"])
            .args(["--compression=1", ".git/objects/pack/pack"])
            .stdin(tips)
            .output()
            .map_err(|error| self.missing_objects(error))?;
        let mut commands = String::new();
        for (name, object) in &fetch.refs {
            // Writing to a string cannot fail.
            let _ = writeln!(commands, "create {name} {object}");
        }
        self.git()
            .args(["update-ref", "-m", "fetch: storing head", "--stdin"])
            .stdin(commands)
            .output()?;
        Ok(())
    }

    /// Objects are missing in partial clones only: lrun lets git fetch nothing.
    fn missing_objects(&self, error: GitError) -> WorkspaceError {
        match error {
            GitError::Failed { words, .. } if words.contains("unable to read") => {
                WorkspaceError::PartialClone {
                    root: self.source.repository.root.clone(),
                    words,
                }
            }
            error => error.into(),
        }
    }

    fn check_out(&self, checkout: &Checkout) -> Result<(), WorkspaceError> {
        let git = self.git().args(["checkout", "--quiet", "--force"]);
        match checkout {
            Checkout::Branch(name) => git
                .args(["-B", name])
                .arg(format!("refs/remotes/origin/{name}")),
            Checkout::Detached(name) => git.args(["--detach", name]),
        }
        .output()?;
        Ok(())
    }

    /// Gives owners and times, and an index that fits them. Gives the number of files.
    fn settle(&self, owner: Owner) -> Result<u64, WorkspaceError> {
        let is_given = nix::unistd::geteuid().as_raw() != owner.uid;
        if is_given {
            stamp::give(&self.dir, owner)?;
        }
        let path = self.dir.join(".git/index");
        let index = Index::read(&path, self.source.snapshot.sha().len() / 2)?;
        stamp::stamp(&self.dir, index.entries(), clock::since_epoch())?;
        let is_file = |entry: &&Entry| !entry.is_submodule();
        let files = index.entries().iter().filter(is_file).count() as u64;
        index.write_with_stat_of(&self.dir)?;
        // For the checksum.
        self.git()
            .args(["update-index", "--force-write-index"])
            .output()?;
        if is_given {
            stamp::give_one(&path, owner)?;
        }
        Ok(files)
    }

    fn append(&self, path: &str, text: &str) -> Result<(), WorkspaceError> {
        let path = self.dir.join(path);
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::options()
                .create(true)
                .append(true)
                .open(&path)?;
            std::io::Write::write_all(&mut file, text.as_bytes())
        };
        write().map_err(WorkspaceError::io("write", &path))?;
        set_mode(&path, 0o644)
    }
}

/// Sets a mode whatever the umask made of it.
fn set_mode(path: &Path, mode: u32) -> Result<(), WorkspaceError> {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, permissions).map_err(WorkspaceError::io("set the mode of", path))
}
