//! Concurrency groups between processes on one store.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};

use lrun::clock::Moment;

use crate::project::{Project, soon};

fn project(concurrency: &str) -> Project {
    let workflow = |steps: &str| {
        format!(
            "on: push\nconcurrency: {concurrency}\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}"
        )
    };
    let long = workflow(
        "      - run: echo ready; sleep 600\n      - { name: After, if: always(), run: echo after }\n",
    );
    let short = workflow("      - run: echo done\n");
    let brief = workflow("      - run: echo ready; sleep 2\n");
    Project::new(&[
        (".github/workflows/long.yml", &long),
        (".github/workflows/short.yml", &short),
        (".github/workflows/brief.yml", &brief),
    ])
}

#[test]
fn a_run_waits_for_another_one_in_its_group() {
    let project = project("Deploy");
    let mut other = None;
    let first = project.lrun().args(&["brief.yml"]).run_and_when_ready(|_| {
        other = Some(project.lrun().args(&["short.yml"]).start(Stdio::piped()));
    });
    first.exited(0);
    let second = other.expect("the first was ready").end();
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
    let waits = "waits for the concurrency group 'Deploy', which run 1 has";
    assert!(second.stdout.contains(waits), "{}", second.stdout);
}

#[test]
fn a_later_run_cancels_the_one_in_progress_as_github_does() {
    let project = project("{ group: deploy, cancel-in-progress: true }");
    let mut other = None;
    let first = project.lrun().args(&["long.yml"]).run_and_when_ready(|_| {
        other = Some(project.lrun().args(&["short.yml"]).start(Stdio::piped()));
    });
    let first = first.exited(130);
    let told: Vec<_> = first.of_type("cancelling").collect();
    assert_eq!(
        told[0]["message"],
        "Canceling since a higher priority waiting request for 'deploy' exists"
    );
    assert_eq!(first.conclusions("After"), ["success"]);
    let second = other.expect("the first was ready").end();
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
}

#[test]
fn of_the_runs_that_wait_the_last_is_left() {
    let project = project("deploy");
    let mut others = Vec::new();
    let first = project.lrun().args(&["brief.yml"]).run_and_when_ready(|_| {
        for _ in 0..2 {
            others.push(project.lrun().args(&["short.yml"]).start(Stdio::piped()));
            // In this order.
            std::thread::sleep(Duration::from_millis(700));
        }
    });
    first.exited(0);
    let ends: Vec<_> = others.into_iter().map(|other| other.end()).collect();
    let codes: Vec<_> = ends.iter().map(|end| end.code).collect();
    assert_eq!(codes, [Some(130), Some(0)], "{ends:?}");
    let words = "Canceling since a higher priority waiting request for 'deploy' exists";
    assert!(ends[0].stdout.contains(words), "{}", ends[0].stdout);
}

#[test]
fn a_killed_run_holds_no_group() {
    let project = project("deploy");
    let first = project
        .lrun()
        .args(&["long.yml"])
        .run_and_when_ready(|lrun| {
            kill(lrun, Signal::SIGKILL).expect("it is running");
        });
    assert_eq!(first.code, None);
    let start = Moment::now();
    project.lrun().args(&["short.yml"]).run().exited(0);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_run_that_waits_can_be_interrupted() {
    let project = project("deploy");
    let mut other = None;
    let first = project
        .lrun()
        .args(&["long.yml"])
        .run_and_when_ready(|lrun| {
            let second = project.lrun().args(&["short.yml"]).start(Stdio::piped());
            let record = project.store().join("runs/2/events.jsonl");
            let waits = || {
                let events = std::fs::read_to_string(&record).unwrap_or_default();
                events.contains("group-awaited")
            };
            assert!(soon(waits), "it waits");
            kill(second.process(), Signal::SIGINT).expect("it is running");
            let second = second.end();
            kill(lrun, Signal::SIGINT).expect("it is running");
            other = Some(second);
        });
    first.exited(130);
    let second = other.expect("the first was ready");
    assert_eq!(second.code, Some(130), "{}{}", second.stdout, second.stderr);
}
