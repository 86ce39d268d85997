//! A repository as the action finds it on GitHub: the refs that are there, and where this machine
//! has its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::others::Kept;
use super::{Source, WorkspaceError};
use crate::git::{Git, Ref, Snapshot};
use crate::plan::CheckoutInputs;

pub(super) const HEADS: &str = "refs/heads/";
pub(super) const TAGS: &str = "refs/tags/";
pub(super) const PULLS: &str = "refs/pull/";

/// One repository on a server.
#[derive(Debug)]
pub(super) struct Served<'a> {
    /// `owner/name`.
    pub(super) repository: String,
    /// The URL that a clone of it has.
    pub(super) url: String,
    /// Its refs by their full names.
    pub(super) refs: BTreeMap<String, Ref>,
    /// The full name of what is checked out where no ref is asked for.
    pub(super) default: String,
    /// The commit that is checked out then; of other repositories it is the ref's.
    pub(super) run: Option<&'a Snapshot>,
    /// `sha1` or `sha256`.
    pub(super) object_format: String,
    /// The version of the git command.
    pub(super) git_version: String,
    /// Object directories with what of it is here.
    pub(super) objects: Vec<PathBuf>,
    pub(super) held: Held<'a>,
}

/// Who has the objects.
#[derive(Debug)]
pub(super) enum Held<'a> {
    /// The user's clone.
    User(Source<'a>),
    /// A clone of a submodule that is inside the user's: its `.git` directory.
    Module(PathBuf),
    /// A repository of lrun's own.
    Store(Kept),
}

impl<'a> Served<'a> {
    /// The repository that the inputs ask for.
    pub(super) fn new(
        source: &Source<'a>,
        inputs: &CheckoutInputs,
    ) -> Result<Self, WorkspaceError> {
        let identity = &source.context.identity;
        match inputs.other_repository(&identity.repository())? {
            Some(other) => {
                let url = inputs.url(&other);
                Kept::served(source, other, url, inputs)
            }
            None => Ok(Self::own(source, inputs)),
        }
    }

    /// The run's own repository.
    fn own(source: &Source<'a>, inputs: &CheckoutInputs) -> Self {
        let identity = &source.context.identity;
        let repository = source.repository;
        Self {
            repository: identity.repository(),
            url: match inputs.is_by_ssh() {
                true => inputs.url(&identity.repository()),
                false => identity.url(),
            },
            refs: published(source),
            default: source.context.git_ref.clone(),
            run: Some(source.snapshot),
            object_format: repository.object_format.clone(),
            git_version: repository.git_version.clone(),
            objects: vec![repository.objects.clone(), source.snapshot.objects.clone()],
            held: Held::User(*source),
        }
    }

    /// A command that reads what is here of it.
    pub(super) fn git(&self) -> Git {
        match &self.held {
            Held::User(source) => {
                Git::in_repository(&source.repository.root).alternates(&[&source.snapshot.objects])
            }
            Held::Module(directory) => in_module(directory),
            Held::Store(kept) => kept.remote.git(),
        }
    }

    /// Its object directories, for a command elsewhere.
    pub(super) fn alternates(&self) -> Vec<&Path> {
        self.objects.iter().map(PathBuf::as_path).collect()
    }

    /// Sees to it that these objects are here, with so much history.
    pub(super) fn bring(
        &self,
        ids: &BTreeSet<&str>,
        depth: Option<NonZeroU32>,
    ) -> Result<(), WorkspaceError> {
        match &self.held {
            Held::Store(kept) => kept.bring(ids, depth),
            Held::Module(_) => Ok(()),
            Held::User(source) => {
                let known = |id: &&&str| self.refs.values().any(|known| known.object == ***id);
                ids.iter()
                    .filter(|id| !known(id))
                    .try_for_each(|id| require_commit(source, id))
            }
        }
    }

    /// The commits whose parents are not here.
    pub(super) fn shallow(&self) -> Result<BTreeSet<String>, WorkspaceError> {
        let directory = match &self.held {
            Held::User(source) => {
                let commits = source.repository.shallow_commits()?;
                return Ok(commits.into_iter().collect());
            }
            Held::Module(directory) => directory,
            Held::Store(kept) => kept.remote.directory(),
        };
        let path = directory.join("shallow");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(WorkspaceError::io("read", &path)(error)),
        }
    }

    /// Where it is on this machine: checkouts of one place share what they have.
    pub(super) fn place(&self) -> &Path {
        match &self.held {
            Held::User(source) => &source.repository.root,
            Held::Module(directory) => directory,
            Held::Store(kept) => kept.remote.directory(),
        }
    }
}

/// A command that reads a submodule's clone, wherever its working tree is or was.
pub(super) fn in_module(directory: &Path) -> Git {
    Git::in_repository(directory)
        .env("GIT_DIR", directory)
        .env("GIT_WORK_TREE", directory)
}

/// The refs GitHub has once what the run pretends was pushed is there: its branches as they were
/// last seen, or the local ones of a clone without an origin; every tag; the run's own refs.
fn published(source: &Source<'_>) -> BTreeMap<String, Ref> {
    let refs = &source.facts.refs;
    let has_origin = refs.below("refs/remotes/origin/").next().is_some();
    let branches = if has_origin {
        "refs/remotes/origin/"
    } else {
        HEADS
    };
    let mut published = BTreeMap::new();
    for (from, to) in [(branches, HEADS), (TAGS, TAGS)] {
        for (name, target) in refs.below(from) {
            published.insert(format!("{to}{name}"), target.clone());
        }
    }
    let mut push = |name: String, commit: &str| {
        let target = published.entry(name).or_insert_with(|| plain(commit));
        if target.commit != commit {
            *target = plain(commit);
        }
    };
    let context = source.context;
    push(context.git_ref.clone(), source.snapshot.sha());
    if let Some(merge) = &source.snapshot.merge {
        push(format!("{HEADS}{}", context.head_ref), &merge.head);
        let head = context.git_ref.replace("/merge", "/head");
        push(head, &merge.head);
    }
    published
}

fn plain(commit: &str) -> Ref {
    Ref {
        object: commit.to_owned(),
        commit: commit.to_owned(),
    }
}

fn require_commit(source: &Source<'_>, id: &str) -> Result<(), WorkspaceError> {
    let root = &source.repository.root;
    let (code, _) = Git::in_repository(root)
        .alternates(&[&source.snapshot.objects])
        .args(["cat-file", "-e", &format!("{id}^{{commit}}")])
        .output_or(&[1, 128])?;
    match code {
        0 => Ok(()),
        _ => Err(WorkspaceError::NoSuchCommit {
            id: id.to_owned(),
            root: root.clone(),
        }),
    }
}
