//! What the action fetches and checks out: `ref-helper.ts` (`getRefSpec`,
//! `getRefSpecForAllHistory`, `getCheckoutInfo`) and `input-helper.ts` of `actions/checkout`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::{Source, WorkspaceError};
use crate::git::{Git, GitError, Ref};
use crate::plan::CheckoutInputs;

const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
const PULLS: &str = "refs/pull/";

/// The refs of the new clone, and what is checked out of them.
#[derive(Debug)]
pub(super) struct Fetch {
    /// Full names in the clone and the objects they name.
    pub(super) refs: BTreeMap<String, String>,
    /// What the action gives to `git fetch`.
    pub(super) refspecs: Vec<String>,
    /// What is checked out.
    pub(super) checkout: Checkout,
    /// Commits whose parents the clone does not have.
    pub(super) shallow: BTreeSet<String>,
}

/// What `git checkout` is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checkout {
    /// A new branch that tracks the one of the same name.
    Branch(String),
    /// A tag, a pull request's ref or a commit, detached.
    Detached(String),
}

impl Fetch {
    /// Decides by the inputs, and looks into the user's repository for how far history goes.
    pub(super) fn new(
        source: &Source<'_>,
        inputs: &CheckoutInputs,
    ) -> Result<Self, WorkspaceError> {
        let published = published(source);
        let wanted = Wanted::new(source, inputs, &published)?;
        let mut fetch = Self {
            refs: BTreeMap::new(),
            refspecs: Vec::new(),
            checkout: wanted.checkout(),
            shallow: BTreeSet::new(),
        };
        match inputs.depth {
            Some(_) => fetch.add_wanted(&wanted, inputs, &published),
            None => fetch.add_everything(&wanted, &published),
        }
        let history = History::read(source, fetch.tips(), inputs.depth)?;
        if inputs.fetch_tags && !inputs.whole_tags {
            fetch.follow_tags(&published, &history);
        }
        fetch.shallow = history.shallow;
        Ok(fetch)
    }

    /// The objects everything else is reached from.
    pub(super) fn tips(&self) -> BTreeSet<&str> {
        let detached = match &self.checkout {
            Checkout::Detached(name) if !name.starts_with("refs/") => Some(name.as_str()),
            _ => None,
        };
        self.refs
            .values()
            .map(String::as_str)
            .chain(detached)
            .collect()
    }

    fn add_wanted(
        &mut self,
        wanted: &Wanted<'_>,
        inputs: &CheckoutInputs,
        published: &BTreeMap<String, Ref>,
    ) {
        if inputs.fetch_tags && inputs.whole_tags {
            self.add_below(TAGS, published);
        }
        match wanted {
            Wanted::Commit(id) => self.refspecs.push((*id).to_owned()),
            Wanted::Run { name, commit } => {
                // An annotated tag comes whole only where it is fetched by its name.
                let object = match published.get(*name) {
                    Some(tag) if inputs.whole_tags => &tag.object,
                    _ => *commit,
                };
                self.add(name, object);
                self.refspecs.push(format!("+{object}:{}", in_clone(name)));
            }
            Wanted::Name { name, full } if name.starts_with("refs/") => {
                self.add(full, &published[full.as_str()].object);
                self.refspecs.push(format!("+{full}:{}", in_clone(full)));
            }
            Wanted::Name { name, .. } => {
                for prefix in [HEADS, TAGS] {
                    self.add_below(&format!("{prefix}{name}"), published);
                }
            }
        }
    }

    fn add_everything(&mut self, wanted: &Wanted<'_>, published: &BTreeMap<String, Ref>) {
        for prefix in [HEADS, TAGS] {
            self.add_below(prefix, published);
        }
        if let Wanted::Run { name, commit } = wanted
            && name.starts_with(PULLS)
        {
            self.add(name, commit);
            self.refspecs.push(format!("+{commit}:{}", in_clone(name)));
        }
    }

    fn add_below(&mut self, prefix: &str, published: &BTreeMap<String, Ref>) {
        self.refspecs
            .push(format!("+{prefix}*:{}*", in_clone(prefix)));
        for (name, target) in published {
            if name.starts_with(prefix) {
                self.add(name, &target.object);
            }
        }
    }

    fn add(&mut self, name: &str, object: &str) {
        self.refs.insert(in_clone(name), object.to_owned());
    }

