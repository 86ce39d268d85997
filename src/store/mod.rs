//! Everything lrun keeps between runs: contents by their digest, cache entries, artifacts,
//! runs. One directory, shared by any number of lrun processes at once.
//!
//! - A blob is written to a temporary file and renamed; it never changes and is verified
//!   whenever it is read. Equal contents are kept once.
//! - The index is an SQLite database in WAL mode. What it does not name does not exist: a
//!   process that dies in the middle leaves blobs nobody refers to, never half an entry.
//! - Cache entries have GitHub's identity (repository, scope, key, version) and are immutable.
//!
//! Everything here blocks; callers in asynchronous code go through a blocking task.

mod artifacts;
mod attempts;
mod blobs;
mod cache;
mod cold;
mod contents;
mod error;
mod groups;
mod index;
mod matching;
mod nearest;
mod packing;
mod reservation;
mod root;
mod roots;
mod runs;
mod shelf;

pub use artifacts::{Artifact, NewArtifact};
pub use blobs::Content;
pub use cache::{CacheAnswer, CacheQuery, StepAddress, View};
pub use cold::{ColdJob, ColdStep};
pub use contents::{Seen, StoredTree, TreeItems, TreeWriter};
pub use error::StoreError;
pub use groups::{GroupHolder, GroupRequest, Queue, Ticket, Turn};
pub use reservation::{CacheIdentity, NewEntry, Reservation, Reserve, Saver};
pub use root::{Store, is_in_a_store};
pub use roots::{Root, Roots};
pub use runs::{NewRun, REMOVER, remove_tree};
pub use shelf::{Holder, Laid, Leased, Manifest, NewSlot, Owner, tree_key};
