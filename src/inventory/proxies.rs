//! rustup's proxies: one program under many names, which looks at the name it is started by.
//!
//! A watch tells files apart by their name in their directory, and symbolic links to one
//! `rustup` would all be seen as that. So they are hard links, made once in lrun's own store.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The names a hosted image has in `~/.cargo/bin` (rustup's profile `minimal` with clippy and
/// rustfmt, and what rustup itself brings).
pub(super) const NAMES: [&str; 9] = [
    "rustup",
    "cargo",
    "rustc",
    "rustdoc",
    "rustfmt",
    "cargo-fmt",
    "cargo-clippy",
    "clippy-driver",
    "rust-gdb",
];

/// A directory below `store` in which `rustup` stands under each of its names. Made when it
/// is not there yet, at once for all processes; where it is, this costs one stat.
pub(super) fn directory(rustup: &Path, store: &Path) -> io::Result<PathBuf> {
    let program = fs::metadata(rustup)?;
    let identity = format!(
        "rustup-{:x}-{:x}-{:x}",
        program.ino(),
        program.len(),
        program.mtime()
    );
    let directory = store.join(identity);
    if directory.is_dir() {
        return Ok(directory);
    }
    fs::create_dir_all(store)?;
    let staging = tempfile::tempdir_in(store)?;
    // The job's user, whoever that is outside, reads it through a mount.
    fs::set_permissions(staging.path(), fs::Permissions::from_mode(0o755))?;
    let first = staging.path().join(NAMES[0]);
    let rustup = rustup.canonicalize()?;
    // Another file system, or a file of another user (fs.protected_hardlinks): a copy will do.
    fs::hard_link(&rustup, &first).or_else(|_| fs::copy(&rustup, &first).map(|_| ()))?;
    for name in &NAMES[1..] {
        fs::hard_link(&first, staging.path().join(name))?;
    }
    match fs::rename(staging.path(), &directory) {
        // Another process was faster: its directory is as good.
        Err(_) if directory.is_dir() => {}
        result => result?,
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_file_of_its_own_name_and_one_content() {
        let store = tempfile::tempdir().expect("a temporary directory");
        let rustup = store.path().join("program");
        fs::write(&rustup, "program").expect("writable");
        let directory = directory(&rustup, &store.path().join("tools")).expect("made");
        for name in NAMES {
            let path = directory.join(name);
            assert!(
                fs::symlink_metadata(&path).expect("there").is_file(),
                "{name}"
            );
            assert_eq!(fs::read(&path).expect("readable"), b"program");
        }
        let mode = fs::metadata(&directory)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn it_is_made_once_for_each_rustup() {
        let store = tempfile::tempdir().expect("a temporary directory");
        let rustup = store.path().join("program");
        fs::write(&rustup, "one").expect("writable");
        let first = directory(&rustup, store.path()).expect("made");
        assert_eq!(directory(&rustup, store.path()).expect("found"), first);
        fs::write(&rustup, "another").expect("writable");
        assert_ne!(directory(&rustup, store.path()).expect("made"), first);
    }
}
