//! The skeleton: a layer that lies over this machine's directories in the places of an
//! ordinary user.
//!
//! In a user namespace what belongs to this machine's root belongs to nobody, so that nothing
//! can be made, replaced or removed in its directories, not by root inside either. But a
//! directory merged of several layers has owner and mode of the uppermost. The skeleton has
//! all directories in which packages are installed, and copies of the few files that
//! programs change in place.
//!
//! It is built once for a state of this machine and shared by all places of all lrun
//! processes. Invariants: under its name there is a whole one or none; it is held by a shared
//! lock for as long as a place uses it; whoever builds one removes those that are out of use.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::blueprint::Blueprint;
use super::recipe::Recipe;
use crate::clock;
use crate::digest::Digest;

/// Changes with what a skeleton consists of.
const FORMAT: u32 = 1;

/// An older state of this machine may come back, and an ordinary user may have two recipes.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// What a skeleton is built from; another time or size of one of them is another state.
const WITNESSES: [&str; 9] = [
    "/etc",
    "/etc/apt",
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/apt/apt.conf.d",
    "/etc/ssl/certs",
    "/usr/bin/sudo",
    "/var/lib/apt/lists",
    "/var/lib/dpkg/status",
];

/// A whole skeleton that stays as long as this lives, here or in a forked child.
pub(super) struct Skeleton {
    path: PathBuf,
    _hold: File,
}

/// What was found.
pub(super) enum Sought {
    Found(Skeleton),
    /// To be built by whoever has this.
    Missing(Missing),
}

/// The right to build a skeleton that is not there, and what is to be built.
pub(super) struct Missing {
    shared: PathBuf,
    name: String,
    lock: File,
    blueprint: Blueprint,
}

impl Skeleton {
    /// Looks for the one of this machine's state in the directory `shared`. To be called by
    /// the user who started lrun. Waits while another process builds it.
    pub(super) fn seek(shared: &Path, recipe: Recipe) -> io::Result<Sought> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(shared)?;
        let name = name(recipe);
        let path = shared.join(&name);
        loop {
            let lock = open_lock(shared, &name)?;
            lock.lock_shared()?;
            if path.exists() && is_current(&lock, shared, &name) {
                // Its last use. Failing, it would only be built again one day.
                let _ = lock.set_modified(SystemTime::UNIX_EPOCH + clock::since_epoch());
                return Ok(Sought::Found(Self { path, _hold: lock }));
            }
            lock.unlock()?;
            lock.lock()?;
            if !is_current(&lock, shared, &name) || path.exists() {
                continue;
            }
            return Ok(Sought::Missing(Missing {
                shared: shared.to_owned(),
                name,
                lock,
                blueprint: Blueprint::draw(),
            }));
        }
    }

    /// What lies over a directory of this machine.
    pub(super) fn over(&self, path: &Path) -> Option<PathBuf> {
        let layer = self.path.join(path.strip_prefix("/").ok()?);
        layer.is_dir().then_some(layer)
    }
}

impl Missing {
    /// Builds it, as root of a place, and removes what is out of use.
    pub(super) fn build(self, recipe: Recipe) -> io::Result<Skeleton> {
        let partial = partial(&self.shared, &self.name);
        remove(&partial)?;
        fs::create_dir(&partial)?;
        let path = self.shared.join(&self.name);
        let made = self
            .blueprint
            .make(recipe, &partial)
            .and_then(|()| fs::rename(&partial, &path));
        if let Err(error) = made {
            // The next builder tries again what cannot be removed now.
            let _ = remove(&partial);
            return Err(error);
        }
        sweep(&self.shared, &self.name);
        self.lock.lock_shared()?;
        Ok(Skeleton {
            path,
            _hold: self.lock,
        })
    }
}

/// What the state of this machine is called. What was built before a crash may not be whole
/// on the disk, so every boot has its own.
fn name(recipe: Recipe) -> String {
    let mut state = format!("{FORMAT} ");
    match recipe {
        Recipe::Range(ids) => state.push_str(&ids.fingerprint()),
        Recipe::Root | Recipe::User => state.push_str(&nix::unistd::geteuid().to_string()),
    }
    state.push_str(&fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default());
    for path in WITNESSES {
        if let Ok(metadata) = fs::metadata(path) {
            let (seconds, rest) = (metadata.mtime(), metadata.mtime_nsec());
            state.push_str(&format!("{path} {seconds} {rest} {}\n", metadata.len()));
        }
    }
    let mut name = Digest::of(state).to_string();
    name.truncate(16);
    name
}

/// Removes what is left of builds, and the skeletons but for the one of that name that nobody
/// has used for [`STALE`] nor holds.
fn sweep(shared: &Path, kept: &str) {
    for entry in fs::read_dir(shared).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let name = file.to_str().and_then(|name| name.strip_suffix(".lock"));
        let Some(name) = name.filter(|name| *name != kept) else {
            continue;
        };
        let Ok(lock) = open_lock(shared, name) else {
            continue;
        };
        if lock.try_lock().is_ok() && is_current(&lock, shared, name) {
            let partial = partial(shared, name);
            if shared.join(name).exists() && !is_stale(&lock) {
                // Failing, the next builder tries again.
                let _ = remove(&partial);
                continue;
            }
            // Out of sight first: what is left of a removal is no skeleton.
            let gone = remove(&partial)
                .and_then(|()| match fs::rename(shared.join(name), &partial) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => remove(&partial),
                })
                .is_ok();
            if gone {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn is_stale(lock: &File) -> bool {
    let used = lock.metadata().and_then(|metadata| metadata.modified());
    let now = SystemTime::UNIX_EPOCH + clock::since_epoch();
    // A use in the future is one before a clock was set back.
    used.is_ok_and(|used| now.duration_since(used).map_or(true, |age| age > STALE))
}

fn partial(shared: &Path, name: &str) -> PathBuf {
    shared.join(format!("{name}.partial"))
}

fn lock_path(shared: &Path, name: &str) -> PathBuf {
    shared.join(format!("{name}.lock"))
}

fn open_lock(shared: &Path, name: &str) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    options.open(lock_path(shared, name))
}

/// A lock file that was removed before it could be locked locks nothing.
fn is_current(lock: &File, shared: &Path, name: &str) -> bool {
    match (lock.metadata(), fs::metadata(lock_path(shared, name))) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
