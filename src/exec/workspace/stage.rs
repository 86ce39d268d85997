//! Laying a checkout out in a private directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::FileStat;
use tempfile::TempDir;

use super::dot_git::{DotGit, make_directory};
use super::fetch::{Checkout, Fetch, is_commit_id};
use super::index::Index;
use super::log::Target;
use super::objects::{Objects, loose};
use super::served::{Held, Served};
use super::shelved::{Kept, Note, Shelving};
use super::{Source, WorkspaceError, lfs, log, shelved, sparse, stamp, submodules, target};
use crate::clock;
use crate::event::LogLine;
use crate::git::Git;
use crate::plan::{CheckoutInputs, Submodules};
use crate::store::{Manifest, Owner};

/// What is said of a checkout with `ssh-key`.
const NO_KEY: &str = "the key of 'ssh-key' is not left in the clone: git in later steps cannot reach its server, as it can on GitHub";

/// Where checkouts are laid out.
#[derive(Debug, Clone, Copy)]
pub struct Staging<'a> {
    /// A private directory on the file system of the job's home, outside its place.
    pub directory: &'a Path,
    /// Who they belong to.
    pub owner: Owner,
    /// When the last cache was saved, since 1970: all files are younger.
    pub after: Option<Duration>,
    /// Whether there is a directory where it goes to.
    pub replaces: bool,
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
    /// What this machine cannot tell of it, in words.
    pub doubts: Vec<String>,
    /// What the shelf is to know of it, where it may go there: what it is asked for by, what is of
    /// use, and what it consists of.
    pub(super) kept: Option<(String, Kept, Manifest)>,
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
    let path = target(inputs, workspace)?;
    let served = Served::new(source, inputs)?;
    let fetch = Fetch::new(&served, inputs)?;
    let holder = tempfile::Builder::new()
        .prefix("checkout-")
        .tempdir_in(staging.directory)
        .map_err(WorkspaceError::io("make a directory in", staging.directory))?;
    let wanted = Wanted::new(&served, &fetch)?;
    let is_one_commit = inputs.depth.is_some_and(|depth| depth.get() == 1)
        && fetch.tips().iter().eq([&wanted.commit]);
    let clone = NewClone {
        dir: holder.path().join("tree"),
        served: &served,
        inputs,
        owner: staging.owner,
        after: staging.after,
        has_history: !is_one_commit,
        wanted,
        fetch: &fetch,
    };
    // What is more than files of a commit is made anew.
    let is_plain = inputs.sparse.is_none() && !inputs.lfs && inputs.submodules == Submodules::No;
    let key = shelved::key(&served);
    let shelf = staging.shelf.filter(|_| is_plain);
    let index = clone.fill(shelf.and_then(|shelf| shelf.take(&key, &clone.dir)))?;
    if inputs.lfs {
        lfs::fill(source, &served, &clone.dir)?;
    }
    let mut doubts = match inputs.submodules {
        Submodules::No => Vec::new(),
        _ => submodules::check_out(source, inputs, &served, &clone.dir)?,
    };
    if inputs.is_by_ssh() {
        doubts.push(NO_KEY.to_owned());
    }
    doubts.extend(stale_branch(&served, inputs));
    let (index, stats) = clone.settle(index)?;
    let kept = match is_plain {
        true => {
            let (kept, manifest) = shelved::kept(&clone, &index, &stats)?;
            Some((key, kept, manifest))
        }
        false => None,
    };
    let run = served.run.filter(|run| run.sha() == clone.wanted.commit);
    let target = Target {
        path: &path,
        exists: staging.replaces,
    };
    Ok(Staged {
        files: index.entries().iter().filter(|e| !e.is_submodule()).count() as u64,
        changed: run.map_or(0, |run| (run.changed.len() + run.untracked.len()) as u64),
        git_ref: asked_ref(&served, inputs),
        log: log::lines(&served, inputs, &fetch, (target, &clone.wanted.commit)),
        doubts,
        kept,
        commit: clone.wanted.commit,
        dir: clone.dir,
        owner: staging.owner,
        _holder: holder,
    })
}

