//! What goes wrong with a member, in GNU tar's words (LANG=C.UTF-8, as on hosted runners).

use std::fmt::Write as _;
use std::io;

use nix::errno::Errno;

/// tar's last line where it ends with exit code 2; without it problems mean exit code 1.
pub const FAILED: &str = "tar: Exiting with failure status due to previous errors";

/// Problems as tar prints them, and whether they make it fail.
#[derive(Debug, Default)]
pub(super) struct Problems {
    lines: Vec<String>,
    failed: bool,
}

impl Problems {
    /// tar could not do `action` with a member: exit code 2.
    pub(super) fn cannot(&mut self, name: &[u8], action: &str, error: &io::Error) {
        let reason = reason(error);
        let name = escaped(name);
        self.lines
            .push(format!("tar: {name}: Cannot {action}: {reason}"));
        self.failed = true;
    }

    /// A member is not what it was when tar began with it: exit code 1.
    pub(super) fn differs(&mut self, name: &[u8], what: &str) {
        self.lines.push(format!("tar: {}: {what}", escaped(name)));
    }

    /// tar's standard error.
    pub(super) fn into_lines(mut self) -> Vec<String> {
        if self.failed {
            self.lines.push(FAILED.to_owned());
        }
        self.lines
    }
}

/// The error as the C library words it.
pub(super) fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(
        || error.to_string(),
        |code| Errno::from_raw(code).desc().to_owned(),
    )
}

/// A name in the quotation marks of a UTF-8 locale.
pub(super) fn quoted(name: &[u8]) -> String {
    format!("‘{}’", escaped(name))
}

/// A name in tar's `escape` quoting style: what cannot be printed is written as in C.
fn escaped(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                c if c.is_control() => push_octal(&mut text, c.to_string().as_bytes()),
                c => text.push(c),
            }
        }
        push_octal(&mut text, chunk.invalid());
    }
    text
}

fn push_octal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\{byte:03o}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_printed_are_escaped_as_tar_does() {
        assert_eq!(escaped(b"a b\\c\nd"), "a b\\\\c\\nd");
        assert_eq!(escaped("é\u{1}".as_bytes()), "é\\001");
        assert_eq!(escaped(b"\xff"), "\\377");
    }

    #[test]
    fn a_changed_file_alone_is_no_failure_of_tar() {
        let mut problems = Problems::default();
        problems.differs(b"f", "file changed as we read it");
        assert_eq!(
            problems.into_lines(),
            ["tar: f: file changed as we read it"]
        );
        let mut problems = Problems::default();
        problems.cannot(b"f", "open", &io::Error::from_raw_os_error(libc::EACCES));
        assert_eq!(
            problems.into_lines(),
            ["tar: f: Cannot open: Permission denied", FAILED]
        );
    }
}
