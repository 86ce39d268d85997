//! Why a sandbox cannot be made here, and what to do about it.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// What stands in the way of a sandbox. Crosses from the launcher to lrun as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "error")]
pub enum SandboxError {
    /// A namespace cannot be made.
    #[error("cannot make a {namespace} namespace ({}): {obstacle}", io::Error::from_raw_os_error(*errno))]
    Forbidden {
        /// Which kind.
        namespace: String,
        /// What forbids it.
        obstacle: Obstacle,
        /// The system's reason.
        errno: i32,
    },
    /// A step on the way to the place failed.
    #[error("cannot {action} {}: {}", path.display(), io::Error::from_raw_os_error(*errno))]
    Setup {
        /// What was tried, such as `mount an overlay on`.
        action: String,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        errno: i32,
    },
    /// The specification of the place could not be read: a fault of lrun's own.
    #[error("the launcher was given no specification of a place: {reason}")]
    NoSpecification {
        /// Why not.
        reason: String,
    },
    /// Process 1 of the place ended before it was ready: a fault of lrun's own.
    #[error("the first process of the place ended before it was ready")]
    Stillborn,
}

/// What forbids namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// `user.max_user_namespaces` is zero or used up.
    NoUserNamespaces,
    /// `kernel.unprivileged_userns_clone` is zero (Debian's kernels).
    UnprivilegedUsersExcluded,
    /// `kernel.apparmor_restrict_unprivileged_userns` is one (Ubuntu since 23.10).
    AppArmor,
    /// A container's profile, a security module or missing capabilities.
    Confined,
}

impl Obstacle {
    /// What the settings of this machine say about a refusal.
    pub(super) fn of_this_machine(errno: Errno) -> Self {
        if errno == Errno::ENOSPC || setting("user/max_user_namespaces") == Some(0) {
            Self::NoUserNamespaces
        } else if setting("kernel/unprivileged_userns_clone") == Some(0) {
            Self::UnprivilegedUsersExcluded
        } else if setting("kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
            Self::AppArmor
        } else {
            Self::Confined
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoUserNamespaces => {
                "this machine allows no (more) user namespaces; raise it with \
                 `sudo sysctl user.max_user_namespaces=15000`, or run lrun as root"
            }
            Self::UnprivilegedUsersExcluded => {
                "this machine allows no user namespaces to ordinary users; allow them with \
                 `sudo sysctl kernel.unprivileged_userns_clone=1`, or run lrun as root"
            }
            Self::AppArmor => {
                "AppArmor keeps ordinary users from using namespaces; allow them with \
                 `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, give lrun a \
                 profile with `userns,`, or run lrun as root"
            }
            Self::Confined => {
                "something confines this process, such as a container's seccomp profile; start \
                 the container with `--privileged` (or `--cap-add SYS_ADMIN --security-opt \
                 seccomp=unconfined --security-opt apparmor=unconfined`), or run lrun outside it"
            }
        })
    }
}

fn setting(name: &str) -> Option<u64> {
    let text = fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?;
    text.trim().parse().ok()
}

/// Says what was tried when a system call failed.
pub(super) trait During<T> {
    fn during(self, action: &str, path: impl AsRef<Path>) -> Result<T, SandboxError>;
}

impl<T> During<T> for nix::Result<T> {
    fn during(self, action: &str, path: impl AsRef<Path>) -> Result<T, SandboxError> {
        self.map_err(|errno| setup(action, path.as_ref(), errno as i32))
    }
}

impl<T> During<T> for io::Result<T> {
    fn during(self, action: &str, path: impl AsRef<Path>) -> Result<T, SandboxError> {
        self.map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            setup(action, path.as_ref(), errno)
        })
    }
}

fn setup(action: &str, path: &Path, errno: i32) -> SandboxError {
    SandboxError::Setup {
        action: action.to_owned(),
        path: path.to_owned(),
        errno,
    }
}
