//! Laying a checkout out in a private directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::FileStat;
use tempfile::TempDir;

use super::dot_git::{DotGit, make_directory};
use super::fetch::{Checkout, Fetch};
use super::index::Index;
use super::objects::{Objects, loose};
use super::shelved::{Kept, Note, Shelving};
use super::{Source, WorkspaceError, log, shelved, stamp, target};
use crate::clock;
use crate::event::LogLine;
use crate::git::Git;
use crate::plan::CheckoutInputs;
use crate::store::{Manifest, Owner};

/// Where checkouts are laid out.
#[derive(Debug, Clone, Copy)]
pub struct Staging<'a> {
    /// A private directory on the file system of the job's home, outside its place.
    pub directory: &'a Path,
    /// Who they belong to.
    pub owner: Owner,
    /// When the last cache was saved, since 1970: all files are younger.
    pub after: Option<Duration>,
    /// Where an earlier checkout may be had and this one may be kept; none: each is made anew.
    pub shelf: Option<Shelving<'a>>,
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
    /// What the shelf is to know of it.
    pub(super) kept: Kept,
    /// What it consists of.
    pub(super) manifest: Manifest,
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
    let wanted = Wanted::new(source, &fetch)?;
    let is_one_commit = inputs.depth.is_some_and(|depth| depth.get() == 1)
        && fetch.tips().iter().eq([&wanted.commit]);
    let clone = NewClone {
        dir: holder.path().join("tree"),
        source,
        owner: staging.owner,
        after: staging.after,
        has_history: !is_one_commit,
        wanted,
        fetch: &fetch,
    };
    let found = staging
        .shelf
        .and_then(|shelf| shelf.take(source, &clone.dir));
    // Whatever an earlier checkout is good for, a new one does without it.
    let index = match found.map(|earlier| clone.bring_up_to_date(&earlier)) {
        Some(Ok(Some(index))) => index,
        Some(_) => {
            std::fs::remove_dir_all(&clone.dir)
                .map_err(WorkspaceError::io("remove", &clone.dir))?;
            clone.make()?
        }
        None => clone.make()?,
    };
    let (index, stats) = clone.settle(index)?;
    let (kept, manifest) = shelved::kept(&clone, &index, &stats)?;
    let snapshot = source.snapshot;
    let is_snapshot = clone.wanted.commit == snapshot.sha();
    Ok(Staged {
        files: index.entries().iter().filter(|e| !e.is_submodule()).count() as u64,
        changed: match is_snapshot {
            true => (snapshot.changed.len() + snapshot.untracked.len()) as u64,
            false => 0,
        },
        git_ref: inputs
            .git_ref
            .clone()
            .unwrap_or_else(|| source.context.git_ref.clone()),
        log: log::lines(source, inputs, &fetch, (&target, &clone.wanted.commit)),
        kept,
        manifest,
        commit: clone.wanted.commit,
        dir: clone.dir,
        owner: staging.owner,
        _holder: holder,
    })
}

/// What is checked out.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) commit: String,
    pub(super) tree: String,
}

impl Wanted {
    fn new(source: &Source<'_>, fetch: &Fetch) -> Result<Self, WorkspaceError> {
        let name = match &fetch.checkout {
            Checkout::Branch(name) => format!("refs/remotes/origin/{name}"),
            Checkout::Detached(name) => name.clone(),
        };
        let object = fetch.refs.get(&name).unwrap_or(&name);
        let snapshot = source.snapshot;
        if object == snapshot.sha() {
            return Ok(Self {
                commit: object.clone(),
                tree: snapshot.commit.tree.clone(),
            });
        }
        let text = Git::in_repository(&source.repository.root)
            .alternates(&[&snapshot.objects])
            .args(["rev-parse", &format!("{object}^{{commit}}")])
            .arg(format!("{object}^{{tree}}"))
            .line()?;
        let (commit, tree) = text.split_once('\n').unwrap_or((&text, &text));
        Ok(Self {
            commit: commit.to_owned(),
            tree: tree.to_owned(),
        })
    }
}

/// The clone being made.
pub(super) struct NewClone<'a> {
    pub(super) dir: PathBuf,
    pub(super) wanted: Wanted,
    /// Whether it has more objects than those of one commit.
    pub(super) has_history: bool,
    source: &'a Source<'a>,
    fetch: &'a Fetch,
    owner: Owner,
    after: Option<Duration>,
}

