//! Whoever reads the report may be slow or go away: neither changes the run.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::project::Project;

/// More than a pipe holds (pipe(7): 64 KiB), and a failure at its end.
const CHATTY: &str = "- name: Chatty\n  run: seq 30000 60000\n- run: exit 1";

#[test]
fn a_run_does_not_wait_for_a_reader_that_does_not_read() {
    let project = Project::of_steps(CHATTY);
    let record = project.store().join("runs/1/events.jsonl");
    let mut lrun = project
        .lrun()
        .args(&["ci.yml", "--verbose"])
        .start(Stdio::piped());
    let unread = lrun.take_stdout().expect("it is a pipe");
    let is_over = || {
        let record = fs::read_to_string(&record).unwrap_or_default();
        record.contains("\"event\":\"run-finished\"")
    };
    while !is_over() {
        assert!(lrun.is_running(), "it ended before its run");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(lrun.is_running(), "it left before all was read");
    drop(unread);
    let report = lrun.end();
    assert_eq!(report.code, Some(1), "{}", report.stderr);
    assert!(report.stderr.contains("the report stopped: Broken pipe"));
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let project = Project::of_steps("- run: exit 1");
    // What a shell makes of `2>&1 | true`, whatever is faster.
    let unread = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().expect("there are pipes");
        drop(reader);
        let lrun = project.lrun().args(arguments);
        let both = lrun.through("sh", &["-c", "exec \"$@\" 2>&1", "sh"]);
        both.start(writer).end()
    };
    assert_eq!(unread(&["ci.yml"]).code, Some(1));
    let commands: [&[_]; 5] = [
        &["runs"],
        &["explain", "last"],
        &["replay", "last"],
        &["doctor"],
        &["ci.yml", "--list"],
    ];
    for command in commands {
        assert_eq!(unread(command).code, Some(0), "{command:?}");
    }
    assert_eq!(unread(&["replay", "99"]).code, Some(2));
}

#[test]
fn whoever_reads_gets_every_line_then_and_again() {
    let project = Project::of_steps(CHATTY);
    let report = project.lrun().args(&["ci.yml", "--verbose"]).plain();
    assert_eq!(report.code, Some(1), "{}", report.stderr);
    let numbers = report
        .stdout
        .lines()
        .filter_map(|line| line.trim().parse::<u32>().ok());
    assert!(numbers.eq(30_000..=60_000));
    let replayed = project.lrun().args(&["replay", "1", "--verbose"]).plain();
    assert_eq!(replayed.stdout, report.stdout);
}
