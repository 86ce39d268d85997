//! Places as the sandbox makes them, seen from inside and from outside. Run by root and by
//! an ordinary user, these tests try the recipe of whoever runs them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lrun::agent::protocol::{FileSpec, ProcessSpec, Signal, Stream, User};
use lrun::agent::{Agent, AgentError, EnvironmentSpec, Mount, Network};
use lrun::backend::sandbox::Sandbox;
use lrun::backend::{Backend as _, Place};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A place under test and the directories it was made from.
struct Bench {
    place: Place,
    directory: tempfile::TempDir,
}

/// What a command gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Bench {
    async fn up() -> Self {
        Self::up_with(|_| {}).await
    }

    async fn up_with(change: impl FnOnce(&mut EnvironmentSpec)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut spec = specification(directory.path());
        change(&mut spec);
        let place = Sandbox::launched_by(program())
            .bring_up(&spec)
            .await
            .unwrap();
        Self { place, directory }
    }

    fn agent(&self) -> &Agent {
        &self.place.agent
    }

    /// What the job's user gets from a script of bash.
    async fn job(&self, script: &str) -> Ran {
        run(self.agent(), User::Job, script).await
    }

    fn host_home(&self) -> PathBuf {
        self.directory.path().join("home/runner")
    }

    async fn down(self) {
        self.place.take_down().await.unwrap();
        assert!(!self.directory.path().join("state").exists());
    }
}

fn program() -> PathBuf {
    // Copied beside the test when it is run by a user who cannot read the target directory.
    std::env::var_os("LRUN_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_lrun").into(), Into::into)
}

fn specification(directory: &Path) -> EnvironmentSpec {
    let home = directory.join("home");
    fs::create_dir(&home).unwrap();
    EnvironmentSpec {
        state: directory.join("state"),
        home,
        mounts: Vec::new(),
        files: Vec::new(),
        hidden: Vec::new(),
        hostname: "runner-host".to_owned(),
        network: Network::Host,
    }
}

fn process(user: User, script: &str) -> ProcessSpec {
    let env = [
        ("PATH", PATH),
        ("HOME", "/home/runner"),
        ("LANG", "C.UTF-8"),
    ];
    ProcessSpec {
        argv: ["bash", "-e", "-c", script].map(str::to_owned).to_vec(),
        env: env
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        cwd: "/home/runner".to_owned(),
        user,
    }
}

async fn run(agent: &Agent, user: User, script: &str) -> Ran {
    let mut process = agent.spawn(process(user, script)).await.unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some((stream, bytes)) = process.output.recv().await {
        match stream {
            Stream::Out => out.extend(bytes),
            Stream::Err => err.extend(bytes),
        }
    }
    let exit = process.wait().await.unwrap();
    Ran {
        code: exit.code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[tokio::test]
async fn the_job_is_runner() {
    let bench = Bench::up().await;
    let ran = bench
        .job("id -u; id -g; id -un; id -gn; hostname; umask")
        .await;
    assert_eq!(
        ran.out, "1001\n1001\nrunner\nrunner\nrunner-host\n0022\n",
        "{ran:?}"
    );
    bench.down().await;
}
