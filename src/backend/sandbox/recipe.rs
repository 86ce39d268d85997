//! By which right a place is made: as this machine's root, or as an ordinary user who is
//! root of a user namespace with a single id.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getegid, geteuid, pause, setgroups};
use serde::{Deserialize, Serialize};

use super::error::{During, Obstacle, SandboxError};
use super::kernel::{Fork, fork_into};
use crate::agent::server::{Identity, Membership};

/// The id of the job's user and its group inside: that of `runner` on hosted images.
pub(super) const JOB: u32 = 1001;

const CAP_SYS_ADMIN: u32 = 21;

/// How a place is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Recipe {
    /// As root of this machine: one overlay over all of it. All steps belong to one user
    /// namespace of the job, in which ids are the same but root has no power outside.
    Root,
    /// As root of a user namespace in which only this user exists: an overlay for each
    /// directory without a mount below. The job's user is in a namespace inside that one.
    User,
}

impl Recipe {
    /// What this process can do.
    pub(super) fn of_this_process() -> Self {
        let all_ids = fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| {
            map.split_whitespace().collect::<Vec<_>>() == ["0", "0", "4294967295"]
        });
        if geteuid().is_root() && all_ids && has_capability(CAP_SYS_ADMIN) {
            Self::Root
        } else {
            Self::User
        }
    }

    /// The ids on this machine of what the job's user owns.
    pub(super) fn owner(self) -> (u32, u32) {
        match self {
            Self::Root => (JOB, JOB),
            Self::User => (geteuid().as_raw(), getegid().as_raw()),
        }
    }

    /// The mode by which something of root's keeps out the job's user. Where the two have the
    /// same id on this machine, the owner gets what others get; root inside needs no mode.
    pub(super) fn mode_of_roots(self, mode: u32) -> u32 {
        match self {
            Self::Root => mode,
            Self::User => (mode & !0o700) | ((mode & 0o007) << 6),
        }
    }

    /// Options of an overlay for which this recipe has the right (`redirect_dir` lets
    /// directories of the lower layer be renamed).
    pub(super) fn overlay_options(self) -> &'static str {
        match self {
            Self::Root => "volatile,redirect_dir=on",
            Self::User => "volatile,userxattr",
        }
    }

    /// The attribute that makes a directory of an upper layer hide the lower one's.
    pub(super) fn opaque_attribute(self) -> &'static str {
        match self {
            Self::Root => "trusted.overlay.opaque",
            Self::User => "user.overlay.opaque",
        }
    }

    /// Becomes root of what the recipe allows.
    pub(super) fn acquire(self) -> Result<(), SandboxError> {
        match self {
            Self::Root => setgroups(&[]).during("leave the groups of", "this process"),
            Self::User => {
                let (uid, gid) = (geteuid(), getegid());
                unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno| SandboxError::Forbidden {
                    namespace: "user".to_owned(),
                    obstacle: Obstacle::of_this_machine(errno),
                    errno: errno as i32,
                })?;
                write_maps(
                    Path::new("/proc/self"),
                    &[(0, uid.as_raw(), 1)],
                    Some((0, gid.as_raw(), 1)),
                )
            }
        }
    }

    /// Makes the user namespaces of the steps: called once all mounts are made.
    pub(super) fn identity(self) -> Result<Identity, SandboxError> {
        let membership = match self {
            Self::Root => {
                let all = [(0, 0, u32::MAX)];
                Membership::Steps(user_namespace(|process| write_maps(process, &all, None))?)
            }
            Self::User => Membership::JobOnly(user_namespace(|process| {
                write_maps(process, &[(JOB, 0, 1)], Some((JOB, 0, 1)))
            })?),
        };
        Ok(Identity {
            uid: JOB,
            gid: JOB,
            membership,
            dies_with_parent: true,
        })
    }
}

/// A line of a map: first id inside, first id outside, how many.
type Extent = (u32, u32, u32);

/// Writes the maps of a process that is in a new user namespace. `only_group`: the one
/// group there is, for whoever may not set groups; else groups are mapped as users are.
fn write_maps(
    process: &Path,
    users: &[Extent],
    only_group: Option<Extent>,
) -> Result<(), SandboxError> {
    let write = |name: &str, text: String| {
        let path = process.join(name);
        fs::write(&path, text).during("write", &path)
    };
    let lines = |extents: &[Extent]| -> String {
        extents
            .iter()
            .map(|(inside, outside, count)| format!("{inside} {outside} {count}\n"))
            .collect()
    };
    write("uid_map", lines(users))?;
    match only_group {
        None => write("gid_map", lines(users)),
        Some(group) => {
            write("setgroups", "deny".to_owned())?;
            write("gid_map", lines(&[group]))
        }
    }
}

/// A new user namespace below this one, kept alive by its descriptor alone.
fn user_namespace(
    map: impl FnOnce(&Path) -> Result<(), SandboxError>,
) -> Result<OwnedFd, SandboxError> {
    let holder = match fork_into(CloneFlags::CLONE_NEWUSER) {
        Ok(Fork::Parent(holder)) => holder,
        Ok(Fork::Child) => loop {
            pause();
        },
        Err(errno) => {
            return Err(SandboxError::Forbidden {
                namespace: "user".to_owned(),
                obstacle: Obstacle::of_this_machine(errno),
                errno: errno as i32,
            });
        }
    };
    let process = Path::new("/proc").join(holder.to_string());
    let made = map(&process).and_then(|()| {
        let path = process.join("ns/user");
        fs::File::open(&path).during("open", &path)
    });
    end(holder);
    made.map(OwnedFd::from)
}

fn end(holder: Pid) {
    let _ = kill(holder, Signal::SIGKILL);
    let _ = waitpid(holder, None);
}

fn has_capability(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .is_some_and(|set| set & (1 << number) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_roots_is_not_the_jobs_where_both_have_one_id() {
        for (mode, shown) in [(0o755, 0o555), (0o640, 0o040), (0o700, 0), (0o1777, 0o1777)] {
            assert_eq!(Recipe::User.mode_of_roots(mode), shown);
            assert_eq!(Recipe::Root.mode_of_roots(mode), mode);
        }
    }
}
