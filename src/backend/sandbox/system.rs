//! The file systems that are the kernel's or the place's own: /proc, /sys, /dev, /run, /tmp.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::error::{During, SandboxError};
use super::kernel::make_read_only;
use super::recipe::Recipe;

/// Whose processes a place sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Processes {
    /// Its own.
    Own,
    /// This machine's.
    Shared,
}

/// Parts of /proc that file modes alone protect, from the place's root too where it has
/// the id of this machine's.
const READ_ONLY_PROC: &[&str] = &[
    "acpi",
    "bus",
    "driver",
    "fs",
    "irq",
    "mtrr",
    "scsi",
    "sys",
    "sysrq-trigger",
];

const DEVICES: &[&str] = &["full", "null", "random", "tty", "urandom", "zero"];

const NO_DATA: Option<&str> = None;

/// The kernel refuses a new /proc in a user namespace when parts of the one in sight are
/// covered, as containers have it. `spare` is an empty directory.
pub(super) fn proc_is_masked(spare: &Path) -> bool {
    let mounted = mount(Some("proc"), spare, Some("proc"), MsFlags::empty(), NO_DATA);
    if mounted.is_ok() {
        // It goes with the namespace if not now.
        let _ = umount2(spare, MntFlags::MNT_DETACH);
    }
    mounted == Err(Errno::EPERM)
}

/// Mounts all of them below `root`; `tmp` is the directory that becomes /tmp.
pub(super) fn mount_all(
    root: &Path,
    tmp: &Path,
    recipe: Recipe,
    processes: Processes,
) -> Result<(), SandboxError> {
    for name in ["dev", "proc", "run", "sys", "tmp"] {
        let path = root.join(name);
        fs::create_dir_all(&path).during("make", &path)?;
    }
    mount_proc(&root.join("proc"), recipe, processes)?;
    let sys = root.join("sys");
    bind(Path::new("/sys"), &sys)?;
    make_read_only(&sys, false).during("make read-only", &sys)?;
    mount_dev(&root.join("dev"), recipe)?;
    let run = root.join("run");
    mount_tmpfs(
        &run,
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        recipe.mode_of_roots(0o755),
    )?;
    make_sticky(&run.join("lock"))?;
    make_sticky(tmp)?;
    bind(tmp, &root.join("tmp"))
}

fn mount_proc(proc: &Path, recipe: Recipe, processes: Processes) -> Result<(), SandboxError> {
    match processes {
        Processes::Shared => bind(Path::new("/proc"), proc)?,
        Processes::Own => {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            mount(Some("proc"), proc, Some("proc"), flags, NO_DATA).during("mount", proc)?;
        }
    }
    // An ordinary user has no right to these files in any case, and a cover would keep a
    // job from mounting a /proc of its own (bubblewrap, rootless podman).
    if recipe == Recipe::Root {
        for name in READ_ONLY_PROC {
            let path = proc.join(name);
            if path.exists() {
                bind(&path, &path)?;
                make_read_only(&path, false).during("make read-only", &path)?;
            }
        }
    }
    Ok(())
}

fn mount_dev(dev: &Path, recipe: Recipe) -> Result<(), SandboxError> {
    mount_tmpfs(dev, MsFlags::MS_NOSUID, recipe.mode_of_roots(0o755))?;
    for name in DEVICES {
        let path = dev.join(name);
        File::create(&path).during("make", &path)?;
        bind(&Path::new("/dev").join(name), &path)?;
    }
    let (pts, shm) = (dev.join("pts"), dev.join("shm"));
    for path in [&pts, &shm] {
        fs::create_dir(path).during("make", path)?;
    }
    mount_terminals(&pts)?;
    mount_tmpfs(&shm, MsFlags::MS_NOSUID | MsFlags::MS_NODEV, 0o1777)?;
    for (name, target) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        let path = dev.join(name);
        symlink(target, &path).during("link", &path)?;
    }
    Ok(())
}

fn mount_terminals(pts: &Path) -> Result<(), SandboxError> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let try_with = |options: &str| mount(Some("devpts"), pts, Some("devpts"), flags, Some(options));
    try_with("newinstance,ptmxmode=0666,mode=620,gid=5")
        // Group 5 (tty) does not exist where there is one id only.
        .or_else(|_| try_with("newinstance,ptmxmode=0666,mode=620"))
        .during("mount terminals on", pts)
}

/// A directory that everybody may write to.
fn make_sticky(path: &Path) -> Result<(), SandboxError> {
    fs::create_dir_all(path).during("make", path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o1777)).during("set the mode of", path)
}

/// An empty file system in memory.
pub(super) fn mount_tmpfs(path: &Path, flags: MsFlags, mode: u32) -> Result<(), SandboxError> {
    mount_memory(path, flags, &format!("mode={mode:o}"))
}

/// The same, of so many bytes at the most: what a job writes there is this machine's memory.
pub(super) fn mount_small_tmpfs(
    path: &Path,
    flags: MsFlags,
    (mode, bytes): (u32, u64),
) -> Result<(), SandboxError> {
    mount_memory(path, flags, &format!("mode={mode:o},size={bytes}"))
}

fn mount_memory(path: &Path, flags: MsFlags, options: &str) -> Result<(), SandboxError> {
    mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some(options)).during("mount memory on", path)
}

/// Shows a directory or file in a second place, with all that is mounted below.
pub(super) fn bind(source: &Path, target: &Path) -> Result<(), SandboxError> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(source), target, NO_DATA, flags, NO_DATA).during("bind", source)
}
