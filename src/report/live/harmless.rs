//! Text that others wrote, made fit to stand on a screen that lrun draws on.

use anstyle_parse::{Params, Parser, Perform, Utf8Parser};

/// A line without whatever would move the cursor, clear the screen or talk to the terminal.
/// Colours stay where they are wanted and end with the line. Of a line that was overwritten
/// (carriage return) its indent and its last text are left, and a tab is four spaces.
pub(super) fn harmless(line: &str, colors: bool) -> String {
    let mut kept = Kept {
        colors,
        ..Kept::default()
    };
    let mut parser = Parser::<Utf8Parser>::default();
    for &byte in line.as_bytes() {
        parser.advance(&mut kept, byte);
    }
    if kept.colored {
        kept.text.push_str("\x1b[0m");
    }
    kept.text
}

#[derive(Default)]
struct Kept {
    text: String,
    colors: bool,
    /// Whether a colour may still be on.
    colored: bool,
    /// What follows overwrites the line.
    returned: bool,
    /// The spaces that the line began with before it was overwritten.
    indent: Option<usize>,
}

impl Perform for Kept {
    fn print(&mut self, character: char) {
        // C1 controls come as characters too.
        if character.is_control() {
            return;
        }
        if std::mem::take(&mut self.returned) {
            let spaces = self.text.len() - self.text.trim_start().len();
            self.text.truncate(*self.indent.get_or_insert(spaces));
        }
        self.text.push(character);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.text.push_str("    "),
            b'\r' => self.returned = true,
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, between: &[u8], ignored: bool, action: u8) {
        if !self.colors || ignored || !between.is_empty() || action != b'm' {
            return;
        }
        let join = |numbers: &[u16]| {
            let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
            numbers.join(":")
        };
        let params: Vec<String> = params.iter().map(join).collect();
        self.colored = params.last().is_some_and(|last| last != "0");
        self.text.push_str(&format!("\x1b[{}m", params.join(";")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_text_and_wanted_colours_is_left() {
        let cases = [
            ("a\x1b[2Jb\x1b[1;1Hc\x1b[?25l", "abc"),
            ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
            ("\x1bPdevice\x1b\\a\x1bcb\x1b7", "ab"),
            ("a\x08\x07\x00\x7f\u{9b}b", "ab"),
            ("10 %\r 20 %\r100 %", "100 %"),
            ("  10 %\r20 %", "  20 %"),
            ("done\r", "done"),
            ("a\tb", "a    b"),
            ("日本 é", "日本 é"),
            ("\x1b[", ""),
        ];
        for (text, left) in cases {
            assert_eq!(harmless(text, false), left, "{text:?}");
        }
        assert_eq!(harmless("\x1b[1;31ma\x1b[0m", false), "a");
        assert_eq!(harmless("\x1b[1;31ma\x1b[0m", true), "\x1b[1;31ma\x1b[0m");
        assert_eq!(harmless("\x1b[31ma\x1b[2J", true), "\x1b[31ma\x1b[0m");
    }
}
