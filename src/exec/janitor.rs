//! The janitor of a run: a process of its own that removes what jobs leave behind, so that
//! nobody waits for it, and that outlives lrun, so that a killed run leaves nothing either.
//!
//! It is told of single jobs while the run goes on. When lrun is gone, in whatever way, it waits
//! until nothing of the run is alive and removes all of the run's work; then it clears up after
//! runs that were killed together with their janitors. It works in no user's name but lrun's, holds
//! nothing of the terminal, and may be killed at any moment.

use std::ffi::OsString;
use std::io::{self, BufRead as _, PipeWriter, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::ids::RunId;
use crate::store::Store;

/// How often, and after what pause each, the work of a run is tried to be removed again.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// The run's end of a pipe to its janitor.
#[derive(Debug)]
pub struct Janitor {
    pipe: PipeWriter,
}

impl Janitor {
    /// Starts this very program as `__janitor STORE RUN`, which must call [`janitor_main`].
    pub fn start(store: &Path, run: RunId) -> io::Result<Self> {
        let (reader, pipe) = io::pipe()?;
        Command::new("/proc/self/exe")
            .arg0("lrun")
            .arg("__janitor")
            .arg(store)
            .arg(run.to_string())
            .env_clear()
            // No directory is kept from being removed or unmounted.
            .current_dir("/")
            // Signals of the terminal are not for it.
            .process_group(0)
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { pipe })
    }

    /// Has the directory of a job removed whose place is gone.
    pub(super) fn clear(&self, directory: &Path) {
        let message = [directory.as_os_str().as_bytes(), b"\0"].concat();
        // Without a janitor the work of the run waits for the next one's.
        let _ = (&self.pipe).write_all(&message);
    }
}

/// The janitor's program: its arguments are the store and the number of the run, its standard
/// input is the pipe. Returns the exit code.
pub fn janitor_main(mut arguments: impl Iterator<Item = OsString>) -> i32 {
    let store = arguments.next().map(PathBuf::from);
    let run = arguments.next().and_then(|run| run.to_str()?.parse().ok());
    let (Some(store), Some(run)) = (store, run) else {
        return 1;
    };
    i32::from(serve(&store, RunId(run)).is_err())
}

fn serve(store: &Path, run: RunId) -> io::Result<()> {
    let mut messages = io::stdin().lock().split(0);
    // The store is not opened before there is something to do: lrun is starting just now.
    let first = messages.next();
    let store = Store::open(store).map_err(io::Error::other)?;
    for directory in first.into_iter().chain(messages) {
        // What resists is tried again with the rest.
        let _ = store.clear_work(Path::new(&OsString::from_vec(directory?)));
    }
    let mut buried = store.bury_run(run);
    for _ in 0..TRIES {
        if buried.is_ok() {
            break;
        }
        // A git of lrun's own that is not aware yet that nobody wants its answer.
        std::thread::sleep(PAUSE);
        buried = store.bury_run(run);
    }
    store.sweep_runs();
    buried
}
