//! What the action fetches and checks out: `ref-helper.ts` (`getRefSpec`,
//! `getRefSpecForAllHistory`, `getCheckoutInfo`) and `input-helper.ts` of `actions/checkout`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::WorkspaceError;
use super::served::{HEADS, PULLS, Served, TAGS};
use crate::git::{GitError, Ref, Snapshot};
use crate::plan::CheckoutInputs;

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
    /// Decides by the inputs, and looks into the repository for how far history goes.
    pub(super) fn new(
        served: &Served<'_>,
        inputs: &CheckoutInputs,
    ) -> Result<Self, WorkspaceError> {
        let published = &served.refs;
        let wanted = Wanted::new(served, inputs)?;
        let mut fetch = Self {
            refs: BTreeMap::new(),
            refspecs: Vec::new(),
            checkout: wanted.checkout(),
            shallow: BTreeSet::new(),
        };
        match inputs.depth {
            Some(_) => fetch.add_wanted(&wanted, inputs, published),
            None => fetch.add_everything(&wanted, published),
        }
        served.bring(&fetch.tips(), inputs.depth)?;
        let history = History::read(served, fetch.tips(), inputs.depth)?;
        if inputs.fetch_tags && !inputs.whole_tags {
            fetch.follow_tags(published, &history);
            served.bring(&fetch.tips(), inputs.depth)?;
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
        let pull = match wanted {
            Wanted::Run { name, commit } => (*name, *commit, *commit),
            Wanted::Name { full, .. } => (
                full.as_str(),
                published[full.as_str()].object.as_str(),
                full.as_str(),
            ),
            Wanted::Commit(_) => return,
        };
        let (name, object, asked) = pull;
        if name.starts_with(PULLS) {
            self.add(name, object);
            self.refspecs.push(format!("+{asked}:{}", in_clone(name)));
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
    fn new(served: &'a Served<'a>, inputs: &'a CheckoutInputs) -> Result<Self, WorkspaceError> {
        let published = &served.refs;
        let name = match (inputs.git_ref.as_deref(), served.run) {
            (Some(name), _) => name,
            (None, None) => &served.default,
            (None, Some(run)) => {
                return Ok(Self::Run {
                    name: &served.default,
                    commit: run.sha(),
                });
            }
        };
        if is_commit_id(name) {
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
pub(super) fn is_commit_id(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
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
        served: &Served<'_>,
        tips: BTreeSet<&str>,
        depth: Option<NonZeroU32>,
    ) -> Result<Self, WorkspaceError> {
        if let (Some(1), Some(run)) = (depth.map(NonZeroU32::get), served.run)
            && tips.iter().eq([run.sha()].iter())
        {
            return Ok(Self::of_run(run));
        }
        let cut = served.shallow()?;
        let mut history = Self::default();
        let mut frontier: BTreeSet<String> = tips.into_iter().map(str::to_owned).collect();
        match depth {
            Some(depth) => {
                for level in 1..=depth.get() {
                    frontier = history.descend(served, &frontier, level == depth.get())?;
                    if frontier.is_empty() {
                        break;
                    }
                }
            }
            None if cut.is_empty() => {}
            None => {
                let commits = parents(served, &frontier, &[])?;
                history.reached = commits.into_iter().map(|(id, _)| id).collect();
            }
        }
        let cut_here = cut.intersection(&history.reached).cloned();
        history.shallow.extend(cut_here);
        Ok(history)
    }

    /// The run's own commit alone, of which all is known.
    fn of_run(run: &Snapshot) -> Self {
        let sha = BTreeSet::from([run.sha().to_owned()]);
        Self {
            shallow: match run.commit.parents.is_empty() {
                true => BTreeSet::new(),
                false => sha.clone(),
            },
            reached: sha,
        }
    }

    /// Takes in one generation and gives the next; of the last one nothing follows.
    fn descend(
        &mut self,
        served: &Served<'_>,
        generation: &BTreeSet<String>,
        is_last: bool,
    ) -> Result<BTreeSet<String>, GitError> {
        let mut next = BTreeSet::new();
        for (id, parents) in parents(served, generation, &["--no-walk"])? {
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
    served: &Served<'_>,
    tips: &BTreeSet<String>,
    options: &[&str],
) -> Result<Vec<(String, Vec<String>)>, GitError> {
    let tips: Vec<_> = tips.iter().map(String::as_str).collect();
    let output = served
        .git()
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
