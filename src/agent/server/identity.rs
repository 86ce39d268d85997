//! Who processes and file operations of a place act as.
#![expect(
    unsafe_code,
    reason = "capset has no wrapper; a job must not keep the namespace's capabilities"
)]

use std::io;
use std::os::fd::OwnedFd;

use nix::sched::{CloneFlags, setns};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setegid, seteuid, setgroups, setresgid, setresuid};

use crate::agent::protocol::User;

/// The job's user of a place, and how to become it. The agent itself is root there.
#[derive(Debug)]
pub struct Identity {
    /// The job's user id inside, 1001 in a hosted runner's stand-in.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Which user namespace whom belongs to.
    pub membership: Membership,
    /// The agent is to die with its parent. Every change of credentials clears that, so
    /// it has to be said again.
    pub dies_with_parent: bool,
}

/// The user namespaces of a place.
#[derive(Debug)]
pub enum Membership {
    /// There is none beside the agent's own.
    Shared,
    /// All processes of the job, root's too, belong to this one: its root is nobody
    /// outside. Ids are the same in both.
    Steps(OwnedFd),
    /// There is a single id: the job's user is that id in one namespace, root in the other.
    Single {
        /// That of the job's user.
        job: OwnedFd,
        /// That of root: nobody outside, as with [`Membership::Steps`].
        root: OwnedFd,
    },
}

impl Identity {
    /// Becomes `user` for good. For a forked child: safe between fork and exec.
    pub(super) fn assume(&self, user: User) -> io::Result<()> {
        let namespace = match (&self.membership, user) {
            (Membership::Shared, _) => None,
            (Membership::Steps(namespace), _) => Some(namespace),
            (Membership::Single { job, .. }, User::Job) => Some(job),
            (Membership::Single { root, .. }, User::Root) => Some(root),
        };
        if let Some(namespace) = namespace {
            setns(namespace, CloneFlags::CLONE_NEWUSER)?;
        }
        if user == User::Root {
            return Ok(());
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        if !matches!(self.membership, Membership::Single { .. }) {
            setgroups(&[gid])?;
            setresgid(gid, gid, gid)?;
            setresuid(uid, uid, uid)?;
        }
        // Joining a namespace gave all capabilities in it; exec would drop them, a worker
        // does not exec.
        set_capabilities(Capabilities::NONE)
    }

    /// Does something as `user`, then is root again. For operations that cannot block.
    pub(super) fn acting_as<T>(
        &self,
        user: User,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        if user == User::Root {
            return operation();
        }
        if matches!(self.membership, Membership::Single { .. }) {
            // The same id as root's: capabilities are all that tells the two apart.
            let all = capabilities()?;
            set_capabilities(Capabilities {
                effective: [0; 2],
                ..all
            })?;
            let result = operation();
            set_capabilities(all)?;
            return result;
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let root = (Uid::effective(), Gid::effective());
        setegid(gid)?;
        seteuid(uid)?;
        let result = operation();
        seteuid(root.0)?;
        setegid(root.1)?;
        if self.dies_with_parent {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
        }
        result
    }
}

/// The capability sets of a process, as `capget` of version 3 has them: low and high word.
#[derive(Debug, Clone, Copy)]
struct Capabilities {
    effective: [u32; 2],
    permitted: [u32; 2],
    inheritable: [u32; 2],
}

impl Capabilities {
    const NONE: Self = Self {
        effective: [0; 2],
        permitted: [0; 2],
        inheritable: [0; 2],
    };
}

/// `struct __user_cap_header_struct` of linux/capability.h, for the calling process.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

static THIS_PROCESS: CapabilityHeader = CapabilityHeader {
    version: 0x2008_0522,
    pid: 0,
};

fn capabilities() -> io::Result<Capabilities> {
    let mut words = [0_u32; 6];
    // SAFETY: version 3 of the interface writes two structures of three words each, which
    // is what `words` has room for; the header is a valid structure that is only read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_capget,
            &raw const THIS_PROCESS,
            words.as_mut_ptr(),
        )
    };
    nix::errno::Errno::result(result)?;
    let [e0, p0, i0, e1, p1, i1] = words;
    Ok(Capabilities {
        effective: [e0, e1],
        permitted: [p0, p1],
        inheritable: [i0, i1],
    })
}

fn set_capabilities(sets: Capabilities) -> io::Result<()> {
    let words = [
        sets.effective[0],
        sets.permitted[0],
        sets.inheritable[0],
        sets.effective[1],
        sets.permitted[1],
        sets.inheritable[1],
    ];
    // SAFETY: version 3 of the interface reads two structures of three words each, which
    // is what `words` is; the header is a valid structure that is only read.
    let result =
        unsafe { libc::syscall(libc::SYS_capset, &raw const THIS_PROCESS, words.as_ptr()) };
    nix::errno::Errno::result(result)?;
    Ok(())
}
