//! What `uses:` of a step leads to: an action's manifest, and the files of its repository.
//!
//! Actions of other repositories are fetched once by the user's own git ([`crate::git::Remote`]), at the
//! commit that their tag or branch stands for; what GitHub would deliver of that commit (`git archive`)
//! is kept in the store as a tree. Which commit a ref was is written down, and asked again after a day.
//! So a run that went online once needs no network again.
//!
//! Not its job: what an action does; where its files are laid out for a job; credentials, which are git's.

mod actions;
mod archived;
mod content;
mod files;
mod folder;
mod mapping;
mod missing;
mod own;
mod records;
mod reference;

pub use actions::{ActionOptions, Actions, Resolution, Wanted};
pub use content::Resolved;
pub use files::Files;
pub use mapping::{InvalidMapping, Mapping};
pub use missing::{Missing, MissingReason};
pub use own::Own;
pub use reference::ActionReference;

/// What the tree of an action's repository has above its files.
pub const TREE_ROOT: &str = "action";
