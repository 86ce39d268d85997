//! By which right a place is made: as this machine's root, or as an ordinary user who is
//! root of a user namespace, with subordinate ids or with a single one.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{
    Gid, Pid, Uid, getegid, geteuid, getpid, getppid, pause, setgroups, setresgid, setresuid,
};

use super::error::{During, Obstacle, SandboxError};
use super::kernel::{Fork, fork_into};
use super::subids::{Lack, SubIds};
use crate::agent::server::{Identity, Membership};
use crate::backend::Shortcoming;

/// The id of the job's user and its group inside: that of `runner` on hosted images.
pub(super) const JOB: u32 = 1001;

const CAP_SYS_ADMIN: u32 = 21;

/// How a place is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipe {
    /// As root of this machine: one overlay over all of it. All steps belong to one user
    /// namespace of the job, in which ids are the same but root has no power outside.
    Root,
    /// As root of a user namespace with this user's subordinate ids: an overlay for each
    /// directory without a mount below. This user's own id is the job's user. Steps are in a
    /// namespace of their own as those of [`Recipe::Root`] are.
    Range(SubIds),
    /// As root of a user namespace in which only this user exists: overlays as above. The
    /// job's user and the root of its `sudo` are in two namespaces inside that one.
    User,
}

/// The right to make a place, not yet exercised: this process is who it was.
pub(super) struct Right {
    pub(super) recipe: Recipe,
    /// The namespace of [`Recipe::Range`], with its maps.
    namespace: Option<OwnedFd>,
    /// Why there are no subordinate ids.
    lack: Option<Lack>,
}

impl Right {
    /// The best that this process has.
    pub(super) fn of_this_process() -> Self {
        let right = |recipe, namespace, lack| Self {
            recipe,
            namespace,
            lack,
        };
        match Recipe::of_this_process() {
            Ok(Recipe::Range(ids)) => match range_namespace(ids) {
                Ok(namespace) => right(Recipe::Range(ids), Some(namespace), None),
                // Where no namespace can be made at all, the other recipe says why.
                Err(_) => right(Recipe::User, None, Some(Lack::Refused)),
            },
            Ok(recipe) => right(recipe, None, None),
            Err(lack) => right(Recipe::User, None, Some(lack)),
        }
    }

    /// What root of a place cannot do by this right.
    pub(super) fn shortcomings(&self) -> Vec<Shortcoming> {
        match (self.recipe, &self.lack) {
            (Recipe::Root, _) => Vec::new(),
            (_, Some(lack)) => vec![Shortcoming::SingleId {
                reason: lack.to_string(),
                remedy: lack.remedy(),
            }],
            (_, None) => vec![Shortcoming::ForeignFiles],
        }
    }

    /// Becomes root of what the recipe allows.
    pub(super) fn exercise(self) -> Result<Recipe, SandboxError> {
        match self.namespace {
            Some(namespace) => enter(&namespace)?,
            None if self.recipe == Recipe::Root => {
                setgroups(&[]).during("leave the groups of", "this process")?;
            }
            None => enter_alone()?,
        }
        Ok(self.recipe)
    }
}

impl Recipe {
    /// What this process should be able to do; why it has no subordinate ids.
    pub(super) fn of_this_process() -> Result<Self, Lack> {
        let all_ids = fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| {
            map.split_whitespace().collect::<Vec<_>>() == ["0", "0", "4294967295"]
        });
        if geteuid().is_root() && all_ids && has_capability(CAP_SYS_ADMIN) {
            Ok(Self::Root)
        } else {
            SubIds::of_this_user().map(Self::Range)
        }
    }

    /// The ids on this machine of what the job's user owns, seen by lrun itself.
    pub(super) fn owner() -> (u32, u32) {
        match Self::of_this_process() {
            Ok(Self::Root) => (JOB, JOB),
            _ => (geteuid().as_raw(), getegid().as_raw()),
        }
    }

    /// The job's user and root are two users.
    pub(super) fn has_ids(self) -> bool {
        self != Self::User
    }

    /// The mode by which something of root's keeps out the job's user. Where the two have the
    /// same id on this machine, the owner gets what others get; root inside needs no mode.
    pub(super) fn mode_of_roots(self, mode: u32) -> u32 {
        match self {
            Self::Root | Self::Range(_) => mode,
            Self::User => (mode & !0o700) | ((mode & 0o007) << 6),
        }
    }

    /// Options of an overlay for which this recipe has the right (`redirect_dir` lets
    /// directories of the lower layer be renamed).
    pub(super) fn overlay_options(self) -> &'static str {
        match self {
            Self::Root => "volatile,redirect_dir=on",
            Self::Range(_) | Self::User => "volatile,userxattr",
        }
    }

    /// The attribute that makes a directory of an upper layer hide the lower one's.
    pub(super) fn opaque_attribute(self) -> &'static str {
        match self {
            Self::Root => "trusted.overlay.opaque",
            Self::Range(_) | Self::User => "user.overlay.opaque",
        }
    }

    /// Makes the user namespaces of the steps: called once all mounts are made.
    pub(super) fn identity(self) -> Result<Identity, SandboxError> {
        let membership = match self {
            Self::Root => {
                let all = vec![(0, 0, u32::MAX)];
                Membership::Steps(mapped_namespace(&[all.clone(), all], Groups::Free)?)
            }
            Self::Range(ids) => {
                // Kept until now: the way to the store may lead through a directory of theirs.
                setgroups(&[]).during("leave the groups of", "this process")?;
                Membership::Steps(mapped_namespace(&ids.identity(), Groups::Free)?)
            }
            Self::User => {
                let single =
                    |id| mapped_namespace(&[vec![(id, 0, 1)], vec![(id, 0, 1)]], Groups::Fixed);
                Membership::Single {
                    job: single(JOB)?,
                    root: single(0)?,
                }
            }
        };
        Ok(Identity {
            uid: JOB,
            gid: JOB,
            membership,
            dies_with_parent: true,
        })
    }
}

