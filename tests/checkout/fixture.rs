//! Small repositories to check out.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use lrun::digest::Digest;
use lrun::exec::workspace::{
    Others, Shelving, Source, Staged, Staging, WorkspaceError, stage, take_snapshot,
};
use lrun::git::{Content, Facts, GitError, Repository, Snapshot};
use lrun::ids::RunId;
use lrun::plan::CheckoutInputs;
use lrun::plan::github_event::{EventOptions, GithubContext, RunIdentity, Trigger};
use lrun::store::{Holder, Owner, Store};
use tempfile::TempDir;

/// A job with a workspace.
pub(crate) struct JobPlace {
    pub(crate) holder: Holder,
    pub(crate) place: PathBuf,
}

/// A repository of a user's, and beside it a directory of lrun's own.
pub(crate) struct Fixture {
    directory: TempDir,
}

impl Fixture {
    /// An empty repository on an unborn `main`.
    pub(crate) fn unborn() -> Self {
        let fixture = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(fixture.root()).unwrap();
        fixture.git(&["init", "-q", "-b", "main"]);
        fixture
    }

    /// Two commits: `README` changed in the second, which adds `src/main.rs` and a script.
    pub(crate) fn with_history() -> Self {
        let fixture = Self::unborn();
        fixture.write("README", "first\n");
        fixture.commit("First");
        fixture.write("README", "second\n");
        fixture.write("src/main.rs", "fn main() {}\n");
        fixture.write("configure", "#!/bin/sh\n");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(fixture.root().join("configure"), executable).unwrap();
        fixture.commit("Second");
        fixture
    }

    /// What `git clone` makes with these arguments.
    pub(crate) fn clone_of(arguments: &[&str]) -> Self {
        let fixture = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let arguments = [&["clone", "-q"], arguments, &["project"]].concat();
        git(fixture.directory.path(), &arguments).unwrap();
        fixture
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    /// A directory of lrun's own, made if need be.
    pub(crate) fn own(&self, name: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// Runs git as the user; it must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.root(), args).unwrap_or_else(|words| panic!("git {args:?}: {words}"))
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::discover(&self.root()).unwrap()
    }

    /// The folder as it is now.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, GitError> {
        let repository = Repository::discover(&self.root())?;
        let facts = Facts::gather(&repository)?;
        Snapshot::take(&repository, &facts, &Content::Folder, &self.own("objects"))
    }

    /// A checkout with these inputs in a run that a push would start.
    pub(crate) fn stage(&self, with: &[(&str, &str)]) -> Result<Staged, WorkspaceError> {
        self.stage_for("push", &EventOptions::default(), with)
    }

    /// A checkout with these inputs in a run of the event.
    pub(crate) fn stage_for(
        &self,
        event: &str,
        options: &EventOptions,
        with: &[(&str, &str)],
    ) -> Result<Staged, WorkspaceError> {
        self.stage_in(event, options, with, None)
    }

    /// A checkout as a job makes it that has a shelf; it is in the job's place then.
    pub(crate) fn check_out(&self, store: &Store, job: &JobPlace, with: &[(&str, &str)]) -> Staged {
        let options = EventOptions::default();
        self.stage_in("push", &options, with, Some((store, job)))
            .unwrap()
    }

    fn stage_in(
        &self,
        event: &str,
        options: &EventOptions,
        with: &[(&str, &str)],
        job: Option<(&Store, &JobPlace)>,
    ) -> Result<Staged, WorkspaceError> {
        let repository = Repository::discover(&self.root())?;
        let facts = Facts::gather(&repository)?;
        let trigger = Trigger::of_event(event, options, &facts).unwrap();
        let snapshot = take_snapshot(&repository, &facts, &trigger, &self.own("objects"))?;
        let run = RunIdentity {
            run: RunId(1),
            number: 1,
            workflow: "CI".into(),
            workflow_path: ".github/workflows/ci.yml".into(),
        };
        let source = Source {
            repository: &repository,
            facts: &facts,
            snapshot: &snapshot,
            context: &GithubContext::new(&trigger, options, &facts, &snapshot, run),
            others: &Others {
                kept: self.own("repositories"),
                offline: false,
                update: false,
            },
        };
        let (inputs, _) = CheckoutInputs::read(with.iter().copied(), None);
        let mut staging = Staging {
            directory: &self.own("staging"),
            owner: job_user(),
            after: None,
            replaces: true,
            shelf: None,
        };
        let Some((store, job)) = job else {
            return stage(&source, &inputs, WORKSPACE, staging);
        };
        let shelf = Shelving {
            store,
            holder: &job.holder,
            place: &job.place,
        };
        staging.shelf = Some(shelf);
        let staging_directory = job.place.parent().unwrap().to_owned();
        staging.directory = &staging_directory;
        let staged = stage(&source, &inputs, WORKSPACE, staging)?;
        std::fs::rename(staged.dir(), &job.place).unwrap();
        shelf.keep(&staged).unwrap();
        Ok(staged)
    }

    /// A file of the snapshot's commit, as git stores it.
    pub(crate) fn show(&self, snapshot: &Snapshot, path: &str) -> String {
        let output = Command::new("git")
            .current_dir(self.root())
            .args(["cat-file", "-p", &format!("{}:{path}", snapshot.sha())])
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &snapshot.objects)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }
}

/// GITHUB_WORKSPACE in these tests.
pub(crate) const WORKSPACE: &str = "/home/runner/work/project/project";

/// The job's user: another one where these tests may give files away.
pub(crate) fn job_user() -> Owner {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    match uid.is_root() {
        true => Owner {
            uid: 1001,
            gid: 1001,
        },
        false => Owner {
            uid: uid.as_raw(),
            gid: gid.as_raw(),
        },
    }
}

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/checkout/gitconfig");

/// Runs git with nobody's own configuration; standard output, or standard error as the failure.
pub(crate) fn git(directory: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .current_dir(directory)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", CONFIG)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout).trim_end().to_owned()),
        false => Err(text(&output.stderr)),
    }
}

/// Every path below, with its kind, mode, time of change and content.
pub(crate) fn fingerprint(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let content = if metadata.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
            String::new()
        } else if metadata.is_symlink() {
            format!("{:?}", std::fs::read_link(&path).unwrap())
        } else {
            Digest::of(std::fs::read(&path).unwrap()).to_string()
        };
        // Whoever reads a split index touches its base, to keep it from being collected.
        let is_shared_index = path.to_string_lossy().contains("/sharedindex.");
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        let changed = Some(changed).filter(|_| !is_shared_index);
        let (mode, inode) = (metadata.mode(), metadata.ino());
        let state = format!("{mode:o} {inode} {changed:?} {content}");
        found.insert(path, state);
    }
    found
}
