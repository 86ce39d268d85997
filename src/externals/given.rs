//! A Node.js that the user names with `--node`, tried before anything starts.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Node, Origin};

/// Older ones do not run what actions are written for today.
const OLDEST: u32 = 20;

/// Directories that belong to the whole system: of these a place sees the program alone.
const OF_THE_SYSTEM: [&str; 3] = ["/", "/usr", "/usr/local"];

/// Why what was named cannot run JavaScript actions.
#[derive(Debug, thiserror::Error)]
pub enum GivenError {
    /// There is no program at the path.
    #[error("--node {}: there is no node, bin/node or node/bin/node there", path.display())]
    NoProgram {
        /// What was named.
        path: PathBuf,
    },
    /// It cannot be read or started.
    #[error("--node {}: {} cannot be started: {source}", path.display(), program.display())]
    NotStarted {
        /// What was named.
        path: PathBuf,
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The loader that its file names is not on this machine.
    #[error(
        "--node {}: {} needs the loader {loader}, which this machine does not have: it was built \
         for another C library", path.display(), program.display()
    )]
    NoLoader {
        /// What was named.
        path: PathBuf,
        /// The program.
        program: PathBuf,
        /// The loader.
        loader: String,
    },
    /// It started, and says no version.
    #[error("--node {}: `{} --version` answers no version: {answer}", path.display(), program.display())]
    NoVersion {
        /// What was named.
        path: PathBuf,
        /// The program.
        program: PathBuf,
        /// What it printed, or how it ended.
        answer: String,
    },
    /// It is too old.
    #[error(
        "--node {}: it is {version}, and JavaScript actions need node 20 or newer (GitHub runs them with node 24)",
        path.display()
    )]
    TooOld {
        /// What was named.
        path: PathBuf,
        /// Its version.
        version: String,
    },
}

impl GivenError {
    /// Whether something else was to be named; otherwise this machine cannot run it.
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::NoProgram { .. } | Self::NoVersion { .. } | Self::TooOld { .. } => true,
            Self::NotStarted { .. } | Self::NoLoader { .. } => false,
        }
    }
}

/// The Node.js at `path`: the program, its directory, or the directory above. It has been
/// started once.
pub fn given(path: &Path) -> Result<Node, GivenError> {
    let program = program(path).ok_or_else(|| GivenError::NoProgram {
        path: path.to_owned(),
    })?;
    let version = version(path, &program)?;
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST) {
        return Err(GivenError::TooOld {
            path: path.to_owned(),
            version,
        });
    }
    Ok(Node {
        from: whole(&program),
        version,
        origin: Origin::Given,
    })
}

/// Its path without symbolic links.
fn program(path: &Path) -> Option<PathBuf> {
    let below = ["", "bin/node", "node", "node/bin/node"];
    below
        .into_iter()
        .map(|below| match below {
            "" => path.to_owned(),
            below => path.join(below),
        })
        .find(|program| program.is_file())
        .and_then(|program| fs::canonicalize(program).ok())
}

/// The directory around `bin/node`, with what it loads from there, unless that is the system's.
fn whole(program: &Path) -> PathBuf {
    let prefix = program
        .parent()
        .and_then(Path::parent)
        .filter(|prefix| prefix.join("bin/node") == program);
    match prefix {
        Some(prefix) if !OF_THE_SYSTEM.iter().any(|known| prefix == Path::new(known)) => {
            prefix.to_owned()
        }
        _ => program.to_owned(),
    }
}

fn version(path: &Path, program: &Path) -> Result<String, GivenError> {
    let output = ask(program).map_err(|source| match loader(program) {
        // What is not there is not the program: that was found.
        Some(loader)
            if source.kind() == io::ErrorKind::NotFound && !Path::new(&loader).exists() =>
        {
            GivenError::NoLoader {
                path: path.to_owned(),
                program: program.to_owned(),
                loader,
            }
        }
        _ => GivenError::NotStarted {
            path: path.to_owned(),
            program: program.to_owned(),
            source,
        },
    })?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let numbers = answer.strip_prefix('v').filter(|rest| {
        let mut numbers = rest.split('.');
        numbers.clone().count() == 3 && numbers.all(|number| number.parse::<u32>().is_ok())
    });
    match numbers {
        Some(version) if output.status.success() => Ok(version.to_owned()),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().find(|line| !line.trim().is_empty());
            Err(GivenError::NoVersion {
                path: path.to_owned(),
                program: program.to_owned(),
                answer: match said {
                    // Of the loader, such as that a library is missing.
                    Some(said) => said.to_owned(),
                    None if answer.is_empty() => output.status.to_string(),
                    None => answer,
                },
            })
        }
    }
}

/// With nothing of this process's environment, as in a place.
fn ask(program: &Path) -> io::Result<Output> {
    Command::new(program)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .output()
}

