//! What lrun costs beside act and beside plain tools: medians of this machine, in one run, as
//! ratios, each with the number it is to reach.
//!
//! Never a test: times of a shared machine decide nothing. Run it by `just bench`. It needs git,
//! tar and zstd; act is fetched from PyPI, and done without, by name, where it cannot be had.

mod act;
mod actions;
mod kinds;
mod measure;
mod plans;
mod projects;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use act::Act;
use measure::{Lrun, median, succeed, timed};
use projects::{FURTHER_STEPS, LEGS};

/// One line of the report.
struct Line {
    work: &'static str,
    time: Duration,
    /// The peer, its time, and the ratio to reach.
    peers: Vec<(&'static str, Option<Duration>, &'static str)>,
    target: &'static str,
}

fn main() -> io::Result<()> {
    let directory = tempfile::Builder::new().prefix("lrun-bench-").tempdir()?;
    let root = directory.path();
    let mut out = io::stdout().lock();
    let act = Act::find(root);
    if let Err(reason) = &act {
        writeln!(out, "act cannot be had: {reason}")?;
    }
    report(&mut out, &checks(root)?)?;
    report(&mut out, &steps(root, act.as_ref().ok())?)?;
    report(&mut out, &plans::plans(root)?)?;
    report(&mut out, &actions::actions(root)?)?;
    report(&mut out, &kinds::kinds(root)?)?;
    report(&mut out, &checkouts(root)?)?;
    report(&mut out, &caches(root)?)?;
    writeln!(out, "{}", memory(root)?)
}

fn report(out: &mut impl io::Write, lines: &[Line]) -> io::Result<()> {
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{}", line.text()))
}

/// Verdicts, from the start of the process to its end.
fn checks(root: &Path) -> io::Result<Vec<Line>> {
    let project = projects::of_workflows(&root.join("workflows"))?;
    let lrun = Lrun::new(&project, &root.join("store"));
    let line = |work, time, target| Line {
        work,
        time,
        peers: Vec::new(),
        target,
    };
    let one = median(|| lrun.check(Some(".github/workflows/0.yml")))?;
    let all = median(|| lrun.check(None))?;
    Ok(vec![
        line("check of one workflow", one, "≤ 15 ms"),
        line("check of 700 workflows, one thread", all, "≤ 500 ms"),
    ])
}

/// Runs of one step and of many, and what comes after the last.
fn steps(root: &Path, act: Option<&Act>) -> io::Result<Vec<Line>> {
    let project = projects::of_steps(&root.join("steps"))?;
    let script = root.join("script.sh");
    fs::write(&script, "true\n")?;
    let bash = median(|| timed(Command::new("bash").arg("-e").arg(&script)))?;
    let lrun = Lrun::new(&project, &root.join("store"));
    let [one, many] = ["one.yml", "many.yml"].map(|workflow| median(|| lrun.run(workflow)));
    let (one, many) = (one?, many?);
    let end = median(|| Ok(lrun.watch("one.yml")?.after_last_step))?;
    let of_act = |workflow: &str| {
        act.map(|act| median(|| act.run(&project, workflow)))
            .transpose()
    };
    let (act_one, act_many) = (of_act("one.yml")?, of_act("many.yml")?);
    let further = |one: Duration, many: Duration| many.saturating_sub(one) / FURTHER_STEPS;
    Ok(vec![
        Line {
            work: "whole run, one no-op step",
            time: one,
            peers: vec![("act", act_one, "≤ 0.5"), ("bash -e", Some(bash), "")],
            target: "≤ 40 ms",
        },
        Line {
            work: "whole run, 21 no-op steps",
            time: many,
            peers: vec![("act", act_many, "")],
            target: "",
        },
        Line {
            work: "each further no-op step",
            time: further(one, many),
            peers: vec![
                ("bash -e", Some(bash), "≤ 1.5"),
                (
                    "act",
                    act_one.zip(act_many).map(|(one, many)| further(one, many)),
                    "",
                ),
            ],
            target: "",
        },
        Line {
            work: "from the last step's end to lrun's",
            time: end,
            peers: Vec::new(),
            target: "",
        },
    ])
}

