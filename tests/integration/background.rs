//! Processes that a step leaves behind live as long as the job, and no longer.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::project::{Project, soon, workflow_of};

/// Whether a process of this machine has the word among its arguments.
fn is_running(word: &str) -> bool {
    fs::read_dir("/proc")
        .expect("/proc is mounted")
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .any(|arguments| {
            arguments
                .split(|&byte| byte == 0)
                .any(|a| a == word.as_bytes())
        })
}

/// A number of seconds no other process sleeps for.
fn marker(number: u32) -> String {
    format!("86400.{}{number}", std::process::id())
}

#[test]
fn later_steps_see_and_end_what_earlier_steps_started() {
    let marker = marker(1);
    // Root's jobs can become root; an ordinary user's runner may end its own processes.
    let kill = match nix::unistd::geteuid().is_root() {
        true => "sudo kill",
        false => "kill",
    };
    let project = Project::of_steps(&format!(
        "- run: |\n    nohup sleep {marker} > /dev/null 2>&1 &\n    echo $! > ~/pid\n\
         - name: Look\n  run: |\n    tr '\\0' ' ' < /proc/$(cat ~/pid)/cmdline\n    echo\n    {kill} $(cat ~/pid)\n    sleep 0.2\n    test -e /proc/$(cat ~/pid)/exe || echo gone"
    ));
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    let lines = run.output("Look");
    assert!(
        lines
            .iter()
            .any(|line| line.trim() == format!("sleep {marker}")),
        "{lines:?}"
    );
    assert!(lines.contains(&"gone".to_owned()), "{lines:?}");
}

#[test]
fn nothing_survives_the_job() {
    let marker = marker(2);
    let project = Project::of_steps(&format!(
        "- run: |\n    setsid nohup sleep {marker} > /dev/null 2>&1 &\n- name: Look\n  run: pgrep -f '[s]leep {marker}' > /dev/null && echo running"
    ));
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert!(run.output("Look").contains(&"running".to_owned()));
    assert!(!is_running(&marker));
}

#[test]
fn what_a_killed_run_leaves_is_removed_all_the_same() {
    let marker = marker(3);
    let project = Project::of_steps(&format!("- run: |\n    echo ready\n    sleep {marker}"));
    let run = project
        .lrun()
        .args(&["ci.yml"])
        .run_and_when_ready(|lrun| kill(lrun, Signal::SIGKILL).expect("it is running"));
    assert_eq!(run.code, None, "{}", run.transcript());
    assert!(soon(|| !is_running(&marker)));
    let work = project.store().join("runs/1/work");
    assert!(soon(|| !work.exists()));
}

#[test]
fn what_a_run_leaves_that_was_killed_with_its_janitor_is_removed_by_the_next() {
    let project = Project::of_steps("- run: |\n    echo ready\n    sleep 600");
    project.lrun().args(&["ci.yml"]).run_and_when_ready(|lrun| {
        for process in janitors_of(lrun).into_iter().chain([lrun]) {
            kill(process, Signal::SIGKILL).expect("it is running");
        }
    });
    let work = project.store().join("runs/1/work");
    assert!(work.exists(), "nobody is left to clear up");
    project.write(".github/workflows/short.yml", &workflow_of("- run: x=1"));
    project.lrun().args(&["short.yml"]).run().exited(0);
    assert!(soon(|| !work.exists()), "the next run does");
}

/// Processes that lrun started to clear up after it.
fn janitors_of(lrun: Pid) -> Vec<Pid> {
    let path = format!("/proc/{lrun}/task/{lrun}/children");
    let children = fs::read_to_string(path).expect("lrun is running");
    let children = children.split_whitespace();
    children
        .filter(|child| {
            let arguments = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            let mut arguments = arguments.split(|&byte| byte == 0);
            arguments.nth(1) == Some(b"__janitor")
        })
        .map(|child| Pid::from_raw(child.parse().expect("a number")))
        .collect()
}
