//! A terminal for lrun: a real pseudo-terminal, and an interpreter of what is written to it.

use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroU16;
use std::os::fd::AsRawFd as _;

use nix::libc::TIOCSWINSZ;
use nix::pty::{Winsize, openpty};

use crate::lrun::{Lrun, Report, Started};

nix::ioctl_write_ptr_bad!(set_size, TIOCSWINSZ, Winsize);

/// High enough for all that a test's run prints.
const ROWS: u16 = 60;

/// lrun at a terminal.
pub(crate) struct AtTerminal {
    lrun: Started,
    master: File,
    screen: vt100::Parser,
    /// Every byte that was written.
    pub(crate) bytes: Vec<u8>,
}

/// What is left of it.
pub(crate) struct Left {
    /// How lrun ended.
    pub(crate) report: Report,
    /// The lines on the screen.
    pub(crate) lines: Vec<String>,
    /// Every byte that was written.
    pub(crate) bytes: Vec<u8>,
    /// Whether the cursor is shown.
    pub(crate) cursor: bool,
}

impl AtTerminal {
    /// Starts it; a terminal of no columns is one that does not know its size.
    pub(crate) fn start(lrun: Lrun, columns: u16) -> Self {
        let size = winsize(columns);
        let pty = openpty(Some(&size), None).expect("there are pseudo-terminals");
        let known = NonZeroU16::new(columns).or(NonZeroU16::new(80));
        let rows = NonZeroU16::new(ROWS).expect("it is not zero");
        Self {
            lrun: lrun.start(pty.slave),
            master: File::from(pty.master),
            screen: vt100::Parser::new(rows, known.expect("it is not zero"), 0),
            bytes: Vec::new(),
        }
    }

    /// lrun.
    pub(crate) fn lrun(&mut self) -> &mut Started {
        &mut self.lrun
    }

    /// Gives the terminal another width.
    pub(crate) fn resize(&mut self, columns: u16) {
        let size = winsize(columns);
        // SAFETY: the master is open and the size outlives the call.
        #[expect(unsafe_code, reason = "ioctl_tty(2) has no safe wrapper")]
        let done = unsafe { set_size(self.master.as_raw_fd(), &raw const size) };
        done.expect("it is a terminal");
        let columns = NonZeroU16::new(columns).expect("a known width");
        let rows = NonZeroU16::new(ROWS).expect("it is not zero");
        self.screen.set_size(rows, columns);
    }

    /// Reads until the lines on the screen are as asked for; none are missed in between.
    pub(crate) fn until(&mut self, are_so: impl Fn(&[String]) -> bool) {
        while !are_so(&lines(&self.screen)) {
            let shown = lines(&self.screen).join("\n");
            assert!(self.read(), "it ended before that:\n{shown}");
        }
    }

    /// Whether a line on the screen goes on in the next one, from the first such line on.
    pub(crate) fn wraps_below(&self, is_first: impl Fn(&str) -> bool) -> bool {
        let screen = self.screen.screen();
        let mut rows = screen.rows(0, screen.size().1.get());
        let first = rows.position(|row| is_first(&row)).unwrap_or_default();
        let first = u16::try_from(first).expect("screens are not that high");
        (first..ROWS).any(|row| screen.row_wrapped(row))
    }

    /// Reads to the end.
    pub(crate) fn end(mut self) -> Left {
        while self.read() {}
        Left {
            report: self.lrun.end(),
            lines: lines(&self.screen),
            cursor: !self.screen.screen().hide_cursor(),
            bytes: self.bytes,
        }
    }

    /// Takes in a little of what was written; false once nobody can write any more.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 64];
        // EIO: the other end was closed (pty(7)).
        let length = self.master.read(&mut bytes).unwrap_or(0);
        self.screen.process(&bytes[..length]);
        self.bytes.extend_from_slice(&bytes[..length]);
        length > 0
    }
}

fn winsize(columns: u16) -> Winsize {
    Winsize {
        ws_row: if columns == 0 { 0 } else { ROWS },
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

fn lines(screen: &vt100::Parser) -> Vec<String> {
    let contents = screen.screen().contents();
    contents
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
