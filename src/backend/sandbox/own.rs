//! Lets dpkg replace what this machine has of a package.
//!
//! dpkg links every file it is to replace to a second name, and renames it when it fails. The
//! kernel allows neither for a file of this machine's root, who is nobody in an ordinary user's
//! place, but such a file can be replaced by a copy that is root's. So dpkg calls this before it
//! unpacks (`pre-invoke`, dpkg.cfg(5)).

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Pid, getppid};

use super::layers::NOBODY;

/// The program: makes root's what the calling dpkg is going to replace. What it cannot do dpkg
/// will tell in its own words. Returns the exit code.
pub fn own_main() -> i32 {
    for path in files_to_be_replaced() {
        let _ = own(&path);
    }
    0
}

fn own(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.uid() != NOBODY {
        return Ok(());
    }
    let mut copy = path.as_os_str().to_owned();
    copy.push(".lrun-own");
    let made = if metadata.is_symlink() {
        fs::read_link(path).and_then(|target| symlink(target, &copy))
    } else if metadata.is_file() {
        let times = FileTimes::new().set_modified(metadata.modified()?);
        fs::copy(path, &copy).and_then(|_| File::open(&copy)?.set_times(times))
    } else {
        return Ok(());
    };
    let replaced = made.and_then(|()| fs::rename(&copy, path));
    replaced.inspect_err(|_| {
        let _ = fs::remove_file(&copy);
    })
}

fn files_to_be_replaced() -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for archive in archives() {
        files.extend(
            lines("dpkg-deb", &["--contents"], &archive).filter_map(|line| {
                // The last word but for a link's target: `./usr/bin/x`.
                let shown = line.split(" -> ").next()?;
                let (_, path) = shown.split_once(" ./")?;
                Some(Path::new("/").join(path))
            }),
        );
        let named = lines("dpkg-deb", &["--field"], &archive)
            .find_map(|line| line.strip_prefix("Package: ").map(PathBuf::from));
        if let Some(package) = named {
            files.extend(lines("dpkg-query", &["--listfiles"], &package).map(PathBuf::from));
        }
    }
    files
}

/// The lines that a command prints; none where it fails.
fn lines(program: &str, options: &[&str], subject: &Path) -> impl Iterator<Item = String> + use<> {
    let output = Command::new(program).args(options).arg(subject).output();
    let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines()
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

/// The packages that the calling dpkg was given, as files or as directories of them.
fn archives() -> Vec<PathBuf> {
    let Some(dpkg) = calling_dpkg() else {
        return Vec::new();
    };
    let process = Path::new("/proc").join(dpkg.to_string());
    let line = fs::read(process.join("cmdline")).unwrap_or_default();
    let directory = fs::read_link(process.join("cwd")).unwrap_or_default();
    let mut archives = Vec::new();
    for word in line.split(|byte| *byte == 0).skip(1) {
        let path = directory.join(String::from_utf8_lossy(word).as_ref());
        if is_archive(&path) {
            archives.push(path);
        } else if !word.is_empty() && path.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            archives.extend(
                entries
                    .map(|entry| entry.path())
                    .filter(|path| is_archive(path)),
            );
        }
    }
    archives
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "deb") && path.is_file()
}

/// dpkg calls a shell, which may or may not become this program.
fn calling_dpkg() -> Option<Pid> {
    let parent = getppid();
    let grandparent = || {
        let status = fs::read_to_string(format!("/proc/{parent}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        line.trim().parse().ok().map(Pid::from_raw)
    };
    let is_dpkg = |pid: &Pid| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "dpkg")
    };
    Some(parent)
        .filter(is_dpkg)
        .or_else(|| grandparent().filter(is_dpkg))
}
