//! What `tar --posix -cf cache.tzst --exclude cache.tzst -P -C WORKSPACE --files-from MANIFEST`
//! would put into an archive, in a stream.
//!
//! Differs from tar in two ways, both on purpose: directories are read in the order of their
//! names' bytes, so that equal directories give equal trees; named pipes and devices are left
//! out like sockets, since a tree has no place for them.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use nix::unistd::{getegid, geteuid};

use super::content::{Ending, Sink, member, send_content};
use super::manifest::Manifest;
use super::problem::Problems;
use crate::tree::{self, GlobError, Kind, Roots, Stat, TreeItem};

/// The toolkit excludes the archive it is writing, by its name, wherever that occurs.
const EXCLUDED: &[u8] = b"cache.tzst";

/// What to pack, and from where.
#[derive(Debug, Clone, Copy)]
pub struct PackRequest<'a> {
    /// The `path:` lines of the step.
    pub paths: &'a [String],
    /// What relative patterns and the members' paths, and `~`, are relative to.
    pub roots: Roots<'a>,
    /// Files whose content the receiver has: it is neither read nor sent.
    pub known: &'a HashSet<Stat>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packed {
    /// For each `path:` line, how many members it named itself; all zero: nothing to save.
    pub matched: Vec<u64>,
    /// tar's standard error; not empty: tar would have failed and nothing may be saved.
    pub problems: Vec<String>,
}

/// Why nothing was packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The patterns are not acceptable, or a directory cannot be searched.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// The receiver of the items failed.
    #[error("cannot hand on packed files: {0}")]
    Sink(io::Error),
}

/// Packs as the calling user. Members come as tar has them: a directory before what is in it,
/// a file that is reached twice as a hard link the second time, links never followed.
/// Exactly as many bytes follow a file as its member says, whatever happens to it meanwhile.
pub fn pack(request: &PackRequest<'_>, sink: Sink<'_>) -> Result<Packed, PackError> {
    let manifest = Manifest::new(request.paths, request.roots)?;
    let mut packer = Packer {
        workspace: PathBuf::from(request.roots.workspace),
        sink,
        known: request.known,
        user: geteuid().as_raw(),
        group: getegid().as_raw(),
        seen: HashMap::new(),
        problems: Problems::default(),
    };
    for name in manifest.names {
        packer.add(&name, Depth::Listed).map_err(PackError::Sink)?;
    }
    Ok(Packed {
        matched: manifest.matched,
        problems: packer.problems.into_lines(),
    })
}

/// Whether a name stands in the manifest or was met below one that does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Listed,
    Below,
}

struct Packer<'a> {
    workspace: PathBuf,
    sink: Sink<'a>,
    known: &'a HashSet<Stat>,
    /// Who packs.
    user: u32,
    group: u32,
    /// Device and inode of every member but directories, with the first name it had.
    seen: HashMap<(u64, u64), Vec<u8>>,
    problems: Problems,
}

