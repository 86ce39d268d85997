//! What a run and its steps cost beside plain `bash -e`: ratios of medians on this machine.
//!
//! Never a test: times of a shared machine decide nothing. Run it by `cargo bench --bench steps`.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lrun::clock::Moment;

const ROUNDS: usize = 15;
const FURTHER_STEPS: usize = 20;

fn main() -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("script.sh");
    fs::write(&script, "true\n")?;
    let project = directory.path().join("project");
    make_project(&project)?;
    let store = directory.path().join("store");

    let bash = median(|| succeed(Command::new("bash").arg("-e").arg(&script)))?;
    let lrun = |workflow: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrun"));
        command
            .arg(workflow)
            .env("LRUN_STORE", &store)
            .current_dir(&project);
        succeed(&mut command)
    };
    let one = median(|| lrun("one.yml"))?;
    let many = median(|| lrun("many.yml"))?;
    let further = many.saturating_sub(one) / FURTHER_STEPS as u32;

    let mut out = io::stdout().lock();
    writeln!(out, "bash -e, one script      {}", shown(bash))?;
    writeln!(out, "lrun, a run of one step  {}", shown(one))?;
    writeln!(
        out,
        "lrun, each further step  {}   {:.2} × bash -e",
        shown(further),
        further.as_secs_f64() / bash.as_secs_f64()
    )
}

/// A repository with a workflow of one step and one of many, none of which does anything.
fn make_project(project: &Path) -> io::Result<()> {
    let workflows = project.join(".github/workflows");
    fs::create_dir_all(&workflows)?;
    for (name, steps) in [("one.yml", 1), ("many.yml", 1 + FURTHER_STEPS)] {
        let steps = "      - run: 'true'\n".repeat(steps);
        let text =
            format!("on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n{steps}");
        fs::write(workflows.join(name), text)?;
    }
    let git =
        |arguments: &[&str]| succeed(Command::new("git").args(arguments).current_dir(project));
    git(&["init", "--quiet"])?;
    git(&["add", "--all"])?;
    let identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
    git(&[&identity[..], &["commit", "--quiet", "-m", "first"]].concat())
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{command:?} failed: {words}")))
}

fn median(mut run: impl FnMut() -> io::Result<()>) -> io::Result<Duration> {
    // The first round warms the caches of the machine.
    run()?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Moment::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}

fn shown(time: Duration) -> String {
    format!("{:8.2} ms", time.as_secs_f64() * 1000.0)
}