impl NewClone<'_> {
    /// Makes it from nothing: the files, which git reads from the user's objects, and beside them
    /// the objects of its own.
    fn make(&self) -> Result<Index, WorkspaceError> {
        make_directory(&self.dir).map_err(WorkspaceError::io("create", &self.dir))?;
        self.dot_git().write(self.fetch, &self.wanted.commit)?;
        std::thread::scope(|scope| {
            let objects = scope.spawn(|| self.add_objects());
            let index = self.write_files();
            match objects.join() {
                Ok(added) => added.and(index),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    fn add_objects(&self) -> Result<(), WorkspaceError> {
        let (commit, tree) = (&self.wanted.commit, &self.wanted.tree);
        match self.has_history {
            true => self.objects().add_history(self.fetch),
            false => self.objects().add_commit(commit, tree, None),
        }
    }

    /// Makes it of an earlier one that is in the directory: its files and its packs. None where
    /// files that are the same as objects may have to be written otherwise now.
    fn bring_up_to_date(&self, earlier: &Kept) -> Result<Option<Index>, WorkspaceError> {
        self.dot_git().write(self.fetch, &self.wanted.commit)?;
        self.renew_objects(&earlier.note)?;
        let path = self.index_path();
        let mut index = Index::parse(&path, earlier.index.clone(), self.id_length())?;
        let found = index.stats_below(&self.dir)?;
        if earlier.note.tree == self.wanted.tree && found.iter().all(Option::is_some) {
            return Ok(Some(index));
        }
        index.set_stats(found.iter().map(Option::as_ref));
        index.write()?;
        let new = self.write_files()?;
        Ok(new.has_attributes_of(&index).then_some(new))
    }

    fn renew_objects(&self, earlier: &Note) -> Result<(), WorkspaceError> {
        let has_packs = !earlier.packs.is_empty()
            && earlier
                .packs
                .iter()
                .all(|pack| self.dir.join(pack).exists());
        let has_tree = has_packs && !self.has_history && earlier.packs.len() < shelved::MOST_PACKS;
        let old = self.dir.join(loose(&earlier.commit));
        if has_tree && earlier.commit == self.wanted.commit && old.exists() {
            return Ok(());
        }
        shelved::remove(&old)?;
        if has_tree {
            let (commit, tree) = (&self.wanted.commit, &self.wanted.tree);
            return self.objects().add_commit(commit, tree, Some(&earlier.tree));
        }
        for pack in &earlier.packs {
            shelved::remove(&self.dir.join(pack))?;
        }
        self.add_objects()
    }

    /// Has git write the files of the commit that are not there yet, and remove those that the
    /// index has and the commit has not.
    fn write_files(&self) -> Result<Index, WorkspaceError> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Git::isolated(&self.dir)
            .alternates(&[
                &self.source.repository.objects,
                &self.source.snapshot.objects,
            ])
            .arg("-c")
            .arg(format!("checkout.workers={workers}"))
            .args(["read-tree", "--reset", "-u", &self.wanted.tree])
            .output()?;
        Index::read(&self.index_path(), self.id_length())
    }

    /// Gives owners and times, and an index that fits them.
    fn settle(&self, mut index: Index) -> Result<(Index, Vec<FileStat>), WorkspaceError> {
        let stats = stamp::stamp(&self.dir, index.entries(), self.owner, self.after)?;
        index.set_stats(stats.iter().map(Some));
        index.write()?;
        if nix::unistd::geteuid().as_raw() != self.owner.uid {
            stamp::give(&self.dir.join(".git"), self.owner)?;
        }
        Ok((index, stats))
    }

    fn dot_git(&self) -> DotGit<'_> {
        DotGit {
            directory: self.dir.join(".git"),
            object_format: &self.source.repository.object_format,
            url: self.source.context.identity.url(),
            now: clock::since_epoch(),
        }
    }

    fn objects(&self) -> Objects<'_> {
        Objects {
            source: self.source,
            clone: &self.dir,
        }
    }

    fn index_path(&self) -> PathBuf {
        self.dir.join(".git/index")
    }

    /// Bytes of an object's id.
    fn id_length(&self) -> usize {
        self.wanted.commit.len() / 2
    }
}
