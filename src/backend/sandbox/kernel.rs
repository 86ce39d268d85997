//! The system calls that have no safe wrapper, each under a safe one of its own.
#![expect(
    unsafe_code,
    reason = "clone, mount_setattr, lsetxattr, signal dispositions and interface flags have no safe wrapper"
)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::Pid;

/// Which side of a fork this is.
pub(super) enum Fork {
    Child,
    Parent(Pid),
}

/// Forks, with the child in new namespaces of these kinds. The process must have one thread.
pub(super) fn fork_into(namespaces: CloneFlags) -> nix::Result<Fork> {
    let flags = libc::c_long::from(namespaces.bits() | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and with no stack this is fork(2); the process has one
    // thread, so no lock is held in the child by a thread that is not there.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) };
    match Errno::result(pid)? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(Pid::from_raw(
            i32::try_from(pid).map_err(|_| Errno::EOVERFLOW)?,
        ))),
    }
}

/// Makes a mount and all below it read-only, and takes setuid programs and devices from
/// it if it is `foreign`.
pub(super) fn make_read_only(target: &Path, foreign: bool) -> nix::Result<()> {
    let path = CString::new(target.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let mut attributes = libc::MOUNT_ATTR_RDONLY;
    if foreign {
        attributes |= libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
    }
    let change = libc::mount_attr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is a C string and the structure one of the size that is named,
    // both alive during the call, both only read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const change,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(result).map(drop)
}

/// Sets an extended attribute of a file or directory itself.
pub(super) fn set_attribute(path: &Path, name: &str, value: &[u8]) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let name = CString::new(name)?;
    // SAFETY: two C strings and a slice with its length, alive during the call, only read.
    let result = unsafe {
        libc::lsetxattr(
            path.as_ptr(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    Errno::result(result)?;
    Ok(())
}

/// Gives every signal the meaning a fresh process has for it: what lrun's caller ignores
/// (`nohup`) must not be ignored by a job.
pub(super) fn reset_signals() {
    for number in Signal::iterator() {
        // SIGPIPE stays ignored in lrun's own programs; exec by `Command` resets it.
        if number != Signal::SIGPIPE {
            // SAFETY: the default disposition runs no code of this program. KILL and STOP
            // refuse, which is what is wanted.
            let _ = unsafe { signal(number, SigHandler::SigDfl) };
        }
    }
}

/// Leaves the caller's session keyring, which may hold Kerberos tickets and disk keys, for an
/// empty one. A kernel without keyrings has nothing to leave.
pub(super) fn leave_session_keyring() {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    let unnamed = std::ptr::null::<libc::c_char>();
    // SAFETY: the call takes a name or null, and touches no memory of this program.
    unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, unnamed) };
}

/// Takes one of the standard descriptors, which nothing else in this program uses.
pub(super) fn take_standard_fd(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC gives a new descriptor or fails.
    let copy = Errno::result(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: the descriptor was just made and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Points a standard descriptor somewhere else.
pub(super) fn replace_standard_fd(number: i32, with: &OwnedFd) -> io::Result<()> {
    // SAFETY: standard descriptors have no owner in this program.
    Errno::result(unsafe { libc::dup2(with.as_raw_fd(), number) })?;
    Ok(())
}

/// Brings the loopback interface of this network namespace up.
pub(super) fn bring_loopback_up() -> io::Result<()> {
    let any = socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    // SAFETY: `ifreq` is plain data; all zeros is one of its values.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = (*from).cast_signed();
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or(0);
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`, which lives during the call.
    let result = unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    Errno::result(result)?;
    Ok(())
}
