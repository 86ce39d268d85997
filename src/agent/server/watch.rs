//! What is opened in some directories: which commands a step really used.
//!
//! Works without privilege and through overlays. Events are drained as they come, so
//! what is kept is one name per file, not one per event.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

pub(super) struct Watch {
    inotify: Inotify,
    directories: HashMap<WatchDescriptor, String>,
    opened: BTreeSet<String>,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            inotify: Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?,
            directories: HashMap::new(),
            opened: BTreeSet::new(),
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Adds directories. The first name of a directory is the one it is reported by;
    /// what is no directory is no place for commands, and is left out.
    pub(super) fn add(&mut self, directories: Vec<String>) {
        let flags = AddWatchFlags::IN_OPEN | AddWatchFlags::IN_ONLYDIR;
        for directory in directories {
            if let Ok(descriptor) = self.inotify.add_watch(directory.as_str(), flags) {
                self.directories.entry(descriptor).or_insert(directory);
            }
        }
    }

    /// Takes in what happened.
    pub(super) fn drain(&mut self) {
        while let Ok(events) = self.inotify.read_events() {
            for event in events {
                let is_directory = event.mask.contains(AddWatchFlags::IN_ISDIR);
                let directory = self.directories.get(&event.wd);
                if let (false, Some(directory), Some(name)) = (is_directory, directory, event.name)
                {
                    let name = name.to_string_lossy();
                    self.opened
                        .insert(format!("{}/{name}", directory.trim_end_matches('/')));
                }
            }
        }
    }

    /// What was opened since this was asked last.
    pub(super) fn take(&mut self) -> Vec<String> {
        self.drain();
        std::mem::take(&mut self.opened).into_iter().collect()
    }
}
