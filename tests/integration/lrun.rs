//! The one way tests start `lrun`: with an environment that is empty but for what it needs.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::project::Project;

/// Where tools are, and nothing else of the environment the tests run in.
const KEPT: [&str; 5] = ["PATH", "HOME", "RUSTUP_HOME", "CARGO_HOME", "TMPDIR"];

/// What jobs that load something from the network need besides.
const NETWORK: [&str; 15] = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "NPM_CONFIG_REGISTRY",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "UV_INDEX_URL",
];

/// No test takes so long: a run that does hangs, and is killed.
const LIMIT: Duration = Duration::from_secs(300);

/// An invocation that is being put together.
pub(crate) struct Lrun {
    command: Command,
}

impl Lrun {
    /// `lrun` in the root of the project, with the project's store.
    pub(crate) fn new(project: &Project) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrun"));
        command
            .env_clear()
            .env("LRUN_STORE", project.store())
            .current_dir(project.path())
            .stdin(Stdio::null());
        let mut lrun = Self { command };
        lrun.keep(&KEPT);
        lrun
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the environment lrun is started in.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Lets jobs reach the network as the tests themselves do.
    pub(crate) fn with_network(mut self) -> Self {
        self.keep(&NETWORK);
        self
    }

    /// Starts it under another umask.
    pub(crate) fn umask(self, mask: &str) -> Self {
        self.through("sh", &["-c", &format!("umask {mask} && exec \"$@\""), "sh"])
    }

    /// Starts it where its user has no other id: in a user namespace that has this one alone.
    pub(crate) fn with_a_single_id(self) -> Self {
        self.through("unshare", &["--user", "--map-root-user"])
    }

    /// Starts it by a program that takes a command line after its own arguments.
    pub(crate) fn through(mut self, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        self.command = command;
        self
    }

    /// Runs it for its report, to the end.
    pub(crate) fn plain(self) -> Report {
        self.start(Stdio::piped()).end()
    }

    /// Starts it for its report, which goes to `stdout`.
    pub(crate) fn start(mut self, stdout: impl Into<Stdio>) -> Started {
        let command = self.command.stdout(stdout).stderr(Stdio::piped());
        let child = command.spawn().expect("lrun can be started");
        Started {
            watchdog: Watchdog::new(child.id()),
            child,
        }
    }

    /// Runs it for its events, to the end.
    pub(crate) fn run(self) -> Run {
        self.run_and_when_ready(|_| {})
    }

    /// Runs it for its events and acts, given lrun's process, once a step has printed `ready`.
    pub(crate) fn run_and_when_ready(mut self, act: impl FnOnce(Pid)) -> Run {
        self.command.arg("--json");
        let child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child: Child = child.spawn().expect("lrun can be started");
        let process = child.id();
        let _watchdog = Watchdog::new(process);
        let mut stderr = child.stderr.take().expect("it is a pipe");
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            // What is not UTF-8 fails the assertions on the text.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let mut act = Some(act);
        let mut events: Vec<Value> = Vec::new();
        for line in BufReader::new(child.stdout.take().expect("it is a pipe")).lines() {
            let line = line.expect("lrun writes UTF-8");
            let event: Value = serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("not JSON: {error}: {line}"));
            if event["type"] == "step-output"
                && event["text"] == "ready"
                && let Some(act) = act.take()
            {
                let process = i32::try_from(process).expect("process ids are positive");
                act(Pid::from_raw(process));
            }
            events.push(event);
        }
        let status = child.wait().expect("it was started");
        Run {
            code: status.code(),
            events,
            stderr: stderr.join().expect("reading does not panic"),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the environment of the tests themselves"
    )]
    fn keep(&mut self, names: &[&str]) {
        for name in names {
            if let Some(value) = std::env::var_os(name) {
                self.command.env(name, value);
            }
        }
    }
}

impl From<Lrun> for Command {
    fn from(lrun: Lrun) -> Self {
        lrun.command
    }
}

