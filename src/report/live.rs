//! The report for people at a terminal: the lines of the plain report scroll up as they are
//! finished; below them stands what is running, and goes away in the end.

mod harmless;
mod screen;
#[cfg(test)]
mod tests;
mod view;

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::Reporter;
use super::layout::Paint;
use super::plain::{Plain, PlainOptions};
use crate::clock::Moment;
use crate::event::{Event, Transfers};
use harmless::harmless;
use screen::Screen;
use view::View;

pub use screen::{Size, Wiper};

/// What is running is drawn anew this often.
const FRAME: Duration = Duration::from_millis(100);

/// The report for people at a terminal.
pub struct Live {
    /// Words every finished line.
    plain: Plain<Vec<u8>>,
    view: View,
    screen: Screen,
    size: Box<dyn Fn() -> Size + Send>,
    color: bool,
    drawn: Moment,
}

impl Live {
    /// A report on the terminal that `out` writes to; `size` tells how large it is now, which
    /// goes over the width of the options.
    pub fn new(
        out: Box<dyn Write + Send>,
        options: PlainOptions,
        transfers: Transfers,
        size: Box<dyn Fn() -> Size + Send>,
    ) -> Self {
        Self {
            plain: Plain::new(Vec::new(), options),
            // Who sees every line anyway needs no last ones.
            view: View::new(transfers, Paint(options.color), !options.verbose),
            screen: Screen::new(out),
            size,
            color: options.color,
            drawn: Moment::now(),
        }
    }

    /// What takes the running steps off the terminal when lrun has to end at once.
    pub fn wiper(&self) -> Wiper {
        self.screen.wiper()
    }

    fn draw(&mut self) -> io::Result<()> {
        let size = (self.size)();
        let lines = self.view.lines(size);
        let finished = self.finished();
        self.drawn = Moment::now();
        self.screen.show(&finished, lines, size)
    }

    /// The lines that were finished since this was called last.
    fn finished(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.plain.take()).into_owned();
        let lines = text.lines();
        lines
            .map(|line| harmless(line, self.color) + "\n")
            .collect()
    }
}

impl Reporter for Live {
    fn name(&self) -> &'static str {
        "the report"
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.view.event(event);
        self.plain.set_width((self.size)().columns);
        self.plain.event(event)?;
        // Events may come faster than anybody rests.
        if self.drawn.elapsed() >= FRAME {
            self.draw()?;
        }
        Ok(())
    }

    fn rest(&mut self) -> io::Result<Option<Duration>> {
        let since = self.drawn.elapsed();
        if since < FRAME && !self.plain.has_written() {
            return Ok(Some(FRAME - since));
        }
        self.draw()?;
        Ok((!self.view.is_empty()).then_some(FRAME))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.plain.finish()?;
        let finished = self.finished();
        self.screen.show(&finished, Vec::new(), (self.size)())
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
