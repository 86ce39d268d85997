//! One git command: the same environment and settings every time, errors with git's own words.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::GitError;

/// The oldest git whose configuration can be left out (`GIT_CONFIG_GLOBAL`).
pub(super) const OLDEST: &str = "2.32";

/// Variables that would make git look at another repository, index or configuration than the
/// one it is given. `git rev-parse --local-env-vars` lists most; git sets them for its hooks.
const SCRUBBED: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REDIRECT_STDERR",
    "GIT_REDIRECT_STDOUT",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TEMPLATE_DIR",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_PERF",
    "GIT_WORK_TREE",
    "LANGUAGE",
];

/// In force for every command. The monitor and the split index would write into the user's
/// `.git`; hooks run programs of the user's (`post-index-change`); the LFS filters would write into its LFS store (`lfs.rs` makes the pointers); a
/// partial clone must not fetch.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "core.safecrlf=false",
    "core.quotePath=false",
    "core.pager=cat",
    "advice.detachedHead=false",
    "advice.addEmbeddedRepo=false",
    "filter.lfs.clean=",
    "filter.lfs.smudge=",
    "filter.lfs.process=",
    "filter.lfs.required=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
];

/// In force for every command on this machine alone.
const LOCAL_SETTINGS: &[&str] = &["protocol.allow=never"];

/// Of [`SCRUBBED`], what is of use to a command that asks another machine: it is on a repository that
/// is named by all that it is given, and the user may have credentials in there.
const OF_THE_USER: &[&str] = &["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"];

/// In force beside them for a command that asks another machine. One that has said nothing for a
/// minute will not.
const REMOTE_SETTINGS: &[&str] = &[
    "fetch.writeCommitGraph=false",
    "fetch.recurseSubmodules=false",
    "fetch.prune=false",
    "fetch.unpackLimit=0",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
];

/// What a command that has run out of time has to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// In force beside them where nothing of the user's or the system's configuration may be.
const ISOLATED_SETTINGS: &[&str] = &[
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "safe.directory=*",
];

/// A git command about to run.
#[derive(Debug)]
pub struct Git {
    command: Command,
    directory: PathBuf,
    /// What an error shows: the arguments without lrun's settings.
    shown: OsString,
    stdin: Option<Vec<u8>>,
}

impl Git {
    /// A command on a repository of the user's, under the user's own configuration (which files
    /// are ignored, how line ends are converted). It must be one that only reads, unless its
    /// index and its object directory are lrun's own.
    pub fn in_repository(root: &Path) -> Self {
        Self::new(Command::new("git"), root).local()
    }

    /// A command on a repository of lrun's own that may ask other machines: under the user's own
    /// configuration, where credentials, proxies and other URLs are named. Nobody is prompted.
    pub(super) fn asking(directory: &Path) -> Self {
        let mut git = Self::keeping(Command::new("git"), directory, OF_THE_USER);
        for setting in REMOTE_SETTINGS.iter().chain(&["safe.directory=*"]) {
            git.command.args(["-c", setting]);
        }
        git
    }

    /// A command on a repository of lrun's own: none of the user's or the system's configuration,
    /// whoever owns it, and files made as under `umask 022`.
    pub fn isolated(directory: &Path) -> Self {
        let mut shell = Command::new("sh");
        // The umask belongs to the process: only a process in between can set it for git alone.
        shell.args(["-c", "umask 022 && exec git \"$@\"", "git"]);
        let mut git = Self::new(shell, directory).local();
        for setting in ISOLATED_SETTINGS {
            git.command.args(["-c", setting]);
        }
        git.command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        git
    }

    fn new(command: Command, directory: &Path) -> Self {
        Self::keeping(command, directory, &[])
    }

    /// Not for other machines.
    fn local(mut self) -> Self {
        for setting in LOCAL_SETTINGS {
            self.command.args(["-c", setting]);
        }
        self.command.env("GIT_ALLOW_PROTOCOL", "");
        self
    }

