//! Lines out of bytes, as .NET's `StreamReader.ReadLine` finds them: they end in `\n`, `\r` or
//! both.

use std::borrow::Cow;

use crate::exec::mask::Masker;

/// A longer line is taken in pieces, so that a job cannot fill lrun's memory.
const LONGEST: usize = 4 << 20;

/// The lines of one stream.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What came of the line that has not ended.
    partial: Vec<u8>,
    /// Whether a piece of it was taken before.
    goes_on: bool,
    /// The last byte was a carriage return: a line feed after it ends no other line.
    after_return: bool,
}

impl Lines {
    /// The next line of what came, without its end, and whether it is the beginning of one; takes
    /// it off `rest`. None once the rest is kept for later.
    pub(super) fn next<'b>(
        &mut self,
        rest: &mut &'b [u8],
        masker: &Masker,
    ) -> Option<(Cow<'b, [u8]>, bool)> {
        if std::mem::take(&mut self.after_return) {
            if rest.is_empty() {
                self.after_return = true;
                return None;
            }
            *rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
            self.partial.extend_from_slice(rest);
            *rest = &[];
            return self.piece(masker);
        };
        let (line, after) = rest.split_at(end);
        self.after_return = after[0] == b'\r';
        *rest = &after[1..];
        let begins = !std::mem::take(&mut self.goes_on);
        if self.partial.is_empty() {
            return Some((line.into(), begins));
        }
        let mut whole = std::mem::take(&mut self.partial);
        whole.extend_from_slice(line);
        Some((whole.into(), begins))
    }

    /// Whether what comes next begins a line, and nothing was kept.
    pub(super) fn is_between(&self) -> bool {
        self.partial.is_empty() && !self.goes_on && !self.after_return
    }

    /// What came of a line that will not end any more.
    pub(super) fn rest(&mut self) -> Option<(Vec<u8>, bool)> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then_some((rest, !self.goes_on))
    }

    /// The beginning of a line that is too long.
    fn piece<'b>(&mut self, masker: &Masker) -> Option<(Cow<'b, [u8]>, bool)> {
        if self.partial.len() <= LONGEST {
            return None;
        }
        let cut = masker.cut(&self.partial);
        let rest = self.partial.split_off(cut);
        let piece = std::mem::replace(&mut self.partial, rest);
        let begins = !std::mem::replace(&mut self.goes_on, true);
        Some((piece.into(), begins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(pieces: &[&[u8]], masker: &Masker) -> Vec<(String, bool)> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        let mut tell = |bytes: &[u8], begins| {
            found.push((String::from_utf8_lossy(bytes).into_owned(), begins));
        };
        for piece in pieces {
            let mut rest = *piece;
            while let Some((line, begins)) = lines.next(&mut rest, masker) {
                tell(&line, begins);
            }
        }
        if let Some((rest, begins)) = lines.rest() {
            tell(&rest, begins);
        }
        found
    }

    #[test]
    fn lines_end_in_either_or_both() {
        let found = fed(
            &[b"a\nb\r\nc\r", b"\nd\re\r", b"f\n\n", b"g", b"h"],
            &Masker::default(),
        );
        let texts: Vec<_> = found.iter().map(|(text, _)| &**text).collect();
        assert_eq!(texts, ["a", "b", "c", "d", "e", "f", "", "gh"]);
        assert!(found.iter().all(|(_, begins)| *begins));
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_pieces_that_part_no_secret() {
        let masker = Masker::default();
        masker.add(["the secret"]);
        // The secret stands across the place where the line would be cut.
        let mut line = vec![b'x'; LONGEST - 4];
        line.extend_from_slice(b"the secret");
        line.extend(vec![b'y'; 100]);
        let found = fed(&[&line, b"end\nnext"], &masker);
        assert_eq!(
            found.iter().map(|(_, begins)| *begins).collect::<Vec<_>>(),
            [true, false, true]
        );
        let whole = found[0].0.clone() + &found[1].0;
        assert_eq!(whole.as_bytes(), [&line[..], b"end"].concat());
        assert!(found.iter().any(|(piece, _)| piece.contains("the secret")));
        assert_eq!(found[2].0, "next");
    }

    #[test]
    fn a_character_is_not_parted() {
        let masker = Masker::default();
        let mut line = vec![b'x'; LONGEST - 1];
        line.extend("é€😀".as_bytes());
        let found = fed(&[&line], &masker);
        assert!(found.iter().all(|(piece, _)| !piece.contains('\u{fffd}')));
    }
}