    /// Adds the tags of commits that were fetched, as `git fetch` does unless told not to.
    fn follow_tags(&mut self, published: &BTreeMap<String, Ref>, history: &History) {
        for (name, target) in published {
            if name.starts_with(TAGS) && history.reached.contains(&target.commit) {
                self.add(name, &target.object);
            }
        }
    }
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

/// The name a fetched ref has in the clone.
fn in_clone(name: &str) -> String {
    let kept = [
        (HEADS, "refs/remotes/origin/"),
        (PULLS, "refs/remotes/pull/"),
    ]
    .iter()
    .find_map(|(from, to)| Some(format!("{to}{}", name.strip_prefix(from)?)));
    kept.unwrap_or_else(|| name.to_owned())
}

/// What the `ref` input asks for.
#[derive(Debug)]
enum Wanted<'a> {
    /// Nothing: the run's own ref and commit.
    Run { name: &'a str, commit: &'a str },
    /// A commit's whole id.
    Commit(&'a str),
    /// A branch or tag as it was written, and its full name.
    Name { name: &'a str, full: String },
}

impl<'a> Wanted<'a> {
    fn new(
        source: &Source<'a>,
        inputs: &'a CheckoutInputs,
        published: &BTreeMap<String, Ref>,
    ) -> Result<Self, WorkspaceError> {
        let Some(name) = inputs.git_ref.as_deref() else {
            return Ok(Self::Run {
                name: &source.context.git_ref,
                commit: source.snapshot.sha(),
            });
        };
        if is_commit_id(name) {
            require_commit(source, name)?;
            return Ok(Self::Commit(name));
        }
        let candidates = match name.starts_with("refs/") {
            true => vec![name.to_owned()],
            false => vec![format!("{HEADS}{name}"), format!("{TAGS}{name}")],
        };
        let full = candidates
            .into_iter()
            .find(|full| published.contains_key(full))
            .ok_or_else(|| WorkspaceError::NoSuchRef {
                name: name.to_owned(),
            })?;
        Ok(Self::Name { name, full })
    }

    fn checkout(&self) -> Checkout {
        let full = match self {
            Self::Commit(id) => return Checkout::Detached((*id).to_owned()),
            Self::Run { name, .. } => name,
            Self::Name { full, .. } => full.as_str(),
        };
        match full.strip_prefix(HEADS) {
            Some(branch) => Checkout::Branch(branch.to_owned()),
            None => Checkout::Detached(in_clone(full)),
        }
    }
}

/// Forty hexadecimal digits, or sixty-four in a repository of SHA-256.
fn is_commit_id(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
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

/// Which commits a fetch of some depth reaches.
#[derive(Debug, Default)]
struct History {
    /// Looked at: all of them, unless history is whole and the user's clone has all of it.
    reached: BTreeSet<String>,
    /// Those whose parents are left out, or are not in the user's clone either.
    shallow: BTreeSet<String>,
}

impl History {
    fn read(
        source: &Source<'_>,
        tips: BTreeSet<&str>,
        depth: Option<NonZeroU32>,
    ) -> Result<Self, GitError> {
        if let Some(depth) = depth
            && depth.get() == 1
            && tips.iter().eq([source.snapshot.sha()].iter())
        {
            return Ok(Self::of_snapshot(source));
        }
        let cut: BTreeSet<_> = source.repository.shallow_commits()?.into_iter().collect();
        let mut history = Self::default();
        let mut frontier: BTreeSet<String> = tips.into_iter().map(str::to_owned).collect();
        match depth {
            Some(depth) => {
                for level in 1..=depth.get() {
                    frontier = history.descend(source, &frontier, level == depth.get())?;
                    if frontier.is_empty() {
                        break;
                    }
                }
            }
            None if cut.is_empty() => {}
            None => {
                let commits = parents(source, &frontier, &[])?;
                history.reached = commits.into_iter().map(|(id, _)| id).collect();
            }
        }
        let cut_here = cut.intersection(&history.reached).cloned();
        history.shallow.extend(cut_here);
        Ok(history)
    }

    /// The run's own commit alone, of which all is known.
    fn of_snapshot(source: &Source<'_>) -> Self {
        let sha = BTreeSet::from([source.snapshot.sha().to_owned()]);
        Self {
            shallow: match source.snapshot.commit.parents.is_empty() {
                true => BTreeSet::new(),
                false => sha.clone(),
            },
            reached: sha,
        }
    }

    /// Takes in one generation and gives the next; of the last one nothing follows.
    fn descend(
        &mut self,
        source: &Source<'_>,
        generation: &BTreeSet<String>,
        is_last: bool,
    ) -> Result<BTreeSet<String>, GitError> {
        let mut next = BTreeSet::new();
        for (id, parents) in parents(source, generation, &["--no-walk"])? {
            if is_last && !parents.is_empty() {
                self.shallow.insert(id.clone());
            } else {
                next.extend(parents);
            }
            self.reached.insert(id);
        }
        Ok(next.difference(&self.reached).cloned().collect())
    }
}

/// Each commit that the walk gives, with its parents.
fn parents(
    source: &Source<'_>,
    tips: &BTreeSet<String>,
    options: &[&str],
) -> Result<Vec<(String, Vec<String>)>, GitError> {
    let tips: Vec<_> = tips.iter().map(String::as_str).collect();
    let output = Git::in_repository(&source.repository.root)
        .alternates(&[&source.snapshot.objects])
        .args(["rev-list", "--parents"])
        .args(options)
        .arg("--stdin")
        .stdin(tips.join("\n") + "\n")
        .output()?;
    let text = String::from_utf8_lossy(&output);
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut ids = line.split(' ').map(str::to_owned);
            Some((ids.next()?, ids.collect()))
        })
        .collect())
}