/// That a branch of another repository may have moved since lrun asked. One that was asked just now is
/// beyond doubt.
fn stale_branch(served: &Served<'_>, inputs: &CheckoutInputs) -> Option<String> {
    let Held::Store(kept) = &served.held else {
        return None;
    };
    let minutes = kept.asked?.as_secs() / 60;
    let git_ref = asked_ref(served, inputs);
    let branch = git_ref.strip_prefix("refs/heads/").unwrap_or(&git_ref);
    let is_branch = served.refs.contains_key(&format!("refs/heads/{branch}"));
    if minutes == 0 || !is_branch {
        return None;
    }
    Some(format!(
        "{} was asked {minutes} min ago what {branch} is, and GitHub takes it as it is then; --update asks again",
        served.repository
    ))
}

/// The `ref` output: nothing for a commit's id.
pub(super) fn asked_ref(served: &Served<'_>, inputs: &CheckoutInputs) -> String {
    let asked = inputs.git_ref.as_ref().unwrap_or(&served.default);
    match is_commit_id(asked) {
        true => String::new(),
        false => asked.clone(),
    }
}

/// What is checked out.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) commit: String,
    pub(super) tree: String,
}

impl Wanted {
    pub(super) fn new(served: &Served<'_>, fetch: &Fetch) -> Result<Self, WorkspaceError> {
        let name = match &fetch.checkout {
            Checkout::Branch(name) => format!("refs/remotes/origin/{name}"),
            Checkout::Detached(name) => name.clone(),
        };
        let object = fetch.refs.get(&name).unwrap_or(&name);
        if let Some(run) = served.run.filter(|run| run.sha() == object) {
            return Ok(Self {
                commit: object.clone(),
                tree: run.commit.tree.clone(),
            });
        }
        let text = served
            .git()
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
    served: &'a Served<'a>,
    inputs: &'a CheckoutInputs,
    fetch: &'a Fetch,
    owner: Owner,
    after: Option<Duration>,
}

impl NewClone<'_> {
    /// Makes it, of an earlier one where there is one in its directory. Whatever that is good for, a
    /// new one does without it.
    fn fill(&self, earlier: Option<Kept>) -> Result<Index, WorkspaceError> {
        match earlier.map(|earlier| self.bring_up_to_date(&earlier)) {
            Some(Ok(Some(index))) => return Ok(index),
            Some(_) => {
                let removed = std::fs::remove_dir_all(&self.dir);
                removed.map_err(WorkspaceError::io("remove", &self.dir))?;
            }
            None => {}
        }
        self.make()
    }

    /// Makes it from nothing: the files, which git reads from the user's objects, and beside them
    /// the objects of its own.
    fn make(&self) -> Result<Index, WorkspaceError> {
        make_directory(&self.dir).map_err(WorkspaceError::io("create", &self.dir))?;
        self.dot_git().write(self.fetch, &self.wanted.commit)?;
        if let Some(paths) = &self.inputs.sparse {
            sparse::set_up(&self.dir, paths)?;
        }
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
            .alternates(&self.served.alternates())
            .arg("-c")
            .arg(format!("checkout.workers={workers}"))
            .args(["read-tree", "--reset", "-u", &self.wanted.tree])
            .output()?;
        Index::read(&self.index_path(), self.id_length())
    }

    /// Gives owners and times, and an index that fits them.
    fn settle(&self, mut index: Index) -> Result<(Index, Vec<FileStat>), WorkspaceError> {
        if self.inputs.submodules != Submodules::No {
            let modules = index.entries().iter().filter(|entry| entry.is_submodule());
            for module in modules {
                stamp::give(&self.dir.join(&module.path), self.owner)?;
            }
        }
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
            object_format: &self.served.object_format,
            url: &self.served.url,
            filter: self.inputs.filter.as_deref(),
            now: clock::since_epoch(),
        }
    }

    fn objects(&self) -> Objects<'_> {
        Objects {
            served: self.served,
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