    fn keeping(mut command: Command, directory: &Path, kept: &[&str]) -> Self {
        for variable in SCRUBBED.iter().filter(|name| !kept.contains(name)) {
            command.env_remove(variable);
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            // Not the process' working directory: then a missing folder and a missing git
            // would be the same error.
            .arg("-C")
            .arg(directory);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        Self {
            command,
            directory: directory.to_owned(),
            shown: "git".into(),
            stdin: None,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(" ");
        self.shown.push(arg.as_ref());
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable of the command's environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Object directories to read from beside the repository's own.
    pub fn alternates(self, directories: &[&Path]) -> Self {
        let mut list = OsString::new();
        for (number, directory) in directories.iter().enumerate() {
            if number > 0 {
                list.push(":");
            }
            list.push(quoted(directory));
        }
        self.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", list)
    }

    /// What the command reads from its standard input; nothing unless given.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs the command and gives what it wrote to standard output.
    pub fn output(self) -> Result<Vec<u8>, GitError> {
        self.output_or(&[]).map(|(_, output)| output)
    }

    /// Runs the command and gives the one line of text it wrote, without its line end.
    pub fn line(self) -> Result<String, GitError> {
        let shown = self.shown.clone();
        let output = self.output()?;
        match std::str::from_utf8(&output) {
            Ok(text) => Ok(text.trim_end_matches('\n').to_owned()),
            Err(_) => Err(GitError::Unexpected {
                command: shown.to_string_lossy().into_owned(),
                answer: String::from_utf8_lossy(&output).into_owned(),
            }),
        }
    }

    /// Runs the command; an exit code in `answers` is an answer like 0, not a failure. Gives the
    /// code and what was written to standard output.
    ///
    /// A folder that git passes over with a warning because it may not read it is a failure too:
    /// its files would silently be missing.
    pub fn output_or(mut self, answers: &[i32]) -> Result<(i32, Vec<u8>), GitError> {
        let output = self.run()?;
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        match output.status.code() {
            Some(_) if words.contains("could not open directory") => Err(GitError::Unreadable {
                root: self.directory,
                words,
            }),
            Some(code) if code == 0 || answers.contains(&code) => Ok((code, output.stdout)),
            code => Err(GitError::classify(
                self.shown.to_string_lossy().into_owned(),
                &self.directory,
                code,
                words,
            )),
        }
    }

    /// Runs the command for at most `limit`; none if it was ended then. `lock` is open in the command
    /// as long as it runs, and so is held by it even if lrun is killed.
    pub(super) fn within(
        mut self,
        limit: Duration,
        lock: File,
    ) -> Result<Option<Output>, GitError> {
        // A group of its own, which can be ended with all that git has started. It is not the
        // terminal's, so that nothing of it can ask there.
        self.command
            .process_group(0)
            .stdin(Stdio::from(lock))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = self.command.spawn().map_err(not_started)?;
        // A process id is an `i32` to the system.
        let process = Pid::from_raw(child.id().cast_signed());
        let (done, ended) = mpsc::channel();
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let output = child.wait_with_output();
                // Nobody listens where time has run out.
                let _ = done.send(());
                output
            });
            let is_late = ended.recv_timeout(limit).is_err();
            if is_late
                && killpg(process, Signal::SIGTERM).is_ok()
                && ended.recv_timeout(GRACE).is_err()
            {
                let _ = killpg(process, Signal::SIGKILL);
            }
            let output = joined(reading).map_err(GitError::io("wait for", Path::new("git")))?;
            Ok((!is_late).then_some(output))
        })
    }

    fn run(&mut self) -> Result<Output, GitError> {
        let stdin = self.stdin.take();
        let mut child = self
            .command
            .stdin(stdin.as_ref().map_or_else(Stdio::null, |_| Stdio::piped()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(not_started)?;
        let pipe = child.stdin.take();
        // Beside the reading, or both sides could wait on full pipes. A command that ends without
        // having read everything says so by its exit code.
        std::thread::scope(|scope| {
            if let (Some(mut pipe), Some(bytes)) = (pipe, stdin) {
                scope.spawn(move || pipe.write_all(&bytes));
            }
            child.wait_with_output()
        })
        .map_err(GitError::io("wait for", Path::new("git")))
    }
}

fn not_started(source: std::io::Error) -> GitError {
    match source.kind() {
        std::io::ErrorKind::NotFound => GitError::NotInstalled { needed: OLDEST },
        _ => GitError::Io {
            action: "start",
            path: "git".into(),
            source,
        },
    }
}

/// The result of a command that another thread ran.
pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A path in git's C-like quotes, without which a colon would end it (git(1),
/// `GIT_ALTERNATE_OBJECT_DIRECTORIES`).
fn quoted(path: &Path) -> OsString {
    let mut quoted = vec![b'"'];
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b'\n' => quoted.extend(*b"\\n"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_git_is_told_what_to_do() {
        let git = Git::in_repository(Path::new("/"))
            .env("PATH", "/nonexistent")
            .arg("version");
        let error = git.line().unwrap_err();
        assert!(matches!(error, GitError::NotInstalled { .. }), "{error}");
    }

    #[test]
    fn a_failure_has_the_command_and_git_s_own_words() {
        let git = Git::in_repository(Path::new("/")).args(["rev-parse", "--nonsense=x", "--"]);
        let error = git.output().unwrap_err().to_string();
        assert!(error.contains("'/'"), "{error}");
        let failed = Git::isolated(Path::new("/")).args(["hash-object", "/nonexistent"]);
        let error = failed.output().unwrap_err().to_string();
        assert!(error.contains("`git hash-object /nonexistent`"), "{error}");
        assert!(error.contains("fatal: "), "{error}");
    }

    #[test]
    fn a_colon_in_a_path_does_not_end_an_alternate() {
        assert_eq!(quoted(Path::new("/a:b\"c\\d")), "\"/a:b\\\"c\\\\d\"");
    }
}