/// The interpreter that a 64-bit little-endian ELF file names (elf(5), `PT_INTERP`).
fn loader(program: &Path) -> Option<String> {
    const HEADER: usize = 64;
    const INTERPRETER: u32 = 3;
    let mut file = File::open(program).ok()?;
    let mut header = [0_u8; HEADER];
    file.read_exact(&mut header).ok()?;
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let number = |bytes: &[u8], at: usize, size: usize| -> Option<u64> {
        let bytes = bytes.get(at..at + size)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    };
    let (table, size, count) = (
        number(&header, 32, 8)?,
        number(&header, 54, 2)?,
        number(&header, 56, 2)?,
    );
    for index in 0..count {
        file.seek(SeekFrom::Start(table.checked_add(index * size)?))
            .ok()?;
        let mut entry = [0_u8; 56];
        file.read_exact(&mut entry).ok()?;
        if number(&entry, 0, 4)? != u64::from(INTERPRETER) {
            continue;
        }
        file.seek(SeekFrom::Start(number(&entry, 8, 8)?)).ok()?;
        let mut path = Vec::new();
        // No path is longer.
        file.take(number(&entry, 32, 8)?.min(4096))
            .read_to_end(&mut path)
            .ok()?;
        path.retain(|byte| *byte != 0);
        return String::from_utf8(path).ok();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// By another process: one that another test starts at this moment would inherit the open
    /// file, and what is open for writing cannot be executed.
    fn file(directory: &Path, name: &str, content: &[u8]) -> PathBuf {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("files have parents")).expect("writable");
        let written = directory.join("written");
        fs::write(&written, content).expect("writable");
        fs::set_permissions(&written, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let copied = Command::new("cp").args([&written, &path]).status();
        assert!(copied.expect("there is cp").success());
        path
    }

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary directory")
    }

    #[test]
    fn a_directory_or_the_program_names_the_same() {
        let node = directory();
        let root = node.path().canonicalize().expect("it is there");
        let program = file(&root, "n/bin/node", b"#!/bin/sh\necho v24.1.0\n");
        for path in ["n", "n/bin", "n/bin/node"] {
            let found = given(&root.join(path)).expect("it answers");
            assert_eq!(
                (found.version.as_str(), found.from.clone()),
                ("24.1.0", root.join("n"))
            );
            assert_eq!(found.mounted_at(Path::new("/e")), Path::new("/e"));
        }
        let other = file(&root, "other/node24", b"#!/bin/sh\necho v22.0.1\n");
        let found = given(&other).expect("it answers");
        assert_eq!(found.from, other);
        assert_eq!(found.mounted_at(Path::new("/e")), Path::new("/e/bin/node"));
        assert!(program.exists());
    }

    #[test]
    fn what_is_no_node_of_today_is_refused_with_the_reason() {
        let node = directory();
        let says = |name: &str, content: &[u8]| {
            let path = file(node.path(), name, content);
            given(&path).expect_err("not usable").to_string()
        };
        let old = says("old", b"#!/bin/sh\necho v18.20.4\n");
        assert!(old.contains("it is 18.20.4"), "{old}");
        let mute = says("mute", b"#!/bin/sh\nexit 3\n");
        assert!(mute.contains("exit status: 3"), "{mute}");
        let library = says(
            "library",
            b"#!/bin/sh\necho 'libnode.so.108: cannot open' >&2\nexit 127\n",
        );
        assert!(library.contains("libnode.so.108: cannot open"), "{library}");
        let text = says("text", b"plain words");
        assert!(text.contains("cannot be started"), "{text}");
        let nothing = given(&node.path().join("nothing")).expect_err("nothing there");
        assert!(
            nothing.to_string().contains("there is no node"),
            "{nothing}"
        );
    }

    #[test]
    fn a_loader_that_is_not_here_is_named() {
        let node = directory();
        let mut content = fs::read("/proc/self/exe").expect("readable");
        content.truncate(64);
        content[..6].copy_from_slice(b"\x7fELF\x02\x01");
        // One entry of the program header table, right behind the file's header.
        content[32..40].copy_from_slice(&64_u64.to_le_bytes());
        content[54..56].copy_from_slice(&56_u16.to_le_bytes());
        content[56..58].copy_from_slice(&1_u16.to_le_bytes());
        let path = b"/lib/ld-nowhere.so.1\0";
        let mut entry = [0_u8; 56];
        entry[0] = 3;
        entry[8..16].copy_from_slice(&120_u64.to_le_bytes());
        entry[32..40].copy_from_slice(&(path.len() as u64).to_le_bytes());
        content.extend(entry);
        content.extend(path);
        let program = file(node.path(), "node", &content);
        assert_eq!(loader(&program).as_deref(), Some("/lib/ld-nowhere.so.1"));
        assert_eq!(loader(Path::new("/dev/null")), None);
        let error = given(&program)
            .expect_err("nothing can load it")
            .to_string();
        assert!(error.contains("/lib/ld-nowhere.so.1"), "{error}");
    }
}
