//! Laying a cache entry out in a job's place.
//!
//! A directory of the entry that meets nothing in the job's home is put there by one rename:
//! from the shelf, or laid out beside it first. Everything else (what must merge with files that
//! are there, single files, targets outside the home, directories that the job's user may not
//! write to) is unpacked inside the place, as that user and by tar's rules.

use std::ops::Range;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::mpsc;

use super::cache::tar_failed;
use super::outside::Outside;
use super::{Scope, in_store};
use crate::agent::AgentError;
use crate::digest::Digest;
use crate::exec::spot::Spot;
use crate::lookup::MissReason;
use crate::store::{Manifest, NewSlot, Root, Seen, Store, StoreError, tree_key};
use crate::tree::{Entry, Tree, TreeItem};

/// What a directory is called where it is laid out.
const TREE: &str = "tree";

/// Lays a stored tree out in the job's place.
pub(super) async fn lay_out(
    scope: &mut Scope<'_>,
    entry: i64,
    tree: Digest,
) -> Result<Result<(), MissReason>, AgentError> {
    let outside = Outside::of(scope);
    let put = in_store(scope, move |store| {
        note_damage(store, entry, outside.put(store, tree))
    });
    match put.await {
        Ok(Put { all: true, .. }) => Ok(Ok(())),
        Ok(Put { members, .. }) => unpack(scope, entry, tree, members).await,
        Err(error) => Ok(Err(damaged(scope, &error))),
    }
}

/// What was put in place by renames.
struct Put {
    all: bool,
    /// Which members of the tree these were.
    members: Vec<Range<usize>>,
}

impl Outside {
    /// Puts those directories of a tree in place that meet nothing there.
    fn put(&self, store: &Store, tree: Digest) -> Result<Put, StoreError> {
        let roots = store.tree_roots(tree)?;
        let mut members = None;
        let mut put = Vec::new();
        for (number, root) in roots.roots.iter().enumerate() {
            let key = tree_key(tree, number);
            if self.put_root(store, &key, root, || {
                let all = match members.take() {
                    Some(all) => all,
                    None => store.read_tree(tree)?.entries,
                };
                let own = all[root.members.clone()].to_vec();
                members = Some(all);
                Ok(own)
            })? {
                put.push(root.members.clone());
            }
        }
        Ok(Put {
            all: roots.are_all && put.len() == roots.roots.len(),
            members: put,
        })
    }

    /// Whether the directory could be put in place.
    fn put_root(
        &self,
        store: &Store,
        key: &str,
        root: &Root,
        members: impl FnOnce() -> Result<Vec<Entry>, StoreError>,
    ) -> Result<bool, StoreError> {
        let Some(inside) = self.inside(root) else {
            return Ok(false);
        };
        let Ok(spot) = Spot::reach(&self.home, &inside, self.run.owner()) else {
            return Ok(false);
        };
        if spot.is_free() != Ok(true) {
            return Ok(false);
        }
        let place = self.home.join(&inside);
        // A shelf that cannot be used is an empty one.
        if let Ok(Some(leased)) = store.lease(key, &self.holder, &place) {
            return Ok(spot.fill(&leased.directory).is_ok());
        }
        let members = members()?;
        let mut laid = self.lay_out(store, &members);
        if matches!(laid, Err(StoreError::Full { .. })) {
            // What waits there is not worth more than what is needed now.
            store.trim_shelf_to(0)?;
            laid = self.lay_out(store, &members);
        }
        let (beside, manifest) = match laid {
            Ok(laid) => laid,
            Err(error @ StoreError::Damaged { .. }) => return Err(error),
            // What is in the way, such as a full disk, tar is to meet inside the place.
            Err(_) => return Ok(false),
        };
        if spot.fill(&beside.path().join(TREE)).is_err() {
            return Ok(false);
        }
        self.shelve(store, key, &manifest, &place);
        Ok(true)
    }

    /// Lays a directory out in one that is not visible to the job.
    fn lay_out(&self, store: &Store, members: &[Entry]) -> Result<(TempDir, Manifest), StoreError> {
        let beside = tempfile::Builder::new()
            .prefix("restore-")
            .tempdir_in(&self.staging)
            .map_err(|source| StoreError::Io {
                path: self.staging.clone(),
                source,
            })?;
        let manifest = store.lay_out(members, &beside.path().join(TREE), self.run.owner())?;
        Ok((beside, manifest))
    }

    /// Notes that the directories a tree was just packed from will be on the shelf.
    pub(super) fn shelve_seen(&self, store: &Store, tree: Digest, seen: &[Seen]) {
        for seen in seen {
            if let Some(inside) = self.inside(&seen.root) {
                let key = tree_key(tree, seen.number);
                self.shelve(store, &key, &seen.manifest, &self.home.join(inside));
            }
        }
    }

    fn inside(&self, root: &Root) -> Option<PathBuf> {
        self.below_home(std::str::from_utf8(&root.path).ok()?)
    }

    /// The shelf saves time; where it cannot take a tree, the tree goes with the job.
    fn shelve(&self, store: &Store, key: &str, manifest: &Manifest, place: &Path) {
        let new = NewSlot {
            key,
            note: "",
            attached: &[],
            manifest,
            owner: self.run.owner(),
            place,
        };
        let _ = store.shelve(&self.holder, &new);
    }
}

/// Unpacks a stored tree as the job's user, as `tar -x` would; but for the members that are in
/// place already.
async fn unpack(
    scope: &mut Scope<'_>,
    entry: i64,
    tree: Digest,
    done: Vec<Range<usize>>,
) -> Result<Result<(), MissReason>, AgentError> {
    let (sender, receiver) = mpsc::channel(16);
    let reading = in_store(scope, move |store| {
        let sent = send_items(store, tree, &done, &sender);
        note_damage(store, entry, sent)
    });
    let workspace = scope.place.paths.workspace.clone();
    let unpacking = scope.place.agent.unpack(workspace, receiver);
    let (read, unpacked) = tokio::join!(reading, unpacking);
    let problems = unpacked?.problems;
    if let Err(error) = read {
        return Ok(Err(damaged(scope, &error)));
    }
    let Some(problem) = problems.first().cloned() else {
        return Ok(Ok(()));
    };
    for problem in &problems {
        scope.log.runner(problem);
    }
    scope.log.warning(tar_failed("restore", &problems));
    Ok(Err(MissReason::NotRestored { problem }))
}

fn send_items(
    store: &Store,
    tree: Digest,
    done: &[Range<usize>],
    sender: &mpsc::Sender<TreeItem>,
) -> Result<(), StoreError> {
    let entries = store.read_tree(tree)?.entries.into_iter().enumerate();
    let left = entries.filter(|(number, _)| !done.iter().any(|done| done.contains(number)));
    let tree = Tree {
        entries: left.map(|(_, entry)| entry).collect(),
    };
    for item in store.items(tree) {
        // Nobody listens any more once the place is gone.
        if sender.blocking_send(item?).is_err() {
            break;
        }
    }
    Ok(())
}

/// Sees to it that an entry with a damaged content is not found again.
fn note_damage<T>(store: &Store, entry: i64, done: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(error @ StoreError::Damaged { .. }) = &done {
        store.report_damage(entry, &error.to_string())?;
    }
    done
}

fn damaged(scope: &mut Scope<'_>, error: &StoreError) -> MissReason {
    let problem = error.to_string();
    scope.log.warning(format!("Failed to restore: {problem}"));
    MissReason::Damaged { problem, run: None }
}
