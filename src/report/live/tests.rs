//! The live report on a terminal that is an interpreter of escape sequences.

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use super::*;
use crate::event::{EventKind, LogLine};
use crate::ids::{Phase, StepKey};
use crate::outcome::Outcome;
use crate::report::Room;
use crate::report::fixture::{
    events, every_kind, job_started, output, run_finished, started, step, step_finished,
    step_started,
};

const OPTIONS: PlainOptions = PlainOptions {
    verbose: false,
    summaries: false,
    color: false,
    room: Room::Unbounded,
};

/// A terminal that takes bytes in. The lock is for the test, which looks in between.
#[derive(Clone)]
struct Terminal(Arc<Mutex<vt100::Parser>>);

impl Terminal {
    fn new(size: Size) -> Self {
        let parser = vt100::Parser::new(nonzero(size.rows), nonzero(size.columns), 0);
        Self(Arc::new(Mutex::new(parser)))
    }

    fn text(&self) -> String {
        let parser = self.0.lock().expect("nobody panicked");
        let contents = parser.screen().contents();
        let lines: Vec<_> = contents.lines().map(str::trim_end).collect();
        lines.join("\n")
    }

    /// The text with the same spinner and the same seconds whenever it is looked at.
    fn text_at_any_time(&self) -> String {
        let spinner = regex::Regex::new(r"(?m)^  [⠋-⠿] ").expect("it is a pattern");
        let seconds = regex::Regex::new(r"(?m) +\d+ s$").expect("it is a pattern");
        let text = self.text();
        let text = spinner.replace_all(&text, "  ⠋ ");
        seconds.replace_all(&text, " … 0 s").into_owned()
    }

    fn wraps(&self) -> bool {
        let parser = self.0.lock().expect("nobody panicked");
        let rows = parser.screen().size().0;
        (0..rows.get()).any(|row| parser.screen().row_wrapped(row))
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What the line discipline does: stty(1), onlcr.
        let mut parser = self.0.lock().expect("nobody panicked");
        for &byte in bytes {
            match byte {
                b'\n' => parser.process(b"\r\n"),
                byte => parser.process(&[byte]),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn nonzero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("terminals have rows and columns")
}

struct Watched {
    live: Live,
    terminal: Terminal,
    transfers: Transfers,
}

fn watched(size: Size, options: PlainOptions) -> Watched {
    let terminal = Terminal::new(size);
    let transfers = Transfers::default();
    let out = Box::new(terminal.clone());
    let live = Live::new(out, options, transfers.clone(), Box::new(move || size));
    Watched {
        live,
        terminal,
        transfers,
    }
}

impl Watched {
    fn tell(&mut self, kinds: impl IntoIterator<Item = EventKind>) {
        for event in events(kinds) {
            self.live.event(&event).expect("memory can be written");
        }
        self.live.draw().expect("memory can be written");
    }
}

fn size(columns: u16, rows: u16) -> Size {
    Size { columns, rows }
}

fn main(job: &str) -> StepKey {
    step(job, 0, Phase::Main)
}

#[test]
fn a_running_step_is_shown_with_its_last_lines_and_bytes() {
    let mut watched = watched(size(60, 20), OPTIONS);
    let build = main("build");
    watched.tell([
        started(&["build"]),
        job_started("build"),
        step_started(&build, "Restore"),
    ]);
    let transfer = watched.transfers.begin(build.clone(), Some(71_000_000));
    transfer.add(12_000_000);
    watched.tell((1..=9).map(|n| output(&build, LogLine::Output, &format!("line {n}"))));
    insta::assert_snapshot!(watched.terminal.text_at_any_time(), @r"
    ci.yml · push · main@3f2c1ab + 1 changed file
      ⠋ Restore                        12 MB of 71 MB … 0 s
          line 6
          line 7
          line 8
          line 9
    ");
    drop(transfer);
    watched.tell([step_finished(&build, Outcome::Success, 4_000)]);
    insta::assert_snapshot!(watched.terminal.text_at_any_time(), @r"
    ci.yml · push · main@3f2c1ab + 1 changed file
    build · host: debian-12 standing in for ubuntu-24.04
      ✓ Restore                                             4 ms
      ⠋ build … 0 s
    ");
}

#[test]
fn jobs_that_do_not_fit_are_counted() {
    let names = ["a", "b", "c", "d", "e"];
    let mut watched = watched(size(46, 8), OPTIONS);
    watched.tell([started(&names)]);
    watched.tell(names.map(job_started));
    watched.tell([step_started(&main("b"), "make")]);
    insta::assert_snapshot!(watched.terminal.text_at_any_time(), @r"
    ci.yml · push · main@3f2c1ab + 1 changed file
      ⠋ a … 0 s
      ⠋ b · make … 0 s
      ⠋ c … 0 s
      … and 2 more
    ");
}

#[test]
fn what_is_drawn_fits_any_terminal_and_does_nothing_to_it() {
    let texts = [
        "日本語のとても長い行です",
        "\x1b[2J\x1b[Hup\x1b[10A",
        "a\tb\rc",
        "e\u{301}👩‍👩‍👧",
    ];
    for columns in 1..=101 {
        for rows in [1, 2, 5, 40] {
            let mut watched = watched(size(columns, rows), OPTIONS);
            watched
                .live
                .view
                .event(&events([started(&["build", "日本"])])[0]);
            for job in ["build", "日本"] {
                let step = main(job);
                let mut kinds = vec![job_started(job), step_started(&step, texts[0])];
                kinds.extend(texts.map(|text| output(&step, LogLine::Output, text)));
                for event in events(kinds) {
                    watched.live.view.event(&event);
                }
            }
            for _ in 0..2 {
                watched.live.draw().expect("memory can be written");
                assert!(!watched.terminal.wraps(), "{columns} columns");
                let lines = watched.terminal.text().lines().count();
                assert!(lines <= usize::from(rows / 2).max(1), "{columns} × {rows}");
            }
        }
    }
}

#[test]
fn in_the_end_there_is_the_plain_report_and_nothing_else() {
    for color in [false, true] {
        let options = PlainOptions { color, ..OPTIONS };
        let mut watched = watched(size(140, 60), options);
        for event in every_kind() {
            watched.live.event(&event).expect("memory can be written");
            watched.live.draw().expect("memory can be written");
        }
        watched.live.finish().expect("memory can be written");
        let mut plain = Plain::new(
            Vec::new(),
            PlainOptions {
                room: Room::Unbounded,
                ..OPTIONS
            },
        );
        for event in every_kind() {
            plain.event(&event).expect("memory can be written");
        }
        let plain = String::from_utf8(plain.take()).expect("it is text");
        assert_eq!(watched.terminal.text(), plain.trim_end());
    }
}

#[test]
fn wiped_it_stays_wiped() {
    let mut watched = watched(size(60, 20), OPTIONS);
    watched.tell([started(&["build"]), job_started("build")]);
    assert!(watched.terminal.text_at_any_time().contains("⠋ build"));
    watched.live.wiper().wipe();
    watched.tell([
        step_started(&main("build"), "make"),
        run_finished(crate::difference::Verdict::Failed),
    ]);
    assert_eq!(
        watched.terminal.text(),
        "ci.yml · push · main@3f2c1ab + 1 changed file"
    );
}
