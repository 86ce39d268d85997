//! The files a step writes to tell the runner something: `GITHUB_ENV`, `GITHUB_OUTPUT`,
//! `GITHUB_STATE` (pairs) and `GITHUB_PATH` (lines).
//!
//! Grammar and messages are those of the runner's `FileCommandManager.cs` on Linux: lines end in
//! `\n` alone. What a pair does, and what a bad file does to the step, is decided elsewhere.

/// What a file of pairs says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs {
    /// The pairs in order. A name may be empty and may come again.
    pub pairs: Vec<(String, String)>,
    /// What is wrong behind them; the pairs before it take effect all the same.
    pub error: Option<FileCommandError>,
}

/// What is wrong with a file of pairs, in the runner's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileCommandError {
    /// A line with neither `=` nor `<<`.
    #[error("Invalid format '{line}'")]
    InvalidFormat {
        /// The line.
        line: String,
    },
    /// `<<` without a name before it or a delimiter behind it.
    #[error("Invalid format '{line}'. Name must not be empty and delimiter must not be empty")]
    EmptyName {
        /// The line.
        line: String,
    },
    /// The file ends before the delimiter.
    #[error("Invalid value. Matching delimiter not found '{delimiter}'")]
    DelimiterNotFound {
        /// The delimiter.
        delimiter: String,
    },
    /// The file ends in the middle of a line of the value.
    #[error("Invalid value. EOF marker missing new line.")]
    MissingNewLine,
}

/// The text of a file, as .NET's `File.ReadAllText` gives it: UTF-8, with U+FFFD for what is none,
/// unless the file begins with the mark of another encoding; without that mark.
pub fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, units @ ..] => utf_16(units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => utf_16(units, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] | text => String::from_utf8_lossy(text).into_owned(),
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks(2).map(|pair| match *pair {
        [first, second] => unit([first, second]),
        // Half a unit at the end is none.
        _ => 0xfffd,
    });
    let units: Vec<u16> = units.collect();
    String::from_utf16_lossy(&units)
}

/// Reads a file of `NAME=VALUE` and `NAME<<DELIMITER` pairs; nothing is trimmed.
pub fn parse_pairs(text: &str) -> Pairs {
    let mut lines = text.split_inclusive('\n');
    let mut pairs = Vec::new();
    let mut error = None;
    while let Some(line) = lines.next() {
        let line = without_line_end(line);
        if line.is_empty() {
            continue;
        }
        match pair(line, &mut lines) {
            Ok(pair) => pairs.push(pair),
            Err(found) => {
                error = Some(found);
                break;
            }
        }
    }
    Pairs { pairs, error }
}

fn pair<'a>(
    line: &'a str,
    rest: &mut impl Iterator<Item = &'a str>,
) -> Result<(String, String), FileCommandError> {
    let equals = line.find('=').unwrap_or(line.len());
    match line.find("<<") {
        Some(at) if at < equals => {
            let (name, delimiter) = (&line[..at], &line[at + "<<".len()..]);
            if name.is_empty() || delimiter.is_empty() {
                return Err(FileCommandError::EmptyName {
                    line: line.to_owned(),
                });
            }
            Ok((name.to_owned(), heredoc(delimiter, rest)?))
        }
        _ => match line.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(FileCommandError::InvalidFormat {
                line: line.to_owned(),
            }),
        },
    }
}

/// The lines up to the delimiter, without the last line end.
fn heredoc<'a>(
    delimiter: &str,
    lines: &mut impl Iterator<Item = &'a str>,
) -> Result<String, FileCommandError> {
    let mut value = String::new();
    for line in lines {
        if without_line_end(line) == delimiter {
            value.pop();
            return Ok(value);
        }
        if !line.ends_with('\n') {
            return Err(FileCommandError::MissingNewLine);
        }
        value.push_str(line);
    }
    Err(FileCommandError::DelimiterNotFound {
        delimiter: delimiter.to_owned(),
    })
}

fn without_line_end(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

/// Why `GITHUB_ENV` may not set a variable; none when it may. The step does not fail by it
/// (`SetEnvFileCommand`).
pub fn blocked_variable(name: &str) -> Option<String> {
    const BLOCKED: &str = "NODE_OPTIONS";
    name.eq_ignore_ascii_case(BLOCKED)
        .then(|| format!("Can't store {BLOCKED} output parameter using '$GITHUB_ENV' command."))
}

/// Puts the directories that a `GITHUB_PATH` file names, one a line, before those already
/// there: the last one comes first, and one that is there already moves.
pub fn prepend_paths(directories: &mut Vec<String>, text: &str) {
    for directory in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        directories.retain(|known| known != directory);
        directories.insert(0, directory.to_owned());
    }
}

/// Puts what another file names behind what one names, as if one file had both.
pub fn append_paths(all: &mut String, text: &str) {
    if !all.is_empty() && !text.is_empty() {
        all.push('\n');
    }
    all.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_before_a_bad_line_are_kept() {
        let Pairs { pairs, error } = parse_pairs("A=1\nnovalue\nB=2\n");
        assert_eq!(pairs, [("A".to_owned(), "1".to_owned())]);
        let line = "novalue".to_owned();
        assert_eq!(error, Some(FileCommandError::InvalidFormat { line }));
    }

    #[test]
    fn a_file_is_text_by_the_mark_it_begins_with() {
        assert_eq!(text(b"\xef\xbb\xbfA=\xc3\xa9"), "A=é");
        assert_eq!(text(b"A=\xff\0"), "A=\u{fffd}\0");
        assert_eq!(text(b"\xff\xfeA\0=\0"), "A=");
        assert_eq!(text(b"\xfe\xff\0A\0=\0"), "A=\u{fffd}");
    }

    #[test]
    fn the_last_directory_comes_first() {
        let mut directories = vec!["/a".to_owned(), "/b".to_owned()];
        prepend_paths(&mut directories, "/c\n\n/b\r\n/d");
        assert_eq!(directories, ["/d", "/b", "/c", "/a"]);
    }

    #[test]
    fn node_options_are_refused() {
        let message = "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.";
        assert_eq!(blocked_variable("node_options").as_deref(), Some(message));
        assert_eq!(blocked_variable("NODE_ENV"), None);
    }
}
