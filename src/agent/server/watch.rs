//! What is opened of some files and in some directories: which commands a step really used.
//!
//! Works without privilege and through overlays. Events are drained every few milliseconds,
//! so what is kept is one name per file, not one per event, and a process that opens many
//! files does not wake the agent for each.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use crate::clock::Moment;

pub(super) struct Watch {
    inotify: Inotify,
    watched: HashMap<WatchDescriptor, String>,
    opened: BTreeSet<String>,
    drained: Option<Moment>,
}

/// How long events are let to queue up: the kernel keeps 16,384, more than can come meanwhile.
const REST: Duration = Duration::from_millis(5);

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            inotify: Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?,
            watched: HashMap::new(),
            opened: BTreeSet::new(),
            drained: None,
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Adds directories and files. The first name of each is the one it is reported by;
    /// what is not there, or may not be watched, is left out.
    pub(super) fn add(&mut self, paths: Vec<String>) {
        for path in paths {
            let descriptor = self
                .inotify
                .add_watch(path.as_str(), AddWatchFlags::IN_OPEN);
            if let Ok(descriptor) = descriptor {
                self.watched.entry(descriptor).or_insert(path);
            }
        }
    }

    /// How long nobody is to look for events yet; none if it is time.
    pub(super) fn rest(&self) -> Option<Duration> {
        let passed = self.drained?.elapsed();
        REST.checked_sub(passed).filter(|rest| !rest.is_zero())
    }

    /// Takes in what happened.
    pub(super) fn drain(&mut self) {
        self.drained = Some(Moment::now());
        while let Ok(events) = self.inotify.read_events() {
            for event in events {
                let is_directory = event.mask.contains(AddWatchFlags::IN_ISDIR);
                if let (false, Some(path)) = (is_directory, self.watched.get(&event.wd)) {
                    self.opened.insert(match event.name {
                        Some(name) => format!("{path}/{}", name.to_string_lossy()),
                        None => path.clone(),
                    });
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
