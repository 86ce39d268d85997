//! The one wrapper of the git command: what a repository is, and what a run of it starts from.
//!
//! The user's repository and folder are **never written**: no index refresh, no object, no ref,
//! no gc, no LFS store, no fetch of what a partial clone lacks. What has to be written goes to a
//! directory of lrun's own that has the user's objects as alternates. What comes from other
//! machines ([`Remote`]) goes to repositories of lrun's own.
//!
//! Everything here blocks on child processes: call it from a blocking task.

mod command;
mod contents;
mod error;
mod facts;
mod folder;
mod lfs;
mod origin;
mod range;
mod refs;
mod remote;
mod repository;
mod snapshot;
mod writer;

pub use command::Git;
pub use error::GitError;
pub use facts::{Facts, Head};
pub use lfs::LfsPointer;
pub use origin::Origin;
pub use range::{Changes, MOST_COMMITS, Range, RangeStart, commit_named};
pub use refs::{Ref, Refs};
pub use remote::{Depth, Remote, RemoteError, is_commit_id};
pub use repository::Repository;
pub use snapshot::{Commit, Content, Merge, Snapshot};