/// lrun, running.
pub(crate) struct Started {
    child: Child,
    watchdog: Watchdog,
}

impl Started {
    /// Its process.
    pub(crate) fn process(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are positive"))
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        let ended = self.child.try_wait().expect("it was started");
        ended.is_none()
    }

    /// Takes its standard output, if that is a pipe.
    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end, and for all it prints to pipes.
    pub(crate) fn end(self) -> Report {
        let Self { child, watchdog } = self;
        let output = child.wait_with_output().expect("it was started");
        drop(watchdog);
        Report {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Kills a process that is still there after [`LIMIT`]; none once this is dropped.
struct Watchdog {
    _done: mpsc::Sender<()>,
}

impl Watchdog {
    fn new(process: u32) -> Self {
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || {
            if is_done.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout)
                && let Ok(process) = i32::try_from(process)
            {
                // It may have ended just now.
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
        });
        Self { _done: done }
    }
}

/// What lrun printed for people.
#[derive(Debug)]
pub(crate) struct Report {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// What happened in a run.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// The events in their order.
    pub(crate) events: Vec<Value>,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Run {
    /// Fails unless lrun exited so; shows what was printed.
    pub(crate) fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.transcript());
        self
    }

    /// The events of a type.
    pub(crate) fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events
            .iter()
            .filter(move |event| event["type"] == kind)
    }

    /// The lines of all steps of that name, in the order they came.
    pub(crate) fn output(&self, step: &str) -> Vec<String> {
        let steps = self.steps(step);
        assert!(
            !steps.is_empty(),
            "no step '{step}':\n{}",
            self.transcript()
        );
        self.of_type("step-output")
            .filter(|event| steps.contains(&step_of(event)))
            .map(|event| text(&event["text"]))
            .collect()
    }

    /// What the steps of that name ended as: each one's conclusion, or `skipped`.
    pub(crate) fn conclusions(&self, step: &str) -> Vec<String> {
        let steps = self.steps(step);
        self.events
            .iter()
            .filter(|event| steps.contains(&step_of(event)))
            .filter_map(|event| match event["type"].as_str() {
                Some("step-finished") => Some(text(&event["conclusion"])),
                Some("step-skipped") => Some("skipped".to_owned()),
                _ => None,
            })
            .collect()
    }

    /// `hit`, `partial` or `miss` of every lookup in the order they were made.
    pub(crate) fn lookups(&self) -> Vec<String> {
        self.of_type("cache-looked-up")
            .map(|event| text(&event["result"]))
            .collect()
    }

    /// How many cache entries were saved.
    pub(crate) fn saves(&self) -> usize {
        self.of_type("cache-saved").count()
    }

    /// Why entries were not saved, in the order they were not.
    pub(crate) fn not_saved(&self) -> Vec<String> {
        self.of_type("cache-not-saved")
            .map(|event| text(&event["reason"]))
            .collect()
    }

    /// The differences that say this.
    pub(crate) fn differences(&self, words: &str) -> Vec<String> {
        self.of_type("differs")
            .map(|event| text(&event["text"]))
            .filter(|text| text.contains(words))
            .collect()
    }

    /// Everything that was printed, for messages of failed assertions.
    pub(crate) fn transcript(&self) -> String {
        let mut transcript = String::new();
        for event in &self.events {
            match event["type"].as_str() {
                Some("step-output") => transcript.push_str(&text(&event["text"])),
                _ => transcript.push_str(&event.to_string()),
            }
            transcript.push('\n');
        }
        transcript + &self.stderr
    }

    fn steps(&self, name: &str) -> Vec<[Value; 5]> {
        self.events
            .iter()
            .filter(|event| {
                matches!(
                    event["type"].as_str(),
                    Some("step-started" | "step-skipped")
                )
            })
            .filter(|event| event["name"] == name)
            .map(step_of)
            .collect()
    }
}

/// Which step an event is about.
fn step_of(event: &Value) -> [Value; 5] {
    ["job", "leg", "within", "step", "phase"].map(|field| event[field].clone())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
