//! Steps that behave badly towards lrun itself: what they print must not cost its memory.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use nix::unistd::Pid;

use crate::project::Project;

/// Peak memory that no run needs more of, whatever its steps print. An idle run has a third.
const MOST_KIB: u64 = 100 * 1024;

/// 100 MB in lines of 99 characters.
const LINES: &str = "head -c 100000000 /dev/zero | tr '\\0' x | fold -w 99";
/// 60 MB in one line that does not end.
const ONE_LINE: &str = "head -c 60000000 /dev/zero | tr '\\0' x";
/// 10 MB of bytes that are no text.
const BINARY: &str = "head -c 10000000 /dev/urandom";

/// The most memory that a process had so far, in KiB; none once it is gone.
fn peak_kib(process: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

/// What lrun needs at most while a step prints this.
fn peak_of(script: &str) -> u64 {
    let steps = format!("- name: Flood\n  run: {script}\n- run: echo after");
    let project = Project::of_steps(&steps);
    let mut run = project.lrun().args(&["ci.yml"]).start(Stdio::null());
    let mut peak = 0;
    while run.is_running() {
        peak = peak.max(peak_kib(run.process()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(run.end().code, Some(0));
    let record = fs::read_dir(project.store().join("runs")).expect("there are runs");
    let largest = record
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|about| about.len())
        .max();
    assert!(largest.is_some(), "the run has a record");
    peak
}

#[test]
fn a_flood_of_lines_costs_no_memory() {
    let peak = peak_of(LINES);
    assert!(peak < MOST_KIB, "{peak} KiB");
}

#[test]
fn a_line_without_an_end_costs_no_memory() {
    let peak = peak_of(ONE_LINE);
    assert!(peak < MOST_KIB, "{peak} KiB");
}

#[test]
fn what_is_no_text_costs_no_memory() {
    let peak = peak_of(BINARY);
    assert!(peak < MOST_KIB, "{peak} KiB");
}

#[test]
fn a_reader_who_does_not_read_costs_no_memory_and_misses_nothing() {
    let lines = 1_000_000;
    let steps = format!(
        "- name: Flood\n  run: seq -f 'line %.0f of the flood, and some words to fill it up' {lines}"
    );
    let project = Project::of_steps(&steps);
    let arguments = ["ci.yml", "--verbose"];
    let mut run = project.lrun().args(&arguments).start(Stdio::piped());
    let mut output = run.take_stdout().expect("it is a pipe");
    // The step is long over by then; where it is not, less is tried and nothing goes wrong.
    std::thread::sleep(Duration::from_secs(5));
    let peak = peak_kib(run.process()).expect("it waits for its reader");
    assert!(peak < MOST_KIB, "{peak} KiB");
    let mut text = String::new();
    output.read_to_string(&mut text).expect("it is text");
    let told = text.matches(" of the flood, and some words to fill it up\n");
    assert_eq!(told.count(), lines);
    assert_eq!(run.end().code, Some(0));
}
