//! Laying a cache entry out in a job's place.
//!
//! A directory of the entry that meets nothing in the job's home is put there by one rename:
//! from the shelf, or laid out beside it first. Everything else (what must merge with files that
//! are there, single files, targets outside the home, directories that the job's user may not
//! write to) is unpacked inside the place, as that user and by tar's rules.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tempfile::TempDir;
use tokio::sync::mpsc;

use super::batches::Batches;
use super::cache::tar_failed;
use super::outside::Outside;
use super::{Scope, in_store};
use crate::agent::{AgentError, Batch};
use crate::digest::Digest;
use crate::event::Transfer;
use crate::exec::spot::Spot;
use crate::lookup::{EntrySummary, MissReason};
use crate::store::{Manifest, NewSlot, Root, Seen, Store, StoreError, tree_key};
use crate::tree::{Entry, Tree};

/// What a directory is called where it is laid out.
const TREE: &str = "tree";

/// Lays a stored tree out in the job's place.
pub(super) async fn lay_out(
    scope: &mut Scope<'_>,
    entry: &EntrySummary,
    tree: Digest,
) -> Result<Result<(), MissReason>, AgentError> {
    let outside = Outside::of(scope);
    let transfer = Arc::new(scope.log.transfer(Some(entry.size)));
    let (entry, moved) = (entry.id, Arc::clone(&transfer));
    let put = in_store(scope, move |store| {
        note_damage(store, entry, outside.put(store, tree, &moved))
    });
    match put.await {
        Ok(Put { all: true, .. }) => Ok(Ok(())),
        Ok(Put { members, .. }) => {
            let left = Left {
                tree,
                done: members,
            };
            unpack(scope, entry, left, transfer).await
        }
        Err(error) => Ok(Err(damaged(scope, &error))),
    }
}

/// What was put in place by renames.
struct Put {
    all: bool,
    /// Which members of the tree these were.
    members: Vec<Range<usize>>,
}

/// What of a tree is still to be unpacked.
struct Left {
    tree: Digest,
    /// Members that are in place already.
    done: Vec<Range<usize>>,
}

impl Outside {
    /// Puts those directories of a tree in place that meet nothing there.
    fn put(&self, store: &Store, tree: Digest, moved: &Transfer) -> Result<Put, StoreError> {
        let roots = store.tree_roots(tree)?;
        let mut read = None;
        let mut put = Vec::new();
        for (number, root) in roots.roots.iter().enumerate() {
            let key = tree_key(tree, number);
            let members = || {
                let all = match read.take() {
                    Some(all) => all,
                    None => store.read_tree(tree)?.entries,
                };
                let own = all[root.members.clone()].to_vec();
                read = Some(all);
                Ok(own)
            };
            if self.put_root(store, (&key, root), members, moved)? {
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
        (key, root): (&str, &Root),
        members: impl FnOnce() -> Result<Vec<Entry>, StoreError>,
        moved: &Transfer,
    ) -> Result<bool, StoreError> {
        match self.inside(root) {
            Some(inside) => self.put_at(store, (key, &inside), members, moved.bytes()),
            None => Ok(false),
        }
    }

    /// Whether a directory of the store could be put at `inside`, a path below the home, by a rename:
    /// from the shelf, else laid out beside it first.
    pub(super) fn put_at(
        &self,
        store: &Store,
        (key, inside): (&str, &Path),
        members: impl FnOnce() -> Result<Vec<Entry>, StoreError>,
        moved: &AtomicU64,
    ) -> Result<bool, StoreError> {
        let Ok(spot) = Spot::reach(&self.home, inside, self.run.owner()) else {
            return Ok(false);
        };
        if spot.is_free() != Ok(true) {
            return Ok(false);
        }
        let place = self.home.join(inside);
        // A shelf that cannot be used is an empty one.
        if let Ok(Some(leased)) = store.lease(key, &self.holder, &place) {
            return Ok(spot.fill(&leased.directory).is_ok());
        }
        let members = members()?;
        let mut laid = self.lay_out(store, &members, moved);
        if matches!(laid, Err(StoreError::Full { .. })) {
            // What waits there is not worth more than what is needed now.
            store.trim_shelf_to(0)?;
            laid = self.lay_out(store, &members, moved);
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
    fn lay_out(
        &self,
        store: &Store,
        members: &[Entry],
        moved: &AtomicU64,
    ) -> Result<(TempDir, Manifest), StoreError> {
        let beside = tempfile::Builder::new()
            .prefix("restore-")
            .tempdir_in(&self.staging)
            .map_err(|source| StoreError::Io {
                path: self.staging.clone(),
                source,
            })?;
        let directory = beside.path().join(TREE);
        let manifest = store.lay_out(members, &directory, self.run.owner(), moved)?;
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
    left: Left,
    moved: Arc<Transfer>,
) -> Result<Result<(), MissReason>, AgentError> {
    let (sender, receiver) = mpsc::channel(4);
    let reading = in_store(scope, move |store| {
        let sent = send_items(store, &left, sender, &moved);
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
    left: &Left,
    sender: mpsc::Sender<Batch>,
    moved: &Transfer,
) -> Result<(), StoreError> {
    let entries = store.read_tree(left.tree)?.entries.into_iter().enumerate();
    let is_done = |number: &usize| left.done.iter().any(|done| done.contains(number));
    let left = entries.filter(|(number, _)| !is_done(number));
    let tree = Tree {
        entries: left.map(|(_, entry)| entry).collect(),
    };
    let mut batches = Batches::new(sender, moved);
    for item in store.items(tree) {
        // Nobody listens any more once the place is gone.
        if batches.push(item?).is_err() {
            return Ok(());
        }
    }
    let _ = batches.finish();
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
