//! The terminal: what is finished scrolls up, below it lines that are drawn again and again.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::harmless::harmless;
use crate::report::layout::{columns, cut};

/// How large a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns, at least one.
    pub columns: u16,
    /// Rows, at least one.
    pub rows: u16,
}

/// A terminal with lines at its bottom that come and go.
#[derive(Clone)]
pub(super) struct Screen {
    /// Locked for a frame at a time: [`Wiper`] comes from another thread.
    parts: Arc<Mutex<Parts>>,
}

/// Takes what is drawn off the terminal, from any thread.
#[derive(Clone)]
pub struct Wiper(Screen);

struct Parts {
    bar: ProgressBar,
    canvas: Arc<Canvas>,
    shown: Vec<String>,
    /// Stands below all the others, as long as there are any.
    notice: Option<String>,
    out: Box<dyn Write + Send>,
    closed: bool,
}

impl Screen {
    /// On the terminal that `out` writes to, its cursor at the beginning of a line.
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        let canvas = Arc::new(Canvas::default());
        let target = ProgressDrawTarget::term_like(Box::new(Shared(Arc::clone(&canvas))));
        let bar = ProgressBar::with_draw_target(None, target);
        // One bar of all lines: what they say is put together elsewhere.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        bar.finish_and_clear();
        let parts = Parts {
            bar,
            canvas,
            shown: Vec::new(),
            notice: None,
            out,
            closed: false,
        };
        Self {
            parts: Arc::new(Mutex::new(parts)),
        }
    }

    pub(super) fn wiper(&self) -> Wiper {
        Wiper(self.clone())
    }

    /// Writes whole lines, and `below` them those that stay until the next call. The latter are
    /// narrower than the terminal and fewer than its rows.
    pub(super) fn show(&self, text: &str, mut below: Vec<String>, size: Size) -> io::Result<()> {
        let mut parts = self.parts();
        let has_room = !below.is_empty() && below.len() + 1 < usize::from(size.rows);
        if let Some(notice) = parts.notice.as_ref().filter(|_| has_room) {
            below.push(cut(notice, usize::from(size.columns).saturating_sub(1)));
        }
        if parts.closed || (text.is_empty() && below == parts.shown) {
            return Ok(());
        }
        parts.canvas.resize(size);
        parts.bar.finish_and_clear();
        parts.canvas.write(text);
        if !below.is_empty() {
            parts.bar.set_message(below.join("\n"));
            parts.bar.reset();
        }
        parts.shown = below;
        parts.write()
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        // A frame that panicked is drawn over.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    /// A frame is one write, so that nothing of another program gets into it.
    fn write(&mut self) -> io::Result<()> {
        self.out.write_all(self.canvas.take().as_bytes())?;
        self.out.flush()
    }
}

impl Wiper {
    /// Says something below what is drawn, from the next frame to the last.
    pub fn notice(&self, text: &str) {
        self.0.parts().notice = Some(text.to_owned());
    }

    /// Takes the lines at the bottom away; nothing is drawn from then on.
    pub fn wipe(&self) {
        let mut parts = self.0.parts();
        parts.closed = true;
        parts.bar.finish_and_clear();
        // There is no better place to say that the terminal is gone.
        let _ = parts.write();
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

impl fmt::Debug for Wiper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiper").finish_non_exhaustive()
    }
}

/// What indicatif draws, as bytes for a terminal.
///
/// indicatif fills each line with spaces and has the terminal wrap it into the next. A terminal
/// would take all of them for one long line then, which it breaks anew when it is resized, and
/// which copies as one. Here the filling is left out and lines are ended.
#[derive(Debug, Default)]
struct Canvas {
    frame: Mutex<Frame>,
    columns: AtomicU16,
    rows: AtomicU16,
}

#[derive(Debug, Default)]
struct Frame {
    text: String,
    /// Where the cursor would be, filling counted.
    column: usize,
}

impl Canvas {
    fn frame(&self) -> MutexGuard<'_, Frame> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, text: &str) {
        self.frame().text.push_str(text);
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.frame().text)
    }

    fn resize(&self, size: Size) {
        self.columns.store(size.columns, Ordering::Relaxed);
        self.rows.store(size.rows, Ordering::Relaxed);
    }
}

/// The canvas in indicatif's hands.
#[derive(Debug)]
struct Shared(Arc<Canvas>);

impl Shared {
    fn escape(&self, count: usize, letter: char) {
        if count > 0 {
            self.0.write(&format!("\x1b[{count}{letter}"));
        }
    }
}

impl TermLike for Shared {
    fn width(&self) -> u16 {
        self.0.columns.load(Ordering::Relaxed).max(1)
    }

    fn height(&self) -> u16 {
        self.0.rows.load(Ordering::Relaxed).max(1)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.escape(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.escape(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.escape(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.escape(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        let mut frame = self.0.frame();
        frame.text.push_str("\r\n");
        frame.column = 0;
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut frame = self.0.frame();
        if frame.column >= usize::from(self.width()) {
            frame.text.push_str("\r\n");
            frame.column = 0;
        }
        frame.column += columns(&harmless(text, false));
        frame.text.push_str(text.trim_end_matches(' '));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut frame = self.0.frame();
        frame.text.push_str("\r\x1b[2K");
        frame.column = 0;
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
