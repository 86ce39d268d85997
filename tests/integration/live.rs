//! The report at a terminal: live while it runs, and in the end what a pipe gets.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};

use crate::lrun::Lrun;
use crate::project::Project;
use crate::terminal::AtTerminal;

/// What stands before a running step.
const SPINNER: std::ops::RangeInclusive<char> = '⠋'..='⠿';

/// A step that stays until it is interrupted, and after it one that runs all the same.
const STAYS: &str = "- name: Stays\n  run: |\n    printf 'up\\033[9A\\033[2J\\n'\n    seq 1 9\n    echo 日本語 and a line that is much longer than the terminal is wide\n    sleep 600\n- name: After\n  if: always()\n  run: echo done";

/// Two jobs, one of which fails; names and output that a terminal may choke on.
const JOBS: &str = "on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/cache@v4
        with: { path: cached, key: one }
      - name: 日本語
        run: mkdir cached && head -c 3000000 /dev/zero > cached/zeros
      - run: seq 1 2000
  two:
    needs: one
    runs-on: ubuntu-24.04
    steps:
      - name: Fails
        run: |
          echo 'a line that is longer than most of the terminals in these tests are wide, by far'
          printf '10 %%\\r20 %%\\r'
          echo
          exit 1
";

fn terminal(lrun: Lrun) -> Lrun {
    lrun.env("TERM", "xterm-256color")
}

/// The report of the project's first run on a pipe.
fn piped(project: &Project) -> Vec<String> {
    let report = project.lrun().args(&["replay", "1"]).plain();
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    report.stdout.lines().map(str::to_owned).collect()
}

/// The lines that are the same on every terminal but for spaces: not those that are fitted to it.
fn unfitted(lines: &[String]) -> Vec<String> {
    let is_row = |line: &str| ["  ✓ ", "  ✗ "].iter().any(|mark| line.starts_with(mark));
    let lines = lines.iter().filter(|line| !is_row(line));
    lines
        .map(|line| line.split_whitespace().collect())
        .collect()
}

fn has_spinner(line: &str) -> bool {
    line.chars().any(|c| SPINNER.contains(&c))
}

fn is_running(lines: &[String]) -> bool {
    lines.iter().any(|line| has_spinner(line))
}

#[test]
fn in_the_end_the_screen_has_the_lines_that_a_pipe_gets() {
    let colors = regex::Regex::new("\x1b\\[[0-9;]*m").expect("it is a pattern");
    for (columns, color) in [(100, true), (20, false), (0, true)] {
        let project = Project::of_workflow(JOBS);
        let mut lrun = terminal(project.lrun().args(&["ci.yml"]));
        if !color {
            lrun = lrun.env("NO_COLOR", "1");
        }
        let mut left = AtTerminal::start(lrun, columns).end();
        assert_eq!(left.report.code, Some(1), "{}", left.report.stderr);
        let mut piped = piped(&project);
        // A terminal shows of an overwritten line what was written last.
        for line in &mut piped {
            *line = line.replace("10 %\r20 %", "20 %");
        }
        if columns != 100 {
            (left.lines, piped) = (unfitted(&left.lines), unfitted(&piped));
        }
        assert_eq!(left.lines, piped, "{columns} columns");
        assert!(left.cursor);
        let bytes = String::from_utf8_lossy(&left.bytes);
        assert_eq!(colors.is_match(&bytes), color, "{columns} columns");
    }
}

#[test]
fn a_running_step_shows_its_seconds_and_last_lines_until_it_is_interrupted() {
    for columns in [100, 40, 20] {
        let project = Project::of_steps(STAYS);
        let lrun = terminal(project.lrun().args(&["ci.yml"]));
        let mut lrun = AtTerminal::start(lrun, columns);
        lrun.until(|lines| {
            let head = lines.iter().position(|line| line.contains("Stays"));
            let below = head.map_or(&[][..], |head| &lines[head + 1..]);
            let begin: Vec<_> = below.iter().map(|line| line.trim()).collect();
            // However long the machine takes to get there.
            let counts = |line: &str| line.ends_with(" s") && !line.ends_with(" 0 s");
            let is_cut = |line: &&str| {
                line.starts_with("日本語 and") && line.ends_with('…') == (columns < 100)
            };
            head.is_some_and(|head| counts(&lines[head]))
                && begin.starts_with(&["7", "8", "9"])
                && begin.get(3).is_some_and(is_cut)
        });
        assert!(!lrun.wraps_below(has_spinner));
        kill(lrun.lrun().process(), Signal::SIGINT).expect("it is running");
        let left = lrun.end();
        assert_eq!(left.report.code, Some(130), "{}", left.report.stderr);
        assert!(!is_running(&left.lines), "{:?}", left.lines);
        assert_eq!(unfitted(&left.lines), unfitted(&piped(&project)));
        assert!(left.cursor);
    }
}

#[test]
fn a_second_interrupt_leaves_a_clean_terminal() {
    let project = Project::of_steps(
        "- name: Stays\n  run: |\n    trap '' INT TERM\n    while true; do sleep 1; done",
    );
    let lrun = terminal(project.lrun().args(&["ci.yml"]));
    let mut lrun = AtTerminal::start(lrun, 60);
    lrun.until(|lines| is_running(lines) && lines.iter().any(|line| line.contains("Stays")));
    kill(lrun.lrun().process(), Signal::SIGINT).expect("it is running");
    lrun.until(|lines| {
        lines
            .iter()
            .any(|line| line.starts_with("cancelling; press Ctrl-C"))
    });
    // Interrupts that come at once count as one.
    while lrun.lrun().is_running() {
        kill(lrun.lrun().process(), Signal::SIGINT).expect("it is not waited for");
        std::thread::sleep(Duration::from_millis(20));
    }
    let left = lrun.end();
    assert_eq!(left.report.code, Some(130), "{}", left.report.stderr);
    assert!(!is_running(&left.lines), "{:?}", left.lines);
    assert!(!left.lines.iter().any(|line| line.contains("cancelling")));
    assert!(left.cursor);
}

#[test]
fn lines_are_cut_anew_when_the_terminal_changes() {
    let project = Project::of_steps(STAYS);
    let mut lrun = AtTerminal::start(terminal(project.lrun().args(&["ci.yml"])), 100);
    let is_cut = |lines: &[String]| lines.iter().any(|line| line.ends_with('…'));
    lrun.until(|lines| lines.iter().any(|line| line.ends_with("is wide")));
    lrun.resize(30);
    lrun.until(is_cut);
    lrun.resize(100);
    lrun.until(|lines| lines.iter().any(|line| line.ends_with("is wide")) && !is_cut(lines));
    kill(lrun.lrun().process(), Signal::SIGINT).expect("it is running");
    let left = lrun.end();
    assert_eq!(left.report.code, Some(130), "{}", left.report.stderr);
    assert!(!is_running(&left.lines), "{:?}", left.lines);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let project = Project::of_steps("- run: echo hello");
    for term in ["dumb", ""] {
        for arguments in [&["ci.yml"][..], &["replay", "last"], &["explain", "last"]] {
            let lrun = project.lrun().args(arguments).env("TERM", term);
            let left = AtTerminal::start(lrun, 100).end();
            assert_eq!(left.report.code, Some(0), "{}", left.report.stderr);
            assert!(!left.bytes.contains(&b'\x1b'), "{arguments:?}");
        }
    }
}
