//! Directories as data: what a cache entry, a checkout or an artifact consists of, the
//! glob dialect of the toolkit, and `hashFiles`.
//!
//! Reads directories; writes nothing.

mod attributes;
mod below;
mod entry;
mod files;
mod glob;
mod hash_files;
mod name;
mod pattern;
mod segment;
mod set;

pub use attributes::attributes;
pub use below::{Below, on_all_processors};
pub use entry::{Entry, Kind, Member, Stat, Stored, Tree, TreeItem};
pub use files::{FileKind, Files, HostFiles, Links};
pub use glob::{Found, Glob, GlobError, GlobOptions, Roots};
pub use hash_files::{
    HashFilesError, HashedFiles, InvalidHashOption, hash_files, hash_files_arguments, hash_files_in,
};
pub use name::{NamePattern, UnknownPattern};
