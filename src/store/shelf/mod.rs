//! Trees laid out as real directories, waiting to be used again.
//!
//! A tree on the shelf is *leased* to a job: renamed into its place, whatever its size. After the
//! job it is *put back*: compared with its manifest, repaired where the job changed it, renamed
//! onto the shelf. Each lease compares again, so a tree that anyone touched meanwhile is never
//! handed out. The index has a row for each tree; its directory is `shelf/ID`:
//!
//!     tree        the directory itself; elsewhere while it is leased
//!     manifest    what it consists of and what lstat says of each part
//!
//! Whoever finds a tree of a job that has ended may put it back; a lock per run keeps two from
//! doing so at once. What is interrupted is done again from the start: comparing tells what is
//! left to do.

mod inspect;
mod layout;
mod manifest;
mod slots;
mod tidy;

pub(super) use layout::certain_before;
pub use manifest::{Laid, Manifest};
pub use slots::{Holder, Leased, NewSlot, tree_key};

/// Who the files of a job belong to, as this machine counts: the job's user, or the user lrun
/// runs as where a user namespace shows that one as the job's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}
