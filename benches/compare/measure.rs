//! Taking times.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lrun::clock::Moment;
use serde_json::Value;

const ROUNDS: usize = 15;

/// `lrun` in a project, with a store.
pub(crate) struct Lrun {
    project: PathBuf,
    store: PathBuf,
    git: Option<PathBuf>,
}

/// What was seen of a run from outside.
pub(crate) struct Watched {
    /// The steps' names with what they took.
    steps: Vec<(String, Duration)>,
    /// From the end of the last step to the end of lrun.
    pub(crate) after_last_step: Duration,
    /// The most memory that lrun had until its run was over, in KiB.
    pub(crate) most_kib: u64,
}

impl Watched {
    /// What the step took whose name has these words in it.
    pub(crate) fn step(&self, words: &str) -> Duration {
        let step = self.steps.iter().find(|(name, _)| name.contains(words));
        step.map_or(Duration::ZERO, |(_, time)| *time)
    }
}

impl Lrun {
    pub(crate) fn new(project: &Path, store: &Path) -> Self {
        Self {
            project: project.to_owned(),
            store: store.to_owned(),
            git: None,
        }
    }

    /// The same with another configuration of git than the user's.
    pub(crate) fn configured(self, git: &Path) -> Self {
        let git = Some(git.to_owned());
        Self { git, ..self }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrun"));
        command
            .args(arguments)
            .env("LRUN_STORE", &self.store)
            .envs(self.git.iter().map(|git| ("GIT_CONFIG_GLOBAL", git)))
            .current_dir(&self.project);
        command
    }

    /// How long an answer takes.
    pub(crate) fn ask(&self, arguments: &[&str]) -> io::Result<Duration> {
        timed(&mut self.command(arguments))
    }

    /// How long a run takes.
    pub(crate) fn run(&self, workflow: &str) -> io::Result<Duration> {
        timed(&mut self.command(&[workflow]))
    }

    /// How long a check takes, whatever it finds: of a file, or of the whole repository.
    pub(crate) fn check(&self, file: Option<&str>) -> io::Result<Duration> {
        let mut command = self.command(&["check"]);
        command.args(file).stdin(Stdio::null());
        let start = Moment::now();
        let output = command.output()?;
        let took = start.elapsed();
        match output.status.code() {
            Some(0 | 1) => Ok(took),
            code => Err(io::Error::other(format!("{command:?}: {code:?}"))),
        }
    }

    /// Runs a workflow and looks at what happens.
    pub(crate) fn watch(&self, workflow: &str) -> io::Result<Watched> {
        let mut command = self.command(&[workflow]);
        let mut child = command.arg("--json").stdout(Stdio::piped()).spawn()?;
        let status = format!("/proc/{}/status", child.id());
        let lines = child
            .stdout
            .take()
            .map(|stdout| BufReader::new(stdout).lines());
        let mut names = HashMap::new();
        let mut steps = Vec::new();
        let (mut last_step, mut most_kib) = (Moment::now(), 0);
        for line in lines.into_iter().flatten() {
            let event: Value = serde_json::from_str(&line?)?;
            let step = ["leg", "step", "phase"].map(|field| event[field].to_string());
            match event["type"].as_str() {
                Some("step-started") => {
                    names.insert(step, event["name"].as_str().unwrap_or_default().to_owned());
                }
                Some("step-finished") => {
                    last_step = Moment::now();
                    let time = event["timing"]["wall_us"].as_u64().unwrap_or_default();
                    let name = names.remove(&step).unwrap_or_default();
                    steps.push((name, Duration::from_micros(time)));
                }
                Some("job-finished") => most_kib = peak(&status).unwrap_or(most_kib),
                _ => {}
            }
        }
        let ended = child.wait()?;
        match ended.success() {
            true => Ok(Watched {
                steps,
                after_last_step: last_step.elapsed(),
                most_kib,
            }),
            false => Err(io::Error::other(format!("{command:?}: {ended}"))),
        }
    }

    /// Waits until nothing of the runs before is left to be done.
    pub(crate) fn settle(&self) {
        let busy = || {
            let runs = fs::read_dir(self.store.join("runs")).into_iter().flatten();
            runs.flatten().any(|run| run.path().join("work").exists())
        };
        while busy() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Removes the trees that wait for their next use.
    pub(crate) fn clear_shelf(&self) -> io::Result<()> {
        let shelf = self.store.join("shelf");
        for entry in fs::read_dir(shelf)?.flatten() {
            fs::remove_dir_all(entry.path())?;
        }
        Ok(())
    }
}

fn peak(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Runs a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{command:?} failed: {words}")))
}

/// How long a command takes.
pub(crate) fn timed(command: &mut Command) -> io::Result<Duration> {
    let start = Moment::now();
    succeed(command)?;
    Ok(start.elapsed())
}

/// The median of several rounds; the one before them warms the caches of the machine.
pub(crate) fn median(mut run: impl FnMut() -> io::Result<Duration>) -> io::Result<Duration> {
    run()?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        times.push(run()?);
    }
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}