/// Errors of a [`Packer`]'s methods are the sink's; those of the files become problems.
impl Packer<'_> {
    fn add(&mut self, name: &[u8], depth: Depth) -> io::Result<()> {
        if name.rsplit(|&byte| byte == b'/').next() == Some(EXCLUDED) {
            return Ok(());
        }
        match fs::symlink_metadata(self.path(name)) {
            Ok(metadata) if metadata.is_dir() => self.add_directory(name, &metadata, depth),
            Ok(metadata) if metadata.is_file() => self.add_file(name, &metadata, depth),
            Ok(metadata) if metadata.is_symlink() => self.add_symlink(name, &metadata, depth),
            Ok(_) => Ok(()),
            Err(error) => {
                self.lost(name, "stat", &error, depth);
                Ok(())
            }
        }
    }

    fn add_directory(&mut self, name: &[u8], before: &Metadata, depth: Depth) -> io::Result<()> {
        let names = fs::read_dir(self.path(name))
            .and_then(|entries| entries.map(|e| Ok(e?.file_name())).collect());
        let mut names: Vec<_> = match names {
            Ok(names) => names,
            Err(error) => {
                self.lost(name, "open", &error, depth);
                return Ok(());
            }
        };
        names.sort_unstable();
        self.emit(name, Kind::Directory, before)?;
        for child in names {
            let child = [name, b"/", child.as_bytes()].concat();
            self.add(&child, Depth::Below)?;
        }
        let after = fs::symlink_metadata(self.path(name));
        self.compare(name, before, after.as_ref());
        Ok(())
    }

    fn add_file(&mut self, name: &[u8], metadata: &Metadata, depth: Depth) -> io::Result<()> {
        if self.is_known(metadata) {
            if !self.add_link_to_seen(name, metadata)? {
                self.emit_file(name, metadata, true)?;
            }
            return Ok(());
        }
        // tar opens a file before it asks whether it has it already.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(self.path(name));
        let mut file = match file {
            Ok(file) => file,
            Err(error) => {
                self.lost(name, "open", &error, depth);
                return Ok(());
            }
        };
        if self.add_link_to_seen(name, metadata)? {
            return Ok(());
        }
        self.emit_file(name, metadata, false)?;
        if self.send_content(name, &mut file, metadata.len())? {
            self.compare(name, metadata, file.metadata().as_ref());
        }
        Ok(())
    }

    /// Whether the receiver has the content, and tar could read it.
    fn is_known(&self, metadata: &Metadata) -> bool {
        let is_readable = metadata.uid() == self.user && metadata.mode() & 0o400 != 0;
        is_readable && self.known.contains(&stat(metadata))
    }

    fn add_symlink(&mut self, name: &[u8], metadata: &Metadata, depth: Depth) -> io::Result<()> {
        if self.add_link_to_seen(name, metadata)? {
            return Ok(());
        }
        match fs::read_link(self.path(name)) {
            Ok(target) => {
                let target = target.as_os_str().as_bytes().to_vec();
                self.emit(name, Kind::Symlink { target }, metadata)
            }
            Err(error) => {
                self.lost(name, "read link", &error, depth);
                Ok(())
            }
        }
    }

    /// Emits a hard link when the file is in the archive already; notes it down otherwise.
    fn add_link_to_seen(&mut self, name: &[u8], metadata: &Metadata) -> io::Result<bool> {
        let identity = (metadata.dev(), metadata.ino());
        if let Some(first) = self.seen.get(&identity) {
            let target = first.clone();
            self.emit(name, Kind::Hardlink { target }, metadata)?;
            return Ok(true);
        }
        self.seen.insert(identity, name.to_vec());
        Ok(false)
    }

    /// Sends exactly `size` bytes; whether all of them are the file's.
    fn send_content(&mut self, name: &[u8], file: &mut File, size: u64) -> io::Result<bool> {
        match send_content(file, size, self.sink)? {
            Ending::Whole => return Ok(true),
            Ending::Short(missing) => {
                let what = format!("File shrank by {missing} bytes; padding with zeros");
                self.problems.differs(name, &what);
            }
            Ending::Unreadable(error) => self.problems.cannot(name, "read", &error),
        }
        Ok(false)
    }

    fn emit(&mut self, name: &[u8], kind: Kind<()>, metadata: &Metadata) -> io::Result<()> {
        self.emit_with_stat(name, kind, metadata, false)
    }

    fn emit_file(&mut self, name: &[u8], metadata: &Metadata, known: bool) -> io::Result<()> {
        let size = metadata.len();
        self.emit_with_stat(name, Kind::File { size, content: () }, metadata, known)
    }

    fn emit_with_stat(
        &mut self,
        name: &[u8],
        kind: Kind<()>,
        metadata: &Metadata,
        known: bool,
    ) -> io::Result<()> {
        (self.sink)(TreeItem::Member(member(name, kind, metadata)))?;
        // What belongs to somebody else would not be the same file after a restore.
        let stat = match metadata.uid() == self.user && metadata.gid() == self.group {
            // Neither would one that has what an archive does not keep. Directories are tidied.
            true if metadata.is_file() && !known && self.has_attributes(name) => Stat::UNKNOWN,
            true => stat(metadata),
            false => Stat::UNKNOWN,
        };
        (self.sink)(TreeItem::Stat { stat, known })
    }

    fn has_attributes(&self, name: &[u8]) -> bool {
        let attributes = tree::attributes(&self.path(name));
        attributes.is_ok_and(|attributes| !attributes.is_empty())
    }

    /// tar does not mind much that a file below a directory vanishes before its turn.
    fn lost(&mut self, name: &[u8], action: &str, error: &io::Error, depth: Depth) {
        if depth == Depth::Below && error.kind() == io::ErrorKind::NotFound {
            self.problems
                .differs(name, "File removed before we read it");
        } else {
            self.problems.cannot(name, action, error);
        }
    }

    fn compare(&mut self, name: &[u8], before: &Metadata, after: Result<&Metadata, &io::Error>) {
        let change = |of: &Metadata| (of.ctime(), of.ctime_nsec());
        match after {
            Ok(after) if change(after) == change(before) && after.len() <= before.len() => {}
            Ok(_) => self.problems.differs(name, "file changed as we read it"),
            Err(error) => self.problems.cannot(name, "stat", error),
        }
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        self.workspace.join(OsStr::from_bytes(name))
    }
}

fn stat(metadata: &Metadata) -> Stat {
    Stat {
        ino: metadata.ino(),
        ctime_ns: metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec(),
    }
}