fn checkouts(root: &Path) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (files, first_work, again_work, again_target) in [
        (
            1_200,
            "checkout of 1,200 files, first",
            "the same again",
            "≤ 15 ms",
        ),
        (
            20_000,
            "checkout of 20,000 files, first",
            "the same again",
            "≤ 150 ms",
        ),
    ] {
        let project = projects::of_files(&root.join(format!("files-{files}")), files)?;
        let lrun = Lrun::new(&project, &root.join(format!("store-{files}")));
        let first = lrun.watch("checkout.yml")?.step("actions/checkout");
        let again = median(|| {
            lrun.settle();
            Ok(lrun.watch("checkout.yml")?.step("actions/checkout"))
        })?;
        let tree = root.join(format!("worktree-{files}"));
        let mut git = Command::new("git");
        git.args(["worktree", "add", "--detach"]).arg(&tree);
        let worktree = timed(git.current_dir(&project))?;
        lines.push(Line {
            work: first_work,
            time: first,
            peers: vec![("git worktree add", Some(worktree), "≤ 0.5")],
            target: "",
        });
        lines.push(Line {
            work: again_work,
            time: again,
            peers: vec![("git worktree add", Some(worktree), "")],
            target: again_target,
        });
    }
    Ok(lines)
}

/// Saves and restores of a tree of 20,000 files.
fn caches(root: &Path) -> io::Result<Vec<Line>> {
    let project = root.join("files-20000");
    let lrun = Lrun::new(&project, &root.join("store-20000"));
    let saved = lrun.watch("cache.yml")?.step("Post ");
    lrun.settle();
    let mut changed_saves = Vec::new();
    let mut restores = Vec::new();
    for _ in 0..3 {
        let run = lrun.watch("cache.yml")?;
        restores.push(run.step("Cache"));
        changed_saves.push(run.step("Post "));
        lrun.settle();
    }
    lrun.clear_shelf()?;
    let laid_out = lrun.watch("cache.yml")?.step("Cache");
    restores.sort_unstable();
    changed_saves.sort_unstable();
    let (archive, copy) = (root.join("tree.tar.zst"), root.join("copy"));
    let packed = timed(
        Command::new("tar")
            .args(["--zstd", "-cf"])
            .arg(&archive)
            .arg("tree")
            .current_dir(&project),
    )?;
    fs::create_dir(&copy)?;
    let unpacked = timed(
        Command::new("tar")
            .args(["--zstd", "-xf"])
            .arg(&archive)
            .current_dir(&copy),
    )?;
    let copied = timed(
        Command::new("cp")
            .arg("-a")
            .arg(project.join("tree"))
            .arg(root.join("copied")),
    )?;
    let line = |work, time, peers, target| Line {
        work,
        time,
        peers,
        target,
    };
    Ok(vec![
        line(
            "save 20,000 files",
            saved,
            vec![("tar -c --zstd", Some(packed), "")],
            "",
        ),
        line(
            "save them with 1 % changed",
            changed_saves[1],
            vec![("tar -c --zstd", Some(packed), "≤ 0.15")],
            "",
        ),
        line(
            "restore them from the shelf",
            restores[1],
            vec![("tar -x --zstd", Some(unpacked), "")],
            "≤ 20 ms",
        ),
        line(
            "restore them laid out anew",
            laid_out,
            vec![
                ("tar -x --zstd", Some(unpacked), "≤ 1"),
                ("cp -a", Some(copied), ""),
            ],
            "",
        ),
    ])
}

/// What lrun itself takes at its most, for one leg and for each of many.
fn memory(root: &Path) -> io::Result<String> {
    let lrun = Lrun::new(&root.join("steps"), &root.join("store"));
    let one = lrun.watch("one.yml")?.most_kib;
    let all = lrun.watch("matrix.yml")?.most_kib;
    Ok(format!(
        "memory of lrun: {:.1} MB for one leg, {:.1} MB for {LEGS} legs ({:.0} KB a leg), to reach ≤ 40 MB",
        one as f64 / 1024.0,
        all as f64 / 1024.0,
        all.saturating_sub(one) as f64 / f64::from(LEGS - 1)
    ))
}

impl Line {
    fn text(&self) -> String {
        let time = shown(self.time);
        let mut text = format!("{:36}{time:>10}", self.work);
        if !self.target.is_empty() {
            text.push_str(&format!("  to reach {}", self.target));
        }
        for (peer, time, target) in &self.peers {
            let Some(time) = time else {
                text.push_str(&format!("\n{:36}  {peer}: not measured", ""));
                continue;
            };
            let ratio = self.time.as_secs_f64() / time.as_secs_f64();
            text.push_str(&format!(
                "\n{:36}  {ratio:.2} × {peer} ({})",
                "",
                shown(*time)
            ));
            if !target.is_empty() {
                text.push_str(&format!("  to reach {target}"));
            }
        }
        text
    }
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// Runs git with an identity of its own.
fn git(directory: &Path, arguments: &[&str]) -> io::Result<()> {
    let identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
    let mut git = Command::new("git");
    succeed(git.args(identity).args(arguments).current_dir(directory))
}
