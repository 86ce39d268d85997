//! Directories as data: what a cache entry, a checkout or an artifact consists of, the
//! two glob dialects, and `hashFiles`.
//!
//! Reads directories; writes nothing.

mod entry;

pub use entry::{Entry, Kind, Member, Tree};