/// Root of a user namespace that has only this user.
fn enter_alone() -> Result<(), SandboxError> {
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(forbidden)?;
    let maps = [vec![(0, uid.as_raw(), 1)], vec![(0, gid.as_raw(), 1)]];
    write_maps(Path::new("/proc/self"), &maps, Groups::Fixed)
}

/// Root of that user namespace.
fn enter(namespace: &OwnedFd) -> Result<(), SandboxError> {
    let this = "this process";
    setns(namespace, CloneFlags::CLONE_NEWUSER).during("enter the user namespace of", this)?;
    let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
    setresgid(group, group, group).during("change the group of", this)?;
    setresuid(user, user, user).during("change the user of", this)?;
    // A new user's process may not write to its own /proc files otherwise.
    prctl::set_dumpable(true).during("open the /proc files of", this)
}

fn range_namespace(ids: SubIds) -> Result<OwnedFd, Lack> {
    user_namespace(|process| ids.map(process)).map_err(|_| Lack::Refused)?
}

fn mapped_namespace(maps: &[Vec<Extent>; 2], groups: Groups) -> Result<OwnedFd, SandboxError> {
    user_namespace(|process| write_maps(process, maps, groups))?
}

fn forbidden(errno: nix::errno::Errno) -> SandboxError {
    SandboxError::Forbidden {
        namespace: "user".to_owned(),
        obstacle: Obstacle::of_this_machine(errno),
        errno: errno as i32,
    }
}

/// A line of a map: first id inside, first id outside, how many.
pub(super) type Extent = (u32, u32, u32);

/// Whether processes of a user namespace may change the groups they are in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Groups {
    Free,
    /// The price of a map that an ordinary user writes.
    Fixed,
}

/// Writes the maps, of users and of groups, of a process that is in a new user namespace.
fn write_maps(
    process: &Path,
    [users, groups]: &[Vec<Extent>; 2],
    freedom: Groups,
) -> Result<(), SandboxError> {
    let write = |name: &str, text: String| {
        let path = process.join(name);
        fs::write(&path, text).during("write", &path)
    };
    let lines = |extents: &[Extent]| -> String {
        let lines = extents.iter();
        lines
            .map(|(inside, outside, count)| format!("{inside} {outside} {count}\n"))
            .collect()
    };
    write("uid_map", lines(users))?;
    if freedom == Groups::Fixed {
        write("setgroups", "deny".to_owned())?;
    }
    write("gid_map", lines(groups))
}

/// A new user namespace below this one, kept alive by its descriptor alone.
fn user_namespace<E>(
    map: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Result<OwnedFd, E>, SandboxError> {
    let parent = getpid();
    let holder = match fork_into(CloneFlags::CLONE_NEWUSER).map_err(forbidden)? {
        Fork::Parent(holder) => holder,
        Fork::Child => hold(parent),
    };
    let process = Path::new("/proc").join(holder.to_string());
    let made = map(&process).map(|()| {
        let path = process.join("ns/user");
        fs::File::open(&path).during("open", &path)
    });
    end(holder);
    match made {
        Ok(opened) => opened.map(|file| Ok(file.into())),
        Err(error) => Ok(Err(error)),
    }
}

/// Keeps a namespace alive until it is killed, or until `parent` dies.
fn hold(parent: Pid) -> ! {
    let bound = prctl::set_pdeathsig(Signal::SIGKILL);
    loop {
        if bound.is_err() || getppid() != parent {
            // Nobody waits for it any more.
            let _ = kill(getpid(), Signal::SIGKILL);
        }
        pause();
    }
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
