//! The end of everything in a place.

use std::collections::HashMap;
use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpid};

use crate::agent::protocol::Orphan;

/// Kills all processes of the place and reaps them. As process 1 of a namespace that is
/// everything; elsewhere it is whatever descends from this process, which as a subreaper
/// inherits the orphans.
pub(super) fn end_everything() {
    if getpid() == Pid::from_raw(1) {
        // ESRCH: nobody is left.
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        reap_all();
        return;
    }
    loop {
        let left = descendants(getpid());
        if left.is_empty() {
            return;
        }
        for pid in left {
            let _ = kill(pid, Signal::SIGKILL);
        }
        reap_all();
    }
}

/// The processes of the place, but those that have ended already.
pub(super) fn running() -> Vec<Orphan> {
    let running = descendants(getpid()).into_iter().filter_map(|pid| {
        let (name, state) = name_and_state(pid.as_raw())?;
        let pid = pid.as_raw();
        (state != 'Z').then_some(Orphan { pid, name })
    });
    running.collect()
}

fn reap_all() {
    while !matches!(waitpid(None, None), Err(Errno::ECHILD)) {}
}

/// Kills a process and all that descend from it, as the runner does after its signals
/// were in vain (`ProcessExtensions`: the tree, not the group).
pub(super) fn kill_tree(pid: Pid) {
    for pid in descendants(pid).into_iter().chain([pid]) {
        // One that ended by itself is what was wanted.
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// What descends from `ancestor`, by /proc: parents before their children.
fn descendants(ancestor: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![ancestor.as_raw()];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        let more = children.remove(pid).unwrap_or_default();
        found.extend(more);
        next += 1;
    }
    found.into_iter().skip(1).map(Pid::from_raw).collect()
}

fn name_and_state(pid: i32) -> Option<(String, char)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    Some((name.to_owned(), after.trim_start().chars().next()?))
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name stands in parentheses and may contain anything; the state and the parent
    // follow the last one (proc_pid_stat(5)).
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}
